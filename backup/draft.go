package backup

import (
	"errors"
	"os"
	"path/filepath"

	"axgate/archive"
)

// Draft is a file in which a backup is written. It gets its name when it is whole.
type Draft struct {
	*os.File
	held *os.File
	name string
}

// NewDraft makes a file beside the one that it is to be. Those of killed processes, with
// real numbers in them, go.
func NewDraft(name string) (*Draft, error) {
	prefix := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".part-")
	if err := archive.Sweep(prefix); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(prefix)+"*") // mode 0600: it holds real numbers
	if err != nil {
		return nil, err
	}
	held, err := archive.Hold(f.Name())
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return &Draft{f, held, name}, nil
}

// Finish gives it its name, or, if it is not whole for an error, removes it.
func (d *Draft) Finish(err error) error {
	defer d.held.Close()
	if err == nil {
		err = d.Sync()
	}
	if err = errors.Join(err, d.Close()); err == nil {
		err = os.Rename(d.Name(), d.name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(d.Name()))
	}
	return err
}
