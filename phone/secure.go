package phone

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/pion/srtp/v3"
)

// The one suite of the phone (RFC 4568 section 6.2.1), which everybody has.
const (
	suite   = "AES_CM_128_HMAC_SHA1_80"
	profile = srtp.ProtectionProfileAes128CmHmacSha1_80
	keySize = 16
	keyed   = 30 // octets of key and salt
)

// sealing is the SRTP of one call (RFC 3711), with keys in SDP (RFC 4568).
type sealing struct {
	ours, theirs []byte
	out          *srtp.Context // the sender's own
	in           *srtp.Context // nil: the peer has said no key yet
}

func newSealing() (*sealing, error) {
	s := &sealing{ours: make([]byte, keyed)}
	_, _ = rand.Read(s.ours) // it never fails
	var err error
	s.out, err = keyContext(s.ours)
	return s, err
}

func keyContext(key []byte) (*srtp.Context, error) {
	c, err := srtp.CreateContext(key[:keySize], key[keySize:], profile)
	if err != nil {
		return nil, fmt.Errorf("SRTP: %w", err)
	}
	return c, nil
}

// believe takes the peer's key. With another one its streams begin anew.
func (s *sealing) believe(key []byte) error {
	if bytes.Equal(key, s.theirs) {
		return nil
	}
	in, err := keyContext(key)
	if err == nil {
		s.in, s.theirs = in, key
	}
	return err
}

// open gives the RTP packet in an SRTP packet; nil: it is not of the peer.
func (s *sealing) open(packet []byte) []byte {
	if s.in == nil {
		return nil
	}
	plain, err := s.in.DecryptRTP(nil, packet, nil)
	if err != nil {
		return nil
	}
	return plain
}

// line is our key as SDP has it.
func (s *sealing) line(tag string) string {
	return fmt.Sprintf("a=crypto:%s %s inline:%s\r\n", tag, suite, base64.StdEncoding.EncodeToString(s.ours))
}

// crypto is a peer's key, and the tag that an answer repeats.
type crypto struct {
	tag string
	key []byte
}

// readCrypto reads a crypto attribute; ok: it is of the phone's suite.
func readCrypto(value string) (c crypto, ok bool) {
	parts := strings.Fields(value)
	if len(parts) < 3 || parts[1] != suite {
		return c, false
	}
	inline, is := strings.CutPrefix(parts[2], "inline:")
	inline, _, _ = strings.Cut(inline, "|") // lifetime and MKI
	key, err := base64.StdEncoding.DecodeString(inline)
	return crypto{parts[0], key}, is && err == nil && len(key) == keyed
}

var errNoKey = errors.New("SDP: the phone talks over SRTP alone, and there is no key of " + suite)
