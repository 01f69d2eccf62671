package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"
)

// The clock of this process, as far as it tells the time of day, is ahead of the
// machine's by the seconds that the file named by CLOCK_AHEAD has. The file is read
// again as long as the process lives; how long something takes is not touched.

// vdso is the kernel's clock_gettime, as the runtime found it.
//
//go:linkname vdso runtime.vdsoClockgettimeSym
var vdso uintptr

var (
	kernel uintptr // the kernel's
	ahead  int64   // seconds
)

// shiftedPC is where shifted begins, which has C's calling convention.
func shiftedPC() uintptr

func init() {
	path := os.Getenv("CLOCK_AHEAD")
	if path == "" {
		return
	}
	if vdso == 0 {
		panic("the kernel gives no clock that could be shifted")
	}
	read := func() {
		if text, err := os.ReadFile(path); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				atomic.StoreInt64(&ahead, n)
			}
		}
	}
	kernel = vdso
	read()
	atomic.StoreUintptr((*uintptr)(unsafe.Pointer(&vdso)), shiftedPC())
	go func() {
		for {
			time.Sleep(50 * time.Millisecond)
			read()
		}
	}()
}
