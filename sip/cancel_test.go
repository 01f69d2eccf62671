package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

func TestCancel(t *testing.T) {
	t.Parallel()
	t.Run("before the callee's side said anything", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		a.cancel()
		a.response(200, "CANCEL")
		require.Equal(t, "Q.850;cause=16", a.fails(487).get("Reason"))
		w.b.never(50*time.Millisecond, "CANCEL before a provisional response", func(m msg) bool { return m.method() == "CANCEL" })
		b.says(180, "")
		got := b.cancelled()
		require.Equal(t, b.invite.get("Via"), got.get("Via"))
		require.Equal(t, b.invite.get("To"), got.get("To"))
		require.Equal(t, b.invite.get("From"), got.get("From"))
		require.Equal(t, b.invite.uri(), got.uri())
		require.Equal(t, "1 CANCEL", got.get("CSeq"))
		require.Equal(t, "Q.850;cause=16", got.get("Reason"))
		require.Equal(t, 1, w.ends(7501, 7501).ReleasedBy)
	})
	t.Run("and the callee's side never says anything", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring()
		a.cancel()
		a.fails(487)
		w.ends(7501, 7501)
	})
	t.Run("after 100", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(100, "")
		time.Sleep(20 * time.Millisecond)
		a.cancel()
		b.cancelled()
		a.fails(487)
		w.ends(7501, 7501)
	})
	t.Run("while it rings", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(180, "")
		a.response(180, "INVITE")
		a.cancel()
		a.response(200, "CANCEL")
		b.cancelled()
		a.fails(487)
		require.Equal(t, 1, w.ends(7502, 8009).ReleasedBy)
	})
	t.Run("before there is a callee", func(t *testing.T) {
		w := open(t)
		wait := make(chan struct{})
		w.router.decides(func(q routing.Question) (routing.Decision, error) { <-wait; return connect(q), nil })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.response(100, "INVITE")
		a.cancel()
		a.response(200, "CANCEL")
		close(wait)
		a.fails(487)
		w.ends(7501, 7501)
		require.Empty(t, w.b.everything())
	})
	t.Run("while it is decided that it is refused", func(t *testing.T) {
		w := open(t, func(s *settings) { s.prompts = prompts{"sorry.wav": clip(0x31, time.Second)} })
		wait := make(chan struct{})
		w.router.decides(func(q routing.Question) (routing.Decision, error) {
			<-wait
			d := connect(q)
			d.Step, d.End, d.Prompt = routing.Refuse, routing.EndNoCallee, "sorry.wav"
			return d, nil
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.response(100, "INVITE")
		a.cancel()
		a.response(200, "CANCEL")
		close(wait)
		a.fails(487)
		w.ends(8013, 8013)
		for _, raw := range w.a.everything() {
			require.NotContains(t, raw, "SIP/2.0 183", "nobody is there to hear the prompt")
		}
	})
	t.Run("in early media", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(183, w.mouthB.sdp(1))
		a.response(183, "INVITE")
		a.cancel()
		b.cancelled()
		a.fails(487)
		w.ends(7502, 8009)
	})
	t.Run("BYE in place of it", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		b.says(180, "")
		a.response(180, "INVITE")
		a.request("BYE", "")
		a.response(200, "BYE")
		b.cancelled()
		a.lastInviteSeq = 1
		a.fails(487)
		w.ends(7502, 8009)
	})
	t.Run("from elsewhere", func(t *testing.T) {
		w := open(t)
		a, b := w.rings()
		w.b.send(a.text("CANCEL", 1, a.branch, ""))
		w.b.await("481", func(m msg) bool {
			return m.status() == 481 || m.get("Via") != "" && strings.Contains(m.get("CSeq"), "CANCEL")
		})
		b.says(486, "")
		a.fails(486)
		w.ends(8102, 8102)
	})
}
