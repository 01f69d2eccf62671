package sdp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"axgate/media/srtp"
)

// Bounds of what is read in a=crypto.
const (
	maxCryptos  = 16  // on one m-line
	maxCrypto   = 512 // bytes of one
	maxTag      = 9   // digits
	maxParams   = 16  // session parameters of one
	maxLifetime = 48  // a key protects up to 2^48 packets (RFC 3711 section 9.2)
)

// crypto is an a=crypto attribute: its tag, and the key that the one who wrote
// it sends with.
type crypto struct {
	tag int
	key srtp.Key
}

// in tells whether there is one.
func (c crypto) in() bool { return c.key.Suite() != 0 }

// String is the attribute's value. It holds the key: for SDP alone.
func (c crypto) String() string {
	return strconv.Itoa(c.tag) + " " + c.key.Suite().String() + " inline:" + base64.StdEncoding.EncodeToString(c.key.Octets())
}

// errUnknown is an attribute that may be well made, with something that we do
// not have: it is passed over.
var errUnknown = errors.New("crypto attribute asks for what we do not have")

// parseCrypto reads the value of an attribute (RFC 4568 section 9.1):
//
//	tag SP suite SP "inline:" key ["|" lifetime] ["|" MKI ":" length] *(";" ...) *(SP session-param)
//
// The error is ErrCrypto, or errUnknown, of which the tag is known. No error
// repeats what may be a key.
func parseCrypto(value string) (crypto, error) {
	if len(value) > maxCrypto {
		return crypto{}, fmt.Errorf("%w: longer than %d bytes", ErrCrypto, maxCrypto)
	}
	words := strings.Fields(value)
	if len(words) < 3 || len(words) > 3+maxParams {
		return crypto{}, fmt.Errorf("%w: it needs tag, suite and key", ErrCrypto)
	}
	tag, ok := number(words[0], 1e9)
	if !ok || len(words[0]) > maxTag {
		return crypto{}, fmt.Errorf("%w: tag", ErrCrypto)
	}
	c := crypto{tag: tag}
	suite, known := srtp.Named(words[1])
	if !known { // of whose keys and parameters nothing is known either
		return c, fmt.Errorf("%w: suite", errUnknown)
	}
	key, keyErr := parseKeys(suite, words[2])
	err := parseParams(words[3:])
	switch {
	case errors.Is(keyErr, ErrCrypto):
		return c, keyErr
	case err != nil:
		return c, err
	}
	c.key = key
	return c, keyErr
}

// parseKeys reads the key parameters: one key, as all send it.
func parseKeys(suite srtp.Suite, word string) (srtp.Key, error) {
	first, _, several := strings.Cut(word, ";")
	method, info, ok := strings.Cut(first, ":")
	switch {
	case !ok || method == "":
		return srtp.Key{}, fmt.Errorf("%w: key method", ErrCrypto)
	case !strings.EqualFold(method, "inline"):
		return srtp.Key{}, fmt.Errorf("%w: key method", errUnknown)
	}
	key, err := parseInline(suite, info)
	if err == nil && several { // told apart by their identifiers
		return srtp.Key{}, fmt.Errorf("%w: several keys", errUnknown)
	}
	return key, err
}

// parseInline reads key and salt, lifetime and identifier (RFC 4568 section 6.1).
func parseInline(suite srtp.Suite, info string) (srtp.Key, error) {
	parts := strings.Split(info, "|")
	octets, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(parts[0], "="))
	if err != nil {
		return srtp.Key{}, fmt.Errorf("%w: the key is not base64", ErrCrypto)
	}
	key, err := srtp.KeyOf(suite, octets)
	if err != nil {
		return srtp.Key{}, fmt.Errorf("%w: %w", ErrCrypto, err)
	}
	rest := parts[1:]
	if len(rest) > 0 && !strings.Contains(rest[0], ":") {
		if !lifetime(rest[0]) {
			return srtp.Key{}, fmt.Errorf("%w: lifetime", ErrCrypto)
		}
		rest = rest[1:]
	}
	switch len(rest) {
	case 0:
		return key, nil
	case 1:
		return identified(key, rest[0])
	}
	return srtp.Key{}, fmt.Errorf("%w: more behind the key than lifetime and MKI", ErrCrypto)
}

// lifetime tells whether a word is a number of packets that a key may protect.
// Ours is not kept: a call at its longest sends fewer than any that is in use.
func lifetime(word string) bool {
	if power, ok := strings.CutPrefix(word, "2^"); ok {
		n, ok := number(power, maxLifetime)
		return ok && n > 0
	}
	n, err := strconv.ParseUint(word, 10, 64)
	return err == nil && n > 0 && n <= 1<<maxLifetime
}

// identified reads an MKI and its length in octets, such as "1:4".
func identified(key srtp.Key, word string) (srtp.Key, error) {
	value, length, _ := strings.Cut(word, ":")
	size, ok := number(length, 128)
	if !ok || size == 0 || value == "" || strings.Trim(value, "0123456789") != "" {
		return srtp.Key{}, fmt.Errorf("%w: MKI", ErrCrypto)
	}
	id, err := strconv.ParseUint(value, 10, 64)
	switch {
	case err != nil && size > 8:
		return srtp.Key{}, fmt.Errorf("%w: MKI beyond 64 bits", errUnknown)
	case err != nil || bits.Len64(id) > 8*size:
		return srtp.Key{}, fmt.Errorf("%w: MKI longer than its length", ErrCrypto)
	}
	if key, err = key.WithID(id, size); err != nil {
		return srtp.Key{}, fmt.Errorf("%w: %w", errUnknown, err)
	}
	return key, nil
}

// parseParams reads the session parameters (RFC 4568 section 6.3). What weakens
// the protection or derives more keys is not had; WSH only advises.
func parseParams(words []string) error {
	var unknown error
	seen := make(map[string]bool, len(words))
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		if seen[name] {
			return fmt.Errorf("%w: a session parameter twice", ErrCrypto) // which may be a key in the wrong place
		}
		seen[name] = true
		n, ok := number(value, 99)
		switch {
		case name == "KDR" && (!ok || n > 24), name == "WSH" && (!ok || n < 64):
			return fmt.Errorf("%w: %s", ErrCrypto, name)
		case name == "KDR" && n == 0, name == "WSH", strings.HasPrefix(name, "-"): // "-": may be ignored
		default:
			unknown = fmt.Errorf("%w: session parameter", errUnknown)
		}
	}
	return unknown
}

// crypto is the first attribute of a line that we have all for: the peer's
// order is its preference. The error is ErrCrypto if any is malformed, or
// ErrSuite.
func (l *line) crypto() (crypto, error) {
	if len(l.cryptos) > maxCryptos {
		return crypto{}, fmt.Errorf("%w: more than %d", ErrCrypto, maxCryptos)
	}
	var first crypto
	tags := make(map[int]bool, len(l.cryptos))
	for _, value := range l.cryptos {
		c, err := parseCrypto(value)
		if errors.Is(err, ErrCrypto) {
			return crypto{}, err
		}
		if tags[c.tag] {
			return crypto{}, fmt.Errorf("%w: tag %d twice", ErrCrypto, c.tag)
		}
		tags[c.tag] = true
		if err == nil && !first.in() {
			first = c
		}
	}
	if !first.in() {
		return crypto{}, ErrSuite
	}
	return first, nil
}
