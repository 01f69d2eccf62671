package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	t.Run("calls of the node", func(t *testing.T) {
		w := open(t, func(s *settings) { s.cfg.MaxCalls = 1 })
		a, b := w.talk()
		second := w.a.dial(numX, numA, w.mouthA.sdp(1))
		got := second.fails(503)
		require.Equal(t, "5", got.get("Retry-After"))
		require.Equal(t, "Q.850;cause=34", got.get("Reason"))
		rec := w.ends(522, 522)
		require.Equal(t, int(routing.Abnormal), rec.Direction)
		require.Empty(t, rec.Binding)
		a.bye()
		b.hungUp()
	})
	t.Run("calls of a trunk", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkA.MaxCalls = 1 })
		a, b := w.talk()
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		w.ends(522, 522)
		a.bye()
		b.hungUp()
		eventually(t, "the call is over", func() bool { return w.open() == 0 })
		a, b = w.talk()
		a.bye()
		b.hungUp()
	})
	t.Run("calls to a trunk", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.MaxCalls = 1 })
		a, b := w.talk()
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		w.ends(522, 522)
		a.bye()
		b.hungUp()
	})
	t.Run("ports", func(t *testing.T) {
		w := open(t)
		var held []func()
		for w.engine.PortsFree() > 1 { // one leg finds a port, two do not
			c := w.engine.NewCall()
			_, err := c.Reserve(0)
			require.NoError(t, err)
			held = append(held, func() { c.Close() })
		}
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		rec := w.ends(522, 522)
		require.Equal(t, int(routing.Abnormal), rec.Direction)
		require.Empty(t, rec.Binding)
		require.Empty(t, w.b.everything(), "nobody is rung for a call that cannot talk")
		for _, f := range held {
			f()
		}
	})
}

func TestUnknownX(t *testing.T) {
	w := open(t)
	w.router.decides(func(routing.Question) (routing.Decision, error) {
		return routing.Decision{Step: routing.Refuse, End: routing.EndUnknownX}, nil
	})
	for _, number := range []string{numX, numB, "110", "alice", "", "%00", strings.Repeat("1", 300)} {
		d := w.a.dial(number, numA, w.mouthA.sdp(1))
		if number == "" {
			continue
		}
		got := d.fails(404)
		require.Equal(t, "Q.850;cause=1", got.get("Reason"))
	}
	eventually(t, "no call", func() bool { return w.open() == 0 })
	require.Empty(t, w.journal.evs)
	require.Empty(t, w.mouthA.packets())
	require.Empty(t, hidden(w.logged(), numB), "who dials a real number finds none in the log")
}

// TestRefusals: a refused caller hears the prompt in early media, then gets
// the status of the row; one who cannot hear gets it at once.
func TestRefusals(t *testing.T) {
	t.Parallel()
	refuse := func(scene routing.Scene, end routing.End) func(routing.Question) (routing.Decision, error) {
		return func(routing.Question) (routing.Decision, error) {
			return routing.Decision{Step: routing.Refuse, End: end, Scene: scene, Direction: routing.Abnormal, App: &routing.App{Key: "app1", Mode: routing.AX}}, nil
		}
	}
	t.Run("with a prompt", func(t *testing.T) {
		w := open(t, func(s *settings) { s.prompts = prompts{"no_permission": clip(0x41, 300*time.Millisecond)} })
		w.router.decides(refuse(routing.SceneNoPermission, routing.EndNoneAX))
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		m := a.response(183, "INVITE")
		_, way := m.media(t)
		require.Equal(t, "sendrecv", way)
		require.Equal(t, "Q.850;cause=21", a.fails(403).get("Reason"))
		eventually(t, "the whole prompt", w.mouthA.hears(0x41, 13))
		w.ends(8018, 7104)
	})
	t.Run("a prompt is cut at its cap", func(t *testing.T) {
		w := open(t, func(s *settings) {
			s.cfg.PromptCap = 200 * time.Millisecond
			s.prompts = prompts{"no_permission": clip(0x41, 20*time.Second)}
		})
		w.router.decides(refuse(routing.SceneNoPermission, routing.EndNoneAX))
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(403)
	})
	t.Run("in silence", func(t *testing.T) {
		w := open(t)
		w.router.decides(refuse(routing.SceneNoPermission, routing.EndFrozen))
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(403)
		require.Zero(t, w.mouthA.packets())
		w.ends(7108, 7108)
	})
	t.Run("without an offer", func(t *testing.T) {
		w := open(t, func(s *settings) { s.prompts = prompts{"no_permission": clip(0x41, 300*time.Millisecond)} })
		w.router.decides(refuse(routing.SceneNoPermission, routing.EndNoneAX))
		w.a.dial(numX, numA, "").fails(403)
	})
	t.Run("busy without a prompt: the tone", func(t *testing.T) {
		w := open(t)
		w.router.decides(refuse(routing.SceneBusy, routing.EndInUse))
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.response(183, "INVITE")
		eventually(t, "the busy tone", w.mouthA.tone(10))
		a.cancel()
		a.response(200, "CANCEL")
		a.fails(487)
		w.ends(8102, 8102)
	})
	t.Run("the router fails", func(t *testing.T) {
		w := open(t)
		w.router.decides(func(routing.Question) (routing.Decision, error) { return routing.Decision{}, errDisk })
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(500)
		eventually(t, "no call", func() bool { return w.open() == 0 })
		require.Empty(t, w.journal.evs, "nobody knows whose X it is")
	})
	t.Run("the router fails for an app it knows", func(t *testing.T) {
		w := open(t)
		w.router.decides(func(routing.Question) (routing.Decision, error) {
			return routing.Decision{App: &routing.App{Key: "app1", Mode: routing.AX}}, errDisk
		})
		require.Equal(t, "Q.850;cause=41", w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(500).get("Reason"))
		w.ends(8020, 8020)
	})
}
