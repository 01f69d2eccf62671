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
	if err := s.putAside(s.target.Prompts, ""); err != nil {
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

// swapLedger puts a ledger of SQLite in its place.
func (s *staging) swapLedger() error {
	if s.ledger.Driver == ledger.Postgres {
		return nil
	}
	path := s.target.Ledger.Path
	// One that was taken has no log. That of a damaged one goes first: with the new
	// ledger beside it, it would be that one's.
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		if err := s.putAside(path, suffix); err != nil {
			return err
		}
	}
	if err := s.replace(s.ledger.Path, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// replace puts a file in the place of another one, which is kept aside, at once: a
// node that starts meanwhile finds one of them, and makes none.
func (s *staging) replace(from, path string) error {
	aside := s.asideOf(path, "")
	err := os.Link(path, aside)
	if err != nil { // there is none, or the disk has no links
		if err := s.putAside(path, ""); err != nil {
			return err
		}
		return s.rename(from, path)
	}
	s.aside = append(s.aside, aside)
	s.undo = append(s.undo, func() error {
		if err := os.Rename(aside, path); err != nil {
			return err
		}
		if err := os.Remove(aside); !errors.Is(err, fs.ErrNotExist) { // both were names of the same file still
			return err
		}
		return nil
	})
	if err := os.Rename(from, path); err != nil {
		return fmt.Errorf("put the ledger in its place: %w", err)
	}
	return nil
}

// asideOf is where what was there goes: a file beside a database is named so that it
// stays beside it.
func (s *staging) asideOf(path, suffix string) string { return path + ".before-" + s.mark + suffix }

// putAside renames what is there, so that nothing is ever lost by a restore.
func (s *staging) putAside(path, suffix string) error {
	if entries, err := os.ReadDir(path + suffix); err == nil && len(entries) == 0 {
		s.undo = append(s.undo, func() error { return os.MkdirAll(path+suffix, 0o700) })
		return os.Remove(path + suffix)
	}
	if _, err := os.Lstat(path + suffix); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	aside := s.asideOf(path, suffix)
	if err := s.rename(path+suffix, aside); err != nil {
		return err
	}
	s.aside = append(s.aside, aside)
	return nil
}

func (s *staging) rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("put what was restored in its place: %w", err)
	}
	s.undo = append(s.undo, func() error { return os.Rename(to, from) })
	return nil
}

// unswap undoes all that was put in its place.
func (s *staging) unswap() error {
	var failed error
	for i := len(s.undo) - 1; i >= 0; i-- {
		failed = errors.Join(failed, s.undo[i]())
	}
	s.undo = nil
	return failed
}
