package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"axgate/vault"
)

// Reseal has a recording encrypted with the newest key of a ring, and tells
// whether it was not. One that is encrypted stays in its place; one that is not
// is replaced at once. One that is gone needs nothing.
func (d *Dir) Reseal(ring *vault.Ring, name string) (anew bool, err error) {
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	switch {
	case !ring.StaleFile(f):
		return false, nil
	case vault.IsSealedFile(f):
		return true, ring.Rewrap(f, name)
	}
	return true, d.encrypt(ring, f, name)
}

// encrypt puts an encrypted file in the place of one that is not, unless that is
// gone by now.
func (d *Dir) encrypt(ring *vault.Ring, from *os.File, name string) error {
	to, err := os.CreateTemp(d.path, encrypting+"*")
	if err != nil {
		return fmt.Errorf("encrypt %s: %w", name, err)
	}
	held, err := Hold(to.Name()) // until it has its name: its time is that of the recording before that
	if err != nil {
		return errors.Join(fmt.Errorf("encrypt %s: %w", name, err), to.Close(), os.Remove(to.Name()))
	}
	defer held.Close()
	path := filepath.Join(d.path, name)
	is, err := from.Stat()
	if err == nil {
		err = ring.Encrypt(to, from, name, 0)
	}
	if err == nil {
		err = to.Sync()
	}
	err = errors.Join(err, to.Close())
	if err == nil {
		err = os.Chtimes(to.Name(), is.ModTime(), is.ModTime())
	}
	if err == nil {
		if _, gone := os.Lstat(path); errors.Is(gone, fs.ErrNotExist) {
			return os.Remove(to.Name())
		}
		err = os.Rename(to.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("encrypt %s: %w", name, err), os.Remove(to.Name()))
	}
	return nil
}

// Reseal is that of a directory for a file in the store, which is put there
// anew.
func (s *Store) Reseal(ctx context.Context, ring *vault.Ring, name string) (anew bool, err error) {
	f, is, err := s.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if !ring.StaleFile(f) {
		return false, nil
	}
	copied, err := os.CreateTemp("", "axgate-encrypting-*")
	if err != nil {
		return false, fmt.Errorf("encrypt %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	if err := os.Remove(copied.Name()); err != nil { // a killed process leaves nothing then
		return false, fmt.Errorf("encrypt %s: %w", name, err)
	}
	if _, err = f.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	if vault.IsSealedFile(f) { // as it is: the content stays encrypted
		if _, err = f.Seek(0, io.SeekStart); err == nil {
			_, err = io.Copy(copied, f)
		}
		if err == nil {
			err = ring.Rewrap(copied, name)
		}
	} else if _, err = f.Seek(0, io.SeekStart); err == nil {
		err = ring.Encrypt(copied, io.LimitReader(f, is.Bytes), name, 0)
	}
	var size int64
	if err == nil {
		size, err = copied.Seek(0, io.SeekEnd)
	}
	if err == nil {
		_, err = copied.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = s.Put(ctx, name, copied, size)
	}
	if err != nil {
		return false, fmt.Errorf("encrypt %s: %w", name, err)
	}
	return true, nil
}
