package record

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"axgate/media/law"
	"axgate/media/wav"
)

// file is a recording's file. It belongs to the goroutine that writes it, and
// once that has done its last job to the one that closes the recording.
type file struct {
	f        *os.File
	path     string // when it is complete
	channels int
	frames   int64
	sync     bool
	err      error // the first that happened
}

// job is one thing to do with a file: write a piece, write silence, or both.
type job struct {
	file    *file
	silence int64 // frames before the piece
	piece   []byte
	done    chan<- struct{} // not nil: this is the last job
}

// serve does the jobs of a queue until it is closed.
func serve(q <-chan job) {
	for j := range q {
		j.file.silence(j.silence)
		j.file.write(j.piece)
		back(j.piece, j.file.channels)
		if j.done != nil {
			close(j.done)
		}
	}
}

func (f *file) write(b []byte) {
	if f.err != nil || len(b) == 0 {
		return
	}
	if _, f.err = f.f.Write(b); f.err == nil {
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

// finish completes the file and gives it its name, or removes it. Where the
// disk failed, what stands on it is kept and the error is given besides.
func (f *file) finish(keep bool) (Result, error) {
	if !keep {
		return Result{}, errors.Join(f.f.Close(), os.Remove(f.f.Name()))
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
	if err := rename(f.f.Name(), f.path, f.sync); err != nil {
		return Result{}, errors.Join(f.err, fmt.Errorf("finish the recording: %w", err))
	}
	return Result{Path: f.path, Duration: span(f.frames), Bytes: size(f.channels, f.frames)}, f.err
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
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func size(channels int, frames int64) int64 {
	data := frames * int64(channels)
	return wav.HeaderSize + data + data&1
}

func span(frames int64) time.Duration {
	return time.Duration(frames) * time.Second / wav.Rate
}
