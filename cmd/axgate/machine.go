package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// machine examines what the operating system gives.
func (x *patient) machine() {
	first, last, err := x.cfg.Media.PortRange()
	if err != nil { // the configuration was checked
		return
	}
	const perCall, besides = 4, 200 // sockets, and files of everything else
	calls := (int(last) - int(first) + 1) / perCall
	if m := x.cfg.SIP.MaxCalls; m > 0 {
		calls = min(calls, m)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		x.note(odd, "files", "", "read the limit of open files: %v", err)
	} else if need := uint64(perCall*calls + besides); limit.Max < need {
		x.note(odd, "files", fmt.Sprintf("raise it (ulimit -n, LimitNOFILE=%d), or set sip.max_calls to %d", need, (limit.Max-besides)/perCall),
			"the limit of %d open files is reached before all RTP ports are in use (%d calls)", limit.Max, calls)
	} else {
		x.note(fine, "files", "", "%d files may be open, enough for %d calls", limit.Max, calls)
	}
	x.clock()
}

// clock asks the kernel whether anything keeps its clock right: bills and the
// ends of bindings go by it.
func (x *patient) clock() {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		x.note(odd, "clock", "", "ask the kernel about its clock: %v", err)
		return
	}
	if t.Status&unix.STA_UNSYNC != 0 {
		x.note(odd, "clock", "run chrony, ntpd or systemd-timesyncd, unless the host of this container does", "%s UTC, and nothing keeps it right", time.Now().UTC().Format(time.DateTime))
		return
	}
	x.note(fine, "clock", "", "%s UTC, kept right", time.Now().UTC().Format(time.DateTime))
}

// freeSpace is how many bytes can still be written in a directory.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("ask for the free space of %s: %w", dir, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}
