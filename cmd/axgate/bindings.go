package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"axgate/routing"
)

type bindingCmd struct {
	List   bindingListCmd `cmd:"" default:"withargs" help:"List bindings of an X or of an A."`
	Show   bindingShowCmd `cmd:"" help:"Show a binding."`
	Bind   bindCmd        `cmd:"" help:"Make a binding."`
	Unbind unbindCmd      `cmd:"" help:"Take a binding back; from then on nobody is reached through it."`
	Temp   tempCmd        `cmd:"" help:"Set whom A of an AX binding reaches by dialling X."`
}

type bindingShowCmd struct {
	ID string `arg:"" help:"The subscriptionId."`
}

func (c *bindingShowCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		b, err := d.Ledger.Binding(d.ctx, c.ID, time.Now())
		if err != nil {
			return fmt.Errorf("binding %s: %w", c.ID, err)
		}
		if p.cli.JSON {
			return p.answer(shown(&b))
		}
		p.printf("%s of app %s: %s\n", b.ID, b.App, describe(&b))
		return nil
	})
}

type bindingListCmd struct {
	ID    string `name:"id" help:"The one with this subscriptionId." placeholder:"ID"`
	X     string `name:"x" help:"Those of this X, or of this Y (AXYB)." placeholder:"NUMBER"`
	A     string `name:"a" help:"Those of this A, with --app." placeholder:"NUMBER"`
	App   string `name:"app" help:"The app of A." placeholder:"KEY"`
	Limit atMost `default:"100" help:"At most so many."`
}

func (c *bindingListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		list, err := c.find(d)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(listed[shownBinding]{Items: shownBindings(list)})
		}
		return p.table("ID\tMODE\tX\tY\tA\tB\tEXT\tUNTIL\tRECORD", func(w *tabwriter.Writer) {
			for _, b := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%v\n", b.ID, b.Mode, b.X, or(b.Y), b.A, or(b.B), or(b.Ext), when(b.Until), b.Record)
			}
		})
	})
}

func (c *bindingListCmd) find(d *desk) ([]routing.Binding, error) {
	now := time.Now()
	switch {
	case c.ID != "":
		b, err := d.Ledger.Binding(d.ctx, c.ID, now)
		return []routing.Binding{b}, err
	case c.X != "":
		x, err := d.x(c.X)
		if err != nil {
			return nil, err
		}
		list, err := d.Ledger.BindingsOfX(d.ctx, x, now, "", int(c.Limit))
		if err != nil || len(list) > 0 {
			return list, err
		}
		return d.Ledger.RelationsOfY(d.ctx, x, now, "", int(c.Limit))
	case c.A != "" && c.App != "":
		a, err := d.number("--a", c.A)
		if err != nil {
			return nil, err
		}
		return d.Ledger.BindingsOfA(d.ctx, c.App, a)
	}
	return nil, usage("say which: --id, --x, or --a with --app")
}

// shownBinding is a binding in JSON, with the words of the API.
type shownBinding struct {
	ID          string     `json:"subscriptionId"`
	BindID      string     `json:"bindId,omitempty"` // of an AXYB relation
	App         string     `json:"appKey"`
	Mode        string     `json:"mode"`
	X           string     `json:"x"`
	Y           string     `json:"y,omitempty"`
	A           string     `json:"a"`
	B           string     `json:"b,omitempty"`
	Ext         string     `json:"extension,omitempty"`
	Direction   int        `json:"callDirection"`
	Created     time.Time  `json:"created"`
	Until       *time.Time `json:"until,omitempty"`
	Record      bool       `json:"recordFlag"`
	MaxMinutes  int        `json:"maxDuration,omitempty"`
	CallbackNum string     `json:"callbackNum,omitempty"`
	UserData    string     `json:"userData,omitempty"`
}

func shown(b *routing.Binding) shownBinding {
	s := shownBinding{b.Subscription(), "", b.App, string(b.Mode), string(b.X), string(b.Y), string(b.A), string(b.B), string(b.Ext), int(b.Allowed), b.CreatedAt, nil,
		b.Record, b.MaxMinutes, string(b.CallbackNum), b.UserData}
	if b.Of != "" {
		s.BindID = b.ID
	}
	if !b.Until.IsZero() {
		s.Until = &b.Until
	}
	return s
}

func shownBindings(list []routing.Binding) []shownBinding {
	all := make([]shownBinding, len(list))
	for i := range list {
		all[i] = shown(&list[i])
	}
	return all
}
