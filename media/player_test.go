package media

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/media/law"
	"axgate/media/tone"
)

func TestSilenceAtOnce(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a := newPhone(t, PCMU)
	join(t, c, Caller, a)
	silence := convert(PCMU, []byte{law.SilenceA})[0]
	a.hears("silence", has(silence))
	eventually(t, "a little of it", func() bool { return len(a.heard()) == openingFrames })
	requireOneStream(t, a.heard())
}

func TestClipIsPlayedWholeAndInTime(t *testing.T) {
	for ptime, samples := range map[time.Duration]int{0: 160, 10 * time.Millisecond: 80, 30 * time.Millisecond: 240, 60 * time.Millisecond: 480,
		200 * time.Millisecond: 480, 14 * time.Millisecond: 80} {
		t.Run(ptime.String(), func(t *testing.T) {
			e := openEngine(t)
			c := e.NewCall()
			a := newPhone(t, PCMA)
			join(t, c, Caller, a, func(s *Stream) { s.PTime = ptime })
			clip := Clip{Name: "prompt", ALaw: make([]byte, 4000)}
			for i := range clip.ALaw {
				clip.ALaw[i] = byte(i % 127) // never the code of silence
			}
			require.Equal(t, 500*time.Millisecond, clip.Duration())
			start := time.Now()
			id := c.Play(Caller, clip)
			require.Equal(t, Event{Kind: PlayDone, Side: Caller, Play: id}, event(t, c))
			took := time.Since(start)
			frames := (4000 + samples - 1) / samples
			require.GreaterOrEqual(t, took, time.Duration(frames-2)*time.Duration(samples)*time.Second/sampleRate)
			var heard []byte
			eventually(t, "all frames", func() bool {
				heard = nil
				for _, h := range a.heard() {
					require.Len(t, h.Payload, samples)
					if h.Payload[0] != law.SilenceA {
						heard = append(heard, h.Payload...)
					}
				}
				return len(heard) == frames*samples
			})
			require.Equal(t, clip.ALaw, heard[:4000])
			for _, b := range heard[4000:] {
				require.EqualValues(t, law.SilenceA, b)
			}
			requireOneStream(t, a.heard())
		})
	}
}

// Every Play ends with one PlayDone, however it ends.
func TestPlayDone(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	long := Clip{ALaw: frameOf(0x31, 80000)}
	done := func(id uint64) {
		t.Helper()
		require.Equal(t, Event{Kind: PlayDone, Side: Callee, Play: id}, event(t, c))
	}
	first := c.Play(Callee, long) // a leg without a peer plays into the void
	second := c.Play(Callee, long)
	done(first)
	c.Tone(Callee, tone.Busy())
	done(second)
	third := c.Play(Callee, long)
	c.Quiet(Callee)
	done(third)
	c.Quiet(Callee)
	done(c.Play(Callee, Clip{}))
	done(c.Play(Callee, Clip{ALaw: frameOf(1, 100)}))
	quietly(t, c)
}

func TestToneUntilAudioReplacesIt(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	c.Tone(Caller, tone.Ringback())
	frame := make([]byte, 160)
	tone.Ringback().Frame(frame, 160)
	a.hears("ring-back", func(h heardPacket) bool { return string(h.Payload) == string(frame) })
	c.Connect(true, true)
	settle(t, c)
	before := len(a.heard())
	eventually(t, "ring-back goes on until somebody speaks", func() bool { return len(a.heard()) > before+3 })
	b.talk(5, 0x22)
	a.hears("the callee", has(0x22))
	speaks := false
	for _, h := range a.heard() {
		speaks = speaks || h.Payload[0] == 0x22
		require.False(t, speaks && h.Payload[0] != 0x22, "ring-back under the voice")
	}
	requireOneStream(t, a.heard())
	c.Tone(Caller, tone.Busy())
	c.Quiet(Caller)
	settle(t, c)
}

// A worker that was late sends what is due, within bounds, and keeps its deadlines.
func TestLateTicksCatchUp(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	l, start := &p.c.legs[Callee], p.w.now()
	p.w.timers.stop(&l.ticker)
	l.play(Clip{ALaw: frameOf(0x31, 50*160)}, 1, start)
	require.Len(t, p.hearing(t), 1, "it begins at once")
	wake := func(late int64) []heardPacket {
		p.w.timers.stop(&l.ticker)
		l.tick(l.ticker.when + late)
		return p.hearing(t)
	}
	all := wake(60 * ms)
	require.Len(t, all, 4, "60 ms are caught up")
	require.Equal(t, start-start%tickGrid+100*ms, l.ticker.when, "the next one keeps its deadline")
	late := wake(400 * ms)
	require.Len(t, late, 1, "400 ms are more than is caught up")
	require.True(t, late[0].Marker)
	require.InDelta(t, 21*160, late[0].Timestamp-all[3].Timestamp, 160, "the clock shows the pause, but for what it was ahead")
	all = append(all, late...)
	p.pass(start + 5000*ms)
	all = append(all, p.hearing(t)...)
	require.Len(t, all, 49, "the whole prompt")
	for i := 1; i < len(all); i++ {
		require.Equal(t, all[i-1].SequenceNumber+1, all[i].SequenceNumber)
		require.Equal(t, i == 4, all[i].Marker)
		require.Equal(t, byte(0x31), all[i].Payload[159])
	}
	require.Equal(t, Event{Kind: PlayDone, Side: Callee, Play: 1}, <-p.c.events)
	require.Zero(t, l.ticker.at, "nothing more to send")
}

func TestSpecialAddresses(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a := newPhone(t, PCMA)
	join(t, c, Caller, a, func(s *Stream) {
		s.RTP = netip.MustParseAddrPort("0.0.0.0:4000") // hold in the old way, or a NAT that is not found yet
		s.NAT = true
	})
	require.Equal(t, PlayDone, func() EventKind { c.Play(Caller, Clip{ALaw: frameOf(1, 320)}); return event(t, c).Kind }())
	require.Empty(t, a.heard())
	a.talk(2, 0x11)
	require.Equal(t, Heard, event(t, c).Kind)
	c.Play(Caller, Clip{ALaw: frameOf(0x33, 320)})
	a.hears("a prompt after latching", has(0x33))
	require.Zero(t, c.Close()[Caller].SendErrors)
}

func TestSilenceKeepsTheWayOpen(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a := newPhone(t, PCMA)
	join(t, c, Caller, a)
	eventually(t, "the opening", func() bool { return len(a.heard()) == openingFrames })
	eventually(t, "its end", func() bool { return ask(t, c, func() bool { return c.legs[Caller].ticker.at == 0 }) })
	require.True(t, c.worker.enqueue(func() { c.legs[Caller].report(c.worker.now() + 2*keepaliveAfter) }))
	eventually(t, "one more frame", func() bool { return len(a.heard()) == openingFrames+1 })
	require.True(t, a.heard()[openingFrames].Marker)
}
