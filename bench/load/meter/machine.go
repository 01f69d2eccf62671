package meter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Machine is what this machine has done so far.
type Machine struct {
	Stolen time.Duration         // of all processors together: what the host of a virtual machine gave to others
	used   map[int]time.Duration // CPU of each process, kernel threads included
}

// LookAtMachine reads it (proc_stat(5), proc_pid_stat(5)). What processes use is read from each of them: the processors'
// own account of it is by ticks, and in virtual machines wrong by half in some seconds.
func LookAtMachine() (Machine, error) {
	m := Machine{used: make(map[int]time.Duration)}
	var err error
	if m.Stolen, err = stolen(); err != nil {
		return m, fmt.Errorf("ask what the host took: %w", err)
	}
	files, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return m, err
	}
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(file))
		if err != nil {
			continue
		}
		user, system, err := cpu(pid)
		if hasEnded(err) {
			continue
		}
		if err != nil {
			return m, fmt.Errorf("ask what process %d has used: %w", pid, err)
		}
		m.used[pid] = user + system
	}
	return m, nil
}

// Since is the CPU that all processes have used since an earlier look; without those that have ended.
func (m Machine) Since(before Machine) (sum time.Duration) {
	for pid, used := range m.used {
		sum += max(0, used-before.used[pid]) // less, if the number was given to another
	}
	return sum
}

func stolen() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	const steal = 8
	fields := strings.Fields(string(line))
	if len(fields) <= steal || fields[0] != "cpu" {
		return 0, errors.New("/proc/stat is of another form")
	}
	n, err := strconv.ParseInt(fields[steal], 10, 64)
	return time.Duration(n) * tick, err
}
