package meter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Machine is what all processors of this machine have done so far.
type Machine struct {
	Total  time.Duration // of all of them
	Busy   time.Duration // in programs and the kernel
	Stolen time.Duration // given to others by the host of a virtual machine
}

// LookAtMachine reads it (proc_stat(5)).
func LookAtMachine() (m Machine, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return m, fmt.Errorf("ask what the processors have done: %w", err)
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := strings.Fields(string(line))
	const idle, wait, stolen, guest = 4, 5, 8, 9 // the guests' time is within the users'
	if len(fields) < guest || fields[0] != "cpu" {
		return m, errors.New("ask what the processors have done: /proc/stat is of another form")
	}
	for i, field := range fields[1:guest] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return m, fmt.Errorf("ask what the processors have done: %w", err)
		}
		d := time.Duration(n) * tick
		m.Total += d
		switch i + 1 {
		case idle, wait:
		case stolen:
			m.Stolen += d
		default:
			m.Busy += d
		}
	}
	return m, nil
}
