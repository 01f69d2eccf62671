package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// What a node has open: a socket for each port and the recording of each call, and everything else.
const (
	portsOfCall = 4
	filesOfCall = portsOfCall + 1
	otherFiles  = 200
)

// machine examines what the operating system gives.
func (x *patient) machine() {
	first, last, err := x.cfg.Media.PortRange()
	if err != nil { // the configuration was checked
		return
	}
	calls, need := filesOf(int(last)-int(first)+1, x.cfg.SIP.MaxCalls)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		x.note(odd, "files", "", "read the limit of open files: %v", err)
	} else if limit.Max < need {
		x.note(odd, "files", fmt.Sprintf("raise it (ulimit -n, LimitNOFILE=%d), or set sip.max_calls to %d", need, callsWithin(limit.Max)),
			"the limit of %d open files is reached before all RTP ports are in use (%d calls, all recorded)", limit.Max, calls)
	} else {
		x.note(fine, "files", "", "%d files may be open, enough for %d calls, all recorded", limit.Max, calls)
	}
	x.clock()
}

// filesOf tells how many calls there may be by the ports and sip.max_calls (0: as many as the ports carry),
// and how many files are open then.
func filesOf(ports, most int) (calls int, files uint64) {
	if calls = ports / portsOfCall; most > 0 {
		calls = min(calls, most)
	}
	return calls, uint64(filesOfCall*calls + otherFiles)
}

// callsWithin is how many calls a limit of open files carries.
func callsWithin(limit uint64) uint64 { return (max(limit, otherFiles) - otherFiles) / filesOfCall }

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
