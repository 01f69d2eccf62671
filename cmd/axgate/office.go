package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"axgate/config"
	"axgate/node"
	"axgate/routing"
)

// desk is what a command works at.
type desk struct {
	*program
	*node.Office
	cfg config.Config
	ctx context.Context
}

// atDesk opens ledger, cache and provisioning for the time of a command.
func (p *program) atDesk(work func(d *desk) error) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	if file := node.LedgerFile(&cfg); file != "" {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no ledger %s: start axgate serve or axgate lab first, or name another directory with --data", file)
		}
	}
	ctx, cancel := p.untilSignal()
	defer cancel()
	o, err := node.OpenOffice(ctx, cfg, p.quiet())
	if err != nil {
		return err
	}
	return errors.Join(work(&desk{p, o, cfg, ctx}), o.Close())
}

// x reads an X in any spelling.
func (d *desk) x(text string) (routing.X, error) {
	x, ok := d.Plan.ParseX(text)
	if !ok {
		return "", usage("--x: %.40q is no X number of the plan: write it like +8617010000001", text)
	}
	return x, nil
}

// number reads a real number in any spelling; empty stays empty.
func (d *desk) number(flag, text string) (routing.Number, error) {
	if text == "" {
		return "", nil
	}
	n, ok := d.Plan.ReadNumber(text)
	if !ok {
		return "", usage("%s: %.40q is no telephone number: write it like +8613800000001", flag, text)
	}
	return n, nil
}

// app is the app that was named, or else the owner of X.
func (d *desk) app(named string, x routing.X) (string, error) {
	if named != "" {
		return named, nil
	}
	if x == "" {
		return "", usage("name the app with --app, or an X with --x")
	}
	n, err := d.Ledger.Number(d.ctx, x)
	if err != nil {
		return "", fmt.Errorf("find the app of %s: %w", x, err)
	}
	return n.App, nil
}

// table prints rows in columns.
func (p *program) table(head string, rows func(w *tabwriter.Writer)) error {
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	rows(w)
	if err := w.Flush(); err != nil {
		return err
	}
	if bytes.Count(text.Bytes(), []byte("\n")) == 1 {
		text.Reset()
		text.WriteString("there are none\n")
	}
	_, err := text.WriteTo(p.stdout)
	return err
}

// atMost is how many lines a list may have.
type atMost int

// Validate is asked by the parser.
func (n atMost) Validate() error {
	if n < 1 || n > 1000 {
		return fmt.Errorf("use 1 to 1000")
	}
	return nil
}

// when is an instant for people; nothing for none.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// or is a text, or a dash for none.
func or[T ~string](text T) string {
	if text == "" {
		return "-"
	}
	return string(text)
}
