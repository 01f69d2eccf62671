package main

import (
	"errors"
	"fmt"
	"time"

	"axgate/provision"
	"axgate/routing"
)

type bindCmd struct {
	AXB bindAXBCmd `cmd:"" name:"axb" help:"A and B call each other through X."`
	AX  bindAXCmd  `cmd:"" name:"ax" help:"Whoever calls X reaches A."`
	AXE bindAXECmd `cmd:"" name:"axe" help:"Whoever calls X and types the extension reaches A."`

	AXYB bindAXYBCmd `cmd:"" name:"axyb" help:"Give A an X of its own; bind yb adds those who reach A by it."`
	YB   bindYBCmd   `cmd:"" name:"yb" help:"Add a B to an AXYB binding: B calls its X, A calls a Y."`
}

// where is which X of which app a binding is made on.
type where struct {
	App      string `help:"The app; without it, the owner of X." placeholder:"KEY"`
	X        string `name:"x" help:"The X number; without it one of the app with room is chosen." placeholder:"NUMBER"`
	Area     string `help:"Choose an X of this area." placeholder:"0755"`
	AnyArea  bool   `help:"If the area has none free: of its province, else any."`
	Record   bool   `help:"Record its calls."`
	Hint     string `name:"record-hint" help:"Prompt that tells both of the recording." placeholder:"FILE"`
	UserData string `help:"Comes back in events." placeholder:"TEXT"`
}

func (w *where) area() provision.Area {
	a := provision.Area{AreaCode: w.Area}
	if w.AnyArea {
		a.AreaMatchMode = "1"
	}
	return a
}

func (w *where) options() provision.Options {
	return provision.Options{RecordFlag: w.Record, RecordHintTone: w.Hint, UserData: w.UserData}
}

// voice are settings of AX and AXB.
type voice struct {
	MaxMinutes int    `help:"Calls are ended after so many minutes; 0: never." placeholder:"MINUTES"`
	LastMinute string `help:"Prompt that is played one minute before." placeholder:"FILE"`
	CallerTone string `help:"Prompt that A hears before its call is put through." placeholder:"FILE"`
	CalleeTone string `help:"Prompt that others hear before theirs is." placeholder:"FILE"`
	NoSMS      bool   `name:"no-sms" help:"No text messages through X."`
}

func (v *voice) voice() provision.Voice {
	sms := !v.NoSMS
	return provision.Voice{PreVoice: provision.PreVoice{CallerHintTone: v.CallerTone, CalleeHintTone: v.CalleeTone},
		MaxDuration: v.MaxMinutes, LastMinVoice: v.LastMinute, PrivateSMS: &sms}
}

type bindAXBCmd struct {
	A         string `required:"" help:"A, in global form." placeholder:"NUMBER"`
	B         string `required:"" help:"B, in global form." placeholder:"NUMBER"`
	Direction int    `default:"0" help:"0 both may call, 1 only A, 2 only B."`
	Duration  int    `default:"0" help:"Seconds until it ends; 0: never." placeholder:"SECONDS"`
	where
	voice
}

func (c *bindAXBCmd) Run(p *program) error {
	return p.bind(&c.where, func(d *desk, app string, x string) (b routing.Binding, err error) {
		if err := errors.Join(d.global("--a", &c.A), d.global("--b", &c.B)); err != nil {
			return b, err
		}
		return d.Provision.BindAXB(d.ctx, app, provision.BindAXB{CallerNum: c.A, CalleeNum: c.B, RelationNum: x,
			CallDirection: c.Direction, Duration: c.Duration, Area: c.area(), Options: c.options(), Voice: c.voice.voice()})
	})
}

type bindAXCmd struct {
	A         string `required:"" help:"A, in global form." placeholder:"NUMBER"`
	Direction int    `default:"0" help:"0 both ways, 1 only A may call X, 2 only others."`
	Off       bool   `help:"It does not work yet (turnFlag off)."`
	where
	voice
}

func (c *bindAXCmd) Run(p *program) error {
	flag := "on"
	if c.Off {
		flag = "off"
	}
	return p.bind(&c.where, func(d *desk, app string, x string) (b routing.Binding, err error) {
		if err := d.global("--a", &c.A); err != nil {
			return b, err
		}
		return d.Provision.BindAX(d.ctx, app, provision.BindAX{OrigNum: c.A, PrivateNum: x, CallDirection: c.Direction, TurnFlag: flag,
			Area: c.area(), Options: c.options(), Voice: c.voice.voice()})
	})
}

type bindAXECmd struct {
	A            string        `required:"" help:"A, in global form." placeholder:"NUMBER"`
	Ext          string        `help:"The extension; without it one is given." placeholder:"DIGITS"`
	Expires      time.Duration `help:"How long it holds, in whole minutes, such as 30m or 72h; 0: for ever."`
	Callback     time.Duration `help:"How long A can call the last caller back, in whole minutes; 0: as long as the binding."`
	CallbackNum  string        `help:"Whom A reaches without a callback record." placeholder:"NUMBER"`
	CallbackTone string        `help:"Prompt that A hears without a callback record." placeholder:"FILE"`
	where
}

func (c *bindAXECmd) Run(p *program) error {
	for _, f := range []struct {
		flag string
		span time.Duration
	}{{"--expires", c.Expires}, {"--callback", c.Callback}} {
		if f.span%time.Minute != 0 {
			return usage("%s: %v: use whole minutes, such as 30m or 72h", f.flag, f.span)
		}
	}
	return p.bind(&c.where, func(d *desk, app string, x string) (b routing.Binding, err error) {
		if err := errors.Join(d.global("--a", &c.A), d.global("--callback-num", &c.CallbackNum)); err != nil {
			return b, err
		}
		return d.Provision.BindAXE(d.ctx, app, provision.BindAXE{BindNum: c.A, VirtualNum: x, ExtendNum: c.Ext,
			CallbackTone: c.CallbackTone, CallbackNum: c.CallbackNum, TimeUnit: inMinutes, BindExpiredTime: int(c.Expires / time.Minute),
			CallbackExpiredTime: int(c.Callback / time.Minute), Area: c.area(), Options: c.options()})
	})
}

// inMinutes is the timeUnit of AXE bindings made here.
const inMinutes = "1"

// global puts a number into global form; the service tells what else may be
// wrong with it.
func (d *desk) global(flag string, text *string) error {
	n, err := d.number(flag, *text)
	if err == nil {
		*text = string(n)
	}
	return err
}

// bind makes a binding and tells what came of it.
func (p *program) bind(w *where, make func(d *desk, app, x string) (routing.Binding, error)) error {
	return p.atDesk(func(d *desk) error {
		var x routing.X
		if w.X != "" {
			var err error
			if x, err = d.x(w.X); err != nil {
				return err
			}
		}
		app, err := d.app(w.App, x)
		if err != nil {
			return err
		}
		b, err := make(d, app, string(x))
		if err != nil {
			return err
		}
		return p.tellBound(&b)
	})
}

// describe tells a binding in one line.
func describe(b *routing.Binding) string {
	var text string
	switch b.Mode {
	case routing.AXB:
		text = fmt.Sprintf("%s and %s reach each other through %s", b.A, b.B, b.X)
	case routing.AX:
		text = fmt.Sprintf("who calls %s reaches %s", b.X, b.A)
	case routing.AXE:
		text = fmt.Sprintf("who calls %s and types %s reaches %s", b.X, b.Ext, b.A)
	case routing.AXYB:
		text = fmt.Sprintf("%s is the X of %s", b.X, b.A)
		if b.Of != "" {
			text = fmt.Sprintf("%s reaches %s by %s, %s reaches %s by %s", b.B, b.A, b.X, b.A, b.B, b.Y)
		}
	}
	if !b.Until.IsZero() {
		text += " until " + when(b.Until)
	}
	return text
}

type unbindCmd struct {
	ID string `name:"id" required:"" help:"The subscriptionId." placeholder:"ID"`
	Y  string `name:"y" help:"Of an AXYB binding only the relation with this Y." placeholder:"NUMBER"`
	B  string `name:"b" help:"Of an AXYB binding only the relation with this B." placeholder:"NUMBER"`
}

func (c *unbindCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		if err := d.unbind(c); err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(map[string]string{"subscriptionId": c.ID})
		}
		p.printf("%s is unbound: the next call is refused\n", c.ID)
		return nil
	})
}

// unbind ends a binding in the name of its app.
func (d *desk) unbind(c *unbindCmd) error {
	id := c.ID
	b, err := d.Ledger.Binding(d.ctx, id, time.Now())
	if err != nil {
		return fmt.Errorf("find the binding %s: %w", id, err)
	}
	if b.Mode != routing.AXYB && c.Y+c.B != "" {
		return usage("--y and --b: %s is a binding of mode %s: they are for AXYB", id, b.Mode)
	}
	switch b.Mode {
	case routing.AXYB:
		return d.unbindAXYB(b.App, c)
	case routing.AX:
		return d.Provision.UnbindAX(d.ctx, b.App, provision.AX{SubscriptionID: id})
	case routing.AXE:
		return d.Provision.UnbindAXE(d.ctx, b.App, provision.AXE{SubscriptionID: id})
	}
	return d.Provision.UnbindAXB(d.ctx, b.App, id, "")
}

type tempCmd struct {
	X        string `name:"x" required:"" help:"The X of the AX binding." placeholder:"NUMBER"`
	Callee   string `required:"" help:"Whom A reaches." placeholder:"NUMBER"`
	Duration int    `default:"60" help:"For so many seconds, or until a call was answered." placeholder:"SECONDS"`
	UserData string `help:"Comes back in events." placeholder:"TEXT"`
}

func (c *tempCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		app, err := d.app("", x)
		if err != nil {
			return err
		}
		if err := d.global("--callee", &c.Callee); err != nil {
			return err
		}
		t, err := d.Provision.SetTemporary(d.ctx, app, provision.TemporaryCallee{AX: provision.AX{PrivateNum: string(x)},
			CalleeNum: c.Callee, Duration: &c.Duration, UserData: c.UserData})
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(map[string]any{"x": x, "callee": t.Callee, "until": t.Until})
		}
		p.printf("A reaches %s by dialling %s until %s\n", t.Callee, x, when(t.Until))
		return nil
	})
}
