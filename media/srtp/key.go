package srtp

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	pion "github.com/pion/srtp/v3"
)

const (
	maxKeySize = 44 // octets: that of AEAD_AES_256_GCM
	// maxIDSize is the longest master key identifier that is taken, in octets. RFC 4568 section 6.1 allows 128; of those
	// in use none is longer than 4.
	maxIDSize = 8
)

// What can be wrong with a key.
var (
	ErrKeySize = errors.New("SRTP master key and salt have not the length of their suite")
	ErrKeyID   = errors.New("SRTP master key identifier must have 1 to 8 octets and fit into them")
	ErrSameKey = errors.New("both directions have the same SRTP master key")
)

// Key is the master key and salt of one direction, and the suite they are for. Keys can be compared. The zero Key is none.
type Key struct {
	suite  Suite
	octets [maxKeySize]byte // master key, then master salt
	id     uint64           // master key identifier (MKI)
	idSize uint8            // its length in packets, in octets; 0: packets carry none
}

// Keys are those of a leg. The zero Keys mean plain RTP.
type Keys struct {
	In  Key // the peer's: what it sends is protected with
	Out Key // ours
}

// On tells whether a leg is protected.
func (k Keys) On() bool { return k != Keys{} }

// Check tells what is wrong with the keys of a protected leg: one is missing, or both are the same, which would encrypt two
// streams alike (RFC 3711 section 9.1).
func (k Keys) Check() error {
	if !k.In.Suite().valid() || !k.Out.Suite().valid() {
		return ErrKeySize
	}
	if k.In.suite == k.Out.suite && k.In.octets == k.Out.octets {
		return ErrSameKey
	}
	return nil
}

// NewKey makes a key of random octets for a suite that there is.
func NewKey(s Suite) Key {
	k := Key{suite: s}
	_, _ = rand.Read(k.octets[:s.KeySize()]) // it never fails
	return k
}

// KeyOf is the key with these octets: master key and master salt, as SDP carries them. An error is ErrKeySize.
func KeyOf(s Suite, octets []byte) (Key, error) {
	if !s.valid() || len(octets) != s.KeySize() {
		return Key{}, fmt.Errorf("%w: %v with %d octets", ErrKeySize, s, len(octets))
	}
	k := Key{suite: s}
	copy(k.octets[:], octets)
	return k, nil
}

// WithID is the key as its packets name it: by an identifier of so many octets after the payload (MKI, RFC 3711
// section 3.1). An error is ErrKeyID.
func (k Key) WithID(id uint64, size int) (Key, error) {
	if size < 1 || size > maxIDSize || size < 8 && id>>(8*size) != 0 {
		return Key{}, ErrKeyID
	}
	k.id, k.idSize = id, uint8(size)
	return k, nil
}

// Suite is what the key is for; 0: the key is none.
func (k Key) Suite() Suite { return k.suite }

// Octets are master key and master salt, for SDP alone.
func (k Key) Octets() []byte { return append([]byte(nil), k.octets[:k.suite.KeySize()]...) }

// String names the suite and never the octets, so that no log holds a key.
func (k Key) String() string {
	if k.suite == 0 {
		return "no key"
	}
	return "key for " + k.suite.String()
}

// GoString is String: %#v shows no more.
func (k Key) GoString() string { return k.String() }

// context makes pion's state for one direction of one key.
func (k Key) context(options ...pion.ContextOption) (*pion.Context, error) {
	if !k.suite.valid() {
		return nil, ErrKeySize
	}
	t := suites[k.suite]
	if k.idSize > 0 {
		var id [8]byte
		binary.BigEndian.PutUint64(id[:], k.id)
		options = append(options, pion.MasterKeyIndicator(id[8-k.idSize:]))
	}
	c, err := pion.CreateContext(k.octets[:t.key], k.octets[t.key:t.key+t.salt], t.profile, options...)
	if err != nil {
		return nil, fmt.Errorf("make an SRTP context for %v: %w", k.suite, err)
	}
	return c, nil
}
