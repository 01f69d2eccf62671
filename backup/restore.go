package backup

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"axgate/ledger"
)

// Target is where a backup is restored, with no node running there.
type Target struct {
	Ledger     ledger.Config
	Prompts    string // directory
	Recordings string // directory
	Replace    bool   // what is there goes: an SQLite file and prompts are put aside, a PostgreSQL database is emptied
}

// Restored is what was restored.
type Restored struct {
	Manifest
	Epoch   int64    `json:"epoch"`             // of the cache, from now on
	Aside   []string `json:"aside"`             // where is what was there
	Warning string   `json:"warning,omitempty"` // of what is left besides
}

// ErrHalf tells that a restore has failed, and not all that was there is in its place
// again.
var ErrHalf = errors.New("what was there could not be put back")

// Restore checks a backup and makes a system of it: all of it or, if anything
// fails, nothing. After ledger.ErrForward all of it is there, and after ErrInDoubt
// the files are; ErrHalf speaks for itself.
func Restore(ctx context.Context, file io.ReadSeeker, t Target) (r Restored, err error) {
	if r.Manifest, err = Check(file); err != nil {
		return r, err
	}
	s := &staging{target: t, mark: time.Now().UTC().Format("20060102T150405.000")}
	if err = s.begin(ctx); err == nil {
		r.Epoch, err = s.fill(ctx, file, &r.Manifest)
	}
	if err != nil && !errors.Is(err, ledger.ErrForward) && !errors.Is(err, ledger.ErrInDoubt) {
		if back := s.unswap(); back != nil {
			r.Aside, err = s.aside, errors.Join(err, fmt.Errorf("%w: %w", ErrHalf, back))
		}
		return r, errors.Join(err, s.clean())
	}
	r.Aside = s.aside
	if left := errors.Join(s.left, s.clean()); left != nil { // what was restored stands
		r.Warning = left.Error()
	}
	return r, err
}

// fill unpacks the backup, and puts all in its place.
func (s *staging) fill(ctx context.Context, file io.ReadSeeker, m *Manifest) (epoch int64, err error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	o := ledger.LoadOptions{Schema: m.Schema, Replace: s.target.Replace, Why: "restored from a backup of " + m.Created.Format(time.RFC3339)}
	// Files are in their places before the ledger is there for good: PostgreSQL's is
	// with the end of Load.
	epoch, err = ledger.Load(ctx, s.ledger, o, func(to ledger.Sink) error {
		err := eachPart(file, func(name string, _ int64, from io.Reader) error { return s.part(ctx, name, from, to) })
		if err != nil {
			return err
		}
		return s.swapFiles()
	})
	if err != nil {
		return epoch, err
	}
	return epoch, s.swapLedger()
}

// part unpacks one part.
func (s *staging) part(ctx context.Context, name string, from io.Reader, to ledger.Sink) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, rest, _ := strings.Cut(name, "/")
	switch dir {
	case tablesDir:
		if err := rows(from, to); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	case promptsDir:
		return unpack(filepath.Join(s.prompts, filepath.FromSlash(rest)), from)
	case recordsDir:
		return unpack(filepath.Join(s.records, rest), from)
	}
	return nil
}

// rows reads a part of a table.
func rows(from io.Reader, to ledger.Sink) error {
	const longest = 64 << 20
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 1<<20), longest)
	var h head
	if !lines.Scan() {
		return errors.Join(ErrBroken, lines.Err())
	}
	if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
		return err
	}
	if err := to.Table(h.Table, h.Columns); err != nil {
		return err
	}
	for lines.Scan() {
		values, err := row(lines.Bytes(), h.Columns)
		if err == nil {
			err = to.Row(values)
		}
		if err != nil {
			return err
		}
	}
	return lines.Err()
}

func row(line []byte, columns []ledger.Column) ([]any, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, err
	}
	if len(raw) != len(columns) {
		return nil, fmt.Errorf("%w: a row has %d values, not %d", ErrBroken, len(raw), len(columns))
	}
	values := make([]any, len(raw))
	for i, c := range columns {
		var err error
		switch c.Kind {
		case ledger.KindText:
			values[i], err = read[string](raw[i])
		case ledger.KindInt:
			values[i], err = read[int64](raw[i])
		case ledger.KindBool:
			values[i], err = read[bool](raw[i])
		default:
			err = fmt.Errorf("%w: a column of kind %.20q", ErrBroken, c.Kind)
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

func read[T any](raw json.RawMessage) (v T, err error) {
	err = json.Unmarshal(raw, &v)
	return v, err
}

func unpack(path string, from io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("unpack the backup: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("unpack the backup: %w", err)
	}
	_, err = io.Copy(f, from)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(path), err)
	}
	return nil
}
