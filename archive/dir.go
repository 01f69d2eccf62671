// Package archive is where finished recordings are: in a directory of this
// node, and if there is one, in an S3-compatible store to which they are
// brought from there.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Suffix ends the name of every finished recording.
const Suffix = ".wav"

// Dir is a directory of recordings. The zero value is none.
type Dir struct{ path string }

// OpenDir uses a directory, which may be shared with other nodes.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of recordings: %w", err)
	}
	return &Dir{path}, nil
}

// File is a finished recording as it lies in a directory.
type File struct {
	Name    string
	Bytes   int64
	Written time.Time
}

// Open opens a recording; nothing but a file of the directory itself is one.
// An error that is fs.ErrNotExist tells that it is not there.
func (d *Dir) Open(name string) (*os.File, File, error) {
	f, err := os.OpenInRoot(d.path, name)
	if err != nil {
		return nil, File{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file", name)
	}
	if err != nil {
		return nil, File{}, errors.Join(err, f.Close())
	}
	return f, File{name, info.Size(), info.ModTime()}, nil
}

// Has tells whether a recording is in the directory.
func (d *Dir) Has(name string) bool {
	f, _, err := d.Open(name)
	return err == nil && f.Close() == nil
}

// Remove deletes a recording; one that is not there is gone already.
func (d *Dir) Remove(name string) error {
	root, err := os.OpenRoot(d.path)
	if err == nil {
		err = errors.Join(root.Remove(name), root.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete the recording %s: %w", name, err)
	}
	return nil
}

// Each gives the finished recordings to work, some at a time and in no order,
// until it fails. What is written or deleted meanwhile may be among them or not. It
// removes what killed processes have left unfinished an hour ago.
func (d *Dir) Each(ctx context.Context, most int, work func([]File) error) error {
	at, err := os.Open(d.path)
	if err != nil {
		return fmt.Errorf("list the recordings: %w", err)
	}
	defer at.Close()
	var failed error // to remove that
	for {
		entries, err := at.ReadDir(most)
		var files []File
		for _, e := range entries {
			failed = errors.Join(failed, d.sweep(e))
			info, gone := e.Info()
			if gone == nil && info.Mode().IsRegular() && isName(e.Name()) {
				files = append(files, File{e.Name(), info.Size(), info.ModTime()})
			}
		}
		if len(files) > 0 {
			if err := work(files); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return failed
		case err != nil:
			return fmt.Errorf("list the recordings: %w", err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

func isName(name string) bool {
	return strings.HasSuffix(name, Suffix) && !strings.HasPrefix(name, ".")
}
