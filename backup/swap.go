package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"axgate/ledger"
)

// swapFiles puts prompts and recordings in their places.
func (s *staging) swapFiles() error {
	if err := s.putAside(s.target.Prompts); err != nil {
		return err
	}
	if err := s.rename(s.prompts, s.target.Prompts); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.records)
	if err != nil {
		return fmt.Errorf("put the recordings in their place: %w", err)
	}
	for _, e := range entries {
		to := filepath.Join(s.target.Recordings, e.Name())
		if _, err := os.Lstat(to); err == nil {
			continue // it is there already: a recording does not change
		}
		if err := s.rename(filepath.Join(s.records, e.Name()), to); err != nil {
			return err
		}
	}
	return nil
}

// swapLedger puts a ledger of SQLite in its place. Of the one that was there its
// log goes aside, too.
func (s *staging) swapLedger() error {
	if s.ledger.Driver == ledger.Postgres {
		return nil
	}
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := s.putAside(s.target.Ledger.Path + suffix); err != nil {
			return err
		}
	}
	if err := s.rename(s.ledger.Path, s.target.Ledger.Path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(s.target.Ledger.Path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// putAside renames what is there, so that nothing is ever lost by a restore.
func (s *staging) putAside(path string) error {
	if entries, err := os.ReadDir(path); err == nil && len(entries) == 0 {
		return os.Remove(path)
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	to := path + ".before-" + s.mark
	if err := s.rename(path, to); err != nil {
		return err
	}
	s.aside = append(s.aside, to)
	return nil
}

func (s *staging) rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("put what was restored in its place: %w", err)
	}
	s.moved = append(s.moved, [2]string{from, to})
	return nil
}

// unswap undoes all renames.
func (s *staging) unswap() error {
	var failed error
	for i := len(s.moved) - 1; i >= 0; i-- {
		failed = errors.Join(failed, os.Rename(s.moved[i][1], s.moved[i][0]))
	}
	s.moved = nil
	return failed
}

// clean removes what is left of the unpacking.
func (s *staging) clean() error {
	failed := errors.Join(os.RemoveAll(s.prompts), os.RemoveAll(s.records))
	if s.ledger.Driver != ledger.Postgres {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(s.ledger.Path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}
