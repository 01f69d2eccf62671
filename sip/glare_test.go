package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/media"
	"axgate/sip/trunk"
)

// TestGlare: an INVITE of ours waits for its answer when the peer's comes: that
// is refused with 491, as ours may be; then we ask again, later where the
// Call-ID is ours. Over all transports.
func TestGlare(t *testing.T) {
	for name, c := range map[string]struct {
		byB, tcp bool
	}{
		"the caller's leg":           {false, false},
		"the callee's leg":           {true, false},
		"the callee's leg, over TCP": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, quick, func(s *settings) {
				s.tcpA, s.tcpB = c.tcp, c.tcp
				s.trunkA.Timer.Off, s.trunkB.Timer.Off = c.byB, !c.byB
			})
			a, b := w.begins(nil, nil) // who knows no timer is refreshed by us
			d, mouth := a, w.mouthA
			if c.byB {
				d, mouth = b, w.mouthB
			}
			ours := d.refreshed("INVITE")
			d.reinvite(mouth.sdp(2))
			d.fails(491)
			d.request("UPDATE", mouth.sdp(2))
			d.response(491, "UPDATE")
			d.request("UPDATE", "")
			d.response(200, "UPDATE")
			began := time.Now()
			d.reply(ours, 491, "")
			again := d.refreshed("INVITE")
			if c.byB {
				require.Greater(t, time.Since(began), 100*time.Millisecond, "2.1 s at the least")
			}
			require.Equal(t, ours.body, again.body)
			d.reinvite(mouth.sdp(2)) // it still crosses
			d.fails(491)
			d.reply(again, 200, mouth.sdp(1))
			d.ackOf(again)
			d.reinvite(mouth.sdp(2))
			mouth.talksTo(d.response(200, "INVITE"))
			d.ack("")
			w.bothHear()
			w.hangsUp(a, b)
		})
	}
}

// TestGlareWaits: steps of 10 ms within the bounds of RFC 3261 section 14.1.
func TestGlareWaits(t *testing.T) {
	t.Parallel()
	c := &call{srv: &Server{cfg: Config{second: time.Second}}}
	for side, bounds := range map[media.Side][2]time.Duration{media.Caller: {0, 2 * time.Second}, media.Callee: {2100 * time.Millisecond, 4 * time.Second}} {
		seen := map[time.Duration]bool{}
		for range 2000 {
			d := c.glare(&leg{side: side})
			require.Zero(t, d%(10*time.Millisecond))
			require.True(t, bounds[0] <= d && d <= bounds[1], d)
			seen[d] = true
		}
		require.Greater(t, len(seen), 100)
	}
}

// TestGlareEnds: a peer that always crosses us is left alone, and the call goes
// on.
func TestGlareEnds(t *testing.T) {
	w := open(t, quick, func(s *settings) {
		s.trunkA.Timer.Off = true
		s.trunkA.Hold.Relay = true
		s.trunkB.Timer.Off = true
	})
	a, b := w.talk()
	a.reinvite(w.mouthA.sdp(2, "a=inactive"))
	a.response(200, "INVITE")
	a.ack("")
	for range 1 + maxAsked {
		b.reply(b.refreshed("INVITE"), 491, "")
	}
	w.b.never(250*time.Millisecond, "another INVITE", func(m msg) bool { return m.method() == "INVITE" })
	a.reinvite(w.mouthA.sdp(3))
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	w.bothHear()
	w.hangsUp(a, b)
}

// TestOverdueReinvite: one with provisional responses only is taken back; who
// does not answer that either has lost the dialog.
func TestOverdueReinvite(t *testing.T) {
	relayed := func(s *settings) { s.trunkA.Hold.Relay = true }
	t.Run("taken back", func(t *testing.T) {
		w := open(t, relayed)
		a, b := w.talk()
		a.reinvite(w.mouthA.sdp(2, "a=inactive"))
		a.response(200, "INVITE")
		a.ack("")
		m := b.refreshed("INVITE")
		b.reply(m, 180, "")
		cancel := w.b.request("CANCEL")
		require.Equal(t, m.get("Via"), cancel.get("Via"))
		b.reply(cancel, 200, "")
		b.reply(m, 487, "")
		a.reinvite(w.mouthA.sdp(3))
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.ack("")
		w.bothHear()
		w.hangsUp(a, b)
	})
	t.Run("never answered", func(t *testing.T) {
		w := open(t, relayed)
		a, b := w.talk()
		a.reinvite(w.mouthA.sdp(2, "a=inactive"))
		a.response(200, "INVITE")
		a.ack("")
		b.refreshed("INVITE")
		a.hungUp()
		b.hungUp()
		w.ends(8020, 7506)
	})
}

// TestUpdate: in a talk it moves the audio, holds, and is refused without
// harm; its Contact, and that of our own 2xx, is where requests go.
func TestUpdate(t *testing.T) {
	for _, byB := range []bool{false, true} {
		t.Run(map[bool]string{false: "A", true: "B"}[byB], func(t *testing.T) {
			w := open(t)
			a, b := w.talk()
			d, mouth, other := a, w.mouthA, w.mouthB
			if byB {
				d, mouth, other = b, w.mouthB, w.mouthA
			}
			d.request("UPDATE", mouth.sdp(2, "a=sendonly"))
			_, way := d.response(200, "UPDATE").media(t)
			require.Equal(t, "recvonly", way)
			d.request("UPDATE", strings.Replace(mouth.sdp(3), "m=audio", "m=video", 1))
			d.response(488, "UPDATE")
			moved := newEar(t, d.p.addr.Addr())
			was := d.contact
			d.contact = "<sip:moved@" + d.p.addr.String() + ";line=7>"
			d.request("UPDATE", moved.sdp(3), "Require: precondition")
			require.Equal(t, "precondition", d.response(420, "UPDATE").get("Unsupported"))
			d.contact = was
			d.request("UPDATE", moved.sdp(3))
			ok := d.response(200, "UPDATE")
			_, way = ok.media(t)
			require.Equal(t, "sendrecv", way)
			require.NotEmpty(t, ok.contact())
			moved.talksTo(ok)
			other.until(0x77, "the audio moves", moved.hears(0x77, 3))
			d.contact = "<sip:moved@" + d.p.addr.String() + ";line=7>"
			d.request("UPDATE", "")
			require.Empty(t, d.response(200, "UPDATE").body)
			if byB {
				a.bye()
			} else {
				b.bye()
			}
			require.Equal(t, "sip:moved@"+d.p.addr.String()+";line=7", d.hungUp().uri())
			w.ends(0, 0)
		})
	}
}

// TestTargetOfOurOwn: the Contact of the 2xx to a request of ours is the target
// of the next.
func TestTargetOfOurOwn(t *testing.T) {
	w := open(t, quick, func(s *settings) { s.trunkA.Timer.Off = true })
	a, b := w.begins(nil, []string{"Allow: UPDATE"})
	m := b.refreshed("UPDATE")
	require.Equal(t, "sip:device@"+w.b.addr.String(), m.uri())
	b.contact = "<sip:elsewhere@" + w.b.addr.String() + ">"
	b.reply(m, 200, "")
	a.bye()
	require.Equal(t, "sip:elsewhere@"+w.b.addr.String(), b.hungUp().uri())
	w.ends(0, 0)
}

// TestUpdateBeforeTheAnswer: without an offer it is taken at any time; one that
// crosses an offer waits.
func TestUpdateBeforeTheAnswer(t *testing.T) {
	w := open(t)
	a, b := w.rings()
	b.says(180, "")
	a.response(180, "INVITE")
	a.request("UPDATE", "")
	require.NotEmpty(t, a.response(200, "UPDATE").contact())
	a.request("UPDATE", w.mouthA.sdp(2))
	require.NotEmpty(t, a.response(500, "UPDATE").get("Retry-After"))
	b.request("UPDATE", "")
	require.NotEmpty(t, b.response(200, "UPDATE").contact())
	b.request("UPDATE", w.mouthB.sdp(2))
	b.response(491, "UPDATE")
	b.reinvite(w.mouthB.sdp(2))
	b.fails(491)
	w.answers(a, b)
	w.bothHear()
	w.hangsUp(a, b)
}

// TestOfferInOurAnswer: while the peer owes us an answer in its ACK, it has no
// say of its own.
func TestOfferInOurAnswer(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	a.reinvite("")
	a.response(200, "INVITE")
	owed := *a
	a.request("UPDATE", w.mouthA.sdp(2))
	a.response(491, "UPDATE")
	a.reinvite(w.mouthA.sdp(2))
	a.fails(491)
	owed.ack(w.mouthA.sdp(1))
	w.bothHear()
	a.request("UPDATE", w.mouthA.sdp(2))
	a.response(200, "UPDATE")
	w.hangsUp(a, b)
}

// TestReinviteBehindTheAnswer: one that comes at once, while the other leg is
// not quiet, is served (IMS networks send it).
func TestReinviteBehindTheAnswer(t *testing.T) {
	w := open(t)
	a, b := w.rings()
	b.says(200, w.mouthB.sdp(1))
	b.reinvite(w.mouthB.sdp(2, "a=sendonly"))
	b.response(200, "INVITE")
	b.ack("")
	b.reinvite(w.mouthB.sdp(3))
	w.mouthB.talksTo(b.response(200, "INVITE"))
	b.ack("")
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	w.bothHear()
	w.hangsUp(a, b)
}

// TestChallengedReinvite: one of ours is repeated with the proof.
func TestChallengedReinvite(t *testing.T) {
	w := open(t, quick, func(s *settings) {
		s.trunkA.Timer = trunk.Timer{Off: true}
		s.trunkB.Username, s.trunkB.Password = "us", "secret"
	})
	a, b := w.begins(nil, nil)
	m := b.refreshed("INVITE")
	b.reply(m, 401, "", `WWW-Authenticate: Digest realm="b", nonce="n1", qop="auth"`)
	again := b.refreshed("INVITE")
	require.Contains(t, again.get("Authorization"), `nonce="n1"`)
	require.Equal(t, m.body, again.body)
	b.reply(again, 200, w.mouthB.sdp(1))
	require.Contains(t, b.ackOf(again).get("Authorization"), `nonce="n1"`)
	w.bothHear()
	w.hangsUp(a, b)
}
