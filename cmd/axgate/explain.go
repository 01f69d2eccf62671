package main

import (
	"axgate/api/manage"
	"axgate/routing"
)

type explainCmd struct {
	X       string `arg:"" optional:"" name:"x" help:"The X that is dialled, in any spelling."`
	Caller  string `arg:"" optional:"" help:"Who dials it; without it, somebody who is not known."`
	Ext     string `help:"AXE: the extension that is typed." placeholder:"DIGITS"`
	Session string `help:"Tell what did happen in this call, step by step." placeholder:"ID"`
}

// Help tells more than the one line of the overview.
func (explainCmd) Help() string {
	return `axgate explain 17010000001 13800000002 tells what would happen if 13800000002 dialled 17010000001 now, and by which rule: nobody is called, nothing is reserved. axgate explain --session ID tells what did happen in a call. axgate call places a call.`
}

func (c *explainCmd) Run(p *program) error {
	if (c.X == "") == (c.Session == "") {
		return usage("name X and the caller, or a call with --session: axgate explain 17010000001 13800000002")
	}
	return p.atDesk(func(d *desk) error {
		if c.Session != "" {
			return d.tellStory(c.Session)
		}
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		caller, err := d.number("CALLER", c.Caller)
		if err != nil {
			return err
		}
		e, err := d.Explain(d.ctx, x, caller, routing.Extension(c.Ext))
		if err != nil {
			return err
		}
		v := manage.ShowVerdict(&manage.Explanation{Decision: e.Decision, Source: e.Source, Asked: e.Asked})
		if p.cli.JSON {
			return p.answer(v)
		}
		return d.verdict(&v)
	})
}

// verdict prints what would happen.
func (d *desk) verdict(v *manage.Verdict) error {
	for _, l := range []struct{ name, value string }{
		{"step", v.Step}, {"because", v.Why}, {"callee", v.Callee}, {"sees", v.Shown}, {"app", v.AppKey}, {"binding", v.SubscriptionID},
		{"hears", v.Prompt}, {"scene", v.Scene}, {"end", v.EndText}, {"decided by", v.Source},
	} {
		if l.value != "" {
			d.printf("%-11s %s\n", l.name, l.value)
		}
	}
	if v.End != "" {
		d.printf("%-11s %s: state %d, tear-down %d, SIP %d\n", "codes", v.End, v.StateCode, v.ULFailReason, v.SIPStatus)
	}
	if v.Asked {
		d.printf("%-11s %s\n", "asked", "the caller types an extension first")
	}
	return nil
}

// tellStory prints what happened in a call.
func (d *desk) tellStory(session string) error {
	c, err := d.oneCall(session)
	if err != nil {
		return err
	}
	log, err := d.eventsOf(session)
	if err != nil {
		return err
	}
	s := manage.ShowStory(c, log)
	if d.cli.JSON {
		return d.answer(s)
	}
	for _, step := range s.Steps {
		at := "-"
		if !step.At.IsZero() {
			at = step.At.Local().Format("15:04:05.000")
		}
		d.printf("%-13s %-11s %s\n", at, step.What, step.Text)
	}
	return nil
}
