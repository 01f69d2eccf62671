package sip

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
)

// TestStillTrying: while it rings long, the caller's proxies are told again and
// again that it does (RFC 3261 section 13.3.1.1).
func TestStillTrying(t *testing.T) {
	often := func(s *settings) { s.cfg.repeat = 150 * time.Millisecond }
	t.Run("the last word is repeated", func(t *testing.T) {
		w := open(t, often)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		progress := a.response(183, "INVITE")
		require.Empty(t, progress.body, "nobody has said anything yet")
		b.says(180, "")
		ringing := a.response(180, "INVITE")
		eventually(t, "it is said again", func() bool { return w.a.times(ringing) > 2 })
		b.says(486, "")
		a.fails(486)
		was := w.a.times(ringing)
		time.Sleep(400 * time.Millisecond)
		require.Equal(t, was, w.a.times(ringing), "the end is the end")
	})
	t.Run("reliably: a number of its own each time, and no SDP", func(t *testing.T) {
		w := open(t, often)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), "Require: 100rel")
		b := w.b.ring()
		b.says(183, w.mouthB.sdp(1))
		last := a.response(183, "INVITE")
		for last.body == "" { // it was said before B spoke
			a.prack(last, 200, "")
			last = a.response(183, "INVITE")
		}
		rseq := func() (n int) {
			_, err := fmt.Sscan(last.get("RSeq"), &n)
			require.NoError(t, err)
			return n
		}
		for range 3 {
			was := rseq()
			a.prack(last, 200, "")
			last = a.response(183, "INVITE")
			require.Equal(t, was+1, rseq())
			require.Empty(t, last.body, "it would be an offer")
			require.Equal(t, "100rel", last.get("Require"))
		}
		a.prack(last, 200, "")
		b.says(486, "")
		a.fails(486)
	})
	t.Run("not to who may have nothing that is not reliable", func(t *testing.T) {
		w := open(t, often, func(s *settings) { s.trunkA.Early.NoMedia = true })
		a := w.a.dial(numX, numA, "", "Require: 100rel")
		b := w.b.ring()
		w.mouthB.talksTo(b.invite)
		b.says(180, "")
		b.says(183, w.mouthB.sdp(1))
		w.a.never(500*time.Millisecond, "an unreliable response", func(m msg) bool { return m.status() > 100 })
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.ack(w.mouthA.sdp(1))
		w.bothHear()
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
}

// TestProgressWithoutSDP: 183 without SDP of the callee's network is told, and
// opens no audio.
func TestProgressWithoutSDP(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string][]string{"plain": nil, "reliable": {can}} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1), headers...)
			b := w.b.ring()
			w.mouthB.talksTo(b.invite)
			b.says(183, "", "P-Asserted-Identity: <sip:"+numB+"@h>")
			progress := a.response(183, "INVITE")
			require.Empty(t, progress.body)
			require.Equal(t, headers != nil, progress.get("RSeq") != "")
			require.Empty(t, hidden(progress.raw, numB))
			if headers != nil {
				a.prack(progress, 200, "")
			}
			b.says(183, w.mouthB.sdp(1))
			early := w.a.await("183 with SDP", func(m msg) bool { return m.status() == 183 && m.body != "" })
			if headers != nil {
				a.prack(early, 200, "")
			}
			w.mouthA.talksTo(early)
			w.mouthB.until(0x22, "A hears the callee's network", w.mouthA.hears(0x22, 3))
			b.says(200, w.mouthB.sdp(1))
			b.acked()
			a.response(200, "INVITE")
			a.ack("")
			w.bothHear()
			a.bye()
			b.hungUp()
			require.False(t, w.ends(0, 0).Alerting.IsZero())
		})
	}
	t.Run("an offer goes with it where the INVITE had none", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.Early.Reliable = trunk.ReliableOff })
		a := w.a.dial(numX, numA, "", "Require: 100rel")
		b := w.b.ring()
		b.says(183, "")
		progress := a.response(183, "INVITE")
		require.NotEmpty(t, progress.body)
		a.prack(progress, 200, w.mouthA.sdp(1))
		w.a.never(100*time.Millisecond, "another that says the same", func(m msg) bool { return m.status() == 183 })
		b.says(486, "")
		a.fails(486)
	})
}
