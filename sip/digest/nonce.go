package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// nonces makes and reads nonces that say themselves when we made them, so that
// a flood of requests without a proof makes us remember nothing: the time, a
// random part, and a code over both with a key of this process.
type nonces struct {
	key  [32]byte
	span time.Duration
}

const (
	nonceTime   = 8
	nonceRandom = 8
	nonceCode   = 16
)

func newNonces(span time.Duration) nonces {
	n := nonces{span: span}
	_, _ = rand.Read(n.key[:]) // it never fails, by its contract
	return n
}

func (n *nonces) make(now time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))
	var random [nonceRandom]byte
	_, _ = rand.Read(random[:])
	b = append(b, random[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, n.code(b)...))
}

// read tells when a nonce was made; not ok if it is not ours or too old.
func (n *nonces) read(text string, now time.Time) (made time.Time, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != nonceTime+nonceRandom+nonceCode {
		return time.Time{}, false
	}
	head := b[:nonceTime+nonceRandom]
	if !hmac.Equal(b[len(head):], n.code(head)) {
		return time.Time{}, false
	}
	made = time.Unix(0, int64(binary.BigEndian.Uint64(head)))
	return made, now.Sub(made) <= n.span
}

func (n *nonces) code(head []byte) []byte {
	h := hmac.New(sha256.New, n.key[:])
	h.Write(head)
	return h.Sum(nil)[:nonceCode]
}
