package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"axgate/media/law"
	"axgate/media/wav"
	"axgate/vault"
)

// file is a recording's file. It belongs to the goroutine that writes it, and
// once that has done its last job to the one that closes the recording.
type file struct {
	f        *os.File
	sealed   *vault.Writer // nil: f is written as it is
	path     string        // when it is complete
	channels int
	frames   int64
	sync     bool
	further  bool  // another process began the recording
	err      error // the first that happened
	ring     *vault.Ring
}

// begin writes what stands before the samples. With a ring the header of the
// WAV file comes in the end.
func (f *file) begin(channels int) (err error) {
	f.channels = channels
	if f.ring != nil {
		f.sealed, err = f.ring.NewWriter(f.f, f.sealedAs(), byte(channels))
		return err
	}
	h := wav.Header(channels, 0)
	_, err = f.f.Write(h[:])
	return err
}

// sealedAs is the name that an encrypted file is bound to: what it grows as.
func (f *file) sealedAs() string {
	if f.further {
		return strings.TrimSuffix(filepath.Base(f.f.Name()), partSuffix)
	}
	return filepath.Base(f.path)
}

func (f *file) write(b []byte) {
	if f.err != nil || len(b) == 0 {
		return
	}
	to := io.Writer(f.f)
	if f.sealed != nil {
		to = f.sealed
	}
	if _, f.err = to.Write(b); f.err == nil {
		f.frames += int64(len(b) / f.channels)
	}
}

// quiet is what silence is written from.
var quiet = bytes.Repeat([]byte{law.SilenceA}, 32<<10)

func (f *file) silence(frames int64) {
	for left := frames * int64(f.channels); left > 0 && f.err == nil; {
		n := min(left, int64(len(quiet)))
		f.write(quiet[:n])
		left -= n
	}
}

// finish completes the file and gives it its name, of which the directory may not know for
// good yet, or removes it. Where the disk failed, what stands on it is kept and the error is
// given besides.
func (f *file) finish(keep bool) (Result, error) {
	if f.further {
		return f.finishAll(keep)
	}
	if !keep {
		return Result{}, errors.Join(f.f.Close(), os.Remove(f.f.Name()))
	}
	if f.sealed != nil {
		return f.finishSealed()
	}
	if f.err != nil && f.frames == 0 {
		return Result{}, errors.Join(fmt.Errorf("write the recording %s: %w", filepath.Base(f.path), f.err), f.f.Close(), os.Remove(f.f.Name()))
	}
	if f.err != nil {
		f.err = fmt.Errorf("write the recording %s, which has only its first %v: %w", filepath.Base(f.path), span(f.frames), f.err)
		f.err = errors.Join(f.err, f.f.Truncate(wav.HeaderSize+f.frames*int64(f.channels)))
	}
	if err := complete(f.f, f.channels, f.frames, f.sync); err != nil {
		return Result{}, errors.Join(f.err, fmt.Errorf("finish the recording %s: %w", filepath.Base(f.path), err))
	}
	if err := os.Rename(f.f.Name(), f.path); err != nil {
		return Result{}, errors.Join(f.err, fmt.Errorf("finish the recording: %w", err))
	}
	return Result{Path: f.path, Duration: span(f.frames), Bytes: size(f.channels, f.frames)}, f.err
}

// finishAll ends a further part, and joins all of the recording or removes it.
func (f *file) finishAll(keep bool) (Result, error) {
	if f.sealed != nil && f.err == nil {
		f.err = f.sealed.Flush()
	}
	if f.err != nil {
		f.err = fmt.Errorf("write a further part of the recording %s: %w", filepath.Base(f.path), f.err)
	}
	parts, err := partsOf(f.path)
	if err != nil {
		return Result{}, errors.Join(f.err, err, f.f.Close())
	}
	if keep {
		r, err := join(f.path, parts, f.sync, f.ring)
		if !errors.Is(err, errEmpty) {
			return r, errors.Join(f.err, err, f.f.Close())
		}
	}
	return Result{}, errors.Join(f.f.Close(), remove(parts))
}

// finishSealed is finish of a file that is kept and encrypted. Where the disk
// failed, it is completed as one that a crash has left.
func (f *file) finishSealed() (Result, error) {
	name := filepath.Base(f.path)
	if f.err == nil {
		f.err = f.sealed.Finish(around(f.channels, f.frames))
	}
	if f.err == nil && f.sync {
		f.err = f.f.Sync()
	}
	f.err = errors.Join(f.err, f.f.Close())
	if f.err != nil {
		f.err = fmt.Errorf("write the recording %s: %w", name, f.err)
		r, err := repair(f.f.Name(), 0, f.ring)
		return r, errors.Join(f.err, err)
	}
	if err := os.Rename(f.f.Name(), f.path); err != nil {
		return Result{}, fmt.Errorf("finish the recording: %w", err)
	}
	return Result{Path: f.path, Duration: span(f.frames), Bytes: size(f.channels, f.frames)}, nil
}

// around is what stands before and after the samples in a file.
func around(channels int, frames int64) (head, tail []byte) {
	h := wav.Header(channels, frames)
	return h[:], make([]byte, size(channels, frames)-wav.HeaderSize-frames*int64(channels))
}

// complete writes the header of a file with so many frames and closes it.
func complete(f *os.File, channels int, frames int64, sync bool) error {
	h := wav.Header(channels, frames)
	_, err := f.WriteAt(h[:], 0)
	if odd := size(channels, frames) - wav.HeaderSize - frames*int64(channels); err == nil && odd > 0 {
		_, err = f.WriteAt([]byte{0}, wav.HeaderSize+frames*int64(channels)) // chunks have an even length
	}
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// rename gives a file its name; with sync the directory knows it for good.
func rename(from, to string, sync bool) error {
	if err := os.Rename(from, to); err != nil || !sync {
		return err
	}
	return syncDir(filepath.Dir(to))
}

func size(channels int, frames int64) int64 {
	data := frames * int64(channels)
	return wav.HeaderSize + data + data&1
}

func span(frames int64) time.Duration {
	return time.Duration(frames) * time.Second / wav.Rate
}
