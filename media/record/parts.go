package record

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"axgate/media/wav"
	"axgate/vault"
)

// A recording that another process goes on with has several parts: the first grows
// as NAME.part, each further one as NAME.atN.part, where N is how many ms after
// the recording's first sample it begins. Who ends the recording joins them under
// its name; until that has its name, the parts stay, so that a crash costs nothing.
// Each file that grows is locked (flock) by its process for as long as that lives.
const (
	furtherMark   = ".at"
	joiningSuffix = ".joining"
	// mostOverlap is how far a part may begin before the one before it ends: the clocks of
	// two machines are as far from each other as a beat to the ledger takes. Beyond it the
	// earlier one is of a process that stood still and woke up, and is the one that is cut.
	mostOverlap = 10 * wav.Rate
	// mostGap bounds the silence before a part: a clock tells of more, no peer waits for it.
	mostGap = 600 * wav.Rate
)

// part is a file with some of a recording.
type part struct {
	path string
	at   int64 // frame of the recording at which it begins
	name string
}

// furtherName is the name of a part that begins so long after the first sample.
func furtherName(name string, after time.Duration) string {
	return name + furtherMark + strconv.FormatInt(min(max(after.Milliseconds(), 1), longest.Milliseconds()), 10)
}

// createFurther makes the file of a part that begins so long after the first sample,
// or after the last part there is: clocks differ.
func createFurther(path string, after time.Duration) (*os.File, error) {
	for {
		parts, err := partsOf(path)
		if err != nil {
			return nil, err
		}
		if n := len(parts); n > 0 {
			after = max(after, span(parts[n-1].at)+time.Millisecond)
		}
		grows := filepath.Join(filepath.Dir(path), furtherName(filepath.Base(path), after)+partSuffix)
		f, err := os.OpenFile(grows, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if !errors.Is(err, os.ErrExist) || after > longest {
			return f, err
		}
	}
}

// partOf tells of which recording a file is a part, and where it begins in it.
func partOf(file string) (name string, at int64, ok bool) {
	name, ok = strings.CutSuffix(file, partSuffix)
	if !ok {
		return "", 0, false
	}
	if i := strings.LastIndex(name, furtherMark); i > 0 {
		if ms, err := strconv.ParseInt(name[i+len(furtherMark):], 10, 64); err == nil && ms > 0 && ms <= longest.Milliseconds() {
			return name[:i], ms * wav.Rate / 1000, true
		}
	}
	return name, 0, true
}

// partsOf lists the parts of a recording by where they begin. The first may have
// got the recording's name already, by a process that did not know of the others.
func partsOf(path string) ([]part, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	base := filepath.Base(path)
	var all []part
	for _, e := range entries {
		if name, at, ok := partOf(e.Name()); ok && name == base && e.Type().IsRegular() {
			all = append(all, part{filepath.Join(filepath.Dir(path), e.Name()), at, strings.TrimSuffix(e.Name(), partSuffix)})
		}
	}
	slices.SortFunc(all, func(a, b part) int { return int(a.at - b.at) })
	if len(all) > 0 && all[0].at > 0 {
		if _, err := os.Stat(path); err == nil {
			all = slices.Insert(all, 0, part{path, 0, base})
		}
	}
	return all, nil
}

// open reads the samples of a part as far as they are whole.
func (p *part) open(ring *vault.Ring) (f *os.File, samples io.Reader, channels int, err error) {
	if f, err = os.Open(p.path); err != nil {
		return nil, nil, 0, err
	}
	grew := strings.HasSuffix(p.path, partSuffix)
	if grew && vault.IsSealedFile(f) {
		from, kind, err := ring.Salvage(f, p.name)
		return f, from, int(kind), err
	}
	from := io.Reader(bufio.NewReaderSize(f, 64<<10))
	if !grew {
		info, err := f.Stat()
		if err != nil {
			return f, nil, 0, err
		}
		if from, _, err = ring.Decrypted(f, info.Size(), p.name); err != nil {
			return f, nil, 0, err
		}
	}
	var h [wav.HeaderSize]byte
	if _, err := io.ReadFull(from, h[:]); err != nil {
		return f, nil, 0, fmt.Errorf("its header is not whole: %w", err)
	}
	return f, from, int(binary.LittleEndian.Uint16(h[22:])), nil
}

// empty tells whether a part that could not be opened was cut off before its first sample.
func (p *part) empty(err error) bool {
	short := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, vault.ErrTruncated)
	return short && strings.HasSuffix(p.path, partSuffix)
}

// Complete makes one recording of what processes that died have left of it in a
// directory, or removes it if it is shorter than minTalk. Where one may be writing it
// still that does not know that it is given up, what it has written becomes a file of
// its own, and nothing that comes later is in it.
func Complete(dir, name string, minTalk time.Duration, ring *vault.Ring) (Result, error) {
	path := filepath.Join(dir, name)
	parts, err := partsOf(path)
	if err != nil {
		return Result{}, fmt.Errorf("complete the recording %s: %w", name, err)
	}
	switch {
	case len(parts) == 0:
		return Result{}, nil
	case len(parts) == 1 && parts[0].at == 0:
		r, err := repair(parts[0].path, minTalk, ring)
		if errors.Is(err, errWritten) {
			break
		}
		if err != nil {
			err = fmt.Errorf("complete the recording %s: %w", filepath.Base(parts[0].path), err)
		}
		return r, err
	}
	var last time.Time
	for _, p := range parts {
		if info, err := os.Stat(p.path); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	r, err := join(path, parts, true, ring)
	if errors.Is(err, errEmpty) {
		return Result{}, remove(parts)
	}
	if err == nil && r.Duration < minTalk {
		return Result{}, os.Remove(path)
	}
	r.Start = last.Add(-r.Duration)
	return r, err
}

var errEmpty = errors.New("there is nothing in its parts")

// join makes the file of a recording of its parts, a new one. What no part has is silence, and
// counts as gap; what two have is both's, one after the other, or the later one's if it
// is much.
func join(path string, parts []part, durable bool, ring *vault.Ring) (r Result, err error) {
	if len(parts) == 0 {
		return r, fmt.Errorf("join the recording %s: its parts are gone", filepath.Base(path))
	}
	// Its own name: two who join the same do not write the same.
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+joiningSuffix)
	if err != nil {
		return r, fmt.Errorf("join the recording %s: %w", filepath.Base(path), err)
	}
	to := &file{f: f, path: path, sync: durable, ring: ring}
	first := parts[0].at // of one whose beginning is not here
	for i := range parts {
		parts[i].at -= first
	}
	gap, whole, err := to.gather(parts)
	if err != nil || to.frames == 0 {
		if err == nil {
			err = errEmpty
		}
		return r, errors.Join(fmt.Errorf("join the recording %s: %w", filepath.Base(path), err), f.Close(), os.Remove(f.Name()))
	}
	if to.sealed != nil {
		err = to.sealed.Finish(around(to.channels, to.frames))
		if err == nil && durable {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close())
	} else {
		err = complete(f, to.channels, to.frames, durable)
	}
	if err == nil {
		err = rename(f.Name(), path, durable)
	}
	if err != nil {
		return r, fmt.Errorf("join the recording %s: %w", filepath.Base(path), err)
	}
	n := len(whole)
	whole = slices.DeleteFunc(whole, func(p part) bool { return p.path == path })
	err = remove(whole)
	return Result{Path: path, Duration: span(to.frames), Bytes: size(to.channels, to.frames), Gap: span(gap), Parts: n, Missing: span(first)}, err
}

// remove removes parts. Others may have.
func remove(parts []part) (err error) {
	for _, p := range parts {
		if failed := os.Remove(p.path); !errors.Is(failed, os.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// gather writes the parts one after the other, each where it begins. One without
// anything in it counts for nothing.
func (f *file) gather(parts []part) (gap int64, used []part, err error) {
	var early int64 // by how much parts are put before where they say that they begin
	for i, p := range parts {
		share := int64(longest/time.Second) * wav.Rate
		if i+1 < len(parts) {
			share = parts[i+1].at - p.at
		}
		from, samples, channels, err := p.open(f.ring)
		if from == nil {
			return gap, used, err
		}
		if err == nil {
			early += max(p.at-early-f.frames-mostGap, 0)
			gap, err = f.take(samples, channels, p.at-early, share, gap)
		} else if p.empty(err) {
			err = nil
		}
		if err = errors.Join(err, from.Close(), f.err); err != nil {
			return gap, used, err
		}
		used = append(used, p)
	}
	return gap, used, nil
}

// take writes the samples of a part from the frame on at which it begins: its share,
// until the next one does, and what there is beyond that if it is not much.
func (f *file) take(samples io.Reader, channels int, at, share, gap int64) (int64, error) {
	if channels != 1 && channels != 2 || f.channels != 0 && channels != f.channels {
		return gap, fmt.Errorf("a part has %d channels", channels)
	}
	if f.channels == 0 {
		if err := f.begin(channels); err != nil {
			return gap, err
		}
	}
	b := make([]byte, 32<<10)
	for share > 0 {
		n, err := io.ReadFull(samples, b[:min(int64(len(b)), share*int64(channels))])
		n -= n % channels
		if missing := at - f.frames; n > 0 && missing > 0 {
			f.silence(missing)
			gap += missing
		}
		f.write(b[:n])
		if err != nil {
			return gap, f.err // the end of what is whole
		}
		share, at = share-int64(n/channels), 0
	}
	most := mostOverlap * int64(channels)
	rest, _ := io.ReadAll(io.LimitReader(samples, most+1)) // an error is the end of what is whole
	if int64(len(rest)) <= most {
		f.write(rest[:len(rest)-len(rest)%channels])
	}
	return gap, f.err
}
