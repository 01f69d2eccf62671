package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
)

type callsCmd struct {
	Session string        `arg:"" optional:"" help:"Show this call with its events."`
	App     string        `help:"Calls of this app." placeholder:"KEY"`
	Number  string        `help:"Calls with this X, caller or callee." placeholder:"NUMBER"`
	Since   time.Duration `help:"Calls of the last so long, such as 1h." placeholder:"TIME"`
	Open    bool          `help:"Only calls that are not over."`
	Limit   atMost        `default:"20" help:"At most so many."`
	After   string        `help:"The next page: what the last one ended with." placeholder:"PAGE"`
}

func (c *callsCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		f := ledger.CallFilter{App: c.App, Session: c.Session, Open: c.Open, Limit: int(c.Limit), After: c.After}
		if c.Since > 0 {
			f.From = time.Now().Add(-c.Since)
		}
		if c.Number != "" {
			f.Number = d.anyNumber(c.Number)
		}
		page, err := d.Ledger.Calls(d.ctx, f)
		switch {
		case err != nil:
			return err
		case c.Session != "" && len(page.Calls) == 0:
			return fmt.Errorf("there is no call %s", c.Session)
		case c.Session != "":
			return d.showCall(&page.Calls[0])
		case p.cli.JSON:
			return p.answer(page)
		}
		return d.listCalls(page)
	})
}

// anyNumber reads an X or a real number in any spelling.
func (d *desk) anyNumber(text string) string {
	if n, ok := d.Plan.ReadNumber(text); ok {
		return string(n)
	}
	if x, ok := d.Plan.ParseX(text); ok {
		return string(x)
	}
	return text
}

func (d *desk) listCalls(page ledger.CallPage) error {
	err := d.table("IN\tMODE\tX\tCALLER\tCALLEE\tTALK\tEND\tSESSION", func(w *tabwriter.Writer) {
		for i := range page.Calls {
			c := &page.Calls[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", when(c.In), c.Mode, c.X, or(c.Caller), or(c.Callee), talk(c), or(c.EndWord), c.Session)
		}
	})
	if err == nil && page.Next != "" {
		d.printf("more: --after %s\n", page.Next)
	}
	return err
}

func talk(c *events.Call) string {
	if c.Answered.IsZero() || c.Ended.IsZero() {
		return "-"
	}
	return c.Ended.Sub(c.Answered).Round(100 * time.Millisecond).String()
}

// showCall prints a call and its events.
func (d *desk) showCall(c *events.Call) error {
	page, err := d.Ledger.Events(d.ctx, ledger.EventFilter{Session: c.Session, Limit: 1000})
	if err != nil {
		return err
	}
	if d.cli.JSON {
		return d.answer(struct {
			Call   *events.Call         `json:"call"`
			Events []ledger.LoggedEvent `json:"events"`
		}{c, page.Events})
	}
	d.story(c)
	return d.listEvents(page)
}

// story prints what became of a call.
func (d *desk) story(c *events.Call) {
	for _, l := range []struct{ name, value string }{
		{"session", c.Session}, {"X", fmt.Sprintf("%s (%s, app %s)", c.X, c.Mode, c.App)},
		{"caller", or(c.Caller)}, {"callee", or(c.Callee)}, {"binding", or(c.Binding)}, {"direction", direction(c.Direction)},
		{"came in", when(c.In)}, {"called", when(c.Out)}, {"rang", when(c.Alerting)}, {"answered", when(c.Answered)}, {"ended", when(c.Ended)},
		{"talk", talk(c)}, {"end", fmt.Sprintf("%s: state %d, tear-down %d, Q.850 cause %d, SIP %d", or(c.EndWord), c.StateCode, c.FailReason, c.UnswReason, c.SIPStatus)},
		{"recording", or(c.RecordFile)},
		{"from caller", quality(c.CallerLeg)}, {"from callee", quality(c.CalleeLeg)},
	} {
		d.printf("%-13s %s\n", l.name, l.value)
	}
}

func direction(n int) string {
	switch routing.Direction(n) {
	case routing.ToA:
		return "A was called"
	case routing.FromA:
		return "A called"
	}
	return "abnormal"
}

// quality tells how a leg's audio arrived here.
func quality(q events.Quality) string {
	if q.Received == 0 {
		return "-"
	}
	return fmt.Sprintf("%d packets received, %d lost, jitter %.1f ms, MOS %.1f", q.Received, q.Lost, q.JitterMS, q.MOS)
}
