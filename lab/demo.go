package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"axgate/routing"
)

// Explain tells what axgate decides about a call to X.
type Explain func(ctx context.Context, x routing.X, caller routing.Number) (routing.Decision, error)

// Demonstration is a masked call, and a masked text each way, that are made and
// checked from all sides.
type Demonstration struct {
	Server     string // SIP address of axgate
	Explain    Explain
	Receiver   *Receiver
	RecordDir  string
	HintLength func(*routing.Decision) time.Duration // how long both hear that the call is recorded
	ReadALaw   func(path string) ([]byte, error)
	Tell       func(format string, args ...any)
	EventsWait time.Duration // for the last push
}

// Decided is a decision as the lab tells it.
type Decided struct {
	Step   string `json:"step"`
	Why    string `json:"why"`
	Callee string `json:"callee,omitempty"`
	Shows  string `json:"shows,omitempty"` // the caller ID for the callee
	Record bool   `json:"record"`
}

// Recording is what became of the recording.
type Recording struct {
	Path    string      `json:"path"`
	Seconds float64     `json:"seconds"`
	Heard   Correlation `json:"heard"` // each party's voice in it
}

// Result is everything that a demonstration found out.
type Result struct {
	OK        bool            `json:"ok"`
	Problems  []string        `json:"problems,omitempty"`
	X         string          `json:"x"`
	Caller    string          `json:"caller"`
	Callee    string          `json:"callee"`
	Decision  Decided         `json:"decision"`
	CallerID  string          `json:"callerId"` // seen by the callee
	Statuses  []int           `json:"statuses"` // SIP, as the caller got them
	Heard     Correlation     `json:"heard"`
	Events    []Push          `json:"events"`
	Fee       json.RawMessage `json:"fee"`
	Recording Recording       `json:"recording"`
	Texts     []Texted        `json:"texts"`
}

// HeardFrom is the correlation from which a voice counts as heard, MixedFrom
// that in a mono recording: on a busy machine the phones are late, and then each
// voice is mixed with some of the other.
const (
	HeardFrom = 0.85
	MixedFrom = 0.65
)

func (r *Result) wrong(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Run makes the call of the lab: First calls Second through the X of the AXB
// app; then they write to each other. The result says whether all of it was right; an error is what kept it
// from being tried.
func (d *Demonstration) Run(ctx context.Context) (Result, error) {
	r := Result{X: XofAXB, Caller: First.Number, Callee: Second.Number}
	decision, err := d.Explain(ctx, XofAXB, routing.Number(First.Number))
	if err != nil {
		return r, fmt.Errorf("ask for the decision: %w", err)
	}
	r.Decision = Describe(&decision)
	d.Tell("%s to %s: axgate will %s", r.Caller, r.X, r.Decision)
	out, err := Make(ctx, Attempt{
		Server: d.Server, Transport: "udp", Caller: First, Callee: Second, Dial: strings.TrimPrefix(XofAXB, "+86"),
		Hint: d.HintLength(&decision), Wait: 15 * time.Second, Tell: d.Tell,
	})
	if err != nil {
		return r, err
	}
	r.adopt(&out)
	d.customer(ctx, &r, out.Began)
	d.recording(&r)
	if err := d.texts(ctx, &r); err != nil {
		return r, err
	}
	r.check(&out)
	r.OK = len(r.Problems) == 0
	return r, nil
}

// Describe puts a decision into words.
func Describe(d *routing.Decision) Decided {
	out := Decided{Step: [...]string{"refuse", "collect", "dial", "ask"}[d.Step], Why: d.Why, Record: d.Record}
	if d.Step == routing.Dial {
		out.Callee, out.Shows = string(d.Callee), string(d.Shown)
	}
	return out
}

func (r *Result) adopt(out *Outcome) {
	r.CallerID, r.Heard = out.Seen.FromUser, out.Heard
	for _, s := range out.Statuses {
		r.Statuses = append(r.Statuses, s.Code)
	}
}

// customer waits for what the customer is told.
func (d *Demonstration) customer(ctx context.Context, r *Result, since time.Time) {
	ctx, cancel := context.WithTimeout(ctx, d.EventsWait)
	defer cancel()
	story, err := d.Receiver.Story(ctx, r.X, since)
	if err != nil {
		r.wrong("%v", err)
	}
	for _, p := range story {
		if p.Type == "fee" {
			r.Fee = p.Body
			continue
		}
		r.Events = append(r.Events, p)
	}
}

// recording reads the file that the fee event names.
func (d *Demonstration) recording(r *Result) {
	name := field(r.Fee, "recordObjectName")
	if name == "" {
		r.wrong("the fee event names no recording")
		return
	}
	r.Recording.Path = filepath.Join(d.RecordDir, name)
	alaw, err := d.ReadALaw(r.Recording.Path)
	if err != nil {
		r.wrong("the recording: %v", err)
		return
	}
	const rate = 8000
	r.Recording.Seconds = float64(len(alaw)) / rate
	first, second := said()
	r.Recording.Heard.Caller = inPieces(alaw, first)
	r.Recording.Heard.Callee = inPieces(alaw, second)
}

// check holds everything against what has to be.
func (r *Result) check(out *Outcome) {
	if r.Decision.Callee != r.Callee || r.Decision.Shows != r.X {
		r.wrong("the decision is to call %q showing %q, not %s showing %s", r.Decision.Callee, r.Decision.Shows, r.Callee, r.X)
	}
	if !out.Answered {
		r.wrong("the call was not answered: %s", Failure(out))
	}
	if r.CallerID != r.X {
		r.wrong("the callee sees %q, not X", r.CallerID)
	}
	for _, l := range out.Leaks {
		r.wrong("the callee can read the caller's number: %s", l)
	}
	for _, h := range []struct {
		what       string
		peak, from float64
	}{{"the caller does not hear the callee", r.Heard.Caller, HeardFrom}, {"the callee does not hear the caller", r.Heard.Callee, HeardFrom},
		{"the caller's voice is not in the recording", r.Recording.Heard.Caller, MixedFrom}, {"the callee's voice is not in the recording", r.Recording.Heard.Callee, MixedFrom}} {
		if h.peak < h.from {
			r.wrong("%s: correlation %.2f", h.what, h.peak)
		}
	}
	if got, want := r.types(), "callin callout alerting answer disconnect"; got != want {
		r.wrong("the events are %q, not %q", got, want)
	}
	if got := field(r.Fee, "fwdDisplayNum"); got != r.X {
		r.wrong("the fee event says that %q was shown, not X", got)
	}
	if len(r.Texts) != len(wrote) {
		r.wrong("%d texts were sent, not %d", len(r.Texts), len(wrote))
	}
	for i := range r.Texts {
		r.Texts[i].check(r)
	}
}

func (r *Result) types() string {
	var all []string
	for _, e := range r.Events {
		all = append(all, e.Type)
	}
	return strings.Join(all, " ")
}

// Failure tells how a call that nobody answered ended.
func Failure(out *Outcome) string {
	if out.End.Status != 0 {
		return fmt.Sprintf("%d %s %s", out.End.Status, out.End.Phrase, out.End.Reason)
	}
	if out.End.Err != nil {
		return out.End.Err.Error()
	}
	return "it was given up"
}
