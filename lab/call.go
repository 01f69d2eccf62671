// Package lab makes masked calls between built-in phones through a running
// axgate, as anybody could from outside, and tells what happened: what each
// party saw and heard, and what the customer was told.
package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"axgate/phone"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

// Party is a phone with an account at the registrar.
type Party struct{ Number, Password string }

// Attempt is a call that is to be made.
type Attempt struct {
	Server    string // host:port of axgate
	Transport string // udp or tcp
	Caller    Party
	Dial      string // X as it is dialled
	Extension string // AXE: typed once the call is answered
	Callee    Party  // the phone that answers; no number: somebody else's
	Hint      time.Duration
	Wait      time.Duration // for the callee's phone to ring and to be answered
	Tell      func(format string, args ...any)
}

// Outcome is what the phones know of a call.
type Outcome struct {
	Began    time.Time
	Statuses []phone.Status
	Rang     bool       // the built-in callee
	Seen     phone.Seen // by it
	Answered bool
	Leaks    []string // where the callee could read the caller's number
	Heard    Correlation
	End      phone.End
}

// Correlation is how well each side heard what the other one said: near 1 for
// clear speech, near 0 for none.
type Correlation struct {
	Caller float64 `json:"caller"` // what the caller heard of the callee
	Callee float64 `json:"callee"`
}

// said is what each party says: three and a half seconds, so that the call is
// long enough to be recorded.
func said() (caller, callee []byte) {
	const length = 28_000
	return speech.First()[:length], speech.Second()[:length]
}

// Make registers the phones, makes the call and ends it. The error tells what
// kept the call from being tried; how the call itself went is the outcome.
func Make(ctx context.Context, a Attempt) (out Outcome, err error) {
	caller, err := register(ctx, a.Server, a.Transport, a.Caller, a.Tell)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, caller.Close()) }()
	var callee *phone.Phone
	if a.Callee.Number != "" {
		if callee, err = register(ctx, a.Server, a.Transport, a.Callee, a.Tell); err != nil {
			return out, err
		}
		defer func() { err = errors.Join(err, callee.Close()) }()
	}
	out.Began = time.Now()
	a.Tell("%s dials %s", a.Caller.Number, a.Dial)
	call, err := caller.Dial(ctx, a.Dial)
	if err != nil {
		return out, fmt.Errorf("dial %s: %w", a.Dial, err)
	}
	defer func() {
		out.Statuses, out.End = call.Statuses(), call.End()
	}()
	return out, a.play(ctx, &out, call, callee)
}

// register opens the phone of a party.
func register(ctx context.Context, server, transport string, who Party, tell func(string, ...any)) (*phone.Phone, error) {
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		return nil, fmt.Errorf("the server's address: %w", err)
	}
	p, err := phone.New(phone.Config{Number: who.Number, Password: who.Password, Server: server, Transport: transport, ListenIP: host})
	if err != nil {
		return nil, fmt.Errorf("open the phone of %s: %w", who.Number, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := p.Register(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("register %s at %s: %w", who.Number, server, err), p.Close())
	}
	tell("phone %s is registered", who.Number)
	return p, nil
}

// play goes through the call until it ends.
func (a *Attempt) play(ctx context.Context, out *Outcome, call *phone.Call, callee *phone.Phone) error {
	wait, cancel := context.WithTimeout(ctx, a.Wait)
	defer cancel()
	if a.Extension != "" {
		if call.WaitAnswer(wait) != nil {
			return a.over(ctx, call)
		}
		a.Tell("X answers and asks for the extension; the caller types it")
		if err := call.Press(wait, a.Extension, phone.Events); err != nil {
			return a.over(ctx, call)
		}
	}
	if callee == nil {
		return a.stranger(ctx, wait, out, call)
	}
	select {
	case in := <-callee.Incoming():
		out.Rang, out.Seen = true, in.Seen()
		out.Leaks = leaks(in.Seen().Invite, a.Caller.Number)
		a.Tell("phone %s rings; it sees %s", a.Callee.Number, out.Seen.FromUser)
		return a.talk(ctx, out, call, in)
	case <-call.Done():
	case <-wait.Done():
		a.Tell("nothing rings after %v: the caller gives up", a.Wait)
	}
	return a.over(ctx, call)
}

// stranger waits for whoever has the callee's number to answer.
func (a *Attempt) stranger(ctx, wait context.Context, out *Outcome, call *phone.Call) error {
	if call.WaitAnswer(wait) == nil {
		out.Answered = true
		a.Tell("the callee answers; the caller speaks")
		first, _ := said()
		if err := call.Say(ctx, first); err != nil {
			a.Tell("the caller was cut off: %v", err)
		}
	}
	return a.over(ctx, call)
}

// talk lets the callee answer and both speak, one after the other.
func (a *Attempt) talk(ctx context.Context, out *Outcome, call, in *phone.Call) error {
	ctx, cancel := context.WithTimeout(ctx, a.Wait+a.Hint+30*time.Second)
	defer cancel()
	if err := in.Ring(); err != nil {
		return fmt.Errorf("ring: %w", err)
	}
	if a.Extension == "" { // else the caller is answered already, and hears a tone
		if err := call.WaitRinging(ctx); err == nil {
			a.Tell("the caller hears that it rings")
		}
	}
	const ringing = time.Second
	if err := pause(ctx, ringing); err != nil {
		return err
	}
	if err := errors.Join(in.Answer(ctx), call.WaitAnswer(ctx)); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	out.Answered = true
	a.Tell("phone %s answers", a.Callee.Number)
	if a.Hint > 0 {
		a.Tell("both hear that the call is recorded")
		if err := pause(ctx, a.Hint); err != nil {
			return err
		}
	}
	first, second := said()
	start := time.Now()
	err := call.Say(ctx, first)
	if err == nil {
		err = in.Say(ctx, second)
	}
	if err == nil {
		err = pause(ctx, 500*time.Millisecond) // what is under way arrives
	}
	if err != nil {
		return fmt.Errorf("speak: %w", err)
	}
	out.Heard.Callee, _ = hear.Correlate(in.Heard().Since(start), first)
	out.Heard.Caller, _ = hear.Correlate(call.Heard().Since(start), second)
	a.Tell("both spoke, one after the other")
	if err := call.Hangup(ctx); err != nil {
		return fmt.Errorf("hang up: %w", err)
	}
	a.Tell("the caller hangs up")
	if _, err := in.WaitEnd(ctx); err != nil {
		return fmt.Errorf("wait for the callee's end: %w", err)
	}
	return nil
}

// over ends the call if it is still up.
func (a *Attempt) over(ctx context.Context, call *phone.Call) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	select {
	case <-call.Done():
		return nil
	default:
	}
	if err := call.Hangup(ctx); err != nil {
		return fmt.Errorf("hang up: %w", err)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leaks lists the lines of a message in which a number stands, with or without
// its country code.
func leaks(message []byte, number string) []string {
	const country = 3 // +86 and the like
	digits := strings.TrimPrefix(number, "+")
	if len(digits) > country+6 {
		digits = digits[country-1:]
	}
	var found []string
	for line := range strings.Lines(string(message)) {
		if strings.Contains(line, digits) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}
