package main

import (
	"errors"
	"fmt"
	"os"

	"axgate/config"
	"axgate/node"
)

type doctorCmd struct {
	Repair bool `help:"Let X numbers on which cache and ledger differ be read from the ledger anew."`
}

// Help tells more than the one line of the overview.
func (doctorCmd) Help() string {
	return `Each line says ok, warn or fail, and what to do. The exit code is 1 if anything fails. It may run beside a node and without one.`
}

// The outcomes of an examination.
const (
	fine  = "ok"
	odd   = "warn"
	wrong = "fail"
)

// Finding is what one examination found.
type finding struct {
	Level  string `json:"level"`
	What   string `json:"what"`
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"`
}

// patient is what is examined, as far as it is known yet.
type patient struct {
	*program
	cfg    config.Config
	office *node.Office
	repair bool
	found  []finding
}

func (c *doctorCmd) Run(p *program) error {
	x := &patient{program: p, repair: c.Repair}
	x.examine()
	failed := false
	for _, f := range x.found {
		failed = failed || f.Level == wrong
	}
	if p.cli.JSON {
		if err := p.answer(struct {
			OK       bool      `json:"ok"`
			Findings []finding `json:"findings"`
		}{!failed, x.found}); err != nil {
			return err
		}
	} else {
		x.print()
	}
	if failed {
		return errUnsaid
	}
	return nil
}

func (x *patient) print() {
	for _, f := range x.found {
		x.printf("%-5s %-10s %s\n", f.Level, f.What, f.Text)
		if f.Advice != "" {
			x.printf("%-16s %s\n", "", "→ "+f.Advice)
		}
	}
}

func (x *patient) note(level, what, advice, format string, args ...any) {
	x.found = append(x.found, finding{level, what, fmt.Sprintf(format, args...), advice})
}

// examine goes on as far as the findings let it.
func (x *patient) examine() {
	var err error
	if x.cfg, err = x.load(); err == nil {
		err = node.Check(&x.cfg)
	}
	if err != nil {
		x.note(wrong, "config", "correct it; axgate config keys tells what there is", "%v", err)
		return
	}
	from := x.configFile()
	if from == "" {
		from = "the defaults, no file"
	}
	x.note(fine, "config", "", "%s", from)
	for _, n := range x.cfg.Notes() {
		x.note(odd, "config", "", "%s", n)
	}
	x.machine()
	if !x.directory() {
		return
	}
	x.store()
	running, isRunning := node.FindRunning(x.cfg.Data)
	x.network(running, isRunning)
	x.promptFiles()
	x.office, err = node.OpenOffice(x.ctx, x.cfg, x.quiet())
	if err != nil {
		x.note(wrong, "ledger", "see what the message names", "%v", err)
		return
	}
	x.stored()
	if err := x.office.Close(); err != nil {
		x.note(wrong, "ledger", "", "%v", err)
	}
}

// directory examines the data directory and what is beneath it.
func (x *patient) directory() bool {
	for _, dir := range []string{x.cfg.Data, node.RecordDir(&x.cfg)} {
		if err := writable(dir); err != nil {
			x.note(wrong, "data", "let the user that runs axgate write there, or set data to another directory", "%v", err)
			return false
		}
	}
	x.note(fine, "data", "", "%s is writable", x.cfg.Data)
	const little = 1 << 30
	if free, err := freeSpace(x.cfg.Data); err == nil && free < little {
		x.note(odd, "data", "make room: when the disk is full, no call is recorded or billed", "only %d MiB are free", free>>20)
	}
	return true
}

func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("%s is not writable: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
