package sip

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// reliableTag is the option tag of acknowledged provisional responses (RFC 3262).
const reliableTag = "100rel"

// beginnings are the settings of a leg that is not answered yet; a phone has
// the defaults.
func (l *leg) beginnings() trunk.Early { return beginnings(l.trunk) }

func beginnings(t *trunk.Trunk) trunk.Early {
	if t == nil {
		return trunk.Early{Reliable: trunk.ReliableSupported}
	}
	return t.Early
}

// begins are the headers of our INVITE that say how the call may go until it
// is answered.
func (b *calleeLeg) begins() (headers []sip.Header) {
	if b.beginnings().Reliable == trunk.ReliableRequired {
		headers = append(headers, sip.NewHeader("Require", reliableTag))
	}
	if b.beginnings().Header {
		headers = append(headers, sip.NewHeader("P-Early-Media", "supported"))
	}
	return headers
}

// progress takes a provisional response of the callee's side; it returns what
// the story has to know of it.
func (c *call) progress(b *calleeLeg, res *sip.Response) (happening, bool) {
	if res.StatusCode == sip.StatusTrying || !b.hear(res) {
		return happening{}, false
	}
	b.gating(res)
	if rseq, ok := reliably(res); ok {
		if !b.inOrder(rseq) || b.unpracked() >= maxPracks {
			return happening{}, false
		}
		b.rseq = rseq
		c.acknowledge(b, res)
	}
	if res.StatusCode == statusEnded {
		c.without(b)
		return happening{}, false
	}
	return happening{kind: ringing, side: b.side, res: res}, true
}

// reliably tells whether a provisional response is to be acknowledged, and its
// number.
func reliably(res *sip.Response) (rseq uint32, ok bool) {
	h := res.GetHeader("RSeq")
	if h == nil || !has(tags(res, "Require"), reliableTag) {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(h.Value()), 10, 32)
	return uint32(n), err == nil && n > 0
}

func has(tags []string, tag string) bool {
	for _, t := range tags {
		if strings.EqualFold(t, tag) {
			return true
		}
	}
	return false
}

// inOrder tells whether a reliable response is the next of its dialog; one that
// came before, or before its time, is as if it had not come (RFC 3262 section 4).
func (br *branch) inOrder(rseq uint32) bool { return br.rseq == 0 || rseq == br.rseq+1 }

// maxPracks bounds how many PRACKs of a leg wait for their answers: what else
// comes is repeated, as if it had been lost.
const maxPracks = 16

// unpracked counts the PRACKs that wait for their answers.
func (b *calleeLeg) unpracked() int {
	b.pracks = slices.DeleteFunc(b.pracks, func(p *sent) bool { return p.over })
	return len(b.pracks)
}

// acknowledge sends the PRACK of a reliable response inside its dialog. SDP in
// the first is the answer to our offer; what differs from it in a later one is
// an offer, and PRACK has the answer (RFC 3262 section 5).
func (c *call) acknowledge(b *calleeLeg, res *sip.Response) {
	o := order{method: sip.PRACK}
	n := strconv.FormatUint(uint64(b.rseq), 10) + " " + strconv.FormatUint(uint64(res.CSeq().SeqNo), 10) + " INVITE"
	o.headers = []sip.Header{sip.NewHeader("RAck", n)}
	if body := string(res.Body()); body != "" {
		if b.firm && body != b.theirs {
			if answer, err := c.answerEarly(b, res); err != nil {
				c.log.Info().Err(err).Msg("the callee's offer before its answer, the session stays as it was")
			} else {
				o.contentType, o.body = "application/sdp", answer
			}
		}
		b.firm = true
	}
	b.pracks = append(b.pracks, c.send(&b.leg, b.dialog, o, func(res *sip.Response, err error) (happening, bool) {
		if err != nil || res.StatusCode >= 300 { // the callee's side ends the INVITE if it misses it
			c.log.Info().Err(err).Msg("PRACK was not accepted")
		}
		return happening{}, false
	}))
}

// answerEarly answers an offer that came in a response.
func (c *call) answerEarly(b *calleeLeg, res *sip.Response) ([]byte, error) {
	remote, err := sdp.ParseFor(b.security, contentType(res), res.Body())
	if err != nil {
		return nil, err
	}
	answer, agreed, err := b.sdp.Answer(remote)
	if err != nil {
		return nil, err
	}
	b.theirs = string(res.Body())
	return answer, c.point(&b.leg, agreed)
}

// forgetPracks stops waiting for answers that nobody owes any more: the INVITE
// has failed.
func (c *call) forgetPracks(b *calleeLeg) {
	for _, p := range b.pracks {
		c.drop(p)
	}
	b.pracks = nil
}

// statusEnded is 199: a phone that rang does no more (RFC 6228).
const statusEnded = 199

// without takes the branch that spoke out of a leg. The caller hears another
// that rings, or our ring-back.
func (c *call) without(b *calleeLeg) {
	ended := b.branch
	rest := b.branches[:0]
	for _, br := range b.branches {
		if br != ended {
			rest = append(rest, br)
		}
	}
	clear(b.branches[len(rest):])
	b.branches, b.branch = rest, b.root
	if len(rest) > 0 {
		b.branch = rest[len(rest)-1]
	}
	if b.pointed != ended {
		return
	}
	b.pointed = nil
	for _, br := range rest {
		if br.ready {
			b.branch = br
			if err := c.point(&b.leg, br.agreed); err != nil {
				c.log.Warn().Err(err).Msg("back to another phone that rings")
			}
		}
	}
	if b == c.b {
		c.waiting.deserted(b.pointed != nil)
		c.comfort()
	}
}
