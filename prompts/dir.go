package prompts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Dir keeps uploaded files, each as <app>/<name> beneath a directory. A file
// is there whole or not at all, even after a crash. Several processes may use
// one directory.
type Dir struct {
	path string
}

// scrap is how unfinished files are named; no prompt can be.
const scrap = "~*"

// OpenDir makes the directory if it is missing, and removes what a crash left
// unfinished.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of prompts: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(escaped(path), "*", scrap))
	if err != nil {
		return nil, fmt.Errorf("look for unfinished prompts in %s: %w", path, err)
	}
	for _, f := range left {
		// A young one may be another process's work.
		if info, err := os.Stat(f); err == nil && time.Since(info.ModTime()) > time.Hour {
			if err := os.Remove(f); err != nil {
				return nil, fmt.Errorf("remove an unfinished prompt: %w", err)
			}
		}
	}
	return &Dir{path: path}, nil
}

// escaped is a path as a pattern that means it.
func escaped(path string) string {
	var out []rune
	for _, c := range path {
		switch c {
		case '*', '?', '[', '\\':
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return string(out)
}

// Put stores a file, in place of an earlier one of that name. It is on the
// disk when Put returns.
func (d *Dir) Put(app, name string, b []byte) error {
	path, err := d.file(app, name)
	if err != nil {
		return err
	}
	if err := write(path, b); err != nil {
		return fmt.Errorf("store prompt %s: %w", name, err)
	}
	return nil
}

func write(path string, b []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, scrap) // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	syncDir(filepath.Dir(dir))
	return nil
}

// syncDir makes names in a directory durable. What cannot be synced (some
// network file systems) is stored all the same.
func syncDir(path string) {
	d, err := os.Open(path)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}

// Get reads a file; the error is fs.ErrNotExist if there is none.
func (d *Dir) Get(app, name string) ([]byte, error) {
	path, err := d.file(app, name)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err == nil && info.Size() > MaxSize {
		return nil, fmt.Errorf("read prompt %s: it has %d bytes, at most %d are allowed", name, info.Size(), MaxSize)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read prompt %s: %w", name, err)
	}
	return b, nil
}

// Drop removes a file; one that is not there is fine.
func (d *Dir) Drop(app, name string) error {
	path, err := d.file(app, name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove prompt %s: %w", name, err)
	}
	return nil
}

// file is the place of a file; nothing outside of the directory has one.
func (d *Dir) file(app, name string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	if app == "" || app == "." || app == ".." || len(app) > maxName || !plain(app) {
		return "", fmt.Errorf("the app_key %.40q cannot be a directory of prompts: it has other characters than letters, digits and - _ . @", app)
	}
	return filepath.Join(d.path, app, name), nil
}
