package vault

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// mark begins every text that is encrypted: mark, the name of the key and a
// blank, and in base64 the wrapped key of the text and the text.
const mark = "\u00a7axgate1 "

// IsSealed tells whether a text is encrypted, and with which key.
func IsSealed(text string) (id string, sealed bool) {
	rest, ok := strings.CutPrefix(text, mark)
	if !ok {
		return "", false
	}
	id, _, ok = strings.Cut(rest, " ")
	return id, ok
}

// SealText encrypts a text. Of which place it is the text has to be said again to
// open it, so that none can be put in another's place. A nil Ring leaves it as
// it is.
func (r *Ring) SealText(place, text string) (string, error) {
	if r == nil {
		return text, nil
	}
	key, by, err := newKey()
	if err != nil {
		return "", err
	}
	out, err := r.wrap(key, "text "+place)
	if err != nil {
		return "", err
	}
	out = by.Seal(out, make([]byte, nonceSize), []byte(text), nil) // the key is that of this text alone
	return mark + r.Newest() + " " + base64.StdEncoding.EncodeToString(out), nil
}

// OpenText decrypts a text; one that is not encrypted is given as it is.
func (r *Ring) OpenText(place, text string) (string, error) {
	id, sealed := IsSealed(text)
	if !sealed {
		return text, nil
	}
	all, err := base64.StdEncoding.Strict().DecodeString(text[len(mark)+len(id)+1:])
	if err != nil || len(all) < wrapSize+tagSize {
		return "", fmt.Errorf("the %s: %w", place, ErrWrongKey)
	}
	key, err := r.unwrap(id, all[:wrapSize], "text "+place)
	if err != nil {
		return "", fmt.Errorf("the %s: %w", place, err)
	}
	by, err := gcm(key)
	if err != nil {
		return "", err
	}
	plain, err := by.Open(nil, make([]byte, nonceSize), all[wrapSize:], nil)
	if err != nil {
		return "", fmt.Errorf("the %s: %w", place, ErrWrongKey)
	}
	return string(plain), nil
}

// Stale tells whether a text is to be encrypted anew: it is not, or not with
// the newest key.
func (r *Ring) Stale(text string) bool {
	id, sealed := IsSealed(text)
	return r != nil && (!sealed || id != r.Newest())
}
