package sip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/routing"
	"axgate/sip/trunk"
)

// has describes an ear with other formats, and lines such as a=rtpmap behind.
func (e *ear) has(formats string, lines ...string) string {
	ip := e.addr.Addr().String()
	s := fmt.Sprintf("v=0\r\no=- 78 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP %s\r\n", ip, ip, e.addr.Port(), formats)
	for _, l := range lines {
		s += l + "\r\n"
	}
	return s
}

// says sends packets of a payload type until f holds; each has another length.
func (e *ear) says(pt uint8, what string, f func() bool) {
	e.t.Helper()
	for deadline, n := time.Now().Add(patience), 0; !f(); n++ {
		require.True(e.t, time.Now().Before(deadline), what)
		e.out(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: e.seq, Timestamp: e.ts, SSRC: e.ssrc}, Payload: make([]byte, 2+n%30)})
		e.seq++
		e.ts += 160
		time.Sleep(20 * time.Millisecond)
	}
}

func (e *ear) hasType(pt uint8, n int) func() bool {
	return func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.types[pt] >= n
	}
}

const event101 = "a=rtpmap:101 telephone-event/8000"

func g729(s *settings) {
	s.trunkA.Codecs = []string{"G729", "AMR", "PCMA", "PCMU"}
	s.trunkB.Codecs = []string{"AMR", "g729", "PCMA", "PCMU"}
}

func formats(m msg) string {
	for l := range strings.SplitSeq(m.body, "\r\n") {
		if strings.HasPrefix(l, "m=audio ") {
			return strings.SplitN(l, " ", 4)[3]
		}
	}
	return ""
}

// TestPassThrough: two legs that have G.729 talk by it, packets untouched, keys
// crossing; neither may leave it alone, and a re-INVITE keeps it.
func TestPassThrough(t *testing.T) {
	w := open(t, g729)
	a := w.a.dial(numX, numA, w.mouthA.has("8 18 101", event101, "a=fmtp:18 annexb=no"))
	b := w.b.ring()
	w.mouthB.talksTo(b.invite)
	require.Equal(t, "18 8 0 101", formats(b.invite))
	require.Contains(t, b.invite.body, "a=fmtp:18 annexb=no\r\n")
	b.says(183, w.mouthB.has("18 101", event101))
	early := a.response(183, "INVITE")
	require.Equal(t, "18 101", formats(early))
	require.Contains(t, early.body, "a=fmtp:18 annexb=no\r\n", "one side's no is both sides' no")
	w.mouthA.talksTo(early)
	w.mouthB.says(18, "A hears early media", w.mouthA.hasType(18, 2))
	b.says(200, w.mouthB.has("18 101", event101))
	b.acked()
	require.Equal(t, early.body, a.response(200, "INVITE").body)
	a.ack("")
	w.mouthA.says(18, "B hears A", w.mouthB.hasType(18, 3))
	w.mouthB.says(18, "A hears B", w.mouthA.hasType(18, 5))
	w.mouthA.press("7")
	eventually(t, "a key crosses", func() bool { return string(w.mouthB.pressed()) == "\x07" })

	a.reinvite(w.mouthA.has("8 0"))
	a.fails(488)
	a.reinvite(w.mouthA.has("8 18 101", event101, "a=fmtp:18 annexb=no"))
	require.Equal(t, "18 101", formats(a.response(200, "INVITE")))
	a.ack("")
	b.reinvite("")
	offer := b.response(200, "INVITE")
	require.Equal(t, "18 101", formats(offer), "what the other leg has not is not offered")
	b.ack(w.mouthB.has("18 101", event101))
	w.mouthA.says(18, "B hears A still", w.mouthB.hasType(18, 8))
	w.mouthB.mu.Lock()
	require.Zero(t, w.mouthB.types[8])
	w.mouthB.mu.Unlock()
	a.bye()
	b.hungUp()
	rec := w.ends(0, 0)
	require.Positive(t, rec.CallerLeg.Received)
	eventually(t, "the audio is told", func() bool { return strings.Count(w.logged(), `"message":"audio"`) == 2 })
}

// TestWhenNothingIsPassed: what has to be heard, played or recorded is G.711,
// and so is what the caller was answered with before.
func TestWhenNothingIsPassed(t *testing.T) {
	t.Parallel()
	record := func(q routing.Question) (routing.Decision, error) {
		d := connect(q)
		d.Record = true
		return d, nil
	}
	warn := func(q routing.Question) (routing.Decision, error) {
		d := connect(q)
		d.MaxMinutes, d.LastMinute = 5, "last"
		return d, nil
	}
	for name, c := range map[string]struct {
		change  func(*settings)
		decide  func(routing.Question) (routing.Decision, error)
		offered string
	}{
		"it may be":           {offered: "18 8 0 101"},
		"recorded":            {decide: record, offered: "8 0 101"},
		"a warning":           {decide: warn, offered: "8 0 101"},
		"a prompt before":     {change: func(s *settings) { s.prompts = prompts{string(routing.SceneNone): clip(0x31, 40*time.Millisecond)} }, offered: "8 0 101"},
		"tones of A":          {change: func(s *settings) { s.trunkA.DTMF = trunk.Tones }, offered: "8 0 101"},
		"tones of B":          {change: func(s *settings) { s.trunkB.DTMF = trunk.Tones }, offered: "8 0 101"},
		"B's trunk has none":  {change: func(s *settings) { s.trunkB.Codecs = nil }, offered: "8 0 101"},
		"A's trunk has none":  {change: func(s *settings) { s.trunkA.Codecs = []string{"PCMA"} }, offered: "8 0 101"},
		"B's order":           {change: func(s *settings) { s.trunkB.Codecs = []string{"PCMU", "G729", "PCMA"} }, offered: "0 18 8 101"},
		"only what B carries": {change: func(s *settings) { s.trunkB.Codecs = []string{"G722", "AMR"} }, offered: "8 0 101"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, g729, func(s *settings) {
				if c.change != nil {
					c.change(s)
				}
			})
			w.router.decides(c.decide)
			a := w.a.dial(numX, numA, w.mouthA.has("18 8 101", event101))
			b := w.b.ring()
			require.Equal(t, c.offered, formats(b.invite))
			w.mouthB.talksTo(b.invite)
			b.says(200, w.mouthB.has("8 101", event101))
			b.acked()
			ok := a.response(200, "INVITE")
			require.Equal(t, "8 101", formats(ok), "B took G.711, so A has it too")
			w.mouthA.talksTo(ok)
			a.ack("")
			w.bothHear()
			a.bye()
			b.hungUp()
			w.ends(0, 0)
		})
	}
}

// TestNoCodecInCommon is 488 for the caller, whoever has too little.
func TestNoCodecInCommon(t *testing.T) {
	t.Parallel()
	t.Run("a caller without G.711 and a callee with nothing else", func(t *testing.T) {
		w := open(t, g729)
		a := w.a.dial(numX, numA, w.mouthA.has("18 101", event101))
		b := w.b.ring()
		require.Equal(t, "18 101", formats(b.invite), "G.711 is of no use")
		b.says(200, w.mouthB.has("8"))
		b.acked()
		b.hungUp()
		a.fails(488)
		w.ends(8020, 7506)
	})
	t.Run("a trunk that does not carry it", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkA.Codecs = []string{"G729"} })
		a := w.a.dial(numX, numA, w.mouthA.has("18 101", event101))
		a.fails(488)
		require.Equal(t, "no_common_codec", w.journal.ended(t).EndWord)
	})
	t.Run("a recorded call", func(t *testing.T) {
		w := open(t, g729)
		w.router.decides(func(q routing.Question) (routing.Decision, error) {
			d := connect(q)
			d.Record = true
			return d, nil
		})
		w.a.dial(numX, numA, w.mouthA.has("18")).fails(488)
		w.ends(8020, 7506)
	})
	t.Run("phones that answer with other codecs", func(t *testing.T) {
		w := open(t, g729)
		a := w.a.dial(numX, numA, w.mouthA.has("18 8 101", event101))
		b := w.b.ring()
		b.says(183, w.mouthB.has("18 101", event101))
		require.Equal(t, "18 101", formats(a.response(183, "INVITE")))
		b.mine = unique("other")
		b.says(200, w.mouthB.has("8 101", event101))
		b.acked()
		b.hungUp()
		a.fails(488)
		rec := w.ends(8020, 7506)
		require.Equal(t, events.Kind(events.Fee), w.journal.kinds(rec.Session)[len(w.journal.kinds(rec.Session))-1])
	})
}

// TestPacketSizes: each side gets packets of the size that it asked for.
func TestPacketSizes(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1, "a=ptime:30"))
	b := w.b.ring()
	w.mouthB.talksTo(b.invite)
	b.says(200, w.mouthB.sdp(1, "a=ptime:40", "a=maxptime:10"))
	b.acked()
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	w.bothHear()
	toA, toB := w.mouthA.count(0x22), w.mouthB.count(0x11)
	for range 30 {
		w.mouthA.frame(0x11)
		w.mouthB.frame(0x22)
		time.Sleep(5 * time.Millisecond)
	}
	eventually(t, "two for each packet", w.mouthB.hears(0x11, toB+60))
	eventually(t, "two for three packets", w.mouthA.hears(0x22, toA+20))
	require.LessOrEqual(t, w.mouthB.count(0x11), toB+62)
	require.LessOrEqual(t, w.mouthA.count(0x22), toA+22)
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestRTPTimeout is the trunk's own: who falls silent ends the call, who is on
// hold does not.
func TestRTPTimeout(t *testing.T) {
	t.Run("silent", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.Media.Timeout = 5 * time.Second })
		a, b := w.talk()
		for done := make(chan struct{}); ; {
			go func() { b.hungUp(); close(done) }()
			w.mouthA.until(0x11, "B is hung up", func() bool {
				select {
				case <-done:
					return true
				default:
					return false
				}
			})
			break
		}
		a.hungUp()
		require.Equal(t, "callee_media_gone", w.ends(8020, 7506).EndWord)
	})
	t.Run("off", func(t *testing.T) {
		w := open(t, func(s *settings) {
			s.inactive, s.trunkA.Media.Patient, s.trunkB.Media.Patient = 300*time.Millisecond, true, true
		})
		a, b := w.talk()
		for range 60 { // A is heard, B is not
			w.mouthA.frame(0x11)
			time.Sleep(20 * time.Millisecond)
		}
		w.bothHear()
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("on hold", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.Media.Timeout = 5 * time.Second })
		a, b := w.talk()
		w.bothHear()
		b.reinvite(w.mouthB.sdp(2, "a=sendonly"))
		b.response(200, "INVITE")
		b.ack("")
		time.Sleep(5500 * time.Millisecond)
		b.reinvite(w.mouthB.sdp(3))
		b.response(200, "INVITE")
		b.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
}

// TestMuxByTrunk: RTCP on the port of RTP where the trunk says so.
func TestMuxByTrunk(t *testing.T) {
	w := open(t, func(s *settings) { s.trunkB.Media.Mux = 1 })
	a := w.a.dial(numX, numA, w.mouthA.sdp(1, "a=rtcp-mux"))
	b := w.b.ring()
	require.Contains(t, b.invite.body, "a=rtcp-mux\r\n")
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	ok := a.response(200, "INVITE")
	require.Contains(t, ok.body, "a=rtcp-mux\r\n")
	require.NotContains(t, ok.body, "a=rtcp:")
	a.ack("")
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestPassedCodecBeforeTheAnswer: nobody can make ring-back or tones of a codec
// that is passed through. The log says so, the call goes on, and digits go by
// SIP INFO to who has no telephone-events but that.
func TestPassedCodecBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for name, allow := range map[string]string{"INFO": "Allow: INVITE, ACK, BYE, INFO", "no INFO": "Allow: INVITE, ACK, BYE"} {
		t.Run(name, func(t *testing.T) {
			w := open(t, g729)
			a := w.a.dial(numX, numA, w.mouthA.has("18 101", event101))
			b := w.b.ring()
			w.mouthB.talksTo(b.invite)
			b.says(183, w.mouthB.has("18"))
			w.mouthA.talksTo(a.response(183, "INVITE"))
			eventually(t, "the log says it", func() bool { return strings.Contains(w.logged(), "no ring-back: the caller's codec is passed through") })
			b.says(180, "")
			a.response(180, "INVITE")
			b.says(200, w.mouthB.has("18"), allow)
			b.acked()
			a.response(200, "INVITE")
			a.ack("")
			w.mouthA.says(18, "B hears A", w.mouthB.hasType(18, 3))
			w.mouthA.press("7")
			if name == "INFO" {
				require.Equal(t, "7", b.pressedInfo(200))
			} else {
				w.b.never(200*time.Millisecond, "INFO", func(m msg) bool { return m.method() == "INFO" })
			}
			w.mouthB.says(18, "A hears B", w.mouthA.hasType(18, 3))
			require.Equal(t, 1, strings.Count(w.logged(), "no ring-back"))
			a.bye()
			b.hungUp()
			w.ends(0, 0)
		})
	}
}
