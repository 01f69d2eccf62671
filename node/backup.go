package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"axgate/archive"
	"axgate/backup"
	"axgate/config"
	"axgate/ledger"
	"axgate/vault"
)

// Backup writes all that is kept into a file, which is there only if it is
// whole, and tells how far it is.
func (o *Office) Backup(ctx context.Context, c *config.Config, file, program string, recordings bool, tell func(backup.Manifest)) (m backup.Manifest, err error) {
	s := backup.Source{Ledger: o.Ledger, Driver: c.Ledger.Driver, Prompts: PromptDir(c), Node: c.Node, Program: program}
	use, missing := o.Ledger.SecretKeys(ctx)
	if use == nil {
		return m, missing
	}
	delete(use, "") // what is not encrypted needs none
	s.Keys = slices.Sorted(maps.Keys(use))
	var text bytes.Buffer
	if err := c.Print(&text); err != nil {
		return m, err
	}
	s.Config = text.Bytes()
	if recordings {
		if s.Recordings, err = archive.OpenDir(RecordDir(c)); err != nil {
			return m, err
		}
	}
	d, err := backup.NewDraft(file)
	if err == nil {
		m, err = backup.Write(ctx, d, s, tell)
		err = d.Finish(err)
	}
	if err != nil {
		return m, fmt.Errorf("write a backup: %w", err)
	}
	return m, nil
}

// Restore makes a system of a backup where the configuration says. No node may
// run there.
func Restore(ctx context.Context, c *config.Config, file io.ReadSeeker, replace bool) (r backup.Restored, err error) {
	ring, err := keyRing(c)
	if err != nil {
		return r, err
	}
	m, err := backup.Check(file)
	if err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	for _, id := range m.Keys {
		if !slices.Contains(ring.IDs(), id) {
			return r, fmt.Errorf("restore: its secrets are encrypted: %w: add key %s to the keys (keys.file)", vault.ErrNoKey, id)
		}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	d, err := hold(ctx, c.Data, true)
	if err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, d.release()) }()
	if err := os.MkdirAll(RecordDir(c), 0o700); err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	r, err = backup.Restore(ctx, file, restoreTarget(c, replace))
	return r, whatStands(&r, err)
}

func restoreTarget(c *config.Config, replace bool) backup.Target {
	return backup.Target{Ledger: ledgerConfig(c), Prompts: PromptDir(c), Recordings: RecordDir(c), Replace: replace}
}

// whatStands says in the error of a restore what is there after it.
func whatStands(r *backup.Restored, err error) error {
	aside := ""
	if len(r.Aside) > 0 {
		aside = " (what was there is " + strings.Join(r.Aside, ", ") + ")"
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrNotEmpty):
		return fmt.Errorf("restore: %w: use --replace if they are to go", err)
	case errors.Is(err, ledger.ErrForward):
		return fmt.Errorf("restore: all of the backup is there%s, but: %w", aside, err)
	case errors.Is(err, ledger.ErrInDoubt):
		return fmt.Errorf("restore: prompts and recordings are those of the backup%s, and the ledger may be: restore again, with --replace: %w", aside, err)
	case errors.Is(err, backup.ErrHalf):
		return fmt.Errorf("restore: not all is as it was%s: %w", aside, err)
	}
	return fmt.Errorf("restore: nothing was changed: %w", err)
}

// sweepRestored removes what restores have left that were killed.
func (n *Node) sweepRestored(context.Context) error {
	if err := backup.Sweep(restoreTarget(&n.cfg, false)); err != nil { // it is in nobody's way
		n.log.Error().Err(err).Msg("clear up after a restore")
	}
	return nil
}
