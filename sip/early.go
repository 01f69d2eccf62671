package sip

import (
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/routing"
)

// gating notes what a message of a callee's network says of its early media
// (RFC 5009); known words alone are kept.
func (br *branch) gating(m headed) {
	var words []string
	for _, w := range tags(m, "P-Early-Media") {
		w = strings.ToLower(w)
		if slices.Contains(gates, w) && !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	if len(words) > 0 {
		br.gate = strings.Join(words, ", ")
	}
}

var gates = []string{"sendrecv", "sendonly", "recvonly", "inactive", "gated"}

// barred tells whether the audio of a callee's network is not meant to be heard.
func (br *branch) barred() bool {
	return strings.Contains(br.gate, "inactive") || strings.Contains(br.gate, "recvonly")
}

// mayHear tells whether the caller may hear the callee's early media.
func (c *call) mayHear() bool { return c.b == nil || c.b.pointed == nil || !c.b.pointed.barred() }

// regated takes what an UPDATE of the callee's network says of its early media.
func (c *call) regated(l *leg, req *sip.Request) {
	if req.Method == sip.UPDATE && c.b != nil && l == &c.b.leg && !l.up {
		l.gating(req)
		c.comfort()
	}
}

// gateHeader is what our SDP before the answer goes with, where the caller's
// trunk wants that: the word of the callee's network, or that we speak.
func (c *call) gateHeader() []sip.Header {
	if !c.a.beginnings().Header {
		return nil
	}
	word := "sendonly"
	if c.b != nil && c.b.gate != "" {
		word = c.b.gate
	}
	return []sip.Header{sip.NewHeader("P-Early-Media", word)}
}

// ringbackWait is how long SDP without audio is waited with.
func (c *call) ringbackWait(b *calleeLeg) time.Duration {
	if w := b.beginnings().RingbackWait; w > 0 {
		return w
	}
	return c.srv.cfg.RingbackIn
}

// earlyMedia opens the way for audio to a caller who is not answered yet: 183
// with our SDP. It tells whether audio can be heard now; without an offer in
// the INVITE it is ours that goes out, and the answer comes with the PRACK.
func (c *call) earlyMedia() bool {
	switch {
	case c.a.ready, c.a.up, c.a.early != nil, c.a.final, c.a.beginnings().NoMedia:
		return c.a.ready
	case c.a.offer == nil && !c.a.reliable.on: // only a reliable response may carry an offer (RFC 3262)
		return false
	}
	if err := c.openCaller(); err != nil {
		c.log.Warn().Err(err).Msg("no early media")
		return false
	}
	if err := c.a.respond(sip.StatusSessionInProgress, "Session Progress", c.a.early, c.gateHeader()...); err != nil {
		c.log.Info().Err(err).Msg("183 to the caller")
		return false
	}
	return c.a.ready
}

// relay tells the caller how far the call is. SDP makes any of it 183, once;
// what comes after that is told all the same. 183 without SDP is told as it is:
// carriers take it for the sign that the call goes on.
func (c *call) relay(res *sip.Response, sdp bool) {
	if c.a.up {
		return
	}
	status := res.StatusCode
	if sdp && c.a.early == nil && !c.a.beginnings().NoMedia && (c.a.offer != nil || c.a.reliable.on) {
		c.earlyMedia()
		return
	}
	if c.a.offer == nil && c.a.early == nil {
		c.earlyMedia()
		if c.a.early != nil && status == sip.StatusSessionInProgress {
			return
		}
	}
	if sdp && status == sip.StatusSessionInProgress && c.a.early != nil { // its audio is heard, and says enough
		return
	}
	if sdp && c.a.early == nil { // it cannot be heard: the caller's own side rings
		status = sip.StatusRinging
	}
	var headers []sip.Header
	if c.a.early != nil {
		headers = c.gateHeader()
	}
	switch status {
	case sip.StatusRinging, sip.StatusCallIsForwarded, sip.StatusQueued, sip.StatusSessionInProgress:
		if err := c.a.respond(status, phrase(status), nil, headers...); err != nil {
			c.log.Info().Err(err).Int("status", status).Msg("to the caller")
		}
	}
}

// certain waits until the caller has the SDP that a 200 builds on (RFC 3262
// section 3).
func (c *call) certain() (routing.End, bool) {
	for c.a.reliable.holds() {
		c.a.reliable.next = nil // the answer is what comes next
		if end, over := c.overEarly(c.next()); over {
			return end, false
		}
	}
	return routing.End{}, true
}

// overEarly tells whether a happening ends a call whose caller is not answered,
// and how.
func (c *call) overEarly(h happening) (routing.End, bool) {
	switch {
	case h.kind == left && h.side == media.Caller, h.kind == lost:
		return c.callerLeft(h), true
	case h.kind == left: // it answered, and hung up before anybody was there
		c.rec.ReleasedBy = 1 + int(h.side)
		return routing.EndRejected, true
	}
	return c.overBy(h)
}

// earlyAnswer waits for the answer to an offer that a reliable response took to
// the caller; it tells whether the caller can hear and be heard then.
func (c *call) earlyAnswer() (end routing.End, ready, ok bool) {
	for !c.a.ready && c.a.offer == nil && c.a.reliable.holds() {
		if end, over := c.overEarly(c.next()); over {
			return end, false, false
		}
	}
	return routing.End{}, c.a.ready, true
}

// openForKeys lets the caller press keys: before the answer where its trunk is
// known to bring them, else after it.
func (c *call) openForKeys() (routing.End, bool) {
	if c.a.beginnings().Digits {
		c.earlyMedia()
		if end, ready, ok := c.earlyAnswer(); ready || !ok {
			return end, ok
		}
	}
	return c.answerFirst()
}

// answerFirst answers the caller while nobody is on the other side yet.
func (c *call) answerFirst() (routing.End, bool) {
	if end, ok := c.certain(); !ok {
		return end, false
	}
	if err := c.answerCaller(); err != nil {
		c.log.Error().Err(err).Msg("answer the caller")
		return endOf(err), false
	}
	return c.audible()
}

// audience tells whether a caller hears why its call fails. Where there is no
// audio before the answer, a prompt is worth an answer, which is in our books
// first.
func (c *call) audience(prompt bool) bool {
	c.earlyMedia()
	if _, ready, ok := c.earlyAnswer(); ready || !ok {
		return ready && ok
	}
	if !prompt || c.a.up || c.a.gone || c.a.cancelled || !c.a.beginnings().NoMedia {
		return false
	}
	if err := c.recorded(); err != nil {
		c.log.Error().Err(err).Msg("answer the caller for a prompt")
		return false
	}
	_, ok := c.answerFirst()
	return ok
}
