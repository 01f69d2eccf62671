package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"axgate/api/manage"
	"axgate/ledger"
	"axgate/routing"
	"axgate/sms"
)

type smsCmd struct {
	List    smsListCmd    `cmd:"" default:"withargs" help:"List texts, the newest first."`
	Show    smsShowCmd    `cmd:"" help:"Show a text, and what happened to it."`
	Export  smsExportCmd  `cmd:"" help:"Write texts as CSV."`
	Explain smsExplainCmd `cmd:"" help:"Why a text would go as it would."`
	Send    smsSendCmd    `cmd:"" help:"Send a test text through X and tell what became of it."`
}

// chosenTexts are the texts that a command is about.
type chosenTexts struct {
	App    string        `help:"Texts of this app." placeholder:"KEY"`
	Number string        `help:"Texts with this X, sender or receiver." placeholder:"NUMBER"`
	Result *int          `help:"Texts that are done with this sendResult; 0: those that were sent." placeholder:"CODE"`
	State  string        `enum:"incomplete,waiting,done," default:"" help:"Texts in this state: incomplete (parts are missing), waiting (under way, or tried again) or done." placeholder:"STATE"`
	Since  time.Duration `help:"Texts of the last so long, such as 1h." placeholder:"TIME"`
}

func (c *chosenTexts) filter(d *desk) ledger.MessageFilter {
	f := ledger.MessageFilter{App: c.App}
	if c.Since > 0 {
		f.From = time.Now().Add(-c.Since)
	}
	if c.Number != "" {
		f.Number = d.anyNumber(c.Number)
	}
	if c.Result != nil {
		f.Result = new(routing.SendResult(*c.Result))
	}
	manage.SelectState(&f, c.State)
	return f
}

type smsListCmd struct {
	chosenTexts
	Limit atMost `default:"20" help:"At most so many."`
	After string `help:"The next page: what the last one ended with." placeholder:"PAGE"`
}

func (c *smsListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		f := c.filter(d)
		f.Limit, f.After = int(c.Limit), c.After
		page, err := d.Ledger.Messages(d.ctx, f)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(list(page.Messages, page.Next, manage.ShowMessage))
		}
		return d.listTexts(page)
	})
}

func (d *desk) listTexts(page ledger.MessagePage) error {
	err := d.table("CAME\tX\tSENDER\tRECEIVER\tPARTS\tTRIES\tRESULT\tTEXT", func(w *tabwriter.Writer) {
		for i := range page.Messages {
			t := manage.ShowMessage(&page.Messages[i])
			result := t.State
			if t.Result != nil {
				result = fmt.Sprint(*t.Result)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", when(t.At), t.X, or(t.Sender), or(t.Receiver), t.SplitNum, t.Tries, result, t.ID)
		}
	})
	if err == nil {
		d.more(page.Next)
	}
	return err
}

type smsShowCmd struct {
	ID string `arg:"" help:"The smsIdentifier, as sms list tells it."`
}

func (c *smsShowCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		t, err := d.Ledger.Message(d.ctx, c.ID)
		if errors.Is(err, ledger.ErrNoMessage) {
			return fmt.Errorf("there is no text %s: axgate sms list shows which there are", c.ID)
		}
		if err != nil {
			return err
		}
		return d.showText(&t)
	})
}

// showText prints a text and what happened to it.
func (d *desk) showText(t *sms.Text) error {
	log, err := d.eventsOf(t.ID)
	if err != nil {
		return err
	}
	s := manage.ShowMessageStory(t, log)
	if d.cli.JSON {
		return d.answer(s)
	}
	d.textLines(&s.Message)
	d.printf("\n")
	d.textSteps(&s)
	return d.listEvents(ledger.EventPage{Events: log})
}

func (d *desk) textLines(m *manage.Message) {
	result := m.State
	if m.Result != nil {
		result = fmt.Sprintf("%d: %s", *m.Result, m.ResultText)
	}
	for _, l := range []struct{ name, value string }{
		{"text", m.ID}, {"X", fmt.Sprintf("%s (app %s)", m.X, m.AppKey)}, {"sender", or(m.Sender)}, {"receiver", or(m.Receiver)}, {"binding", or(m.SubscriptionID)},
		{"came in", when(m.At)}, {"done", when(m.Done)}, {"result", result}, {"parts", fmt.Sprint(m.SplitNum)}, {"content", or(m.Content)},
	} {
		d.printf("%-13s %s\n", l.name, l.value)
	}
}

func (d *desk) textSteps(s *manage.MessageStory) {
	for _, step := range s.Steps {
		at := "-"
		if !step.At.IsZero() {
			at = step.At.Local().Format("15:04:05.000")
		}
		d.printf("%-13s %-11s %s\n", at, step.What, step.Text)
	}
}

type smsExportCmd struct {
	chosenTexts
	Out string `short:"o" help:"The file; without it, standard output." placeholder:"FILE" type:"path"`
}

func (c *smsExportCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		f := c.filter(d)
		f.Limit = pageRows
		return p.export(c.Out, manage.MessageHead, func() (rows [][]string, more bool, err error) {
			page, err := d.Ledger.Messages(d.ctx, f)
			for i := range page.Messages {
				m := manage.ShowMessage(&page.Messages[i])
				rows = append(rows, m.Row())
			}
			f.After = page.Next
			return rows, page.Next != "", err
		})
	})
}

type smsExplainCmd struct {
	X      string `arg:"" name:"x" help:"The X that it is sent to, in any spelling."`
	Sender string `arg:"" help:"Who writes."`
	Text   string `arg:"" optional:"" help:"What is written: words and a tail @NUMBER can decide."`
}

// Help tells more than the one line of the overview.
func (smsExplainCmd) Help() string {
	return `axgate sms explain 17010000001 13800000002 "I am at the gate" tells what would become of that text now, and by which rule: nothing is sent, and nobody is asked or told. axgate sms show ID tells what did become of one. axgate sms send sends one.`
}

func (c *smsExplainCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		sender, err := d.number("SENDER", c.Sender)
		if err != nil {
			return err
		}
		v, err := d.textVerdict(x, sender, c.Text)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(v)
		}
		for _, l := range []struct{ name, value string }{
			{"step", v.Step}, {"because", v.Why}, {"receiver", v.Receiver}, {"sees", v.Shown}, {"reads", v.Text}, {"parts", fmt.Sprint(v.SplitNum)},
			{"app", v.AppKey}, {"binding", v.SubscriptionID}, {"result", v.ResultText}, {"codes", textCodes(&v)}, {"decided by", v.Source},
		} {
			if l.value != "" {
				d.printf("%-11s %s\n", l.name, l.value)
			}
		}
		return nil
	})
}

func textCodes(v *manage.MessageVerdict) string {
	if v.Result == nil {
		return fmt.Sprintf("SIP %d", v.SIPStatus)
	}
	return fmt.Sprintf("sendResult %d, SIP %d", *v.Result, v.SIPStatus)
}

func (d *desk) textVerdict(x routing.X, sender routing.Number, text string) (manage.MessageVerdict, error) {
	e, err := d.ExplainMessage(d.ctx, x, sender, text)
	if err != nil {
		return manage.MessageVerdict{}, err
	}
	v := manage.MessageExplanation(e)
	return manage.ShowMessageVerdict(x, &v), nil
}
