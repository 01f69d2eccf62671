package sip

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/media/tone"
	"axgate/routing"
	"axgate/sip/trunk"
)

// scenes are the clips of an AXE app, each with a byte of its own.
var scenes = prompts{
	"enter_extension":       clip(0x61, 200*time.Millisecond),
	"extension_wrong":       clip(0x62, 200*time.Millisecond),
	"extension_wrong_again": clip(0x63, 200*time.Millisecond),
	"nothing_entered":       clip(0x64, 200*time.Millisecond),
}

// openAXE is a world with an AXE app whose extension 0007 is B's.
func openAXE(t *testing.T, retries int, changes ...func(*settings)) *world {
	t.Helper()
	w := open(t, append([]func(*settings){func(s *settings) { s.prompts = scenes }}, changes...)...)
	app := &routing.App{Key: "app1", Mode: routing.AXE, ExtDigits: 4, Retries: retries}
	w.router.decides(func(q routing.Question) (routing.Decision, error) {
		return routing.Decision{Step: routing.Collect, Scene: routing.SceneEnter, Direction: routing.ToA, App: app, Caller: q.Caller}, nil
	})
	w.router.extends(func(q routing.Question, ext routing.Extension) (routing.Decision, error) {
		switch ext {
		case "0007":
			return routing.Decision{Step: routing.Dial, Callee: "+86" + numB, Shown: q.X, Caller: q.Caller, Direction: routing.ToA, App: app,
				Binding: &routing.Binding{ID: "bind7", Mode: routing.AXE, Ext: ext, A: "+86" + numB}}, nil
		case "0008":
			return routing.Decision{Step: routing.Refuse, End: routing.EndInUse, Scene: routing.SceneBusy, Direction: routing.ToA, App: app, Binding: &routing.Binding{ID: "bind8", Mode: routing.AXE, Ext: ext}}, nil
		case "0009":
			return routing.Decision{}, errDisk
		}
		return routing.Decision{Step: routing.Refuse, End: routing.EndWrongExt, Scene: routing.SceneWrong, Direction: routing.ToA, App: app}, nil
	})
	return w
}

// enter is answered by the service and asked for the extension.
func (w *world) enter(sdp string) *side {
	w.t.Helper()
	a := w.a.dial(numX, numA, sdp)
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	return a
}

// reached is the second half of a call whose extension was right.
func (w *world) reached(a *side, typed ...string) {
	w.t.Helper()
	b := w.b.ring()
	w.mouthB.talksTo(b.invite)
	b.says(180, "")
	eventually(w.t, "ring-back in the talk that the caller is in", w.mouthA.tone(5))
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	w.bothHear()
	a.bye()
	b.hungUp()
	rec := w.ends(0, 0)
	require.Equal(w.t, "0007", rec.Extension)
	require.Equal(w.t, "bind7", rec.Binding)
	kinds := []events.Kind{events.CallIn}
	for range typed {
		kinds = append(kinds, events.CollectInfo)
	}
	require.Equal(w.t, append(kinds, events.CallOut, events.Alerting, events.Answer, events.Disconnect, events.Fee), w.journal.kinds(rec.Session))
	var got []string
	for _, e := range w.journal.evs[rec.Session] {
		if e.Kind == events.CollectInfo {
			got = append(got, string(e.Body))
		}
	}
	for i, digits := range typed {
		require.Contains(w.t, got[i], `"`+digits+`"`)
	}
	eventually(w.t, "the callback record", func() bool {
		w.router.mu.Lock()
		defer w.router.mu.Unlock()
		return len(w.router.rang) == 1 && len(w.router.answered) == 1
	})
}

// whistle sends keys as sound.
func (e *ear) whistle(keys string) {
	for _, k := range keys {
		for i := range 10 {
			p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: e.seq, Timestamp: e.ts, SSRC: e.ssrc}, Payload: make([]byte, 160)}
			for j := range p.Payload {
				p.Payload[j] = tone.Silence
			}
			if i < 5 {
				tone.DTMF(byte(k), p.Payload, i*160)
			}
			e.out(&p)
			e.seq++
			e.ts += 160
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func (d *side) info(key string) {
	d.p.t.Helper()
	d.request("INFO", "Signal= "+key+"\r\nDuration=100\r\n", "Content-Type: application/dtmf-relay")
	d.response(200, "INFO")
}

func TestCollect(t *testing.T) {
	noEvents := func(sdp string) string {
		return strings.NewReplacer(" 101\r", "\r", "a=rtpmap:101 telephone-event/8000\r\n", "").Replace(sdp)
	}
	t.Run("by RFC 4733", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("0007")
		w.reached(a, "0007")
	})
	t.Run("by INFO", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(w.mouthA.sdp(1))
		for _, k := range []string{"0", "0", "0", "7"} {
			a.info(k)
		}
		w.reached(a, "0007")
	})
	t.Run("by tones", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(noEvents(w.mouthA.sdp(1)))
		w.mouthA.whistle("0007")
		w.reached(a, "0007")
	})
	t.Run("by tones, as the trunk says", func(t *testing.T) {
		w := openAXE(t, 0, func(s *settings) { s.trunkA.DTMF = trunk.Tones })
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.whistle("0007")
		w.reached(a, "0007")
	})
	t.Run("a trunk that means INFO only", func(t *testing.T) {
		w := openAXE(t, 0, func(s *settings) { s.trunkA.DTMF = trunk.Info })
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("9999")
		for _, k := range []string{"0", "0", "0", "7"} {
			a.info(k)
		}
		w.reached(a, "0007")
	})
	t.Run("by both ways at once: each key counts once", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(w.mouthA.sdp(1))
		for _, k := range []string{"0", "0", "0", "7"} {
			w.mouthA.press(k)
			a.info(k)
		}
		w.reached(a, "0007")
	})
	t.Run("short, with #", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("7#")
		w.reached(a, "0007")
	})
	t.Run("short, and a pause", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("07")
		w.reached(a, "0007")
	})
	t.Run("anew with *", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("99*0007")
		w.reached(a, "0007")
	})
	t.Run("during the prompt", func(t *testing.T) {
		w := openAXE(t, 0, func(s *settings) { s.prompts = prompts{"enter_extension": clip(0x61, 30*time.Second)} })
		a := w.enter(w.mouthA.sdp(1))
		eventually(t, "the prompt", w.mouthA.hears(0x61, 5))
		w.mouthA.press("0007")
		w.reached(a, "0007")
		require.Less(t, w.mouthA.count(0x61), 300)
	})
	t.Run("wrong, then right", func(t *testing.T) {
		w := openAXE(t, 1)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("1234")
		eventually(t, "wrong, enter again", w.mouthA.hears(0x63, 5))
		w.mouthA.press("0007")
		w.reached(a, "1234", "0007")
	})
	t.Run("wrong with # behind all its digits, then right", func(t *testing.T) {
		w := openAXE(t, 1)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("1234#")
		eventually(t, "wrong, enter again", w.mouthA.hears(0x63, 5))
		w.mouthA.press("0007#")
		w.reached(a, "1234", "0007")
	})
	t.Run("wrong, then right, all typed ahead", func(t *testing.T) {
		w := openAXE(t, 1)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("12340007")
		w.reached(a, "1234", "0007")
	})
	t.Run("the INVITE had no offer", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.a.dial(numX, numA, "")
		w.mouthA.talksTo(a.response(200, "INVITE"))
		time.Sleep(100 * time.Millisecond)
		a.ack(w.mouthA.sdp(1))
		eventually(t, "the prompt, from its beginning", w.mouthA.hears(0x61, 8))
		w.mouthA.press("0007")
		w.reached(a, "0007")
	})
}

func TestCollectInVain(t *testing.T) {
	t.Run("wrong", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("1234")
		require.Equal(t, "Q.850;cause=1", a.hungUp().get("Reason"))
		eventually(t, "the whole prompt", w.mouthA.hears(0x62, 7))
		rec := w.ends(8022, 8022)
		require.Empty(t, rec.Binding)
		require.Empty(t, w.b.everything())
	})
	t.Run("wrong until used up", func(t *testing.T) {
		w := openAXE(t, 2)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("123456789012")
		a.hungUp()
		rec := w.ends(8022, 8022)
		require.Len(t, w.journal.kinds(rec.Session), 6, "callin, three tries, disconnect, fee")
	})
	t.Run("nothing", func(t *testing.T) {
		w := openAXE(t, 2)
		a := w.enter(w.mouthA.sdp(1))
		require.Equal(t, "Q.850;cause=18", a.hungUp().get("Reason"))
		eventually(t, "the whole prompt", w.mouthA.hears(0x64, 7))
		w.ends(8033, 8033)
	})
	t.Run("only #", func(t *testing.T) {
		w := openAXE(t, 2)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("#")
		a.hungUp()
		w.ends(8033, 8033)
	})
	t.Run("in a call already", func(t *testing.T) {
		w := openAXE(t, 2, func(s *settings) { s.prompts = prompts{"busy": clip(0x65, 100*time.Millisecond)} })
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("8#")
		require.Equal(t, "Q.850;cause=17", a.hungUp().get("Reason"))
		require.Equal(t, "bind8", w.ends(8102, 8102).Binding)
	})
	t.Run("the router fails", func(t *testing.T) {
		w := openAXE(t, 2)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("9#")
		require.Equal(t, "Q.850;cause=41", a.hungUp().get("Reason"))
		require.Equal(t, 2, w.ends(8020, 8020).Direction)
	})
	t.Run("the caller leaves while typing", func(t *testing.T) {
		w := openAXE(t, 2)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("00")
		a.bye()
		require.Equal(t, 1, w.ends(7516, 7516).ReleasedBy)
	})
	t.Run("the caller gives up before we answer", func(t *testing.T) {
		w := openAXE(t, 2)
		wait := make(chan struct{})
		w.journal.delays(func(events.Event) (<-chan struct{}, error) { return wait, nil })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.response(100, "INVITE")
		a.cancel()
		a.response(200, "CANCEL")
		close(wait)
		a.fails(487)
		w.ends(7516, 7516)
	})
	t.Run("the callee rejects", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(w.mouthA.sdp(1))
		w.mouthA.press("7#")
		w.b.ring().says(603, "")
		require.Equal(t, "Q.850;cause=21", a.hungUp().get("Reason"))
		w.ends(7503, 7504)
	})
	t.Run("stopped while typing", func(t *testing.T) {
		w := openAXE(t, 0)
		a := w.enter(w.mouthA.sdp(1))
		w.stop()
		a.hungUp()
		w.ends(8017, 8017)
	})
}

// TestInfo: keys cross to the other leg; what is no key is refused.
func TestInfo(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	w.bothHear()
	a.info("5")
	eventually(t, "B gets it as a telephone-event", func() bool {
		w.mouthB.mu.Lock()
		defer w.mouthB.mu.Unlock()
		return w.mouthB.types[101] >= 3
	})
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
	}{
		"empty":   {"", nil, 200},
		"other":   {"hello", []string{"Content-Type: text/plain"}, 415},
		"no key":  {"Signal=x\r\n", []string{"Content-Type: application/dtmf-relay"}, 415},
		"package": {"x", []string{"Content-Type: text/plain", "Info-Package: foo"}, 469},
	} {
		b.request("INFO", c.body, c.headers...)
		require.NotEmpty(t, b.response(c.status, "INFO").raw, name)
	}
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestKeysSentBothWays: who sends each key by RTP and by INFO has pressed it once, whoever it is.
func TestKeysSentBothWays(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	w.bothHear()
	for _, c := range []struct {
		from     *side
		mouth    *ear
		listener *ear
	}{{b, w.mouthB, w.mouthA}, {a, w.mouthA, w.mouthB}} {
		for _, key := range []string{"5", "5", "6"} {
			c.mouth.press(key)
			time.Sleep(50 * time.Millisecond)
			c.from.info(key)
		}
		c.mouth.press("7")
		eventually(t, "the last key", func() bool { return slices.Contains(c.listener.pressed(), 7) })
		require.Equal(t, []byte{5, 5, 6, 7}, c.listener.pressed())
	}
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}
