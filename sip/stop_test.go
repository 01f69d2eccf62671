package sip

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStopAndShutdown(t *testing.T) {
	t.Parallel()
	t.Run("stop while ringing", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		a.response(180, "INVITE")
		w.stop()
		b.cancelled()
		require.Equal(t, "Q.850;cause=16", a.fails(480).get("Reason"))
		w.ends(8017, 8017)
	})
	t.Run("stop in a talk", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		session := w.stop()
		a.hungUp()
		b.hungUp()
		w.ends(8017, 8017)
		require.False(t, w.srv.Stop(session))
		require.False(t, w.srv.Stop("unknown"))
	})
	t.Run("drain", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		done := make(chan error, 1)
		go func() { done <- w.srv.Shutdown(t.Context()) }()
		eventually(t, "draining", w.srv.draining.Load)
		got := w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		require.NotEmpty(t, got.get("Retry-After"))
		o := w.a.outside("OPTIONS")
		require.NotEmpty(t, o.response(503, "OPTIONS").get("Retry-After"))
		w.bothHear()
		a.bye()
		b.hungUp()
		require.NoError(t, <-done)
		w.ends(0, 0)
	})
	t.Run("drain, and back", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		w.srv.Drain(true)
		require.NotEmpty(t, w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503).get("Retry-After"))
		require.NotEmpty(t, w.a.outside("OPTIONS").response(503, "OPTIONS").get("Retry-After"))
		w.bothHear()
		w.srv.Drain(false)
		w.a.outside("OPTIONS").response(200, "OPTIONS")
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("the drain has a limit", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		done := make(chan error, 1)
		go func() { done <- w.srv.Shutdown(expired()) }()
		require.Equal(t, "Q.850;cause=41", a.hungUp().get("Reason"))
		b.hungUp()
		require.NoError(t, <-done)
		w.ends(8020, 8020)
	})
}
