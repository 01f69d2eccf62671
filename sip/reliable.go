package sip

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// reliable is the provisional responses to a caller who acknowledges them (RFC
// 3262): one at a time waits for its PRACK and is repeated from T1, doubling,
// for 64*T1; others wait behind it.
type reliable struct {
	on    bool
	must  bool          // the caller requires it: nothing but 100 may go out without
	last  uint32        // RSeq of the last one; 0: there was none
	open  *sip.Response // that without a PRACK yet
	body  bool          // it has SDP
	next  []provisional
	pause time.Duration
	limit time.Time
	timer *time.Timer
}

// provisional is a response that waits for the PRACK of the one before it.
type provisional struct {
	status  int
	phrase  string
	body    []byte
	headers []sip.Header
}

// maxProvisionals bounds what waits; more say nothing new.
const maxProvisionals = 8

// reliableWith tells whether a caller gets reliable responses: it can, and
// those of its trunk may.
func reliableWith(l *leg, req *sip.Request) bool {
	return l.beginnings().Reliable != trunk.ReliableOff && (has(tags(req, "Supported"), reliableTag) || has(tags(req, "Require"), reliableTag))
}

// refusedReliability answers an INVITE that requires what its trunk does not
// have; it tells whether it did.
func (s *Server) refusedReliability(tx *wire.ServerTx, who origin) bool {
	off := beginnings(who.trunk).Reliable == trunk.ReliableOff && has(tags(tx.Request, "Require"), reliableTag)
	if off {
		s.reply(tx, sip.StatusBadExtension, "Bad Extension", sip.NewHeader("Unsupported", reliableTag))
	}
	return off
}

func (r *reliable) due() <-chan time.Time {
	if r.timer == nil {
		return nil
	}
	return r.timer.C
}

// holds tells whether the 200 has to wait: its SDP came in a response that may
// not have arrived (RFC 3262 section 3).
func (r *reliable) holds() bool { return r.open != nil && r.timer != nil && r.body }

// stop ends the repetitions; a PRACK that is under way still finds its response.
func (r *reliable) stop() {
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	r.next = nil
}

// provides tells whether the next provisional response is a reliable one. The
// first of those has our offer if the INVITE had none (RFC 3261 section 13.2.1).
func (a *callerLeg) provides() bool { return a.reliable.on && (a.offer != nil || a.early != nil) }

// mute tells whether a provisional response must not go out at all: the caller
// takes none but reliable ones (RFC 3262 section 3), the first of which would
// have our offer, and its trunk has no audio before the answer.
func (a *callerLeg) mute() bool { return a.reliable.must && !a.provides() }

// provide sends a provisional response that is to be acknowledged, or keeps it
// until the one before it is.
func (a *callerLeg) provide(p provisional) error {
	r := &a.reliable
	if r.open != nil {
		if n := len(r.next); n < maxProvisionals && (n == 0 || r.next[n-1].status != p.status || p.body != nil) {
			r.next = append(r.next, p)
		}
		return nil
	}
	if r.last == 0 {
		r.last = rand.Uint32N(1 << 30)
	}
	r.last++
	res := a.response(p)
	res.AppendHeader(sip.NewHeader("Require", reliableTag))
	res.AppendHeader(sip.NewHeader("RSeq", strconv.FormatUint(uint64(r.last), 10)))
	r.open, r.body, r.pause, r.limit = res, p.body != nil, sip.T1, time.Now().Add(64*sip.T1)
	r.timer = time.NewTimer(r.pause)
	a.progress = res
	return a.tx.Respond(res)
}

// provideAgain repeats the response that waits for its PRACK; false: the caller
// had its time, and gets a failure.
func (a *callerLeg) provideAgain() bool {
	r := &a.reliable
	if time.Now().After(r.limit) {
		r.stop()
		return false
	}
	_ = a.tx.Repeat(r.open) // if it fails, the next one is due soon
	r.pause *= 2
	r.timer.Reset(min(r.pause, max(time.Until(r.limit)+time.Millisecond, 0)))
	return true
}

// pracked takes a PRACK; it returns what the story has to know of it.
func (c *call) pracked(l *leg, tx *wire.ServerTx) (happening, bool) {
	r := &c.a.reliable
	if l != &c.a.leg || !r.acknowledgedBy(tx.Request, c.a.invite.cseq) {
		c.srv.noDialog(tx)
		return happening{}, false
	}
	status, answer, h := c.prackSDP(tx.Request)
	tell := r.body
	res := l.dialog.Reply(tx.Request, status, phrase(status))
	if answer != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		res.SetBody(answer)
	}
	if err := tx.Respond(res); err != nil {
		c.log.Info().Err(err).Msg("answer to PRACK")
	}
	next := r.next
	r.open = nil
	r.stop()
	for i, p := range next {
		if c.a.final {
			break
		}
		if i == 0 {
			if err := c.a.provide(p); err != nil {
				c.log.Info().Err(err).Int("status", p.status).Msg("to the caller")
			}
			continue
		}
		r.next = append(r.next, p)
	}
	return h, tell
}

// acknowledgedBy tells whether a PRACK is that of the response that waits; invite
// is the CSeq of the INVITE.
func (r *reliable) acknowledgedBy(prack *sip.Request, invite uint32) bool {
	h := prack.GetHeader("RAck")
	if h == nil || r.open == nil {
		return false
	}
	f := strings.Fields(h.Value())
	if len(f) != 3 {
		return false
	}
	rseq, err1 := strconv.ParseUint(f[0], 10, 32)
	cseq, err2 := strconv.ParseUint(f[1], 10, 32)
	return err1 == nil && err2 == nil && uint32(rseq) == r.last && uint32(cseq) == invite && f[2] == string(sip.INVITE)
}

// prackSDP takes the SDP of a PRACK: the answer to the offer in our response,
// or an offer, which is answered at once. The happening counts if there was SDP
// in the response.
func (c *call) prackSDP(prack *sip.Request) (status int, answer []byte, h happening) {
	a := &c.a
	if !a.reliable.body && len(prack.Body()) == 0 {
		return sip.StatusOK, nil, happening{kind: described}
	}
	if a.offer == nil && !a.ready {
		if err := c.acceptAnswer(&a.leg, prack); err != nil {
			c.log.Info().Err(err).Msg("no usable answer in the PRACK")
			return sip.StatusNotAcceptableHere, nil, happening{kind: lost}
		}
		a.firm = true
		return sip.StatusOK, nil, happening{kind: described}
	}
	a.firm = a.firm || a.reliable.body
	if len(prack.Body()) == 0 {
		return sip.StatusOK, nil, happening{kind: described}
	}
	if !a.firm { // nothing of ours was answered for certain: there can be no new offer
		return sip.StatusNotAcceptableHere, nil, happening{kind: described}
	}
	answer, agreed, err := c.newAnswer(&a.leg, prack)
	if err == nil {
		err = c.point(&a.leg, agreed)
	}
	if err != nil {
		c.log.Info().Err(err).Msg("offer in PRACK refused, the session stays as it was")
		return sip.StatusNotAcceptableHere, nil, happening{kind: described}
	}
	return sip.StatusOK, answer, happening{kind: described}
}
