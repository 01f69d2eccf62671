package sip

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// TestOptionalSRTPInsists: a callee that refuses keys in RTP/AVP is asked once
// more, with the same keys in RTP/SAVP.
func TestOptionalSRTPInsists(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]func(b *side){
		"488":              func(b *side) { b.says(488, "") },
		"606":              func(b *side) { b.says(606, "") },
		"415 that says so": func(b *side) { b.says(415, "", `Warning: 304 carrier.test "RTP/SAVP required"`) },
		"488 after 100":    func(b *side) { b.says(100, ""); b.says(488, "") },
	} {
		t.Run(name, func(t *testing.T) {
			w := private(t, sdp.Off, sdp.Optional)
			earB := seal(t, w.mouthB)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			first := w.b.ring()
			require.Contains(t, first.invite.body, " RTP/AVP 8 0 101\r\n")
			says(first)
			first.acked()
			b := w.b.ring()
			require.Contains(t, b.invite.body, " RTP/SAVP 8 0 101\r\n")
			require.Equal(t, keysIn(first.invite), keysIn(b.invite))
			require.Equal(t, first.callID, b.callID)
			require.Equal(t, first.invite.tag("From"), b.invite.tag("From"))
			require.Empty(t, b.invite.tag("To"))
			require.NotEqual(t, first.invite.get("Via"), b.invite.get("Via"))
			was, _ := first.invite.cseq()
			now, _ := b.invite.cseq()
			require.Equal(t, was+1, now)

			earB.hearsBy(b.invite)
			b.says(180, "")
			a.response(180, "INVITE")
			b.says(200, earB.sdp(1, "RTP/SAVP"))
			b.acked()
			w.mouthA.talksTo(a.response(200, "INVITE"))
			a.ack("")
			w.bothHear()
			b.reinvite(w.mouthB.sdp(2))
			b.fails(488)
			w.bothHear()
			a.bye()
			b.hungUp()
			require.Zero(t, w.ends(0, 0).SIPStatus, "the refusal is not the call's")
			require.Contains(t, w.logged(), "the INVITE is repeated with RTP/SAVP")
		})
	}
}

func keysIn(m msg) (all []string) {
	for line := range strings.Lines(m.body) {
		if strings.HasPrefix(line, "a=crypto:") {
			all = append(all, line)
		}
	}
	return all
}

// TestOptionalSRTPInsistsOnce: a callee that takes neither has refused the call,
// and so has one that rang, one that was not offered any, and one that means
// another thing.
func TestOptionalSRTPInsistsOnce(t *testing.T) {
	t.Parallel()
	none := func(m msg) bool { return m.method() == "INVITE" }
	t.Run("twice", func(t *testing.T) {
		w := private(t, sdp.Off, sdp.Optional)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring().says(488, "")
		w.b.ring().says(488, "")
		a.fails(488)
		w.journal.ended(t)
		w.b.never(0, "a third INVITE", none)
	})
	for name, c := range map[string]struct {
		rule sdp.Security
		rang bool
		says int
	}{
		"it rang":       {sdp.Optional, true, 488},
		"required":      {sdp.Required, false, 488},
		"off":           {sdp.Off, false, 488},
		"415 of a body": {sdp.Optional, false, 415},
		"busy":          {sdp.Optional, false, 486},
	} {
		t.Run(name, func(t *testing.T) {
			w := private(t, sdp.Off, c.rule)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			b := w.b.ring()
			if c.rang {
				b.says(180, "")
				a.response(180, "INVITE")
			}
			b.says(c.says, "")
			w.journal.ended(t)
			a.nack(w.a.await("a failure", func(m msg) bool { return m.status() >= 400 && m.get("Call-ID") == a.callID }))
			w.b.never(0, "another INVITE", none)
		})
	}
	t.Run("without TLS no keys are there to insist on", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.Security = sdp.Optional })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring().says(488, "")
		a.fails(488)
		w.journal.ended(t)
		w.b.never(0, "another INVITE", none)
	})
}

// TestInsistingKeepsTheWay: a caller who leaves meanwhile takes the second
// INVITE back; a plain answer to it is none; and one that fails as trunks do
// goes on to the next trunk.
func TestInsistingKeepsTheWay(t *testing.T) {
	t.Parallel()
	t.Run("the caller leaves", func(t *testing.T) {
		w := private(t, sdp.Off, sdp.Optional)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring().says(488, "")
		b := w.b.ring()
		a.cancel()
		a.response(200, "CANCEL")
		b.says(100, "") // only now it may be taken back
		b.cancelled()
		a.fails(487)
		w.journal.ended(t)
	})
	t.Run("a plain answer", func(t *testing.T) {
		w := private(t, sdp.Off, sdp.Optional)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring().says(488, "")
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		b.hungUp()
		a.fails(488)
		w.journal.ended(t)
	})
	t.Run("then 503", func(t *testing.T) {
		ca := certtest.New(t)
		spare := newPeer(t, "spare", "127.0.0.4")
		w := secured(t, ca, func(s *settings) {
			s.trunkB.Security = sdp.Optional
			s.more = append(s.more, trunk.Trunk{Name: "spare", Address: spare.addr, Way: trunk.Way{Priority: 1}})
		})
		w.b.overTLS(ca, "b.example")
		spare.to = w.srv.UDPAddr()
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring().says(488, "")
		w.b.ring().says(503, "")
		b := spare.ring()
		require.NotContains(t, b.invite.body, "crypto", "keys go over TLS alone")
		b.says(486, "")
		a.fails(486)
		w.ends(8102, 8102)
	})
}
