package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// CPU is the user and system time of the server with its sessions, those that have ended too.
func (s *Server) CPU() (time.Duration, error) {
	pid := strconv.Itoa(s.cmd.Process.Pid)
	list, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err != nil {
		return 0, fmt.Errorf("list PostgreSQL's sessions: %w", err)
	}
	ticks, err := ticksOf(pid, 4) // its own, and of the children that it has waited for
	if err != nil {
		return 0, fmt.Errorf("read PostgreSQL's CPU time: %w", err)
	}
	for _, child := range strings.Fields(string(list)) {
		if n, err := ticksOf(child, 2); err == nil { // else it has just ended
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil // USER_HZ is 100
}

// ticksOf adds the first so many of utime, stime, cutime and cstime (proc(5)).
func ticksOf(pid string, fields int) (sum int64, err error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name
	const utime = 11
	all := strings.Fields(rest)
	if len(all) < utime+fields {
		return 0, fmt.Errorf("unexpected form of /proc/%s/stat", pid)
	}
	for _, word := range all[utime : utime+fields] {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
