package main

import (
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"axgate/api/manage"
	"axgate/ledger"
	"axgate/routing"
)

type appCmd struct {
	List   appListCmd   `cmd:"" default:"1" help:"List apps."`
	Show   appShowCmd   `cmd:"" help:"Show an app with its settings."`
	Create appCreateCmd `cmd:"" help:"Make an app; its secret is shown this once."`
	Change appChangeCmd `cmd:"" help:"Change settings of an app."`
	Pause  appPauseCmd  `cmd:"" help:"Have an app take neither calls nor requests."`
	Resume appResumeCmd `cmd:"" help:"Have a paused app work again."`
	Secret appSecretCmd `cmd:"" help:"Renew the secret of an app; the old one ends at once."`
}

// Help tells more than the one line of the overview.
func (appCmd) Help() string {
	return `The section apps of the configuration is applied at each start of the server: an app that is in it goes by it again then.`
}

type appListCmd struct{}

func (c *appListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		apps, err := d.Ledger.Apps(d.ctx)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(list(apps, "", manage.ShowApp))
		}
		return p.table("KEY\tMODE\tACCOUNT\tSTATE\tRECORDING\tNAME", func(w *tabwriter.Writer) {
			for i := range apps {
				a := &apps[i]
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%v\t%s\n", a.Key, a.Mode, a.SP, state(a), a.Recording, or(a.Name))
			}
		})
	})
}

func state(a *ledger.App) string {
	switch {
	case a.Frozen:
		return "account frozen"
	case a.Paused:
		return "paused"
	case a.NoCalls:
		return "no calls"
	}
	return "works"
}

type appShowCmd struct {
	Key string `arg:"" help:"The app."`
}

func (c *appShowCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		a, err := d.Ledger.App(d.ctx, c.Key)
		if err != nil {
			return fmt.Errorf("app %s: %w: axgate app list shows which there are", c.Key, err)
		}
		return d.showApp(&a)
	})
}

func (d *desk) showApp(a *ledger.App) error {
	if d.cli.JSON {
		return d.answer(manage.ShowApp(a))
	}
	lines := []struct{ name, value string }{
		{"key", a.Key}, {"name", or(a.Name)}, {"account", a.SP}, {"mode", string(a.Mode)}, {"state", state(a)},
		{"recording", fmt.Sprintf("%v, stereo %v, informs itself %v", a.Recording, a.Stereo, a.Informs)},
		{"events", or(a.StatusURL)}, {"callin", or(a.CallInURL)}, {"fee events", or(a.FeeURL)}, {"signing", string(a.Signing)},
	}
	if texts := textsOf(a); texts != "" {
		lines = append(lines, struct{ name, value string }{"texts", texts})
	}
	if a.Mode == routing.AXE {
		lines = append(lines, struct{ name, value string }{"extensions", fmt.Sprintf("%d digits, %d further tries", a.ExtDigits, a.Retries)})
	}
	if kept := keptOf(a); kept != "" {
		lines = append(lines, struct{ name, value string }{"kept", kept})
	}
	for _, l := range lines {
		d.printf("%-11s %s\n", l.name, l.value)
	}
	for _, scene := range slices.Sorted(maps.Keys(a.Prompts)) {
		d.printf("%-11s %s: %s\n", "prompt", scene, a.Prompts[scene])
	}
	for _, scene := range slices.Sorted(maps.Keys(a.Defaults)) {
		d.printf("%-11s %s: the shipped one\n", "prompt", scene)
	}
	return nil
}

// settings are those of an app that the command line changes; absent ones stay.
type settings struct {
	Name        *string `help:"A name for people." placeholder:"TEXT"`
	Recording   *bool   `negatable:"" help:"Record calls of bindings that ask for it."`
	Stereo      *bool   `negatable:"" help:"Recordings have one party per channel."`
	Informs     *bool   `negatable:"" help:"The app informs people of recordings itself."`
	KeepCallee  *bool   `negatable:"" help:"AX: keep a temporary callee after an answered call."`
	NoForeign   *bool   `help:"Refuse foreign callers."`
	ExtDigits   *int    `help:"AXE: digits of an extension, 1 to 4." placeholder:"N"`
	Retries     *int    `help:"AXE: further tries after a wrong extension, 0 to 9." placeholder:"N"`
	StatusURL   *string `name:"status-url" help:"Where call events go." placeholder:"URL"`
	CallinURL   *string `name:"callin-url" help:"Where the event callin goes, if elsewhere." placeholder:"URL"`
	FeeURL      *string `name:"fee-url" help:"Where fee events go." placeholder:"URL"`
	NumberURL   *string `name:"number-url" help:"Where changes of X numbers go, if elsewhere." placeholder:"URL"`
	PushNumbers *bool   `negatable:"" help:"Push changes of X numbers."`
	Signing     *string `help:"How pushes are signed: wsse or aksk." placeholder:"SCHEME"`

	RecordingsDays *int `help:"Days that recordings are kept, from the push of their fee events on; 0: retention.recordings_days." placeholder:"N"`
	ListsDays      *int `help:"Days that calls, texts, events and ended bindings are kept; 0: retention.lists_days." placeholder:"N"`

	SMS           *bool     `name:"sms" negatable:"" help:"AX, AXB, X: texts through X are on; AX and X need --sms-control-url."`
	SMSContent    *bool     `name:"sms-content" negatable:"" help:"Notices and lists of texts carry what was written."`
	SMSURL        *string   `name:"sms-url" help:"Where notices of texts go." placeholder:"URL"`
	SMSControlURL *string   `name:"sms-control-url" help:"Who is asked whom texts are for (AX, X)." placeholder:"URL"`
	SMSKeywords   *wordList `name:"sms-keywords" help:"Words of which a text has to have one: a file with one on each line, - is standard input; an empty file: any text will do." placeholder:"FILE"`
	SMSForbidden  *wordList `name:"sms-forbidden" help:"Words of which a text must have none, likewise." placeholder:"FILE"`
}

func (s *settings) apply(a *ledger.App) {
	for _, t := range []struct{ to, from *string }{{&a.Name, s.Name}, {&a.StatusURL, s.StatusURL}, {&a.CallInURL, s.CallinURL}, {&a.FeeURL, s.FeeURL},
		{&a.NumberURL, s.NumberURL}, {(*string)(&a.Signing), s.Signing}, {&a.SMSURL, s.SMSURL}, {&a.SMSControlURL, s.SMSControlURL}} {
		if t.from != nil {
			*t.to = *t.from
		}
	}
	for _, f := range []struct{ to, from *bool }{{&a.Recording, s.Recording}, {&a.Stereo, s.Stereo}, {&a.Informs, s.Informs}, {&a.KeepCallee, s.KeepCallee},
		{&a.NoForeign, s.NoForeign}, {&a.PushNumbers, s.PushNumbers}, {&a.SMS, s.SMS}, {&a.SMSContent, s.SMSContent}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	for _, w := range []struct {
		to   *routing.Words
		from *wordList
	}{{&a.Keywords, s.SMSKeywords}, {&a.Forbidden, s.SMSForbidden}} {
		if w.from != nil {
			*w.to = routing.NewWords(*w.from...)
		}
	}
	for _, n := range []struct{ to, from *int }{{&a.ExtDigits, s.ExtDigits}, {&a.Retries, s.Retries}, {&a.RecordingsDays, s.RecordingsDays}, {&a.ListsDays, s.ListsDays}} {
		if n.from != nil {
			*n.to = *n.from
		}
	}
}

type appCreateCmd struct {
	Account string `required:"" help:"The account (spId) that it belongs to." placeholder:"ID"`
	Mode    string `required:"" enum:"AX,AXB,AXE,AXYB,X" help:"AX, AXB, AXE, AXYB or X, for ever."`
	Key     string `help:"Its app_key; without it, one is made." placeholder:"KEY"`
	settings
}

func (c *appCreateCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		a := ledger.App{App: routing.App{Key: c.Key, SP: c.Account, Mode: routing.Mode(c.Mode)}}
		c.apply(&a)
		made, err := d.Provision.CreateApp(d.ctx, a)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(manage.AppSecret{App: manage.ShowApp(&made), AppSecret: made.Secret})
		}
		p.printf("app %s is made, secret %s: it is not shown again\n", made.Key, made.Secret)
		return nil
	})
}

type appChangeCmd struct {
	Key string `arg:"" help:"The app."`
	settings
}

func (c *appChangeCmd) Run(p *program) error { return p.changeApp(c.Key, c.apply) }

type appPauseCmd struct {
	Key string `arg:"" help:"The app."`
}

func (c *appPauseCmd) Run(p *program) error {
	return p.changeApp(c.Key, func(a *ledger.App) { a.Paused = true })
}

type appResumeCmd struct {
	Key string `arg:"" help:"The app."`
}

func (c *appResumeCmd) Run(p *program) error {
	return p.changeApp(c.Key, func(a *ledger.App) { a.Paused = false })
}

// changeApp changes an app and shows how it is now.
func (p *program) changeApp(key string, change func(*ledger.App)) error {
	return p.atDesk(func(d *desk) error {
		a, err := d.Provision.ChangeApp(d.ctx, key, func(a *ledger.App) error { change(a); return nil })
		if err != nil {
			return err
		}
		return d.showApp(&a)
	})
}

type appSecretCmd struct {
	Key string `arg:"" help:"The app."`
}

func (c *appSecretCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		secret, err := d.Provision.RenewSecret(d.ctx, c.Key)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(map[string]string{"appKey": c.Key, "appSecret": secret})
		}
		p.printf("the secret of app %s is %s now: it is not shown again\n", c.Key, secret)
		return nil
	})
}
