package main

import (
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"axgate/ledger"
	"axgate/routing"
)

type appsCmd struct {
	Key string `arg:"" optional:"" help:"Show this app with its settings."`
}

// Help tells more than the one line of the overview.
func (appsCmd) Help() string {
	return `Apps are made and changed by the section apps of the configuration, at the start of the server.`
}

func (c *appsCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		if c.Key != "" {
			return d.showApp(c.Key)
		}
		list, err := d.Ledger.Apps(d.ctx)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			for i := range list {
				list[i].Secret = masked
			}
			return p.answer(list)
		}
		return p.table("KEY\tMODE\tACCOUNT\tSTATE\tRECORDING\tNAME", func(w *tabwriter.Writer) {
			for i := range list {
				a := &list[i]
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%v\t%s\n", a.Key, a.Mode, a.SP, state(a), a.Recording, or(a.Name))
			}
		})
	})
}

// masked stands for secrets.
const masked = "********"

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

func (d *desk) showApp(key string) error {
	a, err := d.Ledger.App(d.ctx, key)
	if err != nil {
		return fmt.Errorf("app %s: %w", key, err)
	}
	a.Secret = masked
	if d.cli.JSON {
		return d.answer(a)
	}
	lines := []struct{ name, value string }{
		{"key", a.Key}, {"name", or(a.Name)}, {"account", a.SP}, {"mode", string(a.Mode)}, {"state", state(&a)},
		{"recording", fmt.Sprintf("%v, stereo %v, informs itself %v", a.Recording, a.Stereo, a.Informs)},
		{"events", or(a.StatusURL)}, {"callin", or(a.CallInURL)}, {"fee events", or(a.FeeURL)}, {"signing", string(a.Signing)},
	}
	if a.Mode == routing.AXE {
		lines = append(lines, struct{ name, value string }{"extensions", fmt.Sprintf("%d digits, %d further tries", a.ExtDigits, a.Retries)})
	}
	if a.Mode == routing.XMode {
		within := "as the node is set"
		if a.AnswerIn > 0 {
			within = a.AnswerIn.String()
		}
		lines = append(lines, struct{ name, value string }{"answer", fmt.Sprintf("within %s, else call %s", within, or(string(a.Fallback)))})
	}
	if a.PushNumbers {
		lines = append(lines, struct{ name, value string }{"X status", or(a.Receiver().Number)})
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
