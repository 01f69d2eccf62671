package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"axgate/api/manage"
	"axgate/ledger"
)

type eventsCmd struct {
	List   eventsListCmd   `cmd:"" default:"withargs" help:"List events with what became of their pushes."`
	Replay eventsReplayCmd `cmd:"" help:"Push events again."`
}

type eventsListCmd struct {
	Session string        `help:"Events of this call, in their order." placeholder:"ID"`
	App     string        `help:"Events of this app." placeholder:"KEY"`
	Since   time.Duration `help:"Events of the last so long, such as 1h." placeholder:"TIME"`
	Limit   atMost        `default:"50" help:"At most so many."`
	After   string        `help:"The next page: what the last one ended with." placeholder:"PAGE"`
}

func (c *eventsListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		f := ledger.EventFilter{App: c.App, Session: c.Session, Limit: int(c.Limit), After: c.After}
		if c.Since > 0 {
			f.From = time.Now().Add(-c.Since)
		}
		page, err := d.Ledger.Events(d.ctx, f)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(list(page.Events, page.Next, manage.ShowEvent))
		}
		return d.listEvents(page)
	})
}

func (d *desk) listEvents(page ledger.EventPage) error {
	err := d.table("AT\tEVENT\tPUSH\tSESSION\tBODY", func(w *tabwriter.Writer) {
		for i := range page.Events {
			e := &page.Events[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", when(e.At), e.Kind, push(e), e.Session, e.Body)
		}
	})
	if err == nil {
		d.more(page.Next)
	}
	return err
}

// push tells in a few words what became of a push.
func push(e *ledger.LoggedEvent) string {
	switch {
	case !e.Done.IsZero():
		return "taken"
	case !e.Due.IsZero() && e.Tries == 0:
		return "due"
	case !e.Due.IsZero():
		return fmt.Sprintf("failed %d times (%s), again at %s", e.Tries, e.Failure, when(e.Due))
	case e.Failure != "":
		return "given up: " + e.Failure
	}
	return "nowhere to push"
}

type eventsReplayCmd struct {
	Session string        `help:"Only events of this call." placeholder:"ID"`
	App     string        `help:"Only events of this app." placeholder:"KEY"`
	Since   time.Duration `default:"24h" help:"How far back, such as 1h."`
	All     bool          `help:"Also events that the receiver took; without it only those that it missed."`
}

func (c *eventsReplayCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		now := time.Now()
		n, err := d.Ledger.Replay(d.ctx, ledger.ReplayFilter{App: c.App, Session: c.Session, From: now.Add(-c.Since), To: now, Missed: !c.All}, now)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(map[string]int{"replayed": n})
		}
		p.printf("%d events are due again\n", n)
		return nil
	})
}
