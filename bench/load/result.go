package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"axgate/bench/load/meter"
)

// result is what a run has shown: a line of JSON.
type result struct {
	At       time.Time `json:"at"`
	Name     string    `json:"name,omitempty"`
	Mode     string    `json:"mode"`
	Scenario string    `json:"scenario"`
	Pairs    int       `json:"pairs"`
	Rate     float64   `json:"callsPerSecond"`
	Hold     float64   `json:"holdSeconds"`
	Calls    struct {
		Begun int            `json:"begun"`
		Good  int            `json:"good"`
		Bad   int            `json:"bad"`
		Why   map[string]int `json:"why,omitempty"`
		Share float64        `json:"goodShare"`
	} `json:"calls"`
	Messages struct {
		Sent     int     `json:"sent"`
		Received int     `json:"received"`
		Ours     int     `json:"retransmittedByUs"`
		Theirs   int     `json:"retransmittedToUs"`
		Strays   int     `json:"strays"`
		Share    float64 `json:"retransmissionsPerCall"`
	} `json:"messages"`
	PostDial    delays  `json:"postDial"`
	Answer      delays  `json:"answer"`
	AfterDigits *delays `json:"afterDigits,omitempty"`

	Said  int          `json:"audioPacketsSent"`
	Media *mediaResult `json:"media,omitempty"`

	Idle           float64  `json:"idleCpu"`       // CPU seconds per second before the load
	IdleMemory     int64    `json:"idleMemoryKiB"` // then
	Spent          spent    `json:"spent"`
	PerCallMinute  float64  `json:"cpuSecondsPerCallMinute,omitempty"`
	PerThousand    float64  `json:"cpuSecondsPer1000Calls,omitempty"`
	MemoryPerCall  float64  `json:"memoryPerCallKiB,omitempty"`
	GeneratorLate  delays   `json:"generatorLate"`
	GeneratorReads delays   `json:"generatorReads"`
	Valid          bool     `json:"valid"`
	Doubts         []string `json:"doubts,omitempty"`
	Disturbed      bool     `json:"disturbed"` // by the host or other programs
}

type mediaResult struct {
	Calls     int     `json:"calls"`
	Seconds   float64 `json:"seconds"`
	ToCallees flowing `json:"toCallees"`
	ToCallers flowing `json:"toCallers"`
	Delay     delays  `json:"addedDelay"` // both ways
	Loss      float64 `json:"lossPercent"`
	Others    int     `json:"otherPackets"`
}

type flowing struct {
	Sent  int     `json:"sent"`
	Lost  int     `json:"lost"`
	Twice int     `json:"twice"`
	Loss  float64 `json:"lossPercent"`
	Delay delays  `json:"addedDelay"`
}

// delays are in ms.
type delays struct {
	N    int     `json:"n"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Most float64 `json:"most"`
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func summary(d *meter.Delays) delays {
	return delays{N: d.N(), P50: ms(d.At(0.5)), P90: ms(d.At(0.9)), P99: ms(d.At(0.99)), P999: ms(d.At(0.999)), Most: ms(d.Most())}
}

func (d delays) String() string {
	return fmt.Sprintf("p50 %.3f  p90 %.3f  p99 %.3f  p99.9 %.3f  most %.3f ms  (%d)", d.P50, d.P90, d.P99, d.P999, d.Most, d.N)
}

// tell fills in what all runs have in common.
func (r *result) tell(l *load) {
	t := &l.tally
	r.At, r.Scenario, r.Pairs, r.Hold = time.Now().UTC(), l.plan.Scenario, l.plan.Pairs, max(0, l.hold).Seconds()
	r.Calls.Begun, r.Calls.Good, r.Calls.Bad, r.Calls.Why = t.begun, t.good, t.bad, t.why
	n := float64(max(1, t.begun))
	r.Calls.Share = float64(t.good) / n
	r.Messages.Sent, r.Messages.Received, r.Messages.Ours, r.Messages.Theirs, r.Messages.Strays = t.sent, t.received, t.ours, t.theirs, t.strays
	r.Messages.Share = float64(t.ours+t.theirs) / n
	r.Said = l.media.said
	r.PostDial, r.Answer = summary(&l.postDial), summary(&l.answer)
	if l.plan.Digits > 0 {
		d := summary(&l.afterDigits)
		r.AfterDigits = &d
	}
	r.GeneratorLate, r.GeneratorReads = summary(&l.pacing), summary(&l.reaction)
}

func (f *flow) tell() flowing {
	lost := f.sent - f.came
	return flowing{Sent: f.sent, Lost: lost, Twice: f.twice, Loss: 100 * float64(lost) / float64(max(1, f.sent)), Delay: summary(&f.delay)}
}

// line writes it for programs.
func (r *result) line(w io.Writer) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// table writes it for people.
func (r *result) table(w io.Writer) error {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-26s "+format+"\n", append([]any{name}, args...)...)
	}
	row(strings.TrimSpace("run "+r.Name), "%s %s, %d pairs, %g calls/s", r.Mode, r.Scenario, r.Pairs, r.Rate)
	row("calls", "%d begun, %d good, %d bad", r.Calls.Begun, r.Calls.Good, r.Calls.Bad)
	for _, why := range slices.Sorted(maps.Keys(r.Calls.Why)) {
		row("", "%d × %s", r.Calls.Why[why], why)
	}
	row("retransmissions", "%d by us, %d to us: %.4f per call; %d strays", r.Messages.Ours, r.Messages.Theirs, r.Messages.Share, r.Messages.Strays)
	row("post-dial delay", "%v", r.PostDial)
	row("answer after INVITE", "%v", r.Answer)
	if r.AfterDigits != nil {
		row("callee after last digit", "%v", *r.AfterDigits)
	}
	if m := r.Media; m != nil {
		row("audio", "%d calls for %.1f s, lost %.4f %%", m.Calls, m.Seconds, m.Loss)
		row("added delay", "%v", m.Delay)
		row("  to the callees", "%d sent, %d lost, %d twice; %v", m.ToCallees.Sent, m.ToCallees.Lost, m.ToCallees.Twice, m.ToCallees.Delay)
		row("  to the callers", "%d sent, %d lost, %d twice; %v", m.ToCallers.Sent, m.ToCallers.Lost, m.ToCallers.Twice, m.ToCallers.Delay)
	}
	for _, p := range r.Spent.Processes {
		row("  "+p.Name, "%.2f s user, %.2f s system; %d MiB, %+d KiB", p.User, p.System, p.Memory>>10, p.Grown)
	}
	if len(r.Spent.Processes) > 0 {
		row("CPU", "%.2f s in %.1f s (idle before: %.3f s/s); others %.2f s, stolen %.2f s", r.Spent.CPU, r.Spent.Seconds, r.Idle, r.Spent.Others, r.Spent.Stolen)
	}
	if r.PerCallMinute > 0 {
		row("CPU per call-minute", "%.4f s", r.PerCallMinute)
	}
	if r.PerThousand > 0 {
		row("CPU per 1,000 calls", "%.3f s", r.PerThousand)
	}
	if r.MemoryPerCall != 0 {
		row("memory per call", "%.1f KiB", r.MemoryPerCall)
	}
	row("generator", "CPU %.2f s; late %.3f ms, reads %.3f ms after arrival (p99)", r.Spent.Generator, r.GeneratorLate.P99, r.GeneratorReads.P99)
	if r.Valid {
		row("valid", "yes")
	}
	for _, why := range r.Doubts {
		row("INVALID", "%s", why)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
