package sip

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

func recorded(q routing.Question) (routing.Decision, error) {
	d := connect(q)
	d.Record = true
	return d, nil
}

func TestRecording(t *testing.T) {
	t.Parallel()
	hint := func(s *settings) { s.prompts = prompts{"record_hint": clip(0x71, 300*time.Millisecond)} }
	t.Run("both hear the hint before they hear each other", func(t *testing.T) {
		w := open(t, hint)
		w.router.decides(recorded)
		a, b := w.talk()
		for w.mouthA.count(0x71) < 15 {
			w.mouthB.frame(0x22)
			time.Sleep(20 * time.Millisecond)
			if w.mouthA.count(0x71) < 14 {
				require.Zero(t, w.mouthA.count(0x22), "before the hint is over")
			}
		}
		w.bothHear()
		require.GreaterOrEqual(t, w.mouthB.count(0x71), 14)
		time.Sleep(300 * time.Millisecond)
		a.bye()
		b.hungUp()
		rec := w.ends(0, 0)
		require.True(t, rec.RecordWanted)
		require.NotEmpty(t, rec.RecordFile)
		files := w.recordings()
		require.Len(t, files, 1)
		require.Equal(t, rec.RecordBytes, size(t, files[0]))
		require.False(t, rec.Recording.Before(rec.Answered.Add(250*time.Millisecond)), "it starts after the hint")
	})
	t.Run("too short a talk leaves none", func(t *testing.T) {
		w := open(t, func(s *settings) { s.cfg.MinTalk = time.Hour })
		w.router.decides(recorded)
		a, b := w.talk()
		w.bothHear()
		a.bye()
		b.hungUp()
		rec := w.ends(0, 0)
		require.Empty(t, rec.RecordFile)
		require.True(t, rec.Recording.IsZero())
		require.Empty(t, w.recordings())
	})
	t.Run("the shortest talk leaves one if all do", func(t *testing.T) {
		w := open(t, func(s *settings) { s.cfg.MinTalk = 0 })
		w.router.decides(recorded)
		a, b := w.talk()
		w.bothHear()
		a.bye()
		b.hungUp()
		require.NotEmpty(t, w.ends(0, 0).RecordFile)
		require.Len(t, w.recordings(), 1)
	})
	t.Run("hung up during the hint", func(t *testing.T) {
		w := open(t, func(s *settings) { s.prompts = prompts{"record_hint": clip(0x71, 10*time.Second)} })
		w.router.decides(recorded)
		a, b := w.talk()
		eventually(t, "the hint", w.mouthA.hears(0x71, 3))
		b.bye()
		a.hungUp()
		require.Equal(t, 2, w.ends(0, 0).ReleasedBy)
		require.Empty(t, w.recordings())
	})
	t.Run("it cannot be written: the talk goes on", func(t *testing.T) {
		w := open(t, func(s *settings) {
			file := filepath.Join(s.cfg.RecordDir, "file")
			require.NoError(t, os.WriteFile(file, nil, 0o600))
			s.cfg.RecordDir = filepath.Join(file, "no directory")
		})
		w.router.decides(recorded)
		a, b := w.talk()
		w.bothHear()
		a.bye()
		b.hungUp()
		require.Empty(t, w.ends(0, 0).RecordFile)
	})
}

func TestMaxDuration(t *testing.T) {
	w := open(t, func(s *settings) {
		s.cfg.minute = time.Second
		s.prompts = prompts{"soon.wav": clip(0x72, 200*time.Millisecond)}
	})
	w.router.decides(func(q routing.Question) (routing.Decision, error) {
		d := connect(q)
		d.MaxMinutes, d.LastMinute = 2, "soon.wav"
		return d, nil
	})
	machine := watchStalls(t)
	a, b := w.talk()
	eventually(t, "A hears the warning", w.mouthA.hears(0x72, 5))
	eventually(t, "B hears the warning", w.mouthB.hears(0x72, 5))
	require.Equal(t, "Q.850;cause=16", a.hungUp().get("Reason"))
	b.hungUp()
	rec := w.ends(8010, 8010)
	late := machine.between(rec.Answered.Add(1900*time.Millisecond), rec.Ended) // when the timer was due
	require.GreaterOrEqual(t, rec.Ended.Sub(rec.Answered), 1950*time.Millisecond)
	require.Less(t, rec.Ended.Sub(rec.Answered), 2500*time.Millisecond+late)
}

func TestAudioIsGone(t *testing.T) {
	t.Parallel()
	const limit = 2 * time.Second // by far more than the machine lets who speaks be late
	t.Run("the caller's", func(t *testing.T) {
		w := open(t, func(s *settings) { s.inactive = limit })
		a, b := w.talk()
		stop := w.mouthB.keepSaying(0x22)
		defer stop()
		require.Equal(t, "Q.850;cause=41", a.hungUp().get("Reason"))
		b.hungUp()
		w.ends(8020, 7505)
	})
	t.Run("the callee's", func(t *testing.T) {
		w := open(t, func(s *settings) { s.inactive = limit })
		a, b := w.talk()
		stop := w.mouthA.keepSaying(0x11)
		defer stop()
		a.hungUp()
		b.hungUp()
		w.ends(8020, 7506)
	})
	t.Run("but not while on hold", func(t *testing.T) {
		w := open(t, func(s *settings) { s.inactive = limit })
		a, b := w.talk()
		stop := w.mouthB.keepSaying(0x22)
		defer stop()
		a.reinvite(w.mouthA.sdp(2, "a=inactive"))
		a.response(200, "INVITE")
		a.ack("")
		time.Sleep(limit * 3 / 2)
		require.Equal(t, 1, w.srv.Calls())
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
}

// keepSaying speaks until it is told to stop.
func (e *ear) keepSaying(b byte) (stop func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				e.frame(b)
			}
		}
	}()
	return func() { close(done); <-over }
}
