package sip

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
)

// pressedInfo waits for a digit by INFO and answers it.
func (d *side) pressedInfo(status int) string {
	d.p.t.Helper()
	m := d.p.await("INFO", func(m msg) bool { return m.method() == "INFO" && m.get("Call-ID") == d.callID })
	require.Equal(d.p.t, "application/dtmf-relay", m.get("Content-Type"))
	require.True(d.p.t, strings.HasPrefix(m.body, "Signal=") && strings.Contains(m.body, "\r\nDuration="), m.body)
	d.reply(m, status, "")
	return m.body[len("Signal="):][:1]
}

// TestDigitsByInfo: a leg whose trunk has its digits by INFO gets them so, and
// its own count by INFO alone, whatever the other leg has.
func TestDigitsByInfo(t *testing.T) {
	t.Parallel()
	t.Run("from telephone-events", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.DTMF = trunk.Info })
		a, b := w.talk()
		w.bothHear()
		w.mouthA.press("5#")
		require.Equal(t, "5", b.pressedInfo(200))
		require.Equal(t, "#", b.pressedInfo(500))
		w.mouthA.press("1")
		require.Equal(t, "1", b.pressedInfo(200), "what becomes of one changes nothing for the next")
		w.mouthB.press("9") // does not count
		b.info("4")
		eventually(t, "INFO becomes an event", func() bool { return slices.Contains(w.mouthA.pressed(), 4) })
		require.Equal(t, []byte{4}, w.mouthA.pressed())
		require.Empty(t, w.mouthB.pressed(), "and no event reaches who has INFO")
		a.bye()
		b.hungUp()
		w.ends(0, 0)
		for _, raw := range w.b.everything() {
			search2(t, "B", raw, numA, a.callID, a.mine)
		}
	})
	t.Run("from INFO to INFO, one at a time", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkA.DTMF, s.trunkB.DTMF = trunk.Info, trunk.Info })
		a, b := w.talk()
		for range maxPresses + 5 {
			a.info("7")
		}
		infos := func() (n int) {
			w.b.mu.Lock()
			defer w.b.mu.Unlock()
			for raw := range w.b.seen {
				if strings.HasPrefix(raw, "INFO ") {
					n++
				}
			}
			return n
		}
		eventually(t, "an INFO", func() bool { return infos() > 0 })
		require.Equal(t, 1, infos(), "the next waits for the answer")
		b.pressedInfo(200)
		for range maxPresses {
			require.Equal(t, "7", b.pressedInfo(200))
		}
		w.mouthA.press("1")
		w.b.never(100*time.Millisecond, "more INFO than may wait", func(m msg) bool { return m.method() == "INFO" })
		a.info("8")
		b.p.await("INFO", func(m msg) bool { return m.method() == "INFO" })
		a.bye() // nobody waits for the answer to that INFO
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("from tones", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkA.DTMF, s.trunkB.DTMF = trunk.Tones, trunk.Info })
		a, b := w.talk()
		w.bothHear()
		w.mouthA.whistle("36")
		require.Equal(t, "3", b.pressedInfo(200))
		require.Equal(t, "6", b.pressedInfo(200))
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("tones to who has tones", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.DTMF = trunk.Tones })
		a, b := w.talk()
		w.bothHear()
		w.mouthB.mu.Lock()
		before := w.mouthB.tones
		w.mouthB.mu.Unlock()
		w.mouthA.press("5")
		eventually(t, "a tone", w.mouthB.tone(before+2))
		require.Empty(t, w.mouthB.pressed())
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
}

// TestInfoBeforeTheEvent: a trunk that says nothing and sends both has pressed
// each key once, also where INFO is the faster, and may change its way after a
// while.
func TestInfoBeforeTheEvent(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	w.bothHear()
	pressed := func(keys ...byte) {
		t.Helper()
		eventually(t, "the keys", func() bool { return len(w.mouthB.pressed()) >= len(keys) })
		time.Sleep(100 * time.Millisecond)
		require.Equal(t, keys, w.mouthB.pressed())
	}
	for _, key := range []string{"5", "6"} {
		a.info(key)
		w.mouthA.press(key)
		time.Sleep(250 * time.Millisecond)
	}
	pressed(5, 6)
	time.Sleep(keysRest)
	w.mouthA.press("7")
	time.Sleep(50 * time.Millisecond)
	a.info("7")
	pressed(5, 6, 7)
	w.mouthA.press("8")
	pressed(5, 6, 7, 8)
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}
