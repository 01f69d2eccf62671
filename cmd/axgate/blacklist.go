package main

import (
	"fmt"
	"slices"
	"text/tabwriter"
)

type blacklistCmd struct {
	List   blacklistListCmd   `cmd:"" help:"List who is kept from an X."`
	Add    blacklistAddCmd    `cmd:"" help:"Keep a number from calling X and from being called through it."`
	Remove blacklistRemoveCmd `cmd:"" help:"Let it again."`
}

type blacklistListCmd struct {
	X string `name:"x" required:"" help:"The X." placeholder:"NUMBER"`
}

func (c *blacklistListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		if _, err := d.app("", x); err != nil {
			return err
		}
		list, err := d.Ledger.Blacklist(d.ctx, x)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(map[string]any{"x": x, "numbers": list})
		}
		return p.table("NUMBER", func(w *tabwriter.Writer) {
			for _, n := range list {
				fmt.Fprintln(w, n)
			}
		})
	})
}

type blocked struct {
	X      string   `name:"x" required:"" help:"The X." placeholder:"NUMBER"`
	Number []string `required:"" help:"The number, or several with commas." placeholder:"NUMBER"`
}

type blacklistAddCmd struct{ blocked }

func (c *blacklistAddCmd) Run(p *program) error { return c.change(p, true) }

type blacklistRemoveCmd struct{ blocked }

func (c *blacklistRemoveCmd) Run(p *program) error { return c.change(p, false) }

func (c *blocked) change(p *program, on bool) error {
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		app, err := d.app("", x)
		if err != nil {
			return err
		}
		list := slices.Clone(c.Number)
		for i := range list {
			if err := d.global("--number", &list[i]); err != nil {
				return err
			}
		}
		if err := d.Provision.Block(d.ctx, app, string(x), list, on); err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(map[string]any{"x": x, "numbers": list, "blocked": on})
		}
		state := "blacklisted on"
		if !on {
			state = "no longer blacklisted on"
		}
		for _, n := range list {
			p.printf("%s is %s %s\n", n, state, x)
		}
		return nil
	})
}
