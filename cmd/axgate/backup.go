package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"axgate/backup"
	"axgate/node"
)

type backupCmd struct {
	File       string `arg:"" help:"Where the backup is written." placeholder:"FILE"`
	Recordings bool   `help:"With the recordings that are in recording.dir of this node; those in a store stay there in any case."`
}

// Help tells more than the one line of the overview.
func (backupCmd) Help() string {
	return `It holds the ledger as it is at one instant, the uploaded prompts, and the configuration without its secrets; nodes may run meanwhile. What is written can be restored into SQLite and PostgreSQL alike. It holds real numbers, and the secrets of apps as they are stored: in the clear, unless there are keys (axgate keys). The keys themselves are not in it: keep a copy elsewhere.`
}

func (c *backupCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		told := time.Now()
		m, err := d.Backup(d.ctx, &d.cfg, c.File, version(), c.Recordings, func(m backup.Manifest) {
			if time.Since(told) >= time.Second {
				told = time.Now()
				fmt.Fprintln(d.stderr, contents(&m))
			}
		})
		if err != nil {
			return err
		}
		if p.cli.JSON {
			m.Parts = nil
			return p.answer(m)
		}
		p.printf("%s: %s\n", c.File, contents(&m))
		if len(m.Keys) > 0 {
			p.printf("to restore it, key %s is needed, which is not in it\n", strings.Join(m.Keys, ", "))
		}
		return nil
	})
}

// contents tells in a line what is in a backup.
func contents(m *backup.Manifest) string {
	rows := 0
	for _, n := range m.Tables {
		rows += n
	}
	text := fmt.Sprintf("%d apps, %d numbers, %d bindings, %d calls, %d texts, %d rows in all, %d prompts", m.Tables["apps"], m.Tables["numbers"], m.Tables["bindings"],
		m.Tables["calls"], m.Tables["messages"], rows, m.Prompts)
	if m.Records {
		text += fmt.Sprintf(", %d recordings", m.Recordings)
	}
	return text
}

type restoreCmd struct {
	File    string `arg:"" help:"The backup." placeholder:"FILE"`
	Check   bool   `help:"Only tell whether it is whole and what is in it."`
	Replace bool   `help:"What is there goes: an SQLite ledger and prompts are put aside, a PostgreSQL database is emptied."`
}

// Help tells more than the one line of the overview.
func (restoreCmd) Help() string {
	return `It goes where the configuration of this node says. No node may run there meanwhile, nor use the same ledger from elsewhere. The whole file is checked first; then all of it is restored, or nothing. From then on nothing that a Redis has from before is believed, and calls that were up when the backup was made are closed by the first start of their node. Recordings that are there stay.`
}

func (c *restoreCmd) Run(p *program) error {
	cfg, err := p.load()
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	ctx, cancel := p.untilSignal()
	defer cancel()
	if c.Check {
		m, err := backup.Check(f)
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		return p.tellBackup(&m, "is whole")
	}
	r, err := node.Restore(ctx, &cfg, f, c.Replace)
	if err != nil {
		return err
	}
	if r.Warning != "" {
		fmt.Fprintf(p.stderr, "all is restored, but: %s\n", r.Warning)
	}
	if p.cli.JSON {
		r.Parts = nil
		return p.answer(r)
	}
	if err := p.tellBackup(&r.Manifest, "is restored"); err != nil {
		return err
	}
	p.printf("the cache's epoch is %d: no entry from before is believed\n", r.Epoch)
	for _, path := range r.Aside {
		p.printf("what was there is %s\n", path)
	}
	return nil
}

func (p *program) tellBackup(m *backup.Manifest, what string) error {
	if p.cli.JSON {
		short := *m
		short.Parts = nil
		return p.answer(short)
	}
	p.printf("the backup of %s, made on %s by axgate %s from %s, %s: %s\n", when(m.Created), m.Node, m.Program, m.Driver, what, contents(m))
	return nil
}
