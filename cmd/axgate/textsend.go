package main

import (
	"context"
	"fmt"
	"time"

	"axgate/api/manage"
	"axgate/events"
	"axgate/lab"
	"axgate/ledger"
	"axgate/routing"
	"axgate/sms"
)

type smsSendCmd struct {
	From      string        `required:"" help:"Who writes; an account of the registrar." placeholder:"NUMBER"`
	X         string        `name:"x" required:"" aliases:"to" help:"The X that it is sent to." placeholder:"NUMBER"`
	Text      string        `arg:"" help:"What is written. From A of an AX binding it ends with @NUMBER, or the app's server is asked."`
	NoAnswer  bool          `help:"Do not take it with a built-in phone: the receiver's own phone gets it."`
	Transport string        `default:"udp" enum:"udp,tcp" help:"udp or tcp."`
	Wait      time.Duration `default:"30s" help:"How long it may take to arrive."`
}

// Help tells more than the one line of the overview.
func (smsSendCmd) Help() string {
	return `A built-in phone registers as the sender with a running node and sends the text to X, for example: axgate sms send --from 13800000003 --x 17010000001 "I am at the gate". If the receiver has an account too, a second built-in phone takes it. The answer says what was decided and why, what the sender's side was answered, what the receiver saw, and what record and notice say. The exit code is 0 if the text went as decided, be it that it was refused. axgate sms explain only tells what would be decided.`
}

// toldText is the answer in JSON.
type toldText struct {
	Decision manage.MessageVerdict `json:"decision"`
	Status   int                   `json:"status"` // SIP, at the sender
	Shown    string                `json:"shown,omitempty"`
	Content  string                `json:"content,omitempty"`
	Leaks    []string              `json:"leaks,omitempty"`
	Problems []string              `json:"problems,omitempty"`
	Text     *manage.MessageStory  `json:"text,omitempty"`
}

func (c *smsSendCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		from, err := d.number("--from", c.From)
		if err != nil {
			return err
		}
		t := toldText{}
		if t.Decision, err = d.textVerdict(x, from, c.Text); err != nil {
			return err
		}
		if !p.cli.JSON {
			p.printf("%s writes to %s: axgate will %s: %s (by %s)\n", from, x, intention(&t.Decision), t.Decision.Why, t.Decision.Source)
		}
		if err := c.try(d, &t, x, from); err != nil {
			return err
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

// intention is what is to become of a text, in words.
func intention(v *manage.MessageVerdict) string {
	switch v.Step {
	case "forward":
		return fmt.Sprintf("send it to %s, showing %s", v.Receiver, v.Shown)
	case "ask":
		return "ask the app's server"
	}
	return "not let it pass"
}

// try sends the text and tells what became of it.
func (c *smsSendCmd) try(d *desk, t *toldText, x routing.X, from routing.Number) error {
	if d.Running == nil || d.Running.UDP == "" {
		return fmt.Errorf("no node runs on %s: start axgate serve or axgate lab, or ask with axgate sms explain", d.cfg.Data)
	}
	sender, ok := d.account(from)
	if !ok {
		return fmt.Errorf("%s has no account in registrar.accounts, so no built-in phone can write as it", from)
	}
	w := lab.Writing{Server: reachable(d.Running.UDP), Transport: c.Transport, Sender: sender, Dial: d.Plan.SpellX(x, routing.FormatNational),
		Text: c.Text, Wait: c.Wait, Tell: d.teller()}
	if receiver, ok := d.account(routing.Number(t.Decision.Receiver)); ok && !c.NoAnswer {
		w.Receiver = receiver
	}
	out, err := lab.Write(d.ctx, w)
	if err != nil {
		return err
	}
	t.adopt(&out, x, w.Receiver.Number != "")
	return c.report(d, t, x, from, &out)
}

// adopt takes what the phones know, and finds what is otherwise than it was
// decided. Own tells that the receiver was a built-in phone.
func (t *toldText) adopt(out *lab.Written, x routing.X, own bool) {
	t.Status, t.Shown, t.Content, t.Leaks = out.Status, out.Shown, out.Content, out.Leaks
	wrong := func(format string, args ...any) { t.Problems = append(t.Problems, fmt.Sprintf(format, args...)) }
	if t.Status != t.Decision.SIPStatus {
		wrong("the sender's side is answered %d, not %d", t.Status, t.Decision.SIPStatus)
	}
	if own && !out.Came {
		wrong("the receiver's phone did not get it")
	}
	if out.Came && t.Shown != string(x) {
		wrong("the receiver sees %q, not X", t.Shown)
	}
	for _, l := range out.Leaks {
		wrong("the receiver can read the sender's number: %s", l)
	}
}

func (c *smsSendCmd) report(d *desk, t *toldText, x routing.X, from routing.Number, out *lab.Written) error {
	record, log, err := d.textRecord(x, from, out.Began)
	if err != nil {
		return err
	}
	if record != nil {
		s := manage.ShowMessageStory(record, log)
		t.Text = &s
	}
	if d.cli.JSON {
		return nil
	}
	d.printf("\nSIP           %d at the sender\n", t.Status)
	if out.Came {
		d.printf("caller ID     %s, seen by the receiver\n", t.Shown)
	}
	if t.Text == nil {
		d.printf("record        there is none: X is not known, or the text did not get in\n")
	} else {
		d.textLines(&t.Text.Message)
		d.textSteps(t.Text)
	}
	for i := range log {
		e := &log[i]
		const indent = 14
		d.printf("%-*s%s (push: %s)\n", indent, e.Kind, lab.Fold(lab.Compact(e.Body, "smsIdentifier", "timeStamp", "subscriptionId"), 100, indent), push(e))
	}
	for _, wrong := range t.Problems {
		d.printf("WRONG: %s\n", wrong)
	}
	return nil
}

// textRecord waits until the text is done and its notice was pushed, or there is
// nothing more to wait for, and gives what there is; nil: nothing.
func (d *desk) textRecord(x routing.X, from routing.Number, since time.Time) (t *sms.Text, log []ledger.LoggedEvent, err error) {
	const patience, step = 10 * time.Second, 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(d.ctx, patience)
	defer cancel()
	for {
		page, err := d.Ledger.Messages(d.ctx, ledger.MessageFilter{X: string(x), Sender: string(from), From: since.Add(-time.Second), Limit: 1})
		if err != nil {
			return nil, nil, err
		}
		if len(page.Messages) > 0 {
			t = &page.Messages[0]
			if log, err = d.eventsOf(t.ID); err != nil {
				return nil, nil, err
			}
			if settled(t, log) {
				return t, log, nil
			}
		}
		select {
		case <-ctx.Done():
			return t, log, d.ctx.Err()
		case <-time.After(step):
		}
	}
}

// settled tells that waiting tells no more: the notice was pushed, is owed to
// nobody, or was tried in vain; or the text waits for another try.
func settled(t *sms.Text, log []ledger.LoggedEvent) bool {
	if n := len(log); n > 0 && log[n-1].Kind == events.SMSNotice {
		return log[n-1].Due.IsZero() || log[n-1].Tries > 0
	}
	return t.Done.IsZero() && t.Fails > 0
}
