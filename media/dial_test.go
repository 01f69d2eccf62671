package media

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/media/dtmf"
	"axgate/media/tone"
)

// keyPress is one telephone-event as a phone heard it.
type keyPress struct {
	digit     byte
	ts        uint32
	packets   int
	ends      int
	longest   uint16
	markers   int
	at, until time.Time
}

// keyPresses reads the telephone-events that a phone heard, and checks what RFC 4733 asks of each of them.
func keyPresses(t testing.TB, heard []heardPacket) (presses []keyPress) {
	t.Helper()
	for _, h := range heard {
		if h.PayloadType != eventPT {
			if n := len(presses); n > 0 {
				last := presses[n-1]
				require.True(t, last.ends == 0 || last.ends == endPackets, "audio inside an event")
			}
			continue
		}
		code, end, _, samples, ok := dtmf.Parse(h.Payload)
		require.True(t, ok)
		digit, ok := dtmf.Digit(code)
		require.True(t, ok)
		n := len(presses) - 1
		if n < 0 || presses[n].ts != h.Timestamp {
			presses = append(presses, keyPress{digit: digit, ts: h.Timestamp, at: h.at})
			n++
		}
		p := &presses[n]
		require.Equal(t, p.digit, digit)
		if p.ends > 0 {
			require.True(t, end && samples == p.longest, "after the end only the end is repeated")
		} else {
			require.Greater(t, samples, p.longest, "the duration grows")
		}
		p.longest = samples
		p.packets++
		p.until = h.at
		if end {
			p.ends++
		}
		if h.Marker {
			p.markers++
			require.Equal(t, 1, p.packets, "the marker is on the first packet")
		}
	}
	return presses
}

func typed(presses []keyPress) (s string) {
	for _, p := range presses {
		s += string(p.digit)
	}
	return s
}

// bridge joins two phones and connects them both ways.
func bridge(t testing.TB, c *Call, codec Codec, change ...func(*Stream)) (a, b *phone) {
	t.Helper()
	a, b = newPhone(t, PCMA), newPhone(t, codec)
	join(t, c, Caller, a)
	join(t, c, Callee, b, change...)
	c.Connect(true, true)
	settle(t, c)
	return a, b
}

// digits collects the digits reported for a side, until the want-ed number has come.
func digits(t testing.TB, c *Call, side Side, n int) (s string) {
	t.Helper()
	for len(s) < n {
		if e := event(t, c); e.Kind == Digit {
			require.Equal(t, side, e.Side)
			s += string(e.Digit)
		}
	}
	return s
}

func TestDigitsCrossTheBridgeWithLoss(t *testing.T) {
	for name, lost := range map[string]func(i, n int) bool{
		"nothing lost":      func(i, n int) bool { return false },
		"first lost":        func(i, n int) bool { return i == 0 },
		"first three lost":  func(i, n int) bool { return i < 3 },
		"middle lost":       func(i, n int) bool { return i > 0 && i < n-3 },
		"ends lost":         func(i, n int) bool { return i >= n-3 },
		"all but one":       func(i, n int) bool { return i != 2 },
		"all but last":      func(i, n int) bool { return i != n-1 },
		"every other":       func(i, n int) bool { return i%2 == 1 },
		"two of three ends": func(i, n int) bool { return i >= n-3 && i < n-1 },
	} {
		t.Run(name, func(t *testing.T) {
			e := openEngine(t)
			c := e.NewCall()
			a, b := bridge(t, c, PCMU)
			a.talk(2, 0x11)
			for _, code := range []uint8{1, 1, 11, 0} {
				ts := a.ts
				const n = 8 // 5 packets and 3 ends
				for i := range n {
					a.ts = ts
					pk := a.key(code, i == 0, i >= n-3, uint16(min(i+1, n-2)*160))
					if !lost(i, n) {
						a.send(pk)
					}
					time.Sleep(5 * time.Millisecond)
				}
				a.ts = ts + n*160
				a.talk(4, 0x12)
			}
			require.Equal(t, "11#0", digits(t, c, Caller, 4))
			quietly(t, c)
			var presses []keyPress
			eventually(t, "four digits at the callee", func() bool {
				presses = keyPresses(t, b.heard())
				return len(presses) == 4 && presses[3].ends == endPackets
			})
			require.Equal(t, "11#0", typed(presses))
			for i, p := range presses {
				require.Equal(t, 1, p.markers)
				require.Equal(t, endPackets, p.ends)
				require.GreaterOrEqual(t, p.longest, uint16(minPress))
				if i > 0 {
					gap := p.ts - presses[i-1].ts - uint32(presses[i-1].longest)
					require.GreaterOrEqual(t, gap, uint32(50*8), "gap between digits")
				}
			}
			b.talk(1, 0x22)
			a.talk(2, 0x13)
			b.hears("audio goes on", has(convert(PCMU, []byte{0x13})[0]))
			requireOneStream(t, b.heard())
		})
	}
}

func TestLengthOfAKeyIsKept(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	a := &phone{t: t, ssrc: 7}
	ts, at := a.ts, p.w.now()
	for i := range 20 {
		a.ts = ts
		p.arrive(t, Caller, a.key(7, i == 0, i >= 17, uint16(min(i+1, 18)*160)), at)
		at += 20 * ms
		p.pass(at)
	}
	p.pass(at + 1000*ms)
	presses := keyPresses(t, p.hearing(t))
	require.Equal(t, "7", typed(presses))
	require.Equal(t, endPackets, presses[0].ends)
	require.InDelta(t, 18*160, int(presses[0].longest), 160)
	require.Equal(t, Event{Kind: Heard, Side: Caller}, <-p.c.events)
	require.Equal(t, Event{Kind: Digit, Side: Caller, Digit: '7', Crossed: true}, <-p.c.events)
	require.Empty(t, p.c.events)
}

// A key held longer than 8.19 s is reported in segments: one digit, whatever the peer does, and in segments again.
func TestLongKeyInSegments(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := bridge(t, c, PCMA)
	send := func(ts uint32, samples uint16, marker, end bool) {
		a.ts = ts
		a.send(a.key(5, marker, end, samples))
	}
	ts := a.ts
	send(ts, 160, true, false)
	send(ts, 0xFFFF, false, false)
	send(ts+0xFFFF, 160, false, false)
	send(ts+0xFFFF, 320, false, false)
	send(ts+0xFFFF, 480, false, true)
	send(ts+0xFFFF, 480, false, true)
	require.Equal(t, "5", digits(t, c, Caller, 1))
	quietly(t, c)
	eventually(t, "one digit", func() bool {
		all := keyPresses(t, b.heard())
		return len(all) == 1 && all[0].ends == endPackets
	})

	// Towards the callee, without waiting 8 s: the dialer is stepped by hand, a second at a time so that the phone's
	// socket holds it.
	l, at := &c.legs[Callee], int64(0)
	ask(t, c, func() bool {
		c.worker.timers.stop(&l.ticker)
		l.dialer = dialer{count: 1, queue: &[16]press{{code: 6, want: 10 * sampleRate}}}
		at = c.worker.now()
		return true
	})
	before, presses := len(b.heard()), 0
	for more := true; more; {
		more = ask(t, c, func() bool {
			for i := 0; i < 50 && l.dialer.count > 0; i++ {
				l.press(at)
				at += pressStep
				presses++
			}
			return l.dialer.count > 0
		})
		eventually(t, "a second of the key", func() bool { return len(b.heard()) >= before+presses })
	}
	require.Equal(t, 10*50+endPackets-1, presses)
	var two []keyPress
	eventually(t, "two segments", func() bool {
		all := keyPresses(t, b.heard())
		two = all[1:]
		return len(all) == 3 && all[2].ends == endPackets
	})
	require.Equal(t, "66", typed(two))
	require.EqualValues(t, 0xFFFF, two[0].longest)
	require.Zero(t, two[0].ends, "no end bit at the end of a segment")
	require.Equal(t, 1, two[0].markers)
	require.Equal(t, two[0].ts+0xFFFF, two[1].ts)
	require.Zero(t, two[1].markers)
	require.EqualValues(t, 10*sampleRate-0xFFFF, two[1].longest)
}

func TestSendDigit(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a := newPhone(t, PCMA)
	join(t, c, Caller, a)
	for _, d := range []byte("19*#aD") {
		c.SendDigit(Caller, d, 0)
	}
	c.SendDigit(Caller, 'x', 0) // no digit
	c.SendDigit(Caller, '0', 200*time.Millisecond)
	var presses []keyPress
	eventually(t, "all digits", func() bool {
		presses = keyPresses(t, a.heard())
		return len(presses) == 7 && presses[6].ends == endPackets
	})
	require.Equal(t, "19*#AD0", typed(presses))
	require.EqualValues(t, 1600, presses[6].longest)
	requireOneStream(t, a.heard())
	quietly(t, c)
}

// hearTones runs a detector over the audio that a phone heard.
func hearTones(codec Codec, heard []heardPacket) (s string) {
	var d dtmf.Detector
	for _, h := range heard {
		if h.PayloadType == eventPT {
			continue
		}
		audio := h.Payload
		if codec == PCMU {
			audio = convert(PCMA, audio)
		}
		if digit, ok := d.Feed(audio); ok {
			s += string(digit)
		}
	}
	return s
}

func TestKeysBecomeTonesForAPhoneWithoutEvents(t *testing.T) {
	for _, codec := range []Codec{PCMA, PCMU} {
		t.Run(codec.String(), func(t *testing.T) {
			e := openEngine(t)
			c := e.NewCall()
			a, b := bridge(t, c, codec, func(s *Stream) { s.SendEventPT, s.RecvEventPT = 0, 0 })
			for _, code := range []uint8{4, 2} {
				ts := a.ts
				for i := range 8 {
					a.ts = ts
					a.send(a.key(code, i == 0, i >= 5, uint16(min(i+1, 6)*160)))
					time.Sleep(20 * time.Millisecond)
				}
				a.ts = ts + 8*160
				a.talk(3, 0xD5)
			}
			require.Equal(t, "42", digits(t, c, Caller, 2))
			eventually(t, "two tones", func() bool { return hearTones(codec, b.heard()) == "42" })
			requireOneStream(t, b.heard())
			for _, h := range b.heard() {
				require.Equal(t, b.pt(), h.PayloadType)
			}
		})
	}
}

// toneAudio is 100 ms of a digit's tone followed by 100 ms of silence, in frames of 20 ms.
func toneAudio(t testing.TB, digit byte) (frames [][]byte) {
	t.Helper()
	for i := range 10 {
		f := frameOf(0xD5, 160)
		if i < 5 {
			require.True(t, tone.DTMF(digit, f, i*160))
		}
		frames = append(frames, f)
	}
	return frames
}

func TestInbandDigits(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a := newPhone(t, PCMU)
	join(t, c, Caller, a)
	speak := func(digit byte) {
		for _, f := range toneAudio(t, digit) {
			a.send(a.packet(convert(PCMU, f)))
		}
	}
	settle(t, c)
	speak('7') // nobody listens
	received(t, c, Caller, 10)
	c.Listen(Caller, true)
	settle(t, c)
	speak('5')
	speak('5')
	speak('#')
	require.Equal(t, "55#", digits(t, c, Caller, 3))
	received(t, c, Caller, 40)
	// The same key by event, after the start of its tone got through: one digit. From then on only events count.
	a.send(a.key(11, true, false, 160))
	received(t, c, Caller, 41)
	speak('8')
	received(t, c, Caller, 51)
	a.ts += 1600
	a.send(a.key(9, true, false, 160))
	require.Equal(t, "9", digits(t, c, Caller, 1))
	quietly(t, c)
}

// A network that doubles every packet does not double digits, and a phone that sends nothing in a pause does not merge them.
func TestInbandDigitsOfBadNetworks(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a := newPhone(t, PCMA)
	join(t, c, Caller, a)
	c.Listen(Caller, true)
	settle(t, c)
	sent := uint64(0)
	press := func(digit byte, copies int) {
		for _, f := range toneAudio(t, digit)[:5] {
			pk := a.packet(f)
			for range copies {
				a.send(pk)
				sent++
			}
		}
		received(t, c, Caller, sent)
	}
	press('5', 2)
	a.ts += 480 // no packet, no number: a pause
	press('5', 1)
	noise := a.packet([]byte{0x40})
	noise.PayloadType = noisePT
	a.send(noise)
	sent++
	press('5', 1)
	a.seq += 2 // lost
	a.ts += 320
	press('5', 1)
	require.Equal(t, "555", digits(t, c, Caller, 3))
	quietly(t, c)
}

func TestEventsUnderAnyNumber(t *testing.T) {
	for _, pt := range []uint8{96, 97, 100, 120, 127} {
		t.Run(fmt.Sprint(pt), func(t *testing.T) {
			e := openEngine(t)
			c := e.NewCall()
			a, b := newPhone(t, PCMA), newPhone(t, PCMA)
			join(t, c, Caller, a, func(s *Stream) { s.RecvEventPT = pt })
			join(t, c, Callee, b)
			c.Connect(true, true)
			settle(t, c)
			pk := a.key(3, false, true, 800)
			pk.PayloadType = pt
			a.send(pk)
			require.Equal(t, "3", digits(t, c, Caller, 1))
			eventually(t, "the digit at the callee", func() bool { return typed(keyPresses(t, b.heard())) == "3" })
		})
	}
}

func TestWhatIsNoDigitIsNotOne(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := bridge(t, c, PCMA)
	for _, payload := range [][]byte{{16, 10, 0, 160}, {255, 0, 0, 0}, {1, 10}, {}} {
		pk := a.packet(payload)
		pk.PayloadType = eventPT
		a.send(pk)
	}
	a.talk(1, 0x11)
	b.hears("audio", has(0x11))
	require.Equal(t, Heard, event(t, c).Kind)
	quietly(t, c)
	require.Empty(t, keyPresses(t, b.heard()))
}

// Audio that a phone sends beside its events is not put through: it is the same digit once more.
func TestNoAudioBesideAnEvent(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := bridge(t, c, PCMA)
	a.talk(1, 0x11)
	ts := a.ts
	for i := range 6 {
		a.ts = ts
		a.send(a.key(2, i == 0, i == 5, uint16(i+1)*160))
		a.ts = ts + uint32(i)*160
		a.send(a.packet(frameOf(0x77, 160)))
	}
	time.Sleep(150 * time.Millisecond)
	a.talk(3, 0x12)
	b.hears("audio after the event", has(0x12))
	for _, h := range b.heard() {
		require.False(t, has(0x77)(h), "audio during the event")
	}
	require.Equal(t, "2", typed(keyPresses(t, b.heard())))
}

func TestPromptWaitsForADigit(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a := newPhone(t, PCMA)
	join(t, c, Caller, a)
	id := c.Play(Caller, Clip{ALaw: frameOf(0x31, 20*160)})
	c.SendDigit(Caller, '1', 0)
	require.Equal(t, Event{Kind: PlayDone, Side: Caller, Play: id}, event(t, c))
	n := 0
	eventually(t, "prompt and digit", func() bool {
		n = 0
		for _, h := range a.heard() {
			if has(0x31)(h) {
				n++
			}
		}
		return n == 20 && typed(keyPresses(t, a.heard())) == "1"
	})
	requireOneStream(t, a.heard())
}
