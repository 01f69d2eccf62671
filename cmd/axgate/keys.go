package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"axgate/node"
	"axgate/vault"
)

type keysCmd struct {
	New    keysNewCmd    `cmd:"" help:"Make a key and print it, as a line for keys.file."`
	List   keysListCmd   `cmd:"" default:"withargs" help:"The keys that there are, and what is encrypted with each."`
	Rotate keysRotateCmd `cmd:"" help:"Encrypt all with the newest key."`
}

type keysNewCmd struct {
	Name string `arg:"" optional:"" help:"Its name, 1 to 32 letters, digits, . _ and -; without it, the day."`
}

// Help tells more than the one line of the overview.
func (keysNewCmd) Help() string {
	return `The last line of keys.file encrypts, each line decrypts. The first key is its only line: (umask 077; axgate keys new >> /etc/axgate/keys). On a single node a further one is put behind the last line. Several nodes must all know it before one of them uses it, so it comes in two steps: put the line before the last one on every node and start them anew, one after the other; when axgate keys shows it as "decrypts" on each, put it behind the last one on every node and start them anew again. Then run axgate keys rotate; after that no other key is needed but for backups. Keep a copy elsewhere: without its key nobody reads what was encrypted.`
}

func (c *keysNewCmd) Run(p *program) error {
	if c.Name == "" {
		c.Name = time.Now().UTC().Format("2006-01-02")
	}
	line, err := vault.NewKey(c.Name)
	if err != nil {
		return usage("%v", err)
	}
	p.printf("%s\n", line)
	return nil
}

type keysListCmd struct{}

// keyShown is a key and what is encrypted with it.
type keyShown struct {
	Name    string `json:"name"` // empty: what is not encrypted
	There   bool   `json:"there"`
	Newest  bool   `json:"newest"`
	Secrets int    `json:"secrets"`
	Files   int    `json:"files"`
}

func (c *keysListCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		use, missing, err := d.KeyUse(d.ctx, &d.cfg)
		if err != nil {
			return err
		}
		var all []keyShown
		seen := map[string]bool{}
		add := func(id string, there bool) {
			if !seen[id] {
				seen[id] = true
				all = append(all, keyShown{id, there, there && id == d.Ring.Newest(), use.Secrets[id], use.Files[id]})
			}
		}
		for _, id := range d.Ring.IDs() {
			add(id, true)
		}
		for _, of := range []map[string]int{use.Secrets, use.Files} {
			for id := range of {
				add(id, id == "")
			}
		}
		if p.cli.JSON {
			err = p.answer(list(all, "", func(k *keyShown) keyShown { return *k }))
		} else {
			err = p.table("KEY\tSTATE\tSECRETS\tRECORDINGS", func(w *tabwriter.Writer) {
				for _, k := range all {
					fmt.Fprintf(w, "%s\t%s\t%d\t%d\n", or(k.Name), keyState(&k), k.Secrets, k.Files)
				}
			})
		}
		if err == nil {
			err = missing
		}
		return err
	})
}

func keyState(k *keyShown) string {
	switch {
	case k.Name == "":
		return "not encrypted"
	case k.Newest:
		return "encrypts"
	case k.There:
		return "decrypts"
	}
	return "missing"
}

type keysRotateCmd struct{}

// Help tells more than the one line of the overview.
func (keysRotateCmd) Help() string {
	return `Secrets in the ledger, recordings in recording.dir of this node and in the store are encrypted with the newest key: those that are encrypted already keep their own keys, which are encrypted anew. It runs beside nodes, all of which have to have been started with the key, and can be ended and begun again. On each node with a directory of its own it has to be run once.`
}

func (c *keysRotateCmd) Run(p *program) error {
	return p.atDesk(func(d *desk) error {
		told := time.Now()
		r, err := d.Rotate(d.ctx, &d.cfg, func(r node.Rotation) {
			if time.Since(told) >= time.Second {
				told = time.Now()
				fmt.Fprintln(d.stderr, rotated(&r))
			}
		})
		if p.cli.JSON && err == nil {
			err = p.answer(r)
		} else {
			p.printf("%s\n", rotated(&r))
		}
		if err == nil && r.Unreadable > 0 {
			return fmt.Errorf("%d files cannot be read: %s", r.Unreadable, r.FirstFailed)
		}
		return err
	})
}

func rotated(r *node.Rotation) string {
	text := fmt.Sprintf("encrypted anew: %d of %d secrets, %d of %d recordings, %d of %d in the store", r.NewSecrets, r.Secrets, r.NewFiles, r.Files, r.NewStored, r.Stored)
	if r.Later > 0 {
		text += fmt.Sprintf("; %d that are written now were begun without keys: run it once more when their calls are over", r.Later)
	}
	return text
}
