// Package vault encrypts what is at rest: short texts such as secrets, and
// files that grow, by AES-256-GCM. Each has a random key of its own, which
// stands beside it encrypted by a key of a ring (envelope encryption): the
// newest key of the ring encrypts, all decrypt, and changing to a new one
// rewrites only what stands beside.
package vault

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Errors of opening what is encrypted.
var (
	ErrNoKey    = errors.New("the key that it was encrypted with is not there")
	ErrWrongKey = errors.New("it was encrypted with another key of that name, or was changed")
)

const (
	keySize   = 32
	longestID = 32
)

// Ring is keys by their names, the newest last. A nil Ring has none.
type Ring struct {
	ids  []string
	keys map[string]cipher.AEAD
}

// Newest is the name of the key that encrypts; empty: nothing is encrypted.
func (r *Ring) Newest() string {
	if r == nil {
		return ""
	}
	return r.ids[len(r.ids)-1]
}

// IDs are the names of the keys, the newest last.
func (r *Ring) IDs() []string {
	if r == nil {
		return nil
	}
	return slices.Clone(r.ids)
}

// NewKey makes a key, as a line of a file of keys.
func NewKey(id string) (string, error) {
	if !isID(id) {
		return "", fmt.Errorf("%.40q is no name of a key: use 1 to %d letters, digits, . _ and -", id, longestID)
	}
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return id + ":" + base64.StdEncoding.EncodeToString(key), nil
}

// ReadRing reads a ring: keys as NewKey makes them, one on each line or with
// blanks between, the newest last; lines that begin with # are none. No keys
// are a nil Ring. No error repeats a key.
func ReadRing(from io.Reader) (*Ring, error) {
	const most = 1000
	r := &Ring{keys: map[string]cipher.AEAD{}}
	lines := bufio.NewScanner(from)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(strings.TrimSpace(lines.Text()), "#") {
			continue
		}
		for _, word := range strings.Fields(lines.Text()) {
			if err := r.add(word); err != nil {
				return nil, fmt.Errorf("line %d of the keys: %w", n, err)
			}
			if len(r.ids) > most {
				return nil, fmt.Errorf("there are more than %d keys", most)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	if len(r.ids) == 0 {
		return nil, nil
	}
	return r, nil
}

// OpenRing reads a file of keys and then a text of them, either of which may be
// empty.
func OpenRing(file, text string) (*Ring, error) {
	from := io.Reader(strings.NewReader(text))
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read the keys: %w", err)
		}
		defer f.Close()
		from = io.MultiReader(f, strings.NewReader("\n"), from)
	}
	r, err := ReadRing(from)
	if err == nil && r == nil && file != "" {
		err = fmt.Errorf("%s has no keys", file)
	}
	return r, err
}

func (r *Ring) add(word string) error {
	id, text, ok := strings.Cut(word, ":")
	if !ok || !isID(id) {
		return errors.New("it is no key: use NAME:KEY, as axgate keys new prints it")
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != keySize {
		return fmt.Errorf("key %s: use %d bytes in base64", id, keySize)
	}
	if r.keys[id] != nil {
		return fmt.Errorf("there are two keys %s", id)
	}
	if r.keys[id], err = gcm(key); err != nil {
		return err
	}
	r.ids = append(r.ids, id)
	return nil
}

func isID(s string) bool {
	return s != "" && len(s) <= longestID && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

const (
	nonceSize = 12
	tagSize   = 16
	wrapSize  = nonceSize + keySize + tagSize
)

// wrap encrypts a key by the newest one. What it is for has to be said again
// to unwrap it.
func (r *Ring) wrap(key []byte, use string) ([]byte, error) {
	out := make([]byte, nonceSize, wrapSize)
	if _, err := rand.Read(out); err != nil {
		return nil, fmt.Errorf("make a nonce: %w", err)
	}
	return r.keys[r.Newest()].Seal(out, out, key, []byte(use)), nil
}

func (r *Ring) unwrap(id string, wrapped []byte, use string) ([]byte, error) {
	if r == nil || r.keys[id] == nil {
		return nil, fmt.Errorf("%w: add key %.40q to the keys", ErrNoKey, id)
	}
	key, err := r.keys[id].Open(nil, wrapped[:nonceSize], wrapped[nonceSize:], []byte(use))
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", id, ErrWrongKey)
	}
	return key, nil
}

func newKey() (key []byte, by cipher.AEAD, err error) {
	key = make([]byte, keySize)
	if _, err = rand.Read(key); err == nil {
		by, err = gcm(key)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	return key, by, nil
}
