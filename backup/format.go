// Package backup writes all that a system keeps into one file, and makes a
// system of such a file.
//
// The file is a tar archive compressed by zstd. Tables of the ledger stand in it
// as lines of JSON, tables/NAME/NUMBER, so that each database can read what the
// other wrote; then prompts/APP/NAME, recordings/NAME, the configuration
// without its secrets, and at the end manifest.json, which names every part with
// its length and its SHA-256. A file without it is not whole.
package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"axgate/ledger"
)

// Format is the version of the form of the file.
const Format = 1

const (
	manifestName = "manifest.json"
	configName   = "axgate.yaml"
	tablesDir    = "tables"
	promptsDir   = "prompts"
	recordsDir   = "recordings"
)

// Manifest tells what is in a backup.
type Manifest struct {
	Format     int            `json:"format"`
	Program    string         `json:"program"`        // version of axgate
	Node       string         `json:"node"`           // where it was made
	Created    time.Time      `json:"created"`        // the instant that the ledger is of
	Schema     int64          `json:"schema"`         // version of the ledger's
	Driver     string         `json:"driver"`         // of the ledger
	Keys       []string       `json:"keys,omitempty"` // names of those that are needed to read it; they are not in it
	Tables     map[string]int `json:"tables"`         // rows
	Prompts    int            `json:"prompts"`
	Recordings int            `json:"recordings"`
	Records    bool           `json:"recordingsIncluded"`
	Parts      []Part         `json:"parts"`
}

// Part is a file in a backup.
type Part struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ErrBroken tells that a file is no whole backup.
var ErrBroken = errors.New("it is no whole backup")

// head is the first line of a part of a table.
type head struct {
	Table   string          `json:"table"`
	Columns []ledger.Column `json:"columns"`
}

// archiver writes the parts.
type archiver struct {
	zip   *zstd.Encoder
	tar   *tar.Writer
	parts []Part
	now   time.Time
}

func newArchiver(to io.Writer, now time.Time) (*archiver, error) {
	zip, err := zstd.NewWriter(to, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return &archiver{zip: zip, tar: tar.NewWriter(zip), now: now}, nil
}

// add writes a part of so many bytes.
func (a *archiver) add(name string, from io.Reader, size int64) error {
	h := tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: a.now, Format: tar.FormatPAX}
	if err := a.tar.WriteHeader(&h); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(a.tar, sum), io.LimitReader(from, size)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	a.parts = append(a.parts, Part{name, size, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

// finish writes the manifest.
func (a *archiver) finish(m *Manifest) error {
	m.Parts = a.parts
	text, err := json.MarshalIndent(m, "", " ")
	if err == nil {
		err = a.add(manifestName, bytes.NewReader(text), int64(len(text)))
	}
	if err == nil {
		err = a.tar.Close()
	}
	return errors.Join(err, a.zip.Close())
}

// eachPart reads the parts.
func eachPart(from io.Reader, work func(name string, size int64, r io.Reader) error) error {
	const memory = 64 << 20
	zip, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(memory))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	defer zip.Close()
	parts := tar.NewReader(zip)
	for {
		h, err := parts.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBroken, err)
		}
		if h.Typeflag != tar.TypeReg || !isPart(h.Name) {
			return fmt.Errorf("%w: there is a part %.80q in it", ErrBroken, h.Name)
		}
		if err := work(h.Name, h.Size, parts); err != nil {
			return err
		}
	}
}

// isPart tells whether a part has a name that this package gives.
func isPart(name string) bool {
	if name != path.Clean(name) || strings.HasPrefix(name, "/") || strings.Contains(name, "..") || strings.ContainsAny(name, "\\\x00") {
		return false
	}
	words := strings.Split(name, "/")
	switch words[0] {
	case tablesDir, promptsDir:
		return len(words) == 3
	case recordsDir:
		return len(words) == 2 && strings.HasSuffix(name, ".wav") && words[1][0] != '.'
	}
	return name == manifestName || name == configName
}

// Check reads a whole backup and compares it with its manifest.
func Check(from io.Reader) (Manifest, error) {
	const mostManifest = 1 << 30
	var m Manifest
	found := map[string]Part{}
	err := eachPart(from, func(name string, _ int64, r io.Reader) error {
		if m.Format != 0 {
			return fmt.Errorf("%w: %.80q comes behind the manifest", ErrBroken, name)
		}
		if name == manifestName {
			if err := json.NewDecoder(io.LimitReader(r, mostManifest)).Decode(&m); err != nil {
				return fmt.Errorf("%w: its manifest: %w", ErrBroken, err)
			}
			if m.Format != Format {
				return fmt.Errorf("its form is of version %d, and this program reads version %d", m.Format, Format)
			}
			return nil
		}
		sum := sha256.New()
		n, err := io.Copy(sum, r)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrBroken, name, err)
		}
		if _, twice := found[name]; twice {
			return fmt.Errorf("%w: %s is there twice", ErrBroken, name)
		}
		found[name] = Part{name, n, hex.EncodeToString(sum.Sum(nil))}
		return nil
	})
	switch {
	case err != nil:
		return m, err
	case m.Format == 0:
		return m, fmt.Errorf("%w: its manifest is missing", ErrBroken)
	case len(found) != len(m.Parts):
		return m, fmt.Errorf("%w: it has %d parts, and its manifest names %d", ErrBroken, len(found), len(m.Parts))
	}
	for _, p := range m.Parts {
		if found[p.Name] != p {
			return m, fmt.Errorf("%w: %s is not what the manifest says", ErrBroken, p.Name)
		}
	}
	return m, nil
}
