package sip

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

func TestWrongWait(t *testing.T) {
	for n, want := range map[int]time.Duration{0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 6: 8, 1000: 8} {
		require.Equal(t, want*time.Second, wrongWait(time.Second, n), n)
	}
	require.Zero(t, wrongWait(0, 7))
}

// openGuesser is a world in which every extension is wrong, and counted from
// the one after n on.
func openGuesser(t *testing.T, retries int, step time.Duration, n int64) *world {
	t.Helper()
	w := openAXE(t, retries, func(s *settings) { s.cfg.WrongDelay = step })
	wrong := new(atomic.Int64)
	wrong.Store(n)
	w.router.extends(func(q routing.Question, _ routing.Extension) (routing.Decision, error) {
		return routing.Decision{Step: routing.Refuse, End: routing.EndWrongExt, Scene: routing.SceneWrong, Direction: routing.ToA, Wrong: int(wrong.Add(1))}, nil
	})
	return w
}

// TestWaitAfterWrongExtensions: the more wrong ones, the longer until the next
// try; keys pressed meanwhile are none.
func TestWaitAfterWrongExtensions(t *testing.T) {
	const step = 2 * time.Second // the frames are counted before the prompt comes again
	w := openGuesser(t, 2, step, 0)
	a := w.enter(w.mouthA.sdp(1))
	began := time.Now()
	w.mouthA.press("1234")
	eventually(t, "enter again, at once", w.mouthA.hears(0x63, 8))
	w.mouthA.press("1235")
	again := w.mouthA.count(0x63)
	w.mouthA.press("0007")
	eventually(t, "enter again, after a while", w.mouthA.hears(0x63, again+8))
	require.Greater(t, time.Since(began), step)
	w.mouthA.press("1236")
	eventually(t, "wrong", w.mouthA.hears(0x62, 5))
	require.Greater(t, time.Since(began), 3*step)
	a.hungUp()
	w.ends(8022, 8022)
}

// TestLeavingWhileWaiting: a guesser who hangs up is not waited for.
func TestLeavingWhileWaiting(t *testing.T) {
	w := openGuesser(t, 2, time.Hour, 1)
	a := w.enter(w.mouthA.sdp(1))
	w.mouthA.press("1234")
	eventually(t, "it is looked up", func() bool { return strings.Contains(w.logged(), `"message":"digits"`) })
	a.bye()
	w.ends(7516, 7516)
}
