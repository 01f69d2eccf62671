package sip

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/sip/trunk"
)

// TestHoldIsRelayed: the other side is offered what the holding side has left,
// all of it again after the resume, and no more than that when it asks itself.
// From each side, over all transports.
func TestHoldIsRelayed(t *testing.T) {
	t.Parallel()
	relay := func(s *settings) { s.trunkA.Hold.Relay, s.trunkB.Hold.Relay = true, true }
	for name, c := range map[string]struct {
		line, offered, answered string
		byB                     bool
		transport               string
	}{
		"sendonly by A":           {"a=sendonly", "sendonly", "a=recvonly", false, "UDP"},
		"sendonly by B":           {"a=sendonly", "sendonly", "a=recvonly", true, "UDP"},
		"inactive by A over TCP":  {"a=inactive", "inactive", "a=inactive", false, "TCP"},
		"inactive by B over TLS":  {"a=inactive", "inactive", "a=inactive", true, "TLS"},
		"answered without a word": {"a=inactive", "inactive", "a=sendrecv", false, "UDP"},
	} {
		t.Run(name, func(t *testing.T) {
			var w *world
			switch c.transport {
			case "TLS":
				ca := certtest.New(t)
				w = secured(t, ca, relay)
				w.b.overTLS(ca, "b.example")
			case "TCP":
				w = open(t, relay, func(s *settings) { s.tcpA, s.tcpB = true, true })
			default:
				w = open(t, relay)
			}
			a, b := w.talk()
			w.bothHear()
			holder, other, mouthH, mouthO := a, b, w.mouthA, w.mouthB
			if c.byB {
				holder, other, mouthH, mouthO = b, a, w.mouthB, w.mouthA
			}
			holder.reinvite(mouthH.sdp(2, c.line))
			holder.response(200, "INVITE")
			holder.ack("")
			m := other.refreshed("INVITE")
			_, way := m.media(t)
			require.Equal(t, c.offered, way)
			other.reply(m, 200, mouthO.sdp(2, c.answered))
			other.ackOf(m)
			other.reinvite(mouthO.sdp(3))
			ok := other.response(200, "INVITE")
			_, way = ok.media(t)
			require.Equal(t, c.offered, way, "there is no more to be had while the other side holds")
			held := ok.version(t)
			other.ack("")
			holder.reinvite(mouthH.sdp(3))
			mouthH.talksTo(holder.response(200, "INVITE"))
			holder.ack("")
			m = other.refreshed("INVITE")
			_, way = m.media(t)
			require.Equal(t, "sendrecv", way)
			require.Equal(t, held+1, m.version(t))
			mouthO.talksTo(m)
			other.reply(m, 200, mouthO.sdp(4))
			other.ackOf(m)
			w.bothHear()
			a.bye()
			b.hungUp()
			w.ends(0, 0)
		})
	}
}

// TestHoldThatIsRefused: who cannot be told of a hold keeps its session, is not
// told of the resume, and both hear each other after it. Its next session
// timer says what it knows.
func TestHoldThatIsRefused(t *testing.T) {
	w := open(t, quick, func(s *settings) { s.trunkA.Hold.Relay, s.trunkA.Timer.Off = true, true })
	a, b := w.talk()
	w.bothHear()
	a.reinvite(w.mouthA.sdp(2, "a=inactive"))
	a.response(200, "INVITE")
	a.ack("")
	m := b.refreshed("INVITE")
	b.reply(m, 488, "")
	a.reinvite(w.mouthA.sdp(3))
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	w.bothHear()
	m = b.refreshed("INVITE") // for the timer
	require.Equal(t, b.invite.body, m.body, "the session that stands")
	b.reply(m, 200, w.mouthB.sdp(1))
	b.ackOf(m)
	w.bothHear()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestHoldTone: what one on hold hears of us, until the resume.
func TestHoldTone(t *testing.T) {
	clip := make([]byte, 800)
	for i := range clip {
		clip[i] = 0x31
	}
	for name, c := range map[string]struct {
		tone   string
		byB    bool
		prompt bool
	}{
		"a tone, for B":            {trunk.TonesOn, false, false},
		"a tone, for A":            {trunk.TonesOn, true, false},
		"a prompt again and again": {"hold.wav", false, true},
		"a tone for want of it":    {"gone.wav", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, func(s *settings) {
				s.trunkA.Hold.Tone, s.trunkB.Hold.Tone = c.tone, c.tone
				s.prompts = prompts{"hold.wav": clip}
			})
			a, b := w.talk()
			w.bothHear()
			holder, mouthH, mouthO := a, w.mouthA, w.mouthB
			if c.byB {
				holder, mouthH, mouthO = b, w.mouthB, w.mouthA
			}
			before := 0
			if !c.prompt {
				mouthO.mu.Lock()
				before = mouthO.tones
				mouthO.mu.Unlock()
			}
			holder.request("UPDATE", mouthH.sdp(2, "a=inactive"))
			holder.response(200, "UPDATE")
			if c.prompt {
				eventually(t, "the prompt plays more than once", mouthO.hears(0x31, 12))
			} else {
				eventually(t, "a tone", mouthO.tone(before+5))
			}
			holder.request("UPDATE", mouthH.sdp(3))
			mouthH.talksTo(holder.response(200, "UPDATE"))
			w.bothHear()
			a.bye()
			b.hungUp()
			w.ends(0, 0)
		})
	}
}

// TestSilenceOfOneWhoHolds is no loss of media, whatever its SDP says; after the
// resume it is.
func TestSilenceOfOneWhoHolds(t *testing.T) {
	w := open(t, func(s *settings) { s.inactive = 2 * time.Second })
	a, b := w.talk()
	w.bothHear()
	a.reinvite(w.mouthA.sdp(2, "a=sendonly"))
	a.response(200, "INVITE")
	a.ack("")
	for began := time.Now(); time.Since(began) < 4400*time.Millisecond; time.Sleep(20 * time.Millisecond) {
		w.mouthB.frame(0x22)
	}
	a.reinvite(w.mouthA.sdp(3))
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	w.bothHear()
	w.mouthB.until(0x22, "the caller's silence ends the call", func() bool { return w.srv.Calls() == 0 })
	a.hungUp()
	b.hungUp()
	w.ends(8020, 7505)
}

// TestRefusedHoldIsForgotten: a refresh that fails later does not take back once
// more what the failed hold took back, and with it what was agreed since.
func TestRefusedHoldIsForgotten(t *testing.T) {
	w := open(t, quick, func(s *settings) {
		s.trunkA.Timer = trunk.Timer{Off: true}
		s.trunkA.Hold.Relay = true
	})
	a, b := w.begins(nil, nil)
	a.reinvite(w.mouthA.sdp(2, "a=inactive"))
	a.response(200, "INVITE")
	a.ack("")
	b.reply(b.refreshed("INVITE"), 500, "", "Retry-After: 10")
	a.reinvite(w.mouthA.sdp(3))
	a.response(200, "INVITE")
	a.ack("")
	b.reinvite(w.mouthB.sdp(2, "a=sendonly"))
	b.response(200, "INVITE")
	b.ack("")
	refresh := b.refreshed("INVITE")
	_, way := refresh.media(t)
	require.Equal(t, "recvonly", way)
	b.reply(refresh, 500, "")
	require.Equal(t, refresh.body, b.refreshed("INVITE").body)
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}
