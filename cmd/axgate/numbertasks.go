package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"axgate/api/manage"
	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// byCommand is who submits tasks at the command line.
const byCommand = "command line"

type numberImportCmd struct {
	App  string `required:"" help:"The app that gets them." placeholder:"KEY"`
	File string `arg:"" help:"CSV, or an X on each line; - is standard input."`
}

// Help tells more than the one line of the overview.
func (numberImportCmd) Help() string {
	return `The columns are number, areaCode, city, province, carrier, voice and sms (true or false), in this order or as a first line names them. Example: axgate number import numbers.csv --app demo-axb. The good lines go in, the others are named with their reason; the exit code is then 1.`
}

func (c *numberImportCmd) Run(p *program) error {
	lines, err := readNumbers(c.File)
	if err != nil {
		return err
	}
	return p.task(func(d *desk) (ledger.Task, error) {
		return d.Provision.ImportNumbers(d.ctx, c.App, byCommand, lines)
	})
}

func readNumbers(path string) ([]provision.ImportLine, error) {
	from := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	return provision.ReadNumbers(bufio.NewReader(from))
}

// these are the X that a task is about.
type these struct {
	Xs   []string `arg:"" optional:"" name:"x" help:"The X numbers."`
	File string   `help:"A list of them, as for import." placeholder:"FILE"`
}

func (c *these) numbers() ([]string, error) {
	if (len(c.Xs) == 0) == (c.File == "") {
		return nil, usage("name the X numbers, or a list of them with --file")
	}
	if c.File == "" {
		return c.Xs, nil
	}
	lines, err := readNumbers(c.File)
	all := make([]string, len(lines))
	for i := range lines {
		all[i] = lines[i].Number
	}
	return all, err
}

type numberMoveCmd struct {
	these
	To   string `required:"" help:"The app that gets them." placeholder:"KEY"`
	From string `help:"The app that they leave; X of others fail." placeholder:"KEY"`
}

func (c *numberMoveCmd) Run(p *program) error {
	numbers, err := c.numbers()
	if err != nil {
		return err
	}
	return p.task(func(d *desk) (ledger.Task, error) {
		return d.Provision.MoveNumbers(d.ctx, c.From, c.To, byCommand, numbers)
	})
}

type numberStatusCmd struct {
	X      string   `name:"x" help:"The X, if it is one." placeholder:"NUMBER"`
	Status string   `arg:"" enum:"normal,paused,frozen,transfer,unavailable,returned" help:"normal, paused, frozen, transfer, unavailable or returned; a returned X loses its bindings."`
	Xs     []string `arg:"" optional:"" help:"The X numbers, if they are several."`
	File   string   `help:"A list of them, as for import." placeholder:"FILE"`
	App    string   `help:"X of other apps fail." placeholder:"KEY"`
	Cause  string   `help:"Why, for the customer." placeholder:"TEXT"`
}

func (c *numberStatusCmd) Run(p *program) error {
	if c.X == "" {
		return p.changeNumbers(these{c.Xs, c.File}, c.App, routing.NumberStatus(c.Status), c.Cause)
	}
	return p.atDesk(func(d *desk) error {
		x, err := d.x(c.X)
		if err != nil {
			return err
		}
		return d.changedNumber(d.Provision.SetStatus(d.ctx, string(x), routing.NumberStatus(c.Status), c.Cause))
	})
}

type numberReturnCmd struct {
	these
	App string `help:"X of other apps fail." placeholder:"KEY"`
}

func (c *numberReturnCmd) Run(p *program) error {
	return p.changeNumbers(c.these, c.App, routing.StatusReturned, "")
}

func (p *program) changeNumbers(which these, app string, status routing.NumberStatus, cause string) error {
	numbers, err := which.numbers()
	if err != nil {
		return err
	}
	return p.task(func(d *desk) (ledger.Task, error) {
		return d.Provision.ChangeNumbers(d.ctx, app, byCommand, numbers, status, cause)
	})
}

type numberSMSCmd struct {
	Switch string `arg:"" enum:"on,off" help:"on or off."`
	these
	App string `help:"X of other apps fail." placeholder:"KEY"`
}

// Help tells more than the one line of the overview.
func (numberSMSCmd) Help() string {
	return `Texts pass if they are on for account, app, X and binding. Example: axgate number sms on +8617010000001 --app demo-axb.`
}

func (c *numberSMSCmd) Run(p *program) error {
	numbers, err := c.numbers()
	if err != nil {
		return err
	}
	return p.task(func(d *desk) (ledger.Task, error) {
		return d.Provision.SwitchSMS(d.ctx, c.App, byCommand, numbers, c.Switch == "on")
	})
}

type numberResubmitCmd struct {
	ID string `arg:"" help:"The task."`
}

func (c *numberResubmitCmd) Run(p *program) error {
	return p.task(func(d *desk) (ledger.Task, error) { return d.Provision.ResubmitTask(d.ctx, c.ID) })
}

// task submits a task, works on it until it has ended and tells what came of
// it: the exit code is 1 if some of it failed. If the command is ended, a node
// goes on with the task.
func (p *program) task(submit func(d *desk) (ledger.Task, error)) error {
	return p.atDesk(func(d *desk) error {
		t, err := submit(d)
		if err != nil {
			return err
		}
		t, err = d.Provision.FinishTask(d.ctx, t.ID, p.progress())
		if err != nil {
			return fmt.Errorf("task %s: %w: a node goes on with it; see axgate number tasks %s", t.ID, err, t.ID)
		}
		err = d.showTask(&t)
		if t.Failed > 0 || t.State != ledger.TaskEnded {
			err = errors.Join(err, errUnsaid)
		}
		return err
	})
}

// progress tells now and then, on standard error, how far a task is.
func (p *program) progress() func(ledger.Task) {
	const every = time.Second
	last := time.Now()
	return func(t ledger.Task) {
		if t.State != ledger.TaskEnded && time.Since(last) >= every {
			last = time.Now()
			fmt.Fprintf(p.stderr, "%d of %d numbers, %d failed\n", t.Done+t.Failed, t.Total, t.Failed)
		}
	}
}

// mostShown is how many failures are shown at once.
const mostShown = 1000

// showTask prints a task with what failed.
func (d *desk) showTask(t *ledger.Task) error {
	page, err := d.Ledger.TaskItems(d.ctx, t.ID, ledger.ItemFilter{State: ledger.ItemFailed, Limit: mostShown})
	if err != nil && d.ctx.Err() == nil {
		return err
	}
	if d.cli.JSON {
		err = d.answer(manage.TaskAnswer{NumberTask: manage.ShowTask(t), Failures: list(page.Items, "", manage.ShowResult).Items})
	} else {
		for i := range page.Items {
			f := &page.Items[i]
			d.printf("line %d  %s  %s %s\n", f.Line, or(f.X), f.Code, f.Reason)
		}
		if page.Next > 0 {
			d.printf("more failed: axgate --json number tasks %s\n", t.ID)
		}
		d.printf("%s: %s, %d of %d numbers done, %d failed\n", t.ID, t.State, t.Done, t.Total, t.Failed)
	}
	return err
}

type numberTasksCmd struct {
	ID    string `arg:"" optional:"" help:"Show this task."`
	App   string `help:"Those that concern this app." placeholder:"KEY"`
	Open  bool   `help:"Only those that have not ended."`
	Limit atMost `default:"20" help:"At most so many."`
	After string `help:"The next page: what the last one ended with." placeholder:"PAGE"`
}

func (c *numberTasksCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		if c.ID != "" {
			t, err := d.Ledger.Task(d.ctx, c.ID)
			if err != nil {
				return err
			}
			return d.showTask(&t)
		}
		page, err := d.Ledger.Tasks(d.ctx, ledger.TaskFilter{App: c.App, Open: c.Open, Limit: int(c.Limit), After: c.After})
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(list(page.Tasks, page.Next, manage.ShowTask))
		}
		err = p.table("TASK\tKIND\tAPP\tFROM\tSTATE\tDONE\tFAILED\tTOTAL\tSUBMITTED\tBY", func(w *tabwriter.Writer) {
			for i := range page.Tasks {
				t := &page.Tasks[i]
				what := strings.TrimSpace(string(t.Kind) + " " + string(t.Status))
				if t.Kind == ledger.TaskSMS {
					what += map[bool]string{true: " on", false: " off"}[t.SMS]
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\n", t.ID, what, or(t.App), or(t.From), t.State, t.Done, t.Failed, t.Total, when(t.Created), or(t.By))
			}
		})
		if err == nil {
			p.more(page.Next)
		}
		return err
	})
}
