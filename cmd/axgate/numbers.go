package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"axgate/api/manage"
	"axgate/ledger"
	"axgate/routing"
)

type numberCmd struct {
	List     numberListCmd     `cmd:"" default:"withargs" help:"List X numbers."`
	Show     numberShowCmd     `cmd:"" help:"Show an X."`
	Add      numberAddCmd      `cmd:"" help:"Give an X to an app, or change its attributes."`
	Import   numberImportCmd   `cmd:"" help:"Give an app many X from a file; bad lines are named."`
	Move     numberMoveCmd     `cmd:"" help:"Move X to another app of the account; their bindings end."`
	Status   numberStatusCmd   `cmd:"" help:"Change the status of X; only a normal one takes calls and bindings."`
	Return   numberReturnCmd   `cmd:"" help:"Return X; their bindings end."`
	SMS      numberSMSCmd      `cmd:"" name:"sms" help:"Have X take texts, or none."`
	Tasks    numberTasksCmd    `cmd:"" help:"List tasks of import, move, status and sms, or show one with what failed."`
	Resubmit numberResubmitCmd `cmd:"" help:"Try again what failed of a task."`
	Free     numberFreeCmd     `cmd:"" help:"Count X by area: how many are free, and how many bindings still fit."`
	Export   numberExportCmd   `cmd:"" help:"Write X as CSV, which import takes."`
}

// someNumbers are the X that a command is about.
type someNumbers struct {
	App      string `help:"Those of this app." placeholder:"KEY"`
	Area     string `help:"Those of this area." placeholder:"0755"`
	City     string `help:"Those of this city." placeholder:"NAME"`
	Province string `help:"Those of this province." placeholder:"NAME"`
	Status   string `default:"" enum:",normal,paused,frozen,transfer,unavailable,returned,any" help:"Those in this status; without it all but the returned ones." placeholder:"STATUS"`
	Free     bool   `help:"Only those on which nobody is bound."`
	Room     bool   `help:"Only those on which one more binding fits."`
	Digits   string `help:"Only those with these digits somewhere." placeholder:"DIGITS"`
}

func (c *someNumbers) filter() ledger.NumberFilter {
	f := ledger.NumberFilter{App: c.App, AreaCode: c.Area, City: c.City, Province: c.Province, Status: routing.NumberStatus(c.Status), Free: c.Free, Room: c.Room, Digits: c.Digits}
	if c.Status == "any" {
		f.Status, f.Any = "", true
	}
	return f
}

type numberListCmd struct {
	someNumbers
	After string `help:"Those behind this X." placeholder:"NUMBER"`
	Limit atMost `default:"100" help:"At most so many."`
}

func (c *numberListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		f := c.filter()
		f.After, f.Limit = routing.X(c.After), int(c.Limit)
		page, err := d.Ledger.ListNumbers(d.ctx, f)
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(list(page.Numbers, string(page.Next), manage.ShowNumber))
		}
		err = p.table("X\tAPP\tMODE\tSTATUS\tBINDINGS\tROOM\tAREA\tCITY", func(w *tabwriter.Writer) {
			for i := range page.Numbers {
				n := &page.Numbers[i]
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", n.X, n.App, n.Mode, n.Status, n.Bindings, n.Room, or(n.AreaCode), or(n.City))
			}
		})
		if err == nil {
			p.more(string(page.Next))
		}
		return err
	})
}

type numberShowCmd struct {
	X string `arg:"" name:"x" help:"The X."`
}

func (c *numberShowCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		return d.changedNumber(d.Ledger.Number(d.ctx, x))
	})
}

type numberAddCmd struct {
	X        string `name:"x" required:"" help:"The X, in any spelling." placeholder:"NUMBER"`
	App      string `required:"" help:"The app." placeholder:"KEY"`
	Area     string `help:"Area code with its leading 0; city and province follow from it." placeholder:"0755"`
	City     string `help:"Where it belongs." placeholder:"NAME"`
	Province string `help:"Where it belongs; --any-area looks here." placeholder:"NAME"`
	Carrier  string `help:"Whose number it is." placeholder:"NAME"`
	SMS      *bool  `name:"sms" negatable:"" help:"It takes texts. Without it: as it is, and a new one takes none."`
}

func (c *numberAddCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		n := ledger.Number{XNumber: routing.XNumber{X: x, App: c.App, AreaCode: c.Area, City: c.City, Province: c.Province}, Carrier: c.Carrier, Voice: true}
		is, err := d.Ledger.Number(d.ctx, x)
		switch {
		case c.SMS != nil:
			n.SMS = *c.SMS
		case err == nil:
			n.SMS = is.SMS
		case !errors.Is(err, ledger.ErrUnknownX):
			return err
		}
		return d.changedNumber(d.Provision.AddNumber(d.ctx, n))
	})
}

// changedNumber tells how an X is.
func (d *desk) changedNumber(n ledger.Number, err error) error {
	if err != nil {
		return err
	}
	if d.cli.JSON {
		return d.answer(manage.ShowNumber(&n))
	}
	texts := "takes no texts"
	if n.SMS {
		texts = "takes texts"
	}
	d.printf("%s of app %s (%s): %s, %s, %d bindings\n", n.X, n.App, n.Mode, n.Status, texts, n.Bindings)
	return nil
}

type numberFreeCmd struct{ someNumbers }

func (c *numberFreeCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		counts, err := d.Ledger.CountNumbers(d.ctx, c.filter())
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(list(counts, "", manage.ShowCount))
		}
		return p.table("AREA\tCITY\tNUMBERS\tNORMAL\tFREE\tWITH ROOM\tBINDINGS\tROOM LEFT", func(w *tabwriter.Writer) {
			for i := range counts {
				n := &counts[i]
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\n", or(n.AreaCode), or(n.City), n.Numbers, n.Normal, n.Free, n.WithRoom, n.Bindings, n.Room)
			}
		})
	})
}

type numberExportCmd struct {
	someNumbers
	Out string `short:"o" help:"The file; without it, standard output." placeholder:"FILE" type:"path"`
}

func (c *numberExportCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		f := c.filter()
		f.Limit = pageRows
		return p.export(c.Out, manage.NumberHead, func() (rows [][]string, more bool, err error) {
			page, err := d.Ledger.ListNumbers(d.ctx, f)
			for i := range page.Numbers {
				n := manage.ShowNumber(&page.Numbers[i])
				rows = append(rows, n.Row())
			}
			f.After = page.Next
			return rows, page.Next != "", err
		})
	})
}
