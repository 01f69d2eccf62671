package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHold: each way of hold from each side, answered with the direction of
// RFC 3264 section 6.1, and the audio back after the resume. The other leg is
// not disturbed.
func TestHold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line, address string
		answer        string
	}{
		"sendonly":            {line: "a=sendonly", answer: "recvonly"},
		"inactive":            {line: "a=inactive", answer: "inactive"},
		"address 0.0.0.0":     {address: "0.0.0.0", answer: "recvonly"},
		"0.0.0.0, inactive":   {line: "a=inactive", address: "0.0.0.0", answer: "inactive"},
		"recvonly, no hold":   {line: "a=recvonly", answer: "sendonly"},
		"unchanged, sendrecv": {answer: "sendrecv"},
	} {
		for _, byB := range []bool{false, true} {
			who := " by A"
			if byB {
				who = " by B"
			}
			t.Run(name+who, func(t *testing.T) {
				w := open(t)
				a, b := w.talk()
				w.bothHear()
				holder, mouth, other := a, w.mouthA, w.b
				if byB {
					holder, mouth, other = b, w.mouthB, w.a
				}
				quietBefore := len(other.everything())
				lines := []string{}
				if c.line != "" {
					lines = append(lines, c.line)
				}
				ip := mouth.addr.Addr().String()
				if c.address != "" {
					ip = c.address
				}
				holder.reinvite(mouth.sdpAt(ip, 2, lines...))
				ok := holder.response(200, "INVITE")
				_, way := ok.media(t)
				require.Equal(t, c.answer, way)
				first := ok.version(t)
				holder.ack("")
				if c.answer == "recvonly" || c.answer == "inactive" {
					time.Sleep(60 * time.Millisecond)
					before := mouth.packets()
					time.Sleep(150 * time.Millisecond)
					require.InDelta(t, before, mouth.packets(), 1, "one on hold is sent nothing")
				}
				holder.reinvite(mouth.sdp(3))
				ok = holder.response(200, "INVITE")
				_, way = ok.media(t)
				require.Equal(t, "sendrecv", way)
				if c.answer == "sendrecv" {
					require.Equal(t, first, ok.version(t), "the same description has the same version")
				} else {
					require.Equal(t, first+1, ok.version(t))
				}
				mouth.talksTo(ok)
				holder.ack("")
				w.bothHear()
				require.Len(t, other.everything(), quietBefore, "the other leg is not told")
				a.bye()
				b.hungUp()
				w.ends(0, 0)
			})
		}
	}
}

func TestReinviteWithoutOffer(t *testing.T) {
	t.Parallel()
	for _, byB := range []bool{false, true} {
		t.Run(map[bool]string{false: "A", true: "B"}[byB], func(t *testing.T) {
			w := open(t)
			a, b := w.talk()
			s, mouth := a, w.mouthA
			if byB {
				s, mouth = b, w.mouthB
			}
			s.reinvite("")
			ok := s.response(200, "INVITE")
			_, way := ok.media(t)
			require.Equal(t, "sendrecv", way)
			first := ok.version(t)
			s.ack(mouth.sdp(2))
			w.bothHear()
			s.reinvite("")
			ok = s.response(200, "INVITE")
			require.Equal(t, first, ok.version(t))
			s.ack("") // no answer: the session stays as it was
			w.bothHear()
			s.reinvite(mouth.sdp(3, "a=inactive"))
			s.response(200, "INVITE")
			s.ack("")
			s.reinvite("") // a resume that lets us speak first
			ok = s.response(200, "INVITE")
			_, way = ok.media(t)
			require.Equal(t, "sendrecv", way)
			mouth.talksTo(ok)
			s.ack(mouth.sdp(4))
			w.bothHear()
			before := s.lastInviteSeq
			moved := newEar(t, s.p.addr.Addr())
			s.reinvite("")
			moved.talksTo(s.response(200, "INVITE"))
			s.p.send(s.text("ACK", before, unique("z9hG4bK"), "")) // one that was late
			s.ack(moved.sdp(5))
			other := w.mouthB
			if byB {
				other = w.mouthA
			}
			other.until(0x55, "the audio moves with the answer", moved.hears(0x55, 3))
			a.bye()
			b.hungUp()
		})
	}
}

// TestMediaMoves: a re-INVITE with another address moves the audio there.
func TestMediaMoves(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	w.bothHear()
	moved := newEar(t, w.a.addr.Addr())
	a.reinvite(moved.sdp(2))
	moved.talksTo(a.response(200, "INVITE"))
	a.ack("")
	w.mouthB.until(0x55, "A hears B at its new place", moved.hears(0x55, 3))
	moved.until(0x66, "B hears A from there", w.mouthB.hears(0x66, 3))
	a.bye()
	b.hungUp()
}

func TestRefusedReinvite(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	for name, c := range map[string]struct {
		sdp    string
		status int
		header string
	}{
		"no codec in common": {strings.NewReplacer("RTP/AVP 8 0 101", "RTP/AVP 18", "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n", "").Replace(w.mouthA.sdp(2)), 488, ""},
		"SRTP only":          {strings.Replace(w.mouthA.sdp(2), "RTP/AVP", "RTP/SAVP", 1), 488, ""},
		"no audio":           {strings.Replace(w.mouthA.sdp(2), "m=audio", "m=video", 1), 488, ""},
		"garbage":            {"hello", 400, ""},
		"other type":         {"{}", 415, "Content-Type: application/json"},
		"unknown extension":  {w.mouthA.sdp(2), 420, "Require: precondition"},
	} {
		var headers []string
		if c.header != "" {
			headers = append(headers, c.header)
		}
		a.reinvite(c.sdp, headers...)
		m := a.fails(c.status)
		if c.status == 415 {
			require.Equal(t, "application/sdp", m.get("Accept"), name)
		}
		require.NotEmpty(t, m.start, name)
		w.bothHear()
	}
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestInviteWithoutOffer: our offer goes out with the 200, the answer comes
// with the ACK.
func TestInviteWithoutOffer(t *testing.T) {
	t.Parallel()
	t.Run("answered in the ACK", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, "")
		b := w.b.ring()
		require.Contains(t, b.invite.body, "m=audio", "the callee is offered all we have")
		w.mouthB.talksTo(b.invite)
		b.says(183, w.mouthB.sdp(1))
		w.a.never(50*time.Millisecond, "an offer in an unreliable response", func(m msg) bool { return m.status() == 183 })
		b.says(180, "")
		require.Empty(t, a.response(180, "INVITE").body)
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		ok := a.response(200, "INVITE")
		w.mouthA.talksTo(ok)
		require.Contains(t, ok.body, "telephone-event")
		a.ack(w.mouthA.sdp(1))
		w.bothHear()
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("never answered", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, "")
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		a.response(200, "INVITE")
		a.ack("")
		a.hungUp()
		b.hungUp()
		w.ends(8020, 7505)
	})
}
