package media

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"axgate/media/tone"
)

// ms10 is so many units of 10 ms.
func ms10(n int) time.Duration { return time.Duration(n) * 10 * time.Millisecond }

// passed points both legs of a path to a codec of this clock that is passed through.
func passed(t testing.TB, p *path, clock uint32) {
	t.Helper()
	for side := range p.c.legs {
		l := &p.c.legs[side]
		s := l.stream
		s.Codec, s.Clock, s.SendPT, s.RecvPT = Passed, clock, uint8(97+side), uint8(97+side)
		require.NoError(t, s.complete(localhost))
		l.point(s, p.w.now())
	}
	p.hearing(t)
}

// TestPassedThrough: payloads of any size and content arrive as they are, under the callee's number, with loss and order as
// they were; nothing that is no payload of the codec is mixed in.
func TestPassedThrough(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	passed(t, p, 48000)
	id := p.c.plays.Add(1)
	p.c.legs[Callee].play(Clip{Name: "warning", ALaw: make([]byte, 8000)}, id, p.w.now())
	require.Equal(t, Event{Kind: PlayDone, Side: Callee, Play: id}, <-p.c.events, "nobody waits for what cannot be played")
	p.c.legs[Callee].sound(tone.Ringback(), p.w.now())
	p.record(t)
	at := p.w.now()
	for _, i := range []int{0, 1, 2, 4, 3, 7} {
		pk := &rtp.Packet{Header: rtp.Header{Version: 2, Marker: i == 4, PayloadType: 97, SequenceNumber: uint16(65534 + i), Timestamp: uint32(i * 960), SSRC: 7}, Payload: frameOf(byte(i), 3+i*150)}
		p.arrive(t, Caller, pk, at+int64(i)*20*ms)
	}
	p.arrive(t, Caller, &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: 6, Timestamp: 8 * 960, SSRC: 7}, Payload: frameOf(1, 160)}, at)
	heard := p.hearing(t)
	require.Len(t, heard, 6)
	for n, i := range []int{0, 1, 2, 4, 3, 7} {
		h := heard[n]
		require.Equal(t, frameOf(byte(i), 3+i*150), h.Payload)
		require.Equal(t, uint8(98), h.PayloadType)
		require.Equal(t, heard[0].SequenceNumber+uint16(i), h.SequenceNumber)
		require.Equal(t, heard[0].Timestamp+uint32(i*960), h.Timestamp)
		require.Equal(t, n == 0 || i == 4, h.Marker)
	}
	require.InDelta(t, 0, p.c.legs[Caller].stats().JitterMS, 25, "in the clock of the codec")
}

// TestKeysBesideAPassedCodec are events at its clock, in segments where a duration cannot say it at once.
func TestKeysBesideAPassedCodec(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	passed(t, p, 48000)
	at := p.w.now()
	for i := range 103 { // 2 s: more than 65535 units of 48 kHz
		seg, in := 0, min(i+1, 100)*960
		if in > 0xFFFF {
			seg, in = 0xFFFF, in-0xFFFF
		}
		pk := &rtp.Packet{Header: rtp.Header{Version: 2, Marker: i == 0, PayloadType: 101, SequenceNumber: uint16(i), Timestamp: uint32(5000 + seg), SSRC: 7},
			Payload: binary.BigEndian.AppendUint16([]byte{5, 10}, uint16(in))}
		if i >= 100 {
			pk.Payload[1] |= 0x80
		}
		p.arrive(t, Caller, pk, at)
		at += 20 * ms
		p.pass(at)
	}
	p.pass(at + 3000*ms)
	require.Equal(t, Event{Kind: Heard, Side: Caller}, <-p.c.events)
	require.Equal(t, Event{Kind: Digit, Side: Caller, Digit: '5', Crossed: true}, <-p.c.events)
	require.Empty(t, p.c.events, "one key")
	heard := p.hearing(t)
	ends, segments := 0, map[uint32]uint16{}
	for _, h := range heard {
		require.Equal(t, uint8(101), h.PayloadType)
		require.Equal(t, byte(5), h.Payload[0])
		segments[h.Timestamp] = binary.BigEndian.Uint16(h.Payload[2:])
		if h.Payload[1]&0x80 != 0 {
			ends++
		}
	}
	require.Len(t, segments, 2)
	require.Equal(t, uint16(0xFFFF), segments[heard[0].Timestamp])
	require.InDelta(t, 2*48000-0xFFFF, int(segments[heard[0].Timestamp+0xFFFF]), 3*960)
	require.Equal(t, endPackets, ends)

	l := &p.c.legs[Callee]
	s := l.stream
	s.SendEventPT, s.RecvEventPT = 0, 0
	l.point(s, at)
	l.dial(press{code: 5, want: minPress}, at)
	p.pass(at + 5000*ms)
	require.Empty(t, p.hearing(t), "no tone fits into it")
}

// TestDigitsByTheWayOfTheLeg: where signalling carries them, or tones are wanted, telephone-events are not sent on as such.
func TestDigitsByTheWayOfTheLeg(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	l := &p.c.legs[Callee]
	at := p.w.now()
	press := func(ts uint32) Event {
		for i := range 6 {
			end := byte(10)
			if i >= 3 {
				end |= 0x80
			}
			p.arrive(t, Caller, &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 101, SequenceNumber: p.seq, Timestamp: ts, SSRC: 7}, Payload: []byte{3, end, 2, 0}}, at)
			p.seq++
			at += 20 * ms
			p.pass(at)
		}
		at += 500 * ms
		p.pass(at)
		for {
			if e := <-p.c.events; e.Kind == Digit {
				return e
			}
		}
	}
	types := func() map[uint8]bool {
		all := map[uint8]bool{}
		for _, h := range p.hearing(t) {
			all[h.PayloadType] = true
		}
		return all
	}
	require.True(t, press(1000).Crossed)
	require.Equal(t, map[uint8]bool{101: true}, types())
	l.stream.Digits = DigitsTones
	require.True(t, press(20000).Crossed)
	require.Equal(t, map[uint8]bool{8: true}, types())
	l.stream.Digits = DigitsElsewhere
	require.False(t, press(40000).Crossed)
	require.Empty(t, types())
	l.stream.Digits = DigitsBest
	p.c.legs[Caller].keys.kept = true
	require.False(t, press(60000).Crossed)
	require.Empty(t, types())
	require.Less(t, at-p.c.legs[Caller].keys.heardAt, 1000*ms)
}

// TestMultiplexedRTCP: reports come and go on RTP's port (RFC 5761), and none on the one above it.
func TestMultiplexedRTCP(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a, func(s *Stream) { s.Mux = true })
	join(t, c, Callee, b)
	c.Connect(true, true)
	raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.SenderReport{SSRC: a.ssrc, NTPTime: 1 << 40}, &rtcp.Goodbye{Sources: []uint32{a.ssrc}}})
	require.NoError(t, err)
	a.sendRaw(raw)
	a.send(a.packet(frameOf(0x41, 160)))
	b.hears("audio", has(0x41))
	a.sendRaw(raw)
	eventually(t, "the report is read", func() bool { return ask(t, c, func() bool { return c.legs[Caller].reports.bye }) })
	require.True(t, ask(t, c, func() bool {
		c.legs[Caller].sayReport(c.worker.now())
		return c.legs[Caller].reports.said
	}))
	report := a.hears("a report on RTP's port", func(h heardPacket) bool { return h.PayloadType >= 72 && h.PayloadType <= 76 && h.Marker })
	require.Equal(t, c.ports[Caller], report.from.Port())
	stats := c.Close()
	require.True(t, stats[Caller].PeerBye)
	require.EqualValues(t, 1, stats[Caller].Received)
	require.Zero(t, stats[Caller].Dropped)
	require.Empty(t, a.controls(), "nothing on the port above")
}

// TestStreamRefuses what no engine can do.
func TestStreamRefuses(t *testing.T) {
	for want, change := range map[string]func(*Stream){
		"clock of 16000 Hz for PCMA":   func(s *Stream) { s.Clock = 16000 },
		"clock of 90000 Hz for passed": func(s *Stream) { s.Codec, s.Clock = Passed, 90000 },
		"digits by way 7":              func(s *Stream) { s.Digits = 7 },
		"inactivity limit -1s":         func(s *Stream) { s.Inactive = -time.Second },
	} {
		s := Stream{}
		change(&s)
		require.ErrorContains(t, s.complete(localhost), want)
	}
}

// TestInactiveByLeg: each leg has its own limit, and a peer on hold none.
func TestInactiveByLeg(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	l := &p.c.legs[Caller]
	s := l.stream
	s.Inactive = 7 * time.Second
	now := p.w.now()
	l.point(s, now)
	require.InDelta(t, now+int64(7*time.Second), l.idle.when, float64(ms))
	s.Send = false
	l.point(s, now)
	require.Zero(t, l.idle.at, "on hold")
	s.Send, s.Receive = true, false
	l.point(s, now)
	require.Zero(t, l.idle.at)
}

// TestNewSourceGoesOn: a peer that changes its SSRC, sequence and clock in the talk (a caller tune, then the callee) is heard
// and recorded without a pause, in whatever packets.
func TestNewSourceGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		codec Codec
		ptime time.Duration
	}{"as it comes": {codec: PCMA}, "cut": {codec: PCMA, ptime: ms10(3)}, "passed": {codec: Passed}} {
		t.Run(name, func(t *testing.T) {
			p := newPath(t, PCMA, PCMA)
			if c.codec == Passed {
				passed(t, p, 8000)
			}
			l := &p.c.legs[Callee]
			s := l.stream
			s.PTime = c.ptime
			l.point(s, p.w.now())
			l.quiet()
			p.hearing(t)
			p.record(t)
			at := p.w.now()
			for i := range 24 {
				pk := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: p.c.legs[Caller].stream.RecvPT, SequenceNumber: uint16(100 + i), Timestamp: uint32(i * 160), SSRC: 7}, Payload: frameOf(0x41, 160)}
				if i >= 12 {
					pk.SSRC, pk.SequenceNumber, pk.Timestamp, pk.Payload = 8, uint16(9+i), uint32(0x80000000+i*160), frameOf(0x42, 160)
				}
				p.arrive(t, Caller, pk, at+int64(i)*20*ms)
			}
			heard := p.hearing(t)
			samples := map[byte]int{}
			for i, h := range heard {
				samples[h.Payload[0]] += len(h.Payload)
				require.Equal(t, heard[0].SSRC, h.SSRC)
				require.Equal(t, heard[0].SequenceNumber+uint16(i), h.SequenceNumber)
				if i > 0 {
					require.InDelta(t, 160, int32(h.Timestamp-heard[i-1].Timestamp), 161)
				}
			}
			require.Equal(t, map[byte]int{0x41: 12 * 160, 0x42: 12 * 160}, samples)
			require.Equal(t, uint64(24), p.c.legs[Caller].in.Received())
			require.Zero(t, p.c.legs[Caller].in.Lost())
		})
	}
}
