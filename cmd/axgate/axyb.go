package main

import (
	"fmt"
	"time"

	"axgate/provision"
	"axgate/routing"
)

type bindAXYBCmd struct {
	App       string `required:"" help:"The app." placeholder:"KEY"`
	A         string `required:"" help:"A, in global form." placeholder:"NUMBER"`
	Area      string `required:"" help:"Choose an X of this area." placeholder:"0755"`
	AnyArea   bool   `help:"If the area has none free: of its province, else any."`
	Direction int    `default:"0" help:"0 both may call, 1 only A by a Y, 2 only a B by X."`
	Duration  int    `default:"0" help:"Seconds until it ends; 0: never." placeholder:"SECONDS"`
	ToneX     string `help:"Prompt that a B hears before its call is put through." placeholder:"FILE"`
	Record    bool   `help:"Record its calls."`
	Hint      string `name:"record-hint" help:"Prompt that tells both of the recording." placeholder:"FILE"`
	UserData  string `help:"Comes back in events." placeholder:"TEXT"`
}

func (c *bindAXYBCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		if err := d.global("--a", &c.A); err != nil {
			return err
		}
		b, err := d.Provision.BindAXYB(d.ctx, c.App, provision.BindAXYB{OrigNum: c.A, CallDirection: c.Direction, Duration: c.Duration, PreVoiceX: c.ToneX,
			Area:    nearby(c.Area, c.AnyArea),
			Options: provision.Options{RecordFlag: c.Record, RecordHintTone: c.Hint, UserData: c.UserData}})
		if err != nil {
			return err
		}
		return p.tellBound(&b)
	})
}

type bindYBCmd struct {
	ID       string `name:"id" required:"" help:"The subscriptionId of the AXYB binding." placeholder:"ID"`
	B        string `required:"" help:"B, in global form." placeholder:"NUMBER"`
	Area     string `help:"Choose a Y of this area; without it one near X." placeholder:"0755"`
	AnyArea  bool   `help:"If the area has none free: of its province, else any."`
	Duration int    `default:"0" help:"Seconds until it ends; 0: with the binding." placeholder:"SECONDS"`
	ToneY    string `help:"Prompt that A hears before its call is put through." placeholder:"FILE"`
}

func (c *bindYBCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		if err := d.global("--b", &c.B); err != nil {
			return err
		}
		part, err := d.Ledger.Binding(d.ctx, c.ID, time.Now())
		if err != nil {
			return fmt.Errorf("find the binding %s: %w", c.ID, err)
		}
		b, err := d.Provision.BindYB(d.ctx, part.App, provision.BindYB{SubscriptionID: c.ID, OrigNum: c.B, Duration: c.Duration, PreVoiceY: c.ToneY,
			Area: nearby(c.Area, c.AnyArea)})
		if err != nil {
			return err
		}
		return p.tellBound(&b)
	})
}

func nearby(code string, any bool) provision.Area {
	a := provision.Area{AreaCode: code}
	if any {
		a.AreaMatchMode = "1"
	}
	return a
}

// tellBound tells of a binding that was made.
func (p *program) tellBound(b *routing.Binding) error {
	if p.cli.JSON {
		return p.answer(shown(b))
	}
	p.printf("%s: %s\n", b.Subscription(), describe(b))
	return nil
}

// unbindAXYB ends an AXYB binding, or one relation of it.
func (d *desk) unbindAXYB(app string, c *unbindCmd) error {
	which := provision.AXYB{SubscriptionID: c.ID}
	if c.Y != "" {
		y, err := d.x(c.Y)
		if err != nil {
			return err
		}
		which.YNum = string(y)
	}
	if c.B != "" {
		if err := d.global("--b", &c.B); err != nil {
			return err
		}
		which.BNum = c.B
	}
	return d.Provision.UnbindAXYB(d.ctx, app, which)
}
