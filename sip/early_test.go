package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

func TestEarlyMedia(t *testing.T) {
	t.Parallel()
	t.Run("183 with SDP opens the way to the caller only", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(183, w.mouthB.sdp(1))
		early := a.response(183, "INVITE")
		w.mouthA.talksTo(early)
		w.mouthB.until(0x22, "A hears the callee's network", w.mouthA.hears(0x22, 3))
		for range 10 {
			w.mouthA.frame(0x11)
			time.Sleep(10 * time.Millisecond)
		}
		require.Zero(t, w.mouthB.count(0x11), "nobody hears the caller before the answer")
		b.says(180, "")
		require.Empty(t, a.response(180, "INVITE").body, "a later 180 is relayed")
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		ok := a.response(200, "INVITE")
		require.Equal(t, early.body, ok.body, "the answer does not change between 183 and 200")
		require.Equal(t, early.tag("To"), ok.tag("To"))
		a.ack("")
		w.bothHear()
		w.hangsUp(a, b)
	})
	t.Run("180 with SDP becomes 183", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(180, w.mouthB.sdp(1))
		a.response(183, "INVITE")
		b.says(200, w.mouthB.sdp(1))
		a.response(200, "INVITE")
		b.acked()
		a.ack("")
		a.bye()
		b.hungUp()
	})
	t.Run("SDP without audio: our ring-back, until audio comes", func(t *testing.T) {
		w := open(t, func(s *settings) { s.cfg.RingbackIn = time.Second })
		a, b := w.rings()
		b.says(183, w.mouthB.sdp(1))
		w.mouthA.talksTo(a.response(183, "INVITE"))
		require.False(t, w.mouthA.tone(1)())
		eventually(t, "ring-back", w.mouthA.tone(10))
		w.mouthB.until(0x22, "A hears the callee's network", w.mouthA.hears(0x22, 20))
		a.cancel()
		b.cancelled()
		a.fails(487)
		w.ends(7502, 8009)
	})
	t.Run("183 with SDP, then busy: the caller heard the tone", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(183, w.mouthB.sdp(1))
		w.mouthA.talksTo(a.response(183, "INVITE"))
		w.mouthB.until(0x22, "A hears the tone", w.mouthA.hears(0x22, 3))
		b.says(486, "")
		a.fails(486)
		w.ends(8102, 8102)
	})
	t.Run("the 200 has no SDP of its own", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(183, w.mouthB.sdp(1))
		w.mouthA.talksTo(a.response(183, "INVITE"))
		b.says(200, "")
		b.acked()
		a.response(200, "INVITE")
		a.ack("")
		w.bothHear()
		w.hangsUp(a, b)
	})
	t.Run("no SDP at all", func(t *testing.T) {
		w := open(t, func(s *settings) { s.prompts = prompts{string(routing.SceneFault): clip(0x31, time.Second)} })
		a, b := w.rings()
		b.says(200, "")
		b.acked()
		b.hungUp()
		w.a.never(200*time.Millisecond, "the end while the prompt is still to come", func(m msg) bool { return m.status() == 503 })
		a.response(183, "INVITE")
		a.fails(503)
		require.True(t, w.ends(8020, 7506).Answered.IsZero())
	})
	t.Run("SDP that nothing can be made of", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(183, "v=0\r\nm=audio\r\n")
		b.says(200, strings.Replace(w.mouthB.sdp(1), "m=audio", "m=image", 1))
		b.acked()
		b.hungUp()
		a.fails(503)
		w.ends(8020, 7506)
	})
}

// TestPreCallPrompt: it plays to its end while the phone rings, then the
// callee's early media or ring-back; the answer cuts it.
func TestPreCallPrompt(t *testing.T) {
	t.Parallel()
	decide := func(q routing.Question) (routing.Decision, error) {
		d := connect(q)
		d.Prompt = "hello.wav"
		return d, nil
	}
	with := func(length time.Duration) func(*settings) {
		return func(s *settings) { s.prompts = prompts{"hello.wav": clip(0x51, length)} }
	}
	t.Run("then ring-back", func(t *testing.T) {
		w := open(t, with(300*time.Millisecond))
		w.router.decides(decide)
		a, b := w.rings()
		a.response(183, "INVITE")
		b.says(180, "")
		a.response(180, "INVITE")
		eventually(t, "the prompt", w.mouthA.hears(0x51, 14))
		eventually(t, "ring-back", w.mouthA.tone(10))
		w.answers(a, b)
		a.bye()
		b.hungUp()
	})
	t.Run("over the callee's early media, which follows", func(t *testing.T) {
		w := open(t, with(400*time.Millisecond))
		w.router.decides(decide)
		a, b := w.rings()
		w.mouthA.talksTo(a.response(183, "INVITE"))
		b.says(183, w.mouthB.sdp(1))
		w.mouthB.until(0x22, "A hears the callee's network", w.mouthA.hears(0x22, 5))
		require.GreaterOrEqual(t, w.mouthA.count(0x51), 18, "the prompt was heard to its end")
		b.says(486, "")
		a.fails(486)
	})
	t.Run("cut by the answer", func(t *testing.T) {
		w := open(t, with(5*time.Second))
		w.router.decides(decide)
		a, b := w.rings()
		w.mouthA.talksTo(a.response(183, "INVITE"))
		eventually(t, "the prompt", w.mouthA.hears(0x51, 5))
		w.answers(a, b)
		w.bothHear()
		require.Less(t, w.mouthA.count(0x51), 200)
		a.bye()
		b.hungUp()
	})
}
