package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"axgate/node"
	"axgate/provision"
)

type bulkCmd struct {
	Import bulkImportCmd `cmd:"" help:"Make many bindings of an app from a file; bad lines are named."`
}

type bulkImportCmd struct {
	App      string `required:"" help:"The app, of mode AX, AXB or AXE; its X have to be there (axgate number import)." placeholder:"KEY"`
	File     string `arg:"" help:"CSV; - is standard input."`
	FromLine int    `name:"from-line" default:"1" help:"Begin at this line of the file: where an import that was ended says it can go on."`
}

// Help tells more than the one line of the overview.
func (bulkImportCmd) Help() string {
	return `The columns are x, a, b, ext, direction, duration, maxDuration, record (true or false) and userData, in this order or as a first line names them; duration is in seconds with AXB and in minutes with AXE. Example: axgate bulk import pairs.csv --app demo-axb. Each line is judged as a request of its own: the good ones are bound, the others are named with their reason, and the exit code is then 1. Millions of lines are bound in large transactions, smaller ones beside a running node on SQLite, and are in force once they are reported; a line whose binding stands already changes nothing, so an import that was ended can simply be begun again.`
}

// bulkState is how far an import is.
type bulkState struct {
	Line   int           `json:"line"` // up to which all is done
	Bound  int           `json:"bound"`
	Stands int           `json:"stands"`
	Failed int           `json:"failed"`
	Bad    []bulkFailure `json:"failures"` // the first of them
}

type bulkFailure struct {
	Line   int    `json:"line"`
	Code   string `json:"resultCode"`
	Reason string `json:"reason"`
}

func (c *bulkImportCmd) Run(p *program) error {
	from := io.Reader(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	return p.atDesk(func(d *desk) error {
		s := &bulkState{Bad: []bulkFailure{}}
		err := c.work(d, provision.NewBindingReader(bufio.NewReaderSize(from, 1<<20)), s)
		if s.Line > 0 && err != nil {
			err = fmt.Errorf("%w: all lines up to %d are done; go on with --from-line %d", err, s.Line, s.Line+1)
		}
		if err == nil && s.Failed > 0 {
			err = errUnsaid
		}
		if d.cli.JSON {
			return errors.Join(d.answer(s), err)
		}
		d.printf("%d bound, %d stood already, %d failed\n", s.Bound, s.Stands, s.Failed)
		return err
	})
}

// work reads and binds until the end of the file, or until the command is
// ended.
func (c *bulkImportCmd) work(d *desk, from *provision.BindingReader, s *bulkState) error {
	size := provision.MostBindings
	beside := besideNode(d)
	if beside {
		size = 200
	}
	lines := make([]provision.BindingLine, 0, size)
	begun, told := time.Now(), time.Now()
	for {
		var err error
		lines = lines[:0]
		for err == nil && len(lines) < size {
			lines, err = from.Next(lines)
			if n := len(lines); n > 0 && lines[n-1].Line < c.FromLine {
				lines = lines[:n-1]
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if d.ctx.Err() != nil {
			return context.Cause(d.ctx)
		}
		at := time.Now()
		if e := s.bind(d, c.App, lines); e != nil {
			return e
		}
		if err != nil {
			return nil
		}
		if beside { // the node's calls get their turn
			time.Sleep(max(time.Since(at)/2, time.Millisecond))
		}
		if since := time.Since(told); since >= time.Second {
			told = time.Now()
			fmt.Fprintf(d.stderr, "line %d: %d bound, %d stood already, %d failed, %.0f lines/s\n", s.Line, s.Bound, s.Stands, s.Failed,
				float64(s.Bound+s.Stands+s.Failed)/time.Since(begun).Seconds())
		}
	}
}

// besideNode tells whether a node writes to the same file of SQLite, which
// knows no queue: whoever asks the moment it is free gets it.
func besideNode(d *desk) bool {
	_, runs := node.FindRunning(d.cfg.Data)
	return runs && node.LedgerFile(&d.cfg) != ""
}

// bind binds lines and tells which failed.
func (s *bulkState) bind(d *desk, app string, lines []provision.BindingLine) error {
	if len(lines) == 0 {
		return nil
	}
	results, err := d.Provision.BindLines(d.ctx, app, lines)
	if err != nil {
		return err
	}
	s.Line = lines[len(lines)-1].Line
	for i := range results {
		r := &results[i]
		switch r.State {
		case provision.LineBound:
			s.Bound++
		case provision.LineStands:
			s.Stands++
		default:
			s.Failed++
			if len(s.Bad) < mostShown {
				s.Bad = append(s.Bad, bulkFailure{r.Line, r.Code, r.Reason})
				if !d.cli.JSON {
					d.printf("line %d  %s %s\n", r.Line, r.Code, r.Reason)
				}
			}
		}
	}
	return nil
}
