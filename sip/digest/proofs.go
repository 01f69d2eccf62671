package digest

import "time"

// maxProofs is how many nonces of one account a generation remembers: a trunk
// that is asked for a proof of each call uses one for each, many at a time.
const maxProofs = 1024

// proofs are the nonces that an account has used and how often, so that no
// proof serves twice (RFC 3261 section 22.4, nonce count). Two generations are
// kept; the older is dropped whole when the newer has lasted as long as a nonce
// may be used, or is full before.
type proofs struct {
	new, old  map[string]int // the highest count of each nonce
	turned    time.Time
	newest    time.Time // when the latest nonce of new was made
	oldNewest time.Time // likewise of old
	forgotten time.Time // a nonce made no later that is not remembered does not count: it may have been used
}

// use takes a nonce with its count; false: it was used with this count or a
// higher one, or may have been. A nonce may be used for span after it was made.
func (p *proofs) use(nonce string, made time.Time, count int, now time.Time, span time.Duration) bool {
	if now.Sub(p.turned) > span || len(p.new) >= maxProofs {
		p.turn(now)
	}
	last, known := p.new[nonce]
	if !known {
		last, known = p.old[nonce]
	}
	if known && count <= last || !known && !made.After(p.forgotten) {
		return false
	}
	p.new[nonce] = count
	if made.After(p.newest) {
		p.newest = made
	}
	return true
}

func (p *proofs) turn(now time.Time) {
	if p.oldNewest.After(p.forgotten) {
		p.forgotten = p.oldNewest
	}
	p.old, p.oldNewest = p.new, p.newest
	p.new, p.newest, p.turned = make(map[string]int), time.Time{}, now
}
