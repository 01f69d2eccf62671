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

// maxProofs is how many nonces of one account are remembered: its phones use
// one each at a time.
const maxProofs = 16

// proofs are the nonces that an account has used and how often, so that no
// proof serves twice (RFC 3261 section 22.4, nonce count).
type proofs struct {
	used  []proof
	floor time.Time // a nonce made no later that is not among used is forgotten: it does not count
}

type proof struct {
	nonce string
	made  time.Time
	count int
}

// use takes a nonce with its count; false: it was used with this count or a
// higher one, or may have been. Nonces made before expired need not be kept.
func (p *proofs) use(nonce string, made time.Time, count int, expired time.Time) bool {
	kept := p.used[:0]
	var found *proof
	for _, u := range p.used {
		if u.made.Before(expired) {
			continue
		}
		kept = append(kept, u)
		if u.nonce == nonce {
			found = &kept[len(kept)-1]
		}
	}
	p.used = kept
	switch {
	case found != nil:
		if count <= found.count {
			return false
		}
		found.count = count
		return true
	case !made.After(p.floor):
		return false
	}
	if len(p.used) == maxProofs {
		oldest := 0
		for i := range p.used {
			if p.used[i].made.Before(p.used[oldest].made) {
				oldest = i
			}
		}
		if made.Before(p.used[oldest].made) {
			return false
		}
		p.floor = p.used[oldest].made
		p.used = append(p.used[:oldest], p.used[oldest+1:]...)
	}
	p.used = append(p.used, proof{nonce: nonce, made: made, count: count})
	return true
}
