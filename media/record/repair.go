package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"axgate/media/wav"
	"axgate/vault"
)

// Repair completes the recordings that a crash has left in a directory, and
// removes those that are shorter than minTalk. One with a part that a living process
// writes stays as it is, and so does one that is spoken for: whoever ends its call
// completes it. Those that are encrypted need their key in ring. It tells which files
// it completed; an error names those that it could not.
func Repair(dir string, minTalk time.Duration, ring *vault.Ring, spokenFor func(name string) bool) ([]Result, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for unfinished recordings: %w", err)
	}
	var all []Result
	var failed error
	left := map[string]bool{} // by name: nobody writes it
	for _, e := range entries {
		failed = errors.Join(failed, sweep(dir, e))
		if name, _, ok := partOf(e.Name()); ok && e.Type().IsRegular() {
			nobody, seen := left[name]
			left[name] = (nobody || !seen) && !written(filepath.Join(dir, e.Name()))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if !left[name] || spokenFor != nil && spokenFor(name) {
			continue
		}
		r, err := Complete(dir, name, minTalk, ring)
		failed = errors.Join(failed, err)
		if r.Path != "" {
			all = append(all, r)
		}
	}
	return all, failed
}

// sweep removes what a crash has left of a file that was being joined: its parts stand.
func sweep(dir string, e os.DirEntry) error {
	const old = time.Hour // longer than joining takes
	if !strings.HasSuffix(e.Name(), joiningSuffix) || !e.Type().IsRegular() {
		return nil
	}
	info, err := e.Info()
	if err != nil || time.Since(info.ModTime()) < old {
		return nil // it has its name meanwhile, or may yet get it
	}
	return os.Remove(filepath.Join(dir, e.Name()))
}

// errWritten tells that a process may write a file still, one that is stopped or cut off
// from the others besides: what it wrote may be read, but the file is not ours to change.
var errWritten = errors.New("it may be written still")

// repair makes a header for what stands in the file, in place, if nobody else has it
// locked; else it is errWritten. Its start is reckoned from when it was last written.
func repair(part string, minTalk time.Duration, ring *vault.Ring) (Result, error) {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return Result{}, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return Result{}, errors.Join(errWritten, f.Close())
	}
	info, err := f.Stat()
	if err != nil {
		return Result{}, errors.Join(err, f.Close())
	}
	if vault.IsSealedFile(f) {
		return repairSealed(f, info.ModTime(), minTalk, ring)
	}
	var h [wav.HeaderSize]byte
	channels := 0
	if _, err := f.ReadAt(h[:], 0); err == nil {
		channels = int(binary.LittleEndian.Uint16(h[22:]))
	}
	known := channels == 1 || channels == 2
	if !known {
		channels = 1
	}
	frames := (info.Size() - wav.HeaderSize) / int64(channels)
	if frames <= 0 || span(frames) < minTalk {
		return Result{}, errors.Join(f.Close(), os.Remove(part))
	}
	if !known { // audio is not thrown away because nobody knows how it lies
		return Result{}, errors.Join(errors.New("its header is gone"), f.Close())
	}
	if err := f.Truncate(wav.HeaderSize + frames*int64(channels)); err != nil {
		return Result{}, errors.Join(err, f.Close())
	}
	if err := complete(f, channels, frames, true); err != nil {
		return Result{}, err
	}
	path := strings.TrimSuffix(part, partSuffix)
	if err := rename(part, path, true); err != nil {
		return Result{}, err
	}
	return Result{Path: path, Start: info.ModTime().Add(-span(frames)), Duration: span(frames), Bytes: size(channels, frames)}, nil
}
