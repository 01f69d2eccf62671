package main

import (
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"axgate/api/manage"
	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
)

type cdrCmd struct {
	List   cdrListCmd   `cmd:"" default:"withargs" help:"List calls, the newest first."`
	Show   cdrShowCmd   `cmd:"" help:"Show a call with its events."`
	Export cdrExportCmd `cmd:"" help:"Write calls as CSV."`
	Hangup cdrHangupCmd `cmd:"" help:"Hang up a call, whatever node has it."`
}

// chosen are the calls that a command is about.
type chosen struct {
	App    string        `help:"Calls of this app." placeholder:"KEY"`
	Number string        `help:"Calls with this X, caller or callee." placeholder:"NUMBER"`
	End    string        `help:"Calls that ended so, in a word, such as callee_busy." placeholder:"WORD"`
	Trunk  string        `help:"Calls from or over this trunk; phone: registered phones." placeholder:"NAME"`
	Since  time.Duration `help:"Calls of the last so long, such as 1h." placeholder:"TIME"`
	Open   bool          `help:"Only calls that are not over."`
}

func (c *chosen) filter(d *desk) ledger.CallFilter {
	f := ledger.CallFilter{App: c.App, End: c.End, Trunk: c.Trunk, Open: c.Open}
	if c.Since > 0 {
		f.From = time.Now().Add(-c.Since)
	}
	if c.Number != "" {
		f.Number = d.anyNumber(c.Number)
	}
	return f
}

type cdrListCmd struct {
	chosen
	Limit atMost `default:"20" help:"At most so many."`
	After string `help:"The next page: what the last one ended with." placeholder:"PAGE"`
}

func (c *cdrListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		f := c.filter(d)
		f.Limit, f.After = int(c.Limit), c.After
		page, err := d.Ledger.Calls(d.ctx, f)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(list(page.Calls, page.Next, manage.ShowCall))
		}
		return d.listCalls(page)
	})
}

type cdrShowCmd struct {
	Session string `arg:"" help:"The sessionId."`
}

func (c *cdrShowCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		call, err := d.oneCall(c.Session)
		if err != nil {
			return err
		}
		return d.showCall(call)
	})
}

func (d *desk) oneCall(session string) (*events.Call, error) {
	page, err := d.Ledger.Calls(d.ctx, ledger.CallFilter{Session: session, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Calls) == 0 {
		return nil, fmt.Errorf("there is no call %s: axgate cdr list shows which there are", session)
	}
	return &page.Calls[0], nil
}

type cdrHangupCmd struct {
	Session string `arg:"" help:"The sessionId."`
}

// Help tells more than the one line of the overview.
func (cdrHangupCmd) Help() string {
	return `The node that runs on the data directory is asked, so http.listen must not be off; the node that has the call hangs both sides up, and the call ends with 8017. axgate cdr list --open shows which calls are up.`
}

func (c *cdrHangupCmd) Run(p *program) error {
	n, err := p.runningNode()
	if err != nil {
		return err
	}
	defer n.close()
	if err := n.ask(http.MethodPost, "/calls/"+url.PathEscape(c.Session)+"/hangup", nil); err != nil {
		return fmt.Errorf("hang up %s: %w", c.Session, err)
	}
	if p.cli.JSON {
		return p.answer(struct {
			SessionID string `json:"sessionId"`
		}{c.Session})
	}
	p.printf("%s is hung up\n", c.Session)
	return nil
}

type cdrExportCmd struct {
	chosen
	Out string `short:"o" help:"The file; without it, standard output." placeholder:"FILE" type:"path"`
}

func (c *cdrExportCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		f := c.filter(d)
		f.Limit = pageRows
		return p.export(c.Out, manage.CallHead, func() (rows [][]string, more bool, err error) {
			page, err := d.Ledger.Calls(d.ctx, f)
			for i := range page.Calls {
				call := manage.ShowCall(&page.Calls[i])
				rows = append(rows, call.Row())
			}
			f.After = page.Next
			return rows, page.Next != "", err
		})
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
	if err == nil {
		d.more(page.Next)
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
	log, err := d.eventsOf(c.Session)
	if err != nil {
		return err
	}
	if d.cli.JSON {
		return d.answer(manage.ShowStory(c, log))
	}
	d.story(c)
	return d.listEvents(ledger.EventPage{Events: log})
}

// eventsOf are the events of a call in their order.
func (d *desk) eventsOf(session string) ([]ledger.LoggedEvent, error) {
	page, err := d.Ledger.Events(d.ctx, ledger.EventFilter{Session: session, Limit: 1000})
	return page.Events, err
}

// story prints what became of a call.
func (d *desk) story(c *events.Call) {
	for _, l := range []struct{ name, value string }{
		{"session", c.Session}, {"X", fmt.Sprintf("%s (%s, app %s)", c.X, c.Mode, c.App)},
		{"caller", or(c.Caller)}, {"callee", or(c.Callee)}, {"from trunk", or(c.CallerTrunk)}, {"over trunk", or(c.CalleeTrunk)}, {"binding", or(c.Binding)}, {"direction", direction(c.Direction)},
		{"came in", when(c.In)}, {"called", when(c.Out)}, {"rang", when(c.Alerting)}, {"answered", when(c.Answered)}, {"ended", when(c.Ended)},
		{"talk", talk(c)}, {"end", fmt.Sprintf("%s: state %d, tear-down %d, Q.850 cause %d, SIP %d", or(c.EndWord), c.StateCode, c.FailReason, c.UnswReason, c.SIPStatus)},
		{"hung up by", hungUpBy(c)}, {"charging id", or(c.ChargingID)}, {"recording", or(c.RecordFile)},
		{"from caller", quality(c.CallerLeg)}, {"from callee", quality(c.CalleeLeg)},
	} {
		d.printf("%-13s %s\n", l.name, l.value)
	}
}

// hungUpBy tells who hung up, and what it gave as its reason.
func hungUpBy(c *events.Call) string {
	by, ok := map[int]string{1: "the caller", 2: "the callee"}[c.ReleasedBy]
	if !ok {
		return "-"
	}
	if c.ReleaseCause != 0 {
		by += fmt.Sprintf(", Q.850 cause %d", c.ReleaseCause)
	}
	if c.ReleaseStatus != 0 {
		by += fmt.Sprintf(", SIP %d", c.ReleaseStatus)
	}
	return by
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
