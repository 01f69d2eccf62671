package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"axgate/archive"
	"axgate/ledger"
)

// Source is what is backed up.
type Source struct {
	Ledger     *ledger.Ledger
	Driver     string       // of the ledger
	Prompts    string       // directory
	Recordings *archive.Dir // nil: they are left out
	Config     []byte       // without secrets
	Node       string
	Program    string   // version of axgate
	Keys       []string // names of the keys that what is encrypted needs
}

// Write writes a backup. Nodes may run: the ledger is that of one instant, and
// prompts and recordings are those that are there after it.
func Write(ctx context.Context, to io.Writer, s Source, tell func(Manifest)) (Manifest, error) {
	m := Manifest{Format: Format, Program: s.Program, Node: s.Node, Created: time.Now().UTC(), Driver: s.Driver, Keys: s.Keys, Tables: map[string]int{}, Records: s.Recordings != nil}
	a, err := newArchiver(to, m.Created)
	if err != nil {
		return m, err
	}
	d := &dumper{to: a, m: &m, tell: tell}
	if m.Schema, err = s.Ledger.Dump(ctx, d); err == nil {
		err = d.flush()
	}
	if err == nil {
		err = a.add(configName, bytes.NewReader(s.Config), int64(len(s.Config)))
	}
	if err == nil {
		err = addPrompts(ctx, a, s.Prompts, &m)
	}
	if err == nil && s.Recordings != nil {
		err = addRecordings(ctx, a, s.Recordings, &m, tell)
	}
	if err != nil {
		return m, errors.Join(err, a.zip.Close())
	}
	return m, a.finish(&m)
}

// dumper writes tables, a few megabytes in each part.
type dumper struct {
	to    *archiver
	m     *Manifest
	tell  func(Manifest)
	head  head
	n     int // of the part
	lines bytes.Buffer
	first []byte // the head as it stands in each part
}

// Table is ledger.Sink's.
func (d *dumper) Table(name string, columns []ledger.Column) (err error) {
	if err := d.flush(); err != nil {
		return err
	}
	d.head, d.n = head{name, columns}, 0
	d.m.Tables[name] = 0
	d.first, err = json.Marshal(d.head)
	return err
}

// Row is ledger.Sink's.
func (d *dumper) Row(values []any) error {
	const most = 4 << 20
	line, err := json.Marshal(values)
	if err != nil {
		return err
	}
	d.lines.Write(line)
	d.lines.WriteByte('\n')
	if d.m.Tables[d.head.Table]++; d.m.Tables[d.head.Table]%10_000 == 0 {
		d.tell(*d.m)
	}
	if d.lines.Len() < most {
		return nil
	}
	return d.flush()
}

func (d *dumper) flush() error {
	if d.head.Table == "" || d.lines.Len() == 0 {
		return nil
	}
	d.n++
	name := fmt.Sprintf("%s/%s/%06d", tablesDir, d.head.Table, d.n)
	size := int64(len(d.first) + 1 + d.lines.Len())
	err := d.to.add(name, io.MultiReader(bytes.NewReader(d.first), bytes.NewReader([]byte{'\n'}), &d.lines), size)
	d.lines.Reset()
	return err
}

func addPrompts(ctx context.Context, a *archiver, dir string, m *Manifest) error {
	err := filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		name := path.Join(promptsDir, filepath.ToSlash(rel))
		if err != nil || !isPart(name) || filepath.Base(file)[0] == '~' { // one that is being written
			return err
		}
		there, err := addFile(a, name, func() (*os.File, error) { return os.Open(file) })
		if there {
			m.Prompts++
		}
		return errors.Join(err, ctx.Err())
	})
	if err != nil {
		return fmt.Errorf("the prompts: %w", err)
	}
	return nil
}

func addRecordings(ctx context.Context, a *archiver, dir *archive.Dir, m *Manifest, tell func(Manifest)) error {
	const some = 200
	err := dir.Each(ctx, some, func(files []archive.File) error {
		for i := range files {
			there, err := addFile(a, path.Join(recordsDir, files[i].Name), func() (*os.File, error) {
				f, _, err := dir.Open(files[i].Name)
				return f, err
			})
			if err != nil {
				return err
			}
			if there {
				m.Recordings++
			}
		}
		tell(*m)
		return nil
	})
	if err != nil {
		return fmt.Errorf("the recordings: %w", err)
	}
	return nil
}

// addFile adds a file; one that was deleted meanwhile is left out.
func addFile(a *archiver, name string, open func() (*os.File, error)) (there bool, err error) {
	f, err := open()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	return true, a.add(name, f, info.Size())
}
