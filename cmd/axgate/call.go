package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"axgate/api/manage"
	"axgate/events"
	"axgate/lab"
	"axgate/ledger"
	"axgate/node"
	"axgate/routing"
)

type callCmd struct {
	From      string        `help:"Who calls; an account of the registrar. Without it: A of the first configured binding." placeholder:"NUMBER"`
	X         string        `name:"x" help:"The X that is dialled. Without it: that of the first configured binding." placeholder:"NUMBER"`
	Ext       string        `help:"AXE: the extension that is typed." placeholder:"DIGITS"`
	Dial      string        `help:"X as it is dialled, if the spelling matters." placeholder:"DIGITS"`
	NoAnswer  bool          `help:"Do not answer with a built-in phone: the callee's own phone rings."`
	Explain   bool          `help:"Only tell what would be decided; nobody is called."`
	Transport string        `default:"udp" enum:"udp,tcp" help:"udp or tcp."`
	Wait      time.Duration `default:"30s" help:"How long the callee may take to ring and to answer."`
}

// Help tells more than the one line of the overview.
func (callCmd) Help() string {
	return `A built-in phone registers as the caller with a running node and dials X. If the callee has an account too, a second built-in phone answers, and both speak. The answer says what was decided and why, what each side saw and heard, and what the record and the events say. The exit code is 0 if the call went as decided, be it that it was refused.`
}

// told is the answer in JSON.
type told struct {
	Decision lab.Decided      `json:"decision"`
	Source   string           `json:"decidedFrom"`
	Tried    bool             `json:"tried"`
	CallerID string           `json:"callerId,omitempty"`
	Statuses []int            `json:"statuses,omitempty"`
	Answered bool             `json:"answered"`
	Heard    *lab.Correlation `json:"heard,omitempty"`
	Leaks    []string         `json:"leaks,omitempty"`
	Problems []string         `json:"problems,omitempty"`
	End      string           `json:"end,omitempty"`
	Call     *manage.Call     `json:"call,omitempty"`
	Events   []manage.Event   `json:"events,omitempty"`

	record *events.Call
	log    []ledger.LoggedEvent
}

func (c *callCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		x, from, err := c.who(d)
		if err != nil {
			return err
		}
		why, err := d.Explain(d.ctx, x, from, routing.Extension(c.Ext))
		if err != nil {
			return err
		}
		t := told{Decision: lab.Describe(&why.Decision), Source: why.Source}
		if !p.cli.JSON {
			p.printf("%s calls %s: axgate will %s (by %s)\n", from, x, t.Decision, why.Source)
		}
		if !c.Explain {
			if err := c.try(d, &t, x, from, &why); err != nil {
				return err
			}
		}
		if p.cli.JSON {
			err = p.answer(t)
		}
		if err == nil && len(t.Problems) > 0 {
			err = errUnsaid
		}
		return err
	})
}

// who finds caller and X.
func (c *callCmd) who(d *desk) (routing.X, routing.Number, error) {
	if list := d.cfg.Bindings; len(list) > 0 {
		if c.X == "" {
			c.X = list[0].X
		}
		if c.From == "" {
			c.From = list[0].A
		}
	}
	if c.X == "" || c.From == "" {
		return "", "", usage("say who calls and which X is dialled: axgate call --from +8613800000001 --x +8617010000001")
	}
	x, err := d.x(c.X)
	if err != nil {
		return "", "", err
	}
	from, err := d.number("--from", c.From)
	return x, from, err
}

// try makes the call and tells what became of it.
func (c *callCmd) try(d *desk, t *told, x routing.X, from routing.Number, why *node.Explanation) error {
	if d.Running == nil || d.Running.UDP == "" {
		return fmt.Errorf("no node runs on %s: start axgate serve or axgate lab, or ask with --explain", d.cfg.Data)
	}
	caller, ok := d.account(from)
	if !ok {
		return fmt.Errorf("%s has no account in registrar.accounts, so no built-in phone can call as it", from)
	}
	a := lab.Attempt{Server: reachable(d.Running.UDP), Transport: c.Transport, Caller: caller, Dial: c.Dial, Wait: c.Wait, Tell: d.teller()}
	if a.Dial == "" {
		a.Dial = d.Plan.SpellX(x, routing.FormatNational)
	}
	if callee, ok := d.account(why.Callee); ok && !c.NoAnswer {
		a.Callee = callee
	}
	if why.Asked {
		a.Extension = c.Ext
	}
	var err error
	if a.Hint, err = d.HintLength(d.ctx, &why.Decision); err != nil {
		return err
	}
	out, err := lab.Make(d.ctx, a)
	if err != nil {
		return err
	}
	t.adopt(&out, x, a.Callee.Number != "")
	c.report(d, t, x, &out)
	return nil
}

// account finds the built-in phone of a number.
func (d *desk) account(n routing.Number) (lab.Party, bool) {
	for _, a := range d.cfg.Registrar.Accounts {
		if a.Number == string(n) {
			return lab.Party{Number: a.Number, Password: a.Password}, true
		}
	}
	return lab.Party{}, false
}

// teller prints steps as they happen, for people.
func (d *desk) teller() func(string, ...any) {
	if d.cli.JSON {
		return func(string, ...any) {}
	}
	return func(format string, args ...any) {
		d.printf("  %s  %s\n", time.Now().Format("15:04:05.000"), fmt.Sprintf(format, args...))
	}
}

// reachable is a listen address as a phone of this machine can reach it.
func reachable(listen string) string {
	return strings.Replace(listen, "0.0.0.0:", "127.0.0.1:", 1)
}

// adopt takes what the phones know, and finds what is otherwise than it was
// decided. Own tells that the callee was a built-in phone.
func (t *told) adopt(out *lab.Outcome, x routing.X, own bool) {
	t.Tried, t.Answered, t.CallerID, t.Leaks = true, out.Answered, out.Seen.FromUser, out.Leaks
	for _, s := range out.Statuses {
		t.Statuses = append(t.Statuses, s.Code)
	}
	if !out.Answered {
		t.End = lab.Failure(out)
	} else if own {
		t.Heard = &out.Heard
	}
	wrong := func(format string, args ...any) { t.Problems = append(t.Problems, fmt.Sprintf(format, args...)) }
	switch dial := t.Decision.Step == "dial"; {
	case dial && !out.Answered:
		wrong("the callee was to be called, and the call was not answered: %s", t.End)
	case !dial && t.Decision.Step != "ask" && out.Rang:
		wrong("nobody was to be called, and the callee's phone rang")
	}
	if out.Rang && t.CallerID != string(x) {
		wrong("the callee sees %q, not X", t.CallerID)
	}
	for _, l := range out.Leaks {
		wrong("the callee can read the caller's number: %s", l)
	}
	if h := t.Heard; h != nil && min(h.Caller, h.Callee) < lab.HeardFrom {
		wrong("they do not hear each other well")
	}
}

func (c *callCmd) report(d *desk, t *told, x routing.X, out *lab.Outcome) {
	t.record, t.log = d.record(x, out.Began)
	if d.cli.JSON {
		if t.record != nil {
			call := manage.ShowCall(t.record)
			t.Call, t.Events = &call, list(t.log, "", manage.ShowEvent).Items
		}
		return
	}
	d.printf("\nSIP           %s at the caller\n", strings.Trim(fmt.Sprint(t.Statuses), "[]"))
	if !out.Answered {
		d.printf("not answered  %s\n", t.End)
	}
	if out.Rang {
		d.printf("caller ID     %s, seen by the callee\n", t.CallerID)
	}
	if h := t.Heard; h != nil {
		d.printf("heard         the callee's voice by the caller %.2f, the caller's by the callee %.2f (1 is perfect)\n", h.Caller, h.Callee)
	}
	if t.record == nil {
		d.printf("record        there is none: X is not known, or the call did not get in\n")
	} else {
		d.story(t.record)
	}
	for i := range t.log {
		e := &t.log[i]
		const indent = 14
		d.printf("%-*s%s (push: %s)\n", indent, e.Kind, lab.Fold(lab.Compact(e.Body, "sessionId", "timestamp", "subscriptionId"), 100, indent), push(e))
	}
	for _, wrong := range t.Problems {
		d.printf("WRONG: %s\n", wrong)
	}
}

// record waits for the end of the call's record, and gives it with its events.
func (d *desk) record(x routing.X, since time.Time) (*events.Call, []ledger.LoggedEvent) {
	ctx, cancel := context.WithTimeout(d.ctx, 10*time.Second)
	defer cancel()
	const step = 100 * time.Millisecond
	for {
		calls, err := d.Ledger.Calls(ctx, ledger.CallFilter{Number: string(x), From: since.Add(-time.Second), Limit: 1})
		if err == nil && len(calls.Calls) == 1 {
			page, err := d.Ledger.Events(ctx, ledger.EventFilter{Session: calls.Calls[0].Session, Limit: 100})
			if n := len(page.Events); err == nil && n > 0 {
				// Pushed, owed to nobody, or tried in vain: waiting tells no more.
				if last := &page.Events[n-1]; last.Kind == events.Fee && (last.Due.IsZero() || last.Tries > 0) {
					return d.lastRecord(x, since) // the call as it was before its fee was seen may be older
				}
			}
		}
		select {
		case <-ctx.Done():
			return d.lastRecord(x, since)
		case <-time.After(step):
		}
	}
}

// lastRecord is what there is now.
func (d *desk) lastRecord(x routing.X, since time.Time) (*events.Call, []ledger.LoggedEvent) {
	calls, err := d.Ledger.Calls(d.ctx, ledger.CallFilter{Number: string(x), From: since.Add(-time.Second), Limit: 1})
	if err != nil || len(calls.Calls) == 0 {
		return nil, nil
	}
	page, err := d.Ledger.Events(d.ctx, ledger.EventFilter{Session: calls.Calls[0].Session, Limit: 100})
	if err != nil {
		return &calls.Calls[0], nil
	}
	return &calls.Calls[0], page.Events
}
