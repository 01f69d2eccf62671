package vault

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// FileKeys are the names of the keys that a file can be opened with; none: it
// is not encrypted.
func FileKeys(f io.ReaderAt) []string {
	head := make([]byte, headerSize)
	if n, _ := f.ReadAt(head, 0); n < headerSize || !IsSealedFile(f) {
		return nil
	}
	var ids []string
	for i := range 2 {
		if id := slotID(head[len(magic)+1+i*slotSize:]); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// StaleFile tells whether a file is to be encrypted anew: it is not, or not
// with the newest key alone.
func (r *Ring) StaleFile(f io.ReaderAt) bool {
	ids := FileKeys(f)
	if r == nil {
		return false
	}
	for _, id := range ids {
		if id != r.Newest() {
			return true
		}
	}
	return len(ids) == 0
}

// Rewrap has a file opened with the newest key alone from now on. The new key
// stands in one slot, for good, before the old one goes from the other.
func (r *Ring) Rewrap(f *os.File, name string) error {
	head := make([]byte, headerSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return fmt.Errorf("%s: %w", name, ErrTruncated)
	}
	key, kind, err := r.header(head, name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	slot, err := r.slot(key, name, kind)
	if err != nil {
		return err
	}
	first := r.works(head, name, kind) // the slot that opens now is written last
	for _, i := range []int{1 - first, first} {
		if _, err := f.WriteAt(slot, int64(len(magic)+1+i*slotSize)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := f.Sync(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// works is the slot that opens the file.
func (r *Ring) works(head []byte, name string, kind byte) int {
	slot := head[len(magic)+1:][:slotSize]
	if _, err := r.unwrap(slotID(slot), slot[1+longestID:], use(name, kind)); slotID(slot) != "" && err == nil {
		return 0
	}
	return 1
}

// Encrypt writes the content of from as an encrypted file called name.
func (r *Ring) Encrypt(to io.Writer, from io.Reader, name string, kind byte) error {
	w, err := r.NewWriter(to, name, kind)
	if err != nil {
		return err
	}
	if _, err = io.Copy(w, from); err == nil {
		err = w.Finish(nil, nil)
	}
	return err
}

// Decrypted opens a file of so many bytes, encrypted or not.
func (r *Ring) Decrypted(f interface {
	io.ReadSeeker
	io.ReaderAt
}, size int64, name string) (io.ReadSeeker, int64, error) {
	if !IsSealedFile(f) {
		_, err := f.Seek(0, io.SeekStart)
		return f, size, err
	}
	x, err := r.NewReader(f, size, name)
	if err != nil {
		return nil, 0, err
	}
	return x, x.Size(), nil
}

// IsKeyError tells whether an error is that a key is missing or another one.
func IsKeyError(err error) bool { return errors.Is(err, ErrNoKey) || errors.Is(err, ErrWrongKey) }
