// Package srtp protects one leg's packets (RFC 3711): a [Sender] encrypts and signs what goes to the peer, a [Receiver]
// believes only what the peer signed. Each belongs to the leg's media worker: no locks, and no allocation for a packet that
// is what it should be. Keys come from SDP (RFC 4568); those of one leg are never those of the other.
package srtp

import (
	"fmt"

	pion "github.com/pion/srtp/v3"
)

// Suite is a crypto suite: cipher, authentication and the lengths of their keys. The zero Suite is none.
type Suite uint8

// The suites there are, by their registered names (RFC 4568 section 6.2, RFC 7714 section 14.2).
const (
	AES128SHA80 Suite = iota + 1 // AES_CM_128_HMAC_SHA1_80
	AES128SHA32                  // AES_CM_128_HMAC_SHA1_32
	AES128GCM                    // AEAD_AES_128_GCM
	AES256GCM                    // AEAD_AES_256_GCM
)

// terms are what a suite stands for.
type terms struct {
	name    string
	profile pion.ProtectionProfile
	key     int // octets of the master key
	salt    int // and of the master salt
	tag     int // that an RTP packet gets longer by
}

var suites = [...]terms{
	AES128SHA80: {"AES_CM_128_HMAC_SHA1_80", pion.ProtectionProfileAes128CmHmacSha1_80, 16, 14, 10},
	AES128SHA32: {"AES_CM_128_HMAC_SHA1_32", pion.ProtectionProfileAes128CmHmacSha1_32, 16, 14, 4},
	AES128GCM:   {"AEAD_AES_128_GCM", pion.ProtectionProfileAeadAes128Gcm, 16, 12, 16},
	AES256GCM:   {"AEAD_AES_256_GCM", pion.ProtectionProfileAeadAes256Gcm, 32, 12, 16},
}

// Suites are all that there are, in the order in which they are offered: what every peer has first.
func Suites() []Suite { return []Suite{AES128SHA80, AES128SHA32, AES256GCM, AES128GCM} }

// Named finds a suite by its registered name; its letters are capitals (RFC 4568 section 9.1).
func Named(name string) (Suite, bool) {
	for s := AES128SHA80; int(s) < len(suites); s++ {
		if suites[s].name == name {
			return s, true
		}
	}
	return 0, false
}

// String returns the registered name.
func (s Suite) String() string {
	if !s.valid() {
		return fmt.Sprintf("suite %d", uint8(s))
	}
	return suites[s].name
}

// KeySize is the length in octets of master key and master salt together, as SDP carries them; 0: no such suite.
func (s Suite) KeySize() int {
	if !s.valid() {
		return 0
	}
	return suites[s].key + suites[s].salt
}

func (s Suite) valid() bool { return s > 0 && int(s) < len(suites) }
