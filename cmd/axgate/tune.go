package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"axgate/config"
)

// tune sets what Go's runtime does not find out by itself, unless the
// environment did: a processor more for each media worker, which keeps one
// while calls talk, also when it waits; when the collector runs; and a limit of
// memory, so that it stays small beside the machine.
func tune(log *zerolog.Logger, cfg *config.Config) {
	const share = 0.7
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + max(cfg.Media.Workers, 1))
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		if memory, ok := machineMemory(); ok {
			debug.SetMemoryLimit(int64(share * float64(memory)))
		}
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
		size := int64(len(ballast()))
		if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64-size {
			debug.SetMemoryLimit(limit + size)
		}
	}
	log.Debug().Int("processors", runtime.GOMAXPROCS(0)).Time("at", time.Now()).Msg("start")
}

// The heap may grow by 30 % of what lives in it, and by 60 MiB more: a node with few
// calls collects seldom, and one with many keeps little beside them.
const (
	growth      = 30 // percent
	ballastSize = 200 << 20
)

// ballast counts as living, and takes no memory, since nobody touches it.
var ballast = sync.OnceValue(func() []byte {
	b := make([]byte, ballastSize)
	_ = unix.Madvise(b, unix.MADV_DONTNEED) // the runtime may have cleared it; without that it costs its size and nothing else
	return b
})

// machineMemory is what this process may use, in bytes: the limit of its
// control group, or else the machine's memory.
func machineMemory() (uint64, bool) {
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			return n, true
		}
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, false
	}
	return uint64(info.Totalram) * uint64(info.Unit), true
}
