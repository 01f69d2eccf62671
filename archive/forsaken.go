package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How the names begin of what is unfinished.
const (
	encrypting = ".encrypting-" // a recording
	Restoring  = ".restoring-"  // a directory in which a backup is unpacked
)

// Hold marks a file or a directory as one that a living process works on, until what
// it returns is closed. A disk without locks does not show it.
func Hold(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, syscall.EISDIR) {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("%s: another process works on it", path), f.Close())
	}
	return f, nil
}

// isForsaken tells whether nobody holds what is unfinished: its process was killed. Where
// there are no locks nobody knows.
func isForsaken(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil
}

// Sweep removes the unfinished files and directories of killed processes, whose paths
// begin so.
func Sweep(prefix string) error {
	dir, begin := filepath.Split(prefix)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for what killed processes have left: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), begin) && isForsaken(path) {
			err = errors.Join(err, os.RemoveAll(path))
		}
	}
	if err != nil {
		return fmt.Errorf("remove what killed processes have left: %w", err)
	}
	return nil
}

// sweep removes an entry of the directory if it is what a killed process has left.
func (d *Dir) sweep(e fs.DirEntry) error {
	const old = time.Hour // who has just begun may not hold it yet
	if !strings.HasPrefix(e.Name(), encrypting) && !strings.HasPrefix(e.Name(), Restoring) {
		return nil
	}
	path := filepath.Join(d.path, e.Name())
	info, err := e.Info()
	if err != nil || time.Since(info.ModTime()) < old || !isForsaken(path) {
		return nil // it is gone meanwhile, or may yet be finished
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("remove what a killed process has left: %w", err)
	}
	return nil
}
