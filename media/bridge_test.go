package media

import (
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"axgate/media/law"
	"axgate/media/tone"
)

func convert(codec Codec, b []byte) []byte {
	out := make([]byte, len(b))
	if codec == PCMU {
		law.ToMu(out, b)
	} else {
		law.ToA(out, b)
	}
	return out
}

// speech is a payload in which every sample differs from its neighbours.
func speech(seed, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seed + i*7)
	}
	return b
}

func TestBridgeBothWays(t *testing.T) {
	for _, pair := range [][2]Codec{{PCMA, PCMA}, {PCMU, PCMU}, {PCMA, PCMU}, {PCMU, PCMA}} {
		t.Run(pair[0].String()+" and "+pair[1].String(), func(t *testing.T) {
			e := openEngine(t)
			c := e.NewCall()
			a, b := newPhone(t, pair[0]), newPhone(t, pair[1])
			join(t, c, Caller, a)
			join(t, c, Callee, b)
			c.Connect(true, true)
			settle(t, c)
			for i := range 10 {
				n := []int{80, 160, 240, 480}[i%4] // 10, 20, 30 and 60 ms
				fromA, fromB := speech(i, n), speech(i+100, n)
				a.send(a.packet(fromA))
				b.send(b.packet(fromB))
				if pair[0] != pair[1] {
					fromA, fromB = convert(pair[1], fromA), convert(pair[0], fromB)
				}
				got := b.hears("the caller", func(h heardPacket) bool { return string(h.Payload) == string(fromA) })
				require.Equal(t, b.pt(), got.PayloadType)
				got = a.hears("the callee", func(h heardPacket) bool { return string(h.Payload) == string(fromB) })
				require.Equal(t, a.pt(), got.PayloadType)
			}
			require.NotEqual(t, a.heard()[0].SSRC, b.heard()[0].SSRC)
			for _, h := range a.heard() {
				require.NotEqual(t, b.ssrc, h.SSRC, "the callee's SSRC reached the caller")
			}
			stats := c.Close()
			require.EqualValues(t, 10, stats[Caller].Received)
			require.Zero(t, stats[Caller].Lost+stats[Caller].Dropped+stats[Caller].Foreign)
			require.Greater(t, stats[Callee].MOS, 4.0)
		})
	}
}

func TestOneWay(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	c.Connect(true, false) // early media
	settle(t, c)
	a.talk(3, 0x11)
	b.talk(3, 0x22)
	a.hears("the callee", has(0x22))
	c.Connect(false, false)
	settle(t, c)
	b.talk(2, 0x23)
	received(t, c, Callee, 5)
	c.Connect(true, true)
	settle(t, c)
	b.talk(1, 0x24)
	a.hears("the callee again", has(0x24))
	a.talk(1, 0x12)
	b.hears("the caller at last", has(0x12))
	for _, h := range a.heard() {
		require.NotEqual(t, byte(0x23), h.Payload[0])
	}
	for _, h := range b.heard() {
		require.NotEqual(t, byte(0x11), h.Payload[0])
	}
	requireOneStream(t, a.heard())
}

// Prompt, ring-back, bridge, another SSRC from the peer, prompt again, bridge again: one stream.
func TestOneStreamFromPromptToBridgeToPrompt(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMU), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	playDone := func(id uint64) {
		t.Helper()
		for {
			if ev := event(t, c); ev.Kind == PlayDone {
				require.Equal(t, Event{Kind: PlayDone, Side: Caller, Play: id}, ev)
				return
			}
		}
	}
	playDone(c.Play(Caller, Clip{ALaw: frameOf(0x31, 5*160)}))
	c.Tone(Caller, tone.Ringback())
	c.Connect(true, true)
	settle(t, c)
	b.talk(5, 0x22)
	a.hears("the callee", has(convert(PCMU, []byte{0x22})[0]))
	b.ssrc, b.seq, b.ts = b.ssrc+1, 4711, 99 // the caller tune ends, the callee answers
	b.talk(5, 0x23)
	a.hears("the callee's second stream", has(convert(PCMU, []byte{0x23})[0]))
	id := c.Play(Caller, Clip{ALaw: frameOf(0x32, 5*160+40)})
	settle(t, c)
	b.talk(10, 0x24)
	playDone(id)
	b.talk(3, 0x25)
	last := a.hears("the callee after the prompt", has(convert(PCMU, []byte{0x25})[0]))
	heard := a.heard()
	requireOneStream(t, heard)
	for _, h := range heard {
		require.EqualValues(t, 0, h.PayloadType)
	}
	first32 := a.hears("the second prompt", has(convert(PCMU, []byte{0x32})[0]))
	prompt := 0
	for _, h := range heard {
		between := int16(h.SequenceNumber-first32.SequenceNumber) >= 0 && int16(h.SequenceNumber-last.SequenceNumber) < 0
		switch h.Payload[0] {
		case convert(PCMU, []byte{0x32})[0]:
			prompt++
		case convert(PCMU, []byte{0x24})[0]:
			require.False(t, between && prompt < 6, "the callee is heard into the prompt")
		}
	}
	require.Equal(t, 6, prompt, "5 whole frames and one filled up with silence")
}

func TestLossAndOrderAreKept(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	c.Connect(true, true)
	settle(t, c)
	var packets []*rtp.Packet
	for i := range byte(8) {
		packets = append(packets, a.packet(frameOf(0x40+i, 160)))
	}
	for _, i := range []int{0, 1, 3, 2, 5, 6, 7} { // 4 is lost, 2 comes late
		a.send(packets[i])
	}
	b.hears("the last packet", has(0x47))
	first := b.hears("the first packet", has(0x40))
	want := 0
	for _, h := range b.heard() {
		if n := h.Payload[0]; n >= 0x40 && n <= 0x47 {
			require.Equal(t, first.SequenceNumber+uint16(n-0x40), h.SequenceNumber)
			require.Equal(t, first.Timestamp+160*uint32(n-0x40), h.Timestamp)
			require.Equal(t, n == 0x40, h.Marker)
			want++
		}
	}
	require.Equal(t, 7, want)
	require.EqualValues(t, 1, c.Close()[Caller].Lost)
}

func TestWhatIsNotAudioIsDropped(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	c.Connect(true, true)
	settle(t, c)
	with := func(change func(*rtp.Packet)) {
		pk := a.packet(frameOf(0x66, 160))
		change(pk)
		a.send(pk)
	}
	a.send(a.packet(frameOf(0x11, 160)))
	with(func(p *rtp.Packet) { p.PayloadType = 13; p.Payload = []byte{0x40} }) // comfort noise: valid, not forwarded
	with(func(p *rtp.Packet) { p.PayloadType = 96 })
	with(func(p *rtp.Packet) { p.PayloadType = 0 }) // the other law, not negotiated
	with(func(p *rtp.Packet) { p.Payload = nil })
	with(func(p *rtp.Packet) { p.Payload = make([]byte, maxPayload+1) })
	a.sendRaw([]byte("not RTP"))
	a.sendRaw(make([]byte, 3000))
	csrc := a.packet(frameOf(0x12, 160))
	csrc.CSRC = []uint32{1, 2, 3}
	require.NoError(t, csrc.SetExtension(1, []byte("real number")))
	a.send(csrc)
	h := b.hears("the packet with extension", has(0x12))
	require.Empty(t, h.CSRC, "the other side must not get what the peer put there")
	require.False(t, h.Extension)
	for _, h := range b.heard() {
		require.NotEqual(t, byte(0x66), h.Payload[0])
	}
	s := c.Close()[Caller]
	require.EqualValues(t, 3, s.Received)
	require.EqualValues(t, 6, s.Dropped)
}

func TestHold(t *testing.T) {
	e := openEngine(t, func(c *Config) { c.Inactive = time.Second })
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b, func(s *Stream) { s.Receive, s.Send = false, false }) // never Gone
	c.Connect(true, true)
	settle(t, c)
	a.talk(3, 0x11)
	b.talk(3, 0x22)
	require.Equal(t, Event{Kind: Heard, Side: Caller}, event(t, c))
	require.Equal(t, Event{Kind: Gone, Side: Caller}, event(t, c), "once")
	join(t, c, Caller, a, func(s *Stream) { s.Receive = false })
	join(t, c, Callee, b)
	require.Equal(t, Event{Kind: Gone, Side: Callee}, event(t, c), "resumed, but silent")
	b.talk(2, 0x23)
	a.hears("the callee resumed", has(0x23))
	require.Equal(t, Event{Kind: Heard, Side: Callee}, event(t, c))
	require.Equal(t, Event{Kind: Gone, Side: Callee}, event(t, c), "a second silence")
	quietly(t, c)
	for _, h := range a.heard() {
		require.NotEqual(t, byte(0x22), h.Payload[0], "a party on hold was heard")
	}
	for _, h := range b.heard() {
		require.NotEqual(t, byte(0x11), h.Payload[0], "a party on hold heard the other")
	}
}

// A caller who has sent nothing while the callee was rung, for longer than the limit, and sends nothing after the answer
// either, is told again.
func TestGoneBeforeTheAnswerAndAfter(t *testing.T) {
	e := openEngine(t, func(c *Config) { c.Inactive = 100 * time.Millisecond })
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a)
	require.Equal(t, Event{Kind: Gone, Side: Caller}, event(t, c))
	join(t, c, Callee, b, func(s *Stream) { s.Receive = false })
	c.Connect(true, false) // early media: nobody listens to the caller
	time.Sleep(150 * time.Millisecond)
	quietly(t, c)
	c.Connect(true, true)
	require.Equal(t, Event{Kind: Gone, Side: Caller}, event(t, c))
	c.Connect(true, true)
	time.Sleep(150 * time.Millisecond)
	quietly(t, c)
}

// A caller who was silent while the callee was rung has the whole limit from the answer on.
func TestSilenceCountsFromTheAnswer(t *testing.T) {
	e := openEngine(t, func(c *Config) { c.Inactive = 2 * time.Second })
	c := e.NewCall()
	a := newPhone(t, PCMA)
	join(t, c, Caller, a)
	settle(t, c)
	time.Sleep(200 * time.Millisecond)
	c.Expect(Caller)
	answered := time.Now()
	c.Connect(true, true)
	require.Equal(t, Event{Kind: Gone, Side: Caller}, event(t, c))
	require.GreaterOrEqual(t, time.Since(answered), 1950*time.Millisecond)
}

// Packets that stay here (events, comfort noise) leave no hole in what the other side gets.
func TestWhatIsNotForwardedIsNoLoss(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := bridge(t, c, PCMA)
	a.talk(2, 0x11)
	noise := a.packet([]byte{0x40})
	noise.PayloadType = 13
	a.send(noise)
	a.ts += 800
	a.talk(2, 0x12)
	a.send(a.key(16, true, true, 800)) // a hook flash: no digit
	a.ts += 800
	a.talk(2, 0x13)
	b.hears("the last words", has(0x13))
	eventually(t, "all of them", func() bool { return len(b.heard()) >= 6 && has(0x13)(b.heard()[len(b.heard())-2]) })
	requireOneStream(t, b.heard())
}

// Who is on hold for a moment hears what comes afterwards without a hole before it.
func TestAShortHoldIsNoLoss(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := bridge(t, c, PCMA)
	b.talk(2, 0x11)
	join(t, c, Caller, a, func(s *Stream) { s.Send = false })
	settle(t, c)
	b.send(b.packet(frameOf(0x12, 160)))
	received(t, c, Callee, 3)
	join(t, c, Caller, a)
	settle(t, c)
	b.talk(2, 0x13)
	eventually(t, "the words after the hold", func() bool { h := a.heard(); return len(h) >= 4 && has(0x13)(h[len(h)-2]) })
	requireOneStream(t, a.heard())
	for _, h := range a.heard() {
		require.NotEqual(t, byte(0x12), h.Payload[0], "heard on hold")
	}
}
