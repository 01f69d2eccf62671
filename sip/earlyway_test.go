package sip

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestEarlyWays: what a trunk may want of a call that is not answered yet.
func TestEarlyWays(t *testing.T) {
	t.Parallel()
	greeted := func(w *world) {
		w.router.decides(func(q routing.Question) (routing.Decision, error) {
			d := connect(q)
			d.Prompt = "hello.wav"
			return d, nil
		})
	}
	hello := func(s *settings) { s.prompts = prompts{"hello.wav": clip(0x51, 4*time.Second)} }
	t.Run("no audio before the answer", func(t *testing.T) {
		w := open(t, hello, func(s *settings) {
			s.trunkA.Early.NoMedia = true
			s.prompts[string(routing.SceneFault)] = clip(0x31, 200*time.Millisecond)
		})
		greeted(w)
		a, b := w.rings()
		b.says(183, w.mouthB.sdp(1))
		require.Empty(t, a.response(180, "INVITE").body, "the caller's own side rings")
		b.says(503, "")
		ok := a.response(200, "INVITE")
		w.mouthA.talksTo(ok)
		a.ack("")
		eventually(t, "the prompt", w.mouthA.hears(0x31, 5))
		require.Contains(t, a.hungUp().get("Reason"), "Q.850;cause=")
		require.Zero(t, w.mouthA.count(0x51))
		require.True(t, w.ends(8020, 7506).Answered.IsZero(), "nobody talked")
	})
	t.Run("and no prompt is no reason to answer", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkA.Early.NoMedia = true })
		a, b := w.rings()
		b.says(486, "")
		a.fails(486)
	})
	t.Run("early media cuts the prompt", func(t *testing.T) {
		w := open(t, hello, func(s *settings) { s.trunkB.Early.CutPrompt = true })
		greeted(w)
		a, b := w.rings()
		w.mouthA.talksTo(a.response(183, "INVITE"))
		eventually(t, "the prompt", w.mouthA.hears(0x51, 3))
		b.says(183, w.mouthB.sdp(1))
		w.mouthB.until(0x22, "A hears the callee's network", w.mouthA.hears(0x22, 5))
		require.Less(t, w.mouthA.count(0x51), 190)
		b.says(486, "")
		a.fails(486)
	})
	t.Run("its own patience with silence", func(t *testing.T) {
		w := open(t, func(s *settings) {
			s.cfg.RingbackIn = time.Hour
			s.trunkB.Early.RingbackWait = 50 * time.Millisecond
		})
		a, b := w.rings()
		b.says(183, w.mouthB.sdp(1))
		w.mouthA.talksTo(a.response(183, "INVITE"))
		eventually(t, "ring-back", w.mouthA.tone(5))
		b.says(486, "")
		a.fails(486)
	})
	t.Run("P-Early-Media is obeyed and told", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkA.Early.Header, s.trunkB.Early.Header = true, true })
		a, b := w.rings()
		require.Equal(t, "supported", b.invite.get("P-Early-Media"))
		b.says(183, w.mouthB.sdp(1), "P-Early-Media: Inactive, 13900000002, gated")
		early := a.response(183, "INVITE")
		w.mouthA.talksTo(early)
		require.Equal(t, "inactive, gated", early.get("P-Early-Media"), "known words and no others")
		w.mouthB.until(0x22, "our ring-back meanwhile", w.mouthA.tone(3))
		require.Zero(t, w.mouthA.count(0x22), "it is not meant to be heard")
		b.says(180, "", "P-Early-Media: sendonly")
		require.Equal(t, "sendonly", a.response(180, "INVITE").get("P-Early-Media"))
		w.mouthB.until(0x22, "now it is", w.mouthA.hears(0x22, 3))
		b.says(183, "", "P-Early-Media: inactive")
		was := 0
		w.mouthB.until(0x22, "and no more", func() bool {
			n := w.mouthA.count(0x22)
			same := n == was
			was = n
			return same
		})
		b.says(486, "")
		a.fails(486)
	})
	t.Run("not told to others", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		require.Empty(t, b.invite.get("P-Early-Media"))
		b.says(183, w.mouthB.sdp(1), "P-Early-Media: sendrecv")
		require.Empty(t, a.response(183, "INVITE").get("P-Early-Media"))
		b.says(486, "")
		a.fails(486)
	})
	t.Run("forwarded, queued, ringing", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		for _, status := range []int{181, 182, 180} {
			b.says(status, "", "Diversion: <sip:"+numB+"@h>")
			require.Empty(t, a.response(status, "INVITE").body)
		}
		b.says(486, "")
		a.fails(486)
	})
	t.Run("180 with SDP after 183 is told", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(183, w.mouthB.sdp(1))
		a.response(183, "INVITE")
		b.says(180, w.mouthB.sdp(1))
		require.Empty(t, a.response(180, "INVITE").body)
		b.says(486, "")
		a.fails(486)
	})
	t.Run("the caller leaves before there is a callee", func(t *testing.T) {
		w := open(t)
		wait, asked := make(chan struct{}), make(chan struct{})
		w.router.decides(func(q routing.Question) (routing.Decision, error) {
			close(asked)
			<-wait
			return connect(q), nil
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		<-asked
		a.cancel()
		a.response(200, "CANCEL")
		close(wait)
		a.fails(487)
		eventually(t, "it is over", func() bool { return w.open() == 0 })
		require.Empty(t, w.b.everything(), "nobody was called")
	})
}

// TestEarlyDigits: keys of a caller who is not answered.
func TestEarlyDigits(t *testing.T) {
	early := func(s *settings) { s.trunkA.Early.Digits = true }
	for name, headers := range map[string][]string{"plain": nil, "reliable": {can}} {
		t.Run(name, func(t *testing.T) {
			w := openAXE(t, 0, early)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1), headers...)
			progress := a.response(183, "INVITE")
			w.mouthA.talksTo(progress)
			if headers != nil {
				a.prack(progress, 200, "")
			}
			w.mouthA.press("0007")
			b := w.b.ring()
			w.mouthB.talksTo(b.invite)
			b.says(180, "")
			ringing := a.response(180, "INVITE")
			if headers != nil {
				a.prack(ringing, 200, "")
			}
			b.says(200, w.mouthB.sdp(1))
			b.acked()
			a.response(200, "INVITE")
			a.ack("")
			w.bothHear()
			a.bye()
			b.hungUp()
		})
	}
	t.Run("who cannot be heard before is answered", func(t *testing.T) {
		w := openAXE(t, 0, early)
		a := w.a.dial(numX, numA, "")
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.ack(w.mouthA.sdp(1))
		w.mouthA.press("0007")
		b := w.b.ring()
		b.says(486, "")
		a.hungUp()
	})
	t.Run("who leaves meanwhile", func(t *testing.T) {
		w := openAXE(t, 0, early)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.response(183, "INVITE")
		a.cancel()
		a.fails(487)
	})
}
