package wire

import (
	"hash/maphash"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	// defaultTransactions are requests under way at once. One takes some 6 KB, an
	// INVITE that was refused and that nobody acknowledges for 64*T1: a flood of
	// those costs 200 MB at most, and 1000 calls a second that ring for half a
	// minute still find room.
	defaultTransactions = 32_768
	defaultRetry        = 5 * time.Second
	crowdedStep         = 10 * time.Second
)

// crowded tells whether a request is one too many. It is answered then without
// keeping anything of it (RFC 3261 section 8.2.7). What belongs to a dialog has
// room of its own, as much again: a flood does not end calls that stand. ACK
// and CANCEL never come here: they free more than they take.
func (s *Stack) crowded(key string, req *sip.Request, from Peer) bool {
	room := s.cfg.Transactions
	if req.To().Params.Has("tag") {
		room *= 2
	}
	if s.servers.count() < room {
		return false
	}
	s.overflow.Add(1)
	if now, said := time.Now().UnixNano(), s.overflowSaid.Load(); now-said > int64(crowdedStep) && s.overflowSaid.CompareAndSwap(said, now) {
		s.log.Warn().Str("last_from", from.String()).Uint64("requests", s.overflow.Load()).Msg("more requests than can be kept: they are refused")
	}
	res := Reply(req, sip.StatusServiceUnavailable, "Service Unavailable")
	if !req.To().Params.Has("tag") {
		// The same for each repetition, and for nobody to guess.
		res.To().Params.Remove("tag")
		res.To().Params.Add("tag", strconv.FormatUint(maphash.String(s.seed, key), 36))
	}
	res.AppendHeader(sip.NewHeader("Retry-After", strconv.Itoa(int(s.cfg.RetryAfter/time.Second))))
	text := textOf(res)
	defer text.done()
	if s.fit(res, text) != nil {
		return true
	}
	if link, err := s.connection(from, replyAddr(req, from)); err == nil {
		_ = link.write(text.raw) // who misses it asks again
	}
	return true
}

// Overflow counts the requests that were refused because too many were under way.
func (s *Stack) Overflow() uint64 { return s.overflow.Load() }
