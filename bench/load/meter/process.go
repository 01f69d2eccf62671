package meter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a process under test, and all that descend from it.
type Process struct {
	Name string // for people
	PID  int
}

// UnmarshalText reads name=pid.
func (p *Process) UnmarshalText(text []byte) error {
	name, number, _ := strings.Cut(string(text), "=")
	pid, err := strconv.Atoi(number)
	if err != nil || name == "" || pid < 1 {
		return fmt.Errorf("%q is no process: write its name and number, such as axgate=4711", text)
	}
	*p = Process{Name: name, PID: pid}
	return nil
}

// Use is what a process and its descendants have used so far.
type Use struct {
	User, System time.Duration // processor time of all threads, those that have ended included
	Memory       int64         // bytes; what processes share is counted once
	Peak         int64         // the most that there ever was of it, the shared counted for each
}

// CPU is the processor time.
func (u Use) CPU() time.Duration { return u.User + u.System }

// tick is one of USER_HZ, which is 100 everywhere.
const tick = 10 * time.Millisecond

// Use reads what the process has used, with its descendants of now.
func (p Process) Use() (Use, error) {
	u, err := p.own()
	if err != nil {
		return u, fmt.Errorf("look at process %s: %w", p.Name, err)
	}
	children, err := p.children()
	if err != nil {
		return u, fmt.Errorf("look for what process %s has started: %w", p.Name, err)
	}
	for _, pid := range children {
		its, err := Process{p.Name, pid}.Use()
		if hasEnded(err) {
			continue
		}
		if err != nil {
			return u, err
		}
		u.User, u.System, u.Memory, u.Peak = u.User+its.User, u.System+its.System, u.Memory+its.Memory, u.Peak+its.Peak
	}
	return u, nil
}

// hasEnded tells of a process or thread that ended before it was looked at, whether or not
// its parent knows.
func hasEnded(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// own is what the process has used itself.
func (p Process) own() (u Use, err error) {
	if u.User, u.System, err = cpu(p.PID); err != nil {
		return u, err
	}
	if u.Memory, err = p.kilobytes("smaps_rollup", "Pss"); err != nil {
		return u, err
	}
	u.Peak, err = p.kilobytes("status", "VmHWM")
	return u, err
}

// cpu reads the processor time of a process (proc_pid_stat(5)).
func cpu(pid int) (user, system time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The name of the program, in brackets, may have blanks.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const utime, stime = 11, 12
	if len(fields) <= stime {
		return 0, 0, errors.New("/proc/PID/stat is of another form")
	}
	ticks := func(i int) time.Duration {
		n, e := strconv.ParseInt(fields[i], 10, 64)
		err = errors.Join(err, e)
		return time.Duration(n) * tick
	}
	user, system = ticks(utime), ticks(stime)
	return user, system, err
}

// children are the processes that the process has started and that run.
func (p Process) children() (pids []int, err error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.PID))
	for _, file := range threads {
		text, err := os.ReadFile(file)
		if hasEnded(err) { // the thread
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, word := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				return nil, err
			}
			pids = append(pids, pid)
		}
	}
	return pids, err
}

// kilobytes reads a line of one of the process's files, such as "VmHWM: 12 kB",
// in bytes.
func (p Process) kilobytes(file, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.PID, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/PID/%s has no %s", file, name)
}

// Overflows is how many datagrams this machine has thrown away so far because
// the socket that they were for was full, whoever's it was.
func Overflows() (int64, error) {
	text, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		return 0, fmt.Errorf("ask what sockets have lost: %w", err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] != "Udp:":
		case names == nil:
			names = fields
		default:
			for i, name := range names {
				if name == "RcvbufErrors" && i < len(fields) {
					return strconv.ParseInt(fields[i], 10, 64)
				}
			}
		}
	}
	return 0, errors.New("ask what sockets have lost: /proc/net/snmp is of another form")
}
