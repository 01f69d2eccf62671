package meter

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Process is a process under test.
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

// Use is what a process has used so far.
type Use struct {
	User, System time.Duration // processor time of all its threads, those that have ended included
	Resident     int64         // bytes of memory
	Peak         int64         // the most that there ever was of it
}

// CPU is the processor time.
func (u Use) CPU() time.Duration { return u.User + u.System }

// Use reads what the process has used.
func (p Process) Use() (Use, error) {
	var u Use
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID))
	if err != nil {
		return u, fmt.Errorf("look at process %s: %w", p.Name, err)
	}
	// The name of the program, in brackets, may have blanks.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const user, system, tick = 11, 12, 10 * time.Millisecond // of USER_HZ, which is 100 everywhere
	if len(fields) <= system {
		return u, fmt.Errorf("look at process %s: /proc/PID/stat is of another form", p.Name)
	}
	ticks := func(i int) time.Duration {
		n, e := strconv.ParseInt(fields[i], 10, 64)
		err = errors.Join(err, e)
		return time.Duration(n) * tick
	}
	u.User, u.System = ticks(user), ticks(system)
	if err != nil {
		return u, fmt.Errorf("look at process %s: %w", p.Name, err)
	}
	u.Resident, u.Peak, err = p.memory()
	return u, err
}

func (p Process) memory() (resident, peak int64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	if err != nil {
		return 0, 0, fmt.Errorf("look at process %s: %w", p.Name, err)
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		if name != "VmRSS" && name != "VmHWM" {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("the memory of process %s: %w", p.Name, err)
		}
		if name == "VmRSS" {
			resident = n << 10
		} else {
			peak = n << 10
		}
	}
	return resident, peak, nil
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
