package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

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
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".part-*") // mode 0600: it holds real numbers
	if err != nil {
		return m, fmt.Errorf("write a backup: %w", err)
	}
	m, err = backup.Write(ctx, f, s, tell)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return m, errors.Join(fmt.Errorf("write a backup: %w", err), os.Remove(f.Name()))
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
	r, err = backup.Restore(ctx, file, backup.Target{Ledger: ledgerConfig(c), Prompts: PromptDir(c), Recordings: RecordDir(c), Replace: replace})
	switch {
	case errors.Is(err, ledger.ErrNotEmpty):
		err = fmt.Errorf("restore: %w: use --replace if they are to go", err)
	case err != nil:
		err = fmt.Errorf("restore: nothing was changed: %w", err)
	}
	return r, err
}
