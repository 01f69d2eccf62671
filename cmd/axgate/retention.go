package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"axgate/ledger"
	"axgate/retention"
)

type retentionCmd struct {
	Show retentionShowCmd `cmd:"" default:"withargs" help:"When it was done last and what was deleted."`
	Run  retentionRunCmd  `cmd:"" help:"Delete now what is too old."`
}

// retentionShown is what is told of retention.
type retentionShown struct {
	Done    *time.Time       `json:"done,omitempty"`
	By      string           `json:"by,omitempty"`
	Deleted retention.Counts `json:"deleted"`
	Due     *time.Time       `json:"due,omitempty"`
	Holder  string           `json:"holder,omitempty"` // who is at it
}

type retentionShowCmd struct{}

func (retentionShowCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		job, held, err := d.Retention(d.ctx)
		if err != nil {
			return err
		}
		s := retentionShown{By: job.By}
		for _, t := range []struct {
			to   **time.Time
			from time.Time
		}{{&s.Done, job.Done}, {&s.Due, job.Due}} {
			if !t.from.IsZero() {
				*t.to = &t.from
			}
		}
		if held {
			s.Holder = job.Holder
		}
		if job.Result != "" {
			if err := json.Unmarshal([]byte(job.Result), &s.Deleted); err != nil {
				return fmt.Errorf("read what was deleted: %w", err)
			}
		}
		if p.cli.JSON {
			return p.answer(s)
		}
		p.printf("last: %s", when(job.Done))
		if job.By != "" {
			p.printf(" by %s: %s", job.By, deleted(&s.Deleted))
		}
		p.printf("\nnext: %s\n", when(job.Due))
		if held {
			p.printf("now:  %s is at it\n", job.Holder)
		}
		return nil
	})
}

type retentionRunCmd struct{}

// Help tells more than the one line of the overview.
func (retentionRunCmd) Help() string {
	return `The nodes do the same every retention.every. What is open, and what is still to be pushed, is never deleted. The files of recordings are deleted by the nodes that have them; from this moment nobody can fetch them.`
}

func (retentionRunCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		c, err := d.DeleteOld(d.ctx, &d.cfg)
		if errors.Is(err, ledger.ErrJobHeld) {
			return fmt.Errorf("a node is at it at this moment: %w", err)
		}
		if err != nil {
			return err
		}
		if p.cli.JSON {
			return p.answer(c)
		}
		p.printf("%s\n", deleted(&c))
		return nil
	})
}

// deleted tells what went in one line.
func deleted(c *retention.Counts) string {
	var parts []string
	for _, n := range []struct {
		n    int
		what string
	}{{c.Recordings, "recordings"}, {c.Calls, "calls"}, {c.Texts, "texts"}, {c.Events, "events"}, {c.Bindings, "ended bindings"}, {c.Audit, "entries of the audit log"}} {
		if n.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.n, n.what))
		}
	}
	text := "nothing was too old"
	if len(parts) > 0 {
		text = "deleted: " + strings.Join(parts, ", ")
	}
	if c.Left > 0 {
		text += fmt.Sprintf("; %d files were left in a store that is not ours any more", c.Left)
	}
	if c.More {
		text += "; there is more"
	}
	return text
}

// keptOf tells how long the past of an app is kept; empty: as the nodes are set.
func keptOf(a *ledger.App) string {
	var parts []string
	if a.RecordingsDays > 0 {
		parts = append(parts, fmt.Sprintf("recordings %d days", a.RecordingsDays))
	}
	if a.ListsDays > 0 {
		parts = append(parts, fmt.Sprintf("lists %d days", a.ListsDays))
	}
	return strings.Join(parts, ", ")
}
