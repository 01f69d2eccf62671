package main

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"axgate/ledger"
	"axgate/routing"
)

type numbersCmd struct {
	List   numbersListCmd   `cmd:"" default:"withargs" help:"List X numbers."`
	Add    numbersAddCmd    `cmd:"" help:"Give an X to an app, or change its attributes."`
	Status numbersStatusCmd `cmd:"" help:"Change the status of an X; only a normal one takes calls and bindings."`
}

type numbersListCmd struct {
	App   string `help:"Those of this app." placeholder:"KEY"`
	After string `help:"Those behind this X." placeholder:"NUMBER"`
	Limit atMost `default:"100" help:"At most so many."`
}

func (c *numbersListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		list, err := d.Ledger.Numbers(d.ctx, c.App, routing.X(c.After), int(c.Limit))
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(list)
		}
		return p.table("X\tAPP\tMODE\tSTATUS\tBINDINGS\tROOM\tAREA\tCITY", func(w *tabwriter.Writer) {
			for i := range list {
				n := &list[i]
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", n.X, n.App, n.Mode, n.Status, n.Bindings, n.Room, or(n.AreaCode), or(n.City))
			}
		})
	})
}

type numbersAddCmd struct {
	X        string `name:"x" required:"" help:"The X, in global form." placeholder:"NUMBER"`
	App      string `required:"" help:"The app." placeholder:"KEY"`
	Area     string `help:"Area code with its leading 0." placeholder:"0755"`
	City     string `help:"Where it belongs." placeholder:"NAME"`
	Province string `help:"Where it belongs; --any-area looks here." placeholder:"NAME"`
	Carrier  string `help:"Whose number it is." placeholder:"NAME"`
}

func (c *numbersAddCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		n := ledger.Number{XNumber: routing.XNumber{X: x, App: c.App, AreaCode: c.Area, City: c.City, Province: c.Province}, Carrier: c.Carrier, Voice: true}
		return d.changedNumber(d.Provision.AddNumber(d.ctx, n))
	})
}

type numbersStatusCmd struct {
	X      string `name:"x" required:"" help:"The X." placeholder:"NUMBER"`
	Status string `arg:"" enum:"normal,paused,frozen,transfer,unavailable,returned" help:"normal, paused, frozen, transfer, unavailable or returned; a returned X loses its bindings."`
	Cause  string `help:"Why, for the customer." placeholder:"TEXT"`
}

func (c *numbersStatusCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		return d.changedNumber(d.Provision.SetStatus(d.ctx, string(x), routing.NumberStatus(c.Status), c.Cause))
	})
}

// changedNumber tells how an X is after a change.
func (d *desk) changedNumber(n ledger.Number, err error) error {
	if err != nil {
		return err
	}
	if d.cli.JSON {
		return d.answer(n)
	}
	d.printf("%s of app %s (%s): %s, %d bindings\n", n.X, n.App, n.Mode, n.Status, n.Bindings)
	return nil
}

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
