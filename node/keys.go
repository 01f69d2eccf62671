package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"axgate/archive"
	"axgate/config"
	"axgate/media/record"
	"axgate/vault"
)

// checkKeys makes sure that the secrets can be read before anybody needs them.
func (n *Node) checkKeys(ctx context.Context) error {
	if _, err := n.ledger.SecretKeys(ctx); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	if n.ring == nil {
		n.log.Info().Msg("secrets and recordings are not encrypted at rest: there are no keys (keys.file)")
		return nil
	}
	n.log.Info().Str("key", n.ring.Newest()).Int("keys", len(n.ring.IDs())).Msg("secrets and recordings are encrypted at rest")
	return nil
}

// Rotation is how far it is that all is encrypted with the newest key.
type Rotation struct {
	Secrets     int    `json:"secrets"`               // that were looked at
	NewSecrets  int    `json:"newSecrets"`            // of them, encrypted anew
	Files       int    `json:"files"`                 // of recordings in the directory
	NewFiles    int    `json:"newFiles"`              // of them, encrypted anew
	Later       int    `json:"later"`                 // files that are written now and were begun without keys
	Stored      int    `json:"stored"`                // of recordings in the store
	NewStored   int    `json:"newStored"`             // of them, encrypted anew
	Unreadable  int    `json:"unreadable"`            // files that no key opens, or that are not complete
	FirstFailed string `json:"firstFailed,omitempty"` // why the first of them is not
}

// Rotate encrypts with the newest key what is not, or with another one. It may
// be ended and begun again at any time, beside running nodes; tell hears how far
// it is.
func (o *Office) Rotate(ctx context.Context, c *config.Config, tell func(Rotation)) (r Rotation, err error) {
	if o.Ring == nil {
		return r, errors.New("there are no keys: set keys.file or keys.ring (axgate keys new makes a key)")
	}
	_, _, err = o.Ledger.SealSecrets(ctx, func(done, sealed int) { r.Secrets, r.NewSecrets = done, sealed; tell(r) })
	if err != nil {
		return r, err
	}
	dir, err := archive.OpenDir(RecordDir(c))
	if err != nil {
		return r, err
	}
	// What is written now comes first: it may get its name meanwhile.
	if err := o.rotateGrowing(ctx, RecordDir(c), &r, tell); err != nil {
		return r, err
	}
	err = dir.Each(ctx, 100, func(files []archive.File) error {
		for i := range files {
			anew, err := dir.Reseal(o.Ring, files[i].Name)
			if !r.note(&r.Files, &r.NewFiles, anew, err) {
				return err
			}
			tell(r)
		}
		return ctx.Err()
	})
	if err != nil {
		return r, err
	}
	store, err := recordingStore(c)
	if err != nil || store == nil {
		return r, err
	}
	defer store.Close()
	err = store.Each(ctx, 100, func(files []archive.File) error {
		for i := range files {
			anew, err := store.Reseal(ctx, o.Ring, files[i].Name)
			if !r.note(&r.Stored, &r.NewStored, anew, err) {
				return err
			}
			tell(r)
		}
		return ctx.Err()
	})
	return r, err
}

// rotateGrowing has the files of recordings that are written now opened with the newest
// key. Whoever writes them appends; what is changed is their headers alone.
func (o *Office) rotateGrowing(ctx context.Context, dir string, r *Rotation, tell func(Rotation)) error {
	all, err := record.ListGrowing(dir)
	if err != nil {
		return err
	}
	for _, g := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := os.OpenFile(g.Path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has its name now, or is gone
		}
		if err != nil {
			return fmt.Errorf("encrypt what is written now: %w", err)
		}
		anew := false
		switch {
		case !vault.IsSealedFile(f):
			r.Later++
		case o.Ring.StaleFile(f):
			anew, err = true, o.Ring.Rewrap(f, g.Name)
			fallthrough
		default:
			if !r.note(&r.Files, &r.NewFiles, anew, err) {
				return errors.Join(err, f.Close())
			}
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("encrypt what is written now: %w", err)
		}
		tell(*r)
	}
	return nil
}

// note counts a file; false: what failed is not the file.
func (r *Rotation) note(all, changed *int, anew bool, err error) bool {
	*all++
	switch {
	case err == nil && anew:
		*changed++
	case vault.IsKeyError(err) || errors.Is(err, vault.ErrTruncated):
		if r.Unreadable++; r.FirstFailed == "" {
			r.FirstFailed = err.Error()
		}
	case err != nil:
		return false
	}
	return true
}

// KeyUse counts what is encrypted with each key; empty is what is not encrypted.
type KeyUse struct {
	Secrets map[string]int `json:"secrets"`
	Files   map[string]int `json:"files"` // of recordings in the directory of this node, those that are written now too
}

// KeyUse counts what is encrypted with which key. missing tells of a key that is
// not there.
func (o *Office) KeyUse(ctx context.Context, c *config.Config) (u KeyUse, missing error, err error) {
	u.Files = map[string]int{}
	if u.Secrets, missing = o.Ledger.SecretKeys(ctx); u.Secrets == nil {
		return u, nil, missing
	}
	dir, err := archive.OpenDir(RecordDir(c))
	if err != nil {
		return u, missing, err
	}
	count := func(path string) {
		f, err := os.Open(path)
		if err != nil {
			return // deleted or brought away at this moment
		}
		defer f.Close()
		id := ""
		if ids := vault.FileKeys(f); len(ids) > 0 {
			id = ids[len(ids)-1]
		}
		u.Files[id]++
	}
	growing, err := record.ListGrowing(RecordDir(c))
	if err != nil {
		return u, missing, err
	}
	for _, g := range growing {
		count(g.Path)
	}
	err = dir.Each(ctx, 100, func(files []archive.File) error {
		for i := range files {
			count(filepath.Join(RecordDir(c), files[i].Name))
		}
		return nil
	})
	return u, missing, err
}
