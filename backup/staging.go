package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"axgate/archive"
	"axgate/ledger"
)

// staging is where a backup is unpacked, beside the places that it goes to.
type staging struct {
	target  Target
	mark    string
	ledger  ledger.Config
	place   string // directory of the ledger, of SQLite
	prompts string
	records string

	old   *ledger.Alone // the ledger of SQLite that was there
	held  []*os.File    // the directories
	left  error         // what earlier restores have left, and nobody can remove
	aside []string
	undo  []func() error // of what was put in its place, the last one last
}

// begin makes the directories, and takes the ledger that is there.
func (s *staging) begin(ctx context.Context) (err error) {
	s.ledger = s.target.Ledger
	if s.ledger.Driver != ledger.Postgres {
		if err := s.take(ctx, s.target.Ledger.Path); err != nil {
			return err
		}
		if s.place, err = s.stage(s.target.Ledger.Path + archive.Restoring); err != nil {
			return err
		}
		s.ledger.Path = filepath.Join(s.place, filepath.Base(s.target.Ledger.Path))
	}
	if s.prompts, err = s.stage(s.target.Prompts + archive.Restoring); err != nil {
		return err
	}
	s.records, err = s.stage(filepath.Join(s.target.Recordings, archive.Restoring))
	return err
}

// take takes the ledger of SQLite that is there, if it may go, as long as the
// restore lasts: other nodes may use it from directories of their own. One that is damaged
// nobody uses.
func (s *staging) take(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !s.target.Replace {
		return fmt.Errorf("%s: %w", path, ledger.ErrNotEmpty)
	}
	if s.old, err = ledger.TakeAlone(ctx, path); errors.Is(err, ledger.ErrDamaged) {
		return nil
	}
	return err
}

// stage makes a directory to unpack in. Those of killed restores go.
func (s *staging) stage(prefix string) (string, error) {
	s.left = errors.Join(s.left, archive.Sweep(prefix))
	dir := prefix + s.mark
	err := os.MkdirAll(dir, 0o700)
	var held *os.File
	if err == nil {
		held, err = archive.Hold(dir)
	}
	if err != nil {
		return dir, fmt.Errorf("unpack the backup: %w", err)
	}
	s.held = append(s.held, held)
	return dir, nil
}

// clean removes what is left of the unpacking, and lets go of what was held.
func (s *staging) clean() error {
	var failed error
	for _, dir := range []string{s.place, s.prompts, s.records} {
		if dir == "" {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			failed = errors.Join(failed, fmt.Errorf("remove what is left of the unpacking: %w", err))
		}
	}
	for _, f := range s.held {
		_ = f.Close() // a directory: nothing was written to it
	}
	if s.old != nil {
		failed = errors.Join(failed, s.old.Release())
	}
	return failed
}

// Sweep removes what killed restores have left beside the ledger and the prompts, with
// real numbers in it. Among recordings, archive.Dir does.
func Sweep(t Target) error {
	err := archive.Sweep(t.Prompts + archive.Restoring)
	if t.Ledger.Driver != ledger.Postgres {
		err = errors.Join(err, archive.Sweep(t.Ledger.Path+archive.Restoring))
	}
	return err
}
