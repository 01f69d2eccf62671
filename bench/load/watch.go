package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"axgate/bench/load/meter"
	"axgate/bench/load/wire"
)

// watch is what the processes under test, and this one, have used by a time.
type watch struct {
	at    int64
	used  []meter.Use
	self  meter.Use
	all   meter.Machine
	spilt int64 // datagrams that sockets of this machine have lost
}

func look(processes []meter.Process) (watch, error) {
	w := watch{at: wire.Now()}
	for _, p := range processes {
		u, err := p.Use()
		if err != nil {
			return w, err
		}
		w.used = append(w.used, u)
	}
	var err error
	if w.self, err = (meter.Process{Name: "load", PID: os.Getpid()}).Use(); err != nil {
		return w, err
	}
	if w.all, err = meter.LookAtMachine(); err != nil {
		return w, err
	}
	w.spilt, err = meter.Overflows()
	return w, err
}

// spent is what was used between two looks.
type spent struct {
	Seconds   float64       `json:"seconds"`
	Processes []processCost `json:"processes"`
	CPU       float64       `json:"cpuSeconds"` // of all of them
	Generator float64       `json:"generatorCpuSeconds"`
	Others    float64       `json:"otherCpuSeconds"` // of whatever else ran, the kernel's own threads included
	Stolen    float64       `json:"stolenSeconds"`   // that the host of a virtual machine gave to others
	Machine   float64       `json:"machineSeconds"`  // of all its processors
	Spilt     int64         `json:"socketOverflows"` // datagrams lost by full sockets of this machine
}

type processCost struct {
	Name   string  `json:"name"`
	User   float64 `json:"userSeconds"`
	System float64 `json:"systemSeconds"`
	Memory int64   `json:"memoryKiB"`
	Grown  int64   `json:"grownKiB"`
	Peak   int64   `json:"peakKiB"`
}

func between(processes []meter.Process, a, b watch) spent {
	s := spent{Seconds: time.Duration(b.at - a.at).Seconds(), Generator: (b.self.CPU() - a.self.CPU()).Seconds(), Spilt: b.spilt - a.spilt, Processes: []processCost{}}
	for i, p := range processes {
		was, is := a.used[i], b.used[i]
		s.Processes = append(s.Processes, processCost{
			Name: p.Name, User: (is.User - was.User).Seconds(), System: (is.System - was.System).Seconds(),
			Memory: is.Memory >> 10, Grown: (is.Memory - was.Memory) >> 10, Peak: is.Peak >> 10,
		})
		s.CPU += (is.CPU() - was.CPU()).Seconds()
	}
	s.Stolen, s.Machine = (b.all.Stolen - a.all.Stolen).Seconds(), s.Seconds*float64(runtime.NumCPU())
	s.Others = max(0, b.all.Since(a.all).Seconds()-s.CPU-s.Generator)
	return s
}

// doubts tells why a run says nothing about the system under test: the load
// itself was late, or lost something, or the machine had other things to do.
func (l *load) doubts(limit time.Duration, s *spent) (list []string, err error) {
	dropped, err := l.dropped()
	if err != nil {
		return nil, err
	}
	const share = 0.99
	for _, late := range []struct {
		what   string
		delays *meter.Delays
	}{{"calls began", &l.pacing}, {"packets went out", &l.media.late}, {"messages were read", &l.reaction}} {
		if d := late.delays.At(share); d > limit {
			list = append(list, fmt.Sprintf("the generator was late: a hundredth of the %s %v or more after they were due", late.what, d))
		}
	}
	if dropped > 0 {
		list = append(list, fmt.Sprintf("the generator lost %d datagrams that it did not read in time", dropped))
	}
	if l.tally.refusedSends > 0 {
		list = append(list, fmt.Sprintf("the kernel refused %d datagrams of the generator", l.tally.refusedSends))
	}
	if l.tally.crowded > 0 {
		list = append(list, fmt.Sprintf("%d calls were not begun: all pairs were in calls", l.tally.crowded))
	}
	return append(list, s.doubts()...), nil
}

// Shares of the machine that others may have in a run that counts.
const (
	mostStolen = 0.03
	mostOthers = 0.1
)

// disturbed tells whether the host or other programs had too much of the machine.
func (s *spent) disturbed() bool {
	return s.Stolen > mostStolen*s.Machine || s.Others > mostOthers*s.Machine
}

// doubts are those about the processors.
func (s *spent) doubts() (list []string) {
	for _, d := range []struct {
		what             string
		used, of, atMost float64
	}{
		{"the generator's one thread was busy for", s.Generator, s.Seconds, 0.9},
		{"the host of this machine gave to others", s.Stolen, s.Machine, mostStolen},
		{"other programs used", s.Others, s.Machine, mostOthers},
	} {
		if d.used > d.atMost*d.of {
			list = append(list, fmt.Sprintf("%s %.0f %% of the time", d.what, 100*d.used/d.of))
		}
	}
	return list
}
