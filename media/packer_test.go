package media

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// counting is audio whose samples tell their place: that of the caller's phone beginning at a sample.
func counting(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((from + i) / 80)
	}
	return b
}

// cut sends packets of the caller, each of some 10 ms units, and gives what the callee hears, which wants packets of its own
// size. lost are those that never arrive.
func cut(t testing.TB, wants int, units []int, lost map[int]bool) []heardPacket {
	p := newPath(t, PCMA, PCMA)
	l := &p.c.legs[Callee]
	s := l.stream
	s.PTime = ms10(wants)
	l.point(s, p.w.now())
	l.quiet()
	p.hearing(t)
	sample, at := 0, p.w.now()
	for i, n := range units {
		at += int64(n) * 10 * ms
		if !lost[i] {
			p.arrive(t, Caller, &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: uint16(65530 + i), Timestamp: uint32(0xFFFFF000 + sample), SSRC: 7},
				Payload: counting(sample, n*80)}, at)
		}
		sample += n * 80
	}
	return p.hearing(t)
}

// TestPacketsOfTheSizeThatIsWanted: nothing is lost or added, nothing waits longer than its packet, and the clock is right.
func TestPacketsOfTheSizeThatIsWanted(t *testing.T) {
	for _, c := range []struct {
		wants int
		units []int
		sizes []int // of what is heard, in units
	}{
		{2, []int{3, 3, 3, 3}, []int{2, 2, 2, 2, 2, 2}},
		{3, []int{2, 2, 2, 2, 2, 2}, []int{3, 3, 3, 3}},
		{6, []int{2, 2, 2, 2, 2, 2, 2}, []int{6, 6}},
		{2, []int{6, 1, 1, 4}, []int{2, 2, 2, 2, 2, 2}},
		{1, []int{2, 3}, []int{1, 1, 1, 1, 1}},
		{4, []int{6, 6}, []int{4, 4, 4}},
		{2, []int{2, 2, 2}, []int{2, 2, 2}}, // the way without cutting
		{2, []int{2, 2, 3, 3, 2, 2}, []int{2, 2, 2, 2, 2, 2, 2}},
	} {
		t.Run(fmt.Sprint(c.wants, c.units), func(t *testing.T) {
			heard := cut(t, c.wants, c.units, nil)
			var sizes []int
			place := 0
			for i, h := range heard {
				sizes = append(sizes, len(h.Payload)/80)
				require.Equal(t, counting(place, len(h.Payload)), h.Payload, "packet %d", i)
				require.Equal(t, heard[0].Timestamp+uint32(place), h.Timestamp, "packet %d", i)
				require.Equal(t, heard[0].SequenceNumber+uint16(i), h.SequenceNumber)
				require.Equal(t, i == 0, h.Marker, "packet %d", i)
				place += len(h.Payload)
			}
			require.Equal(t, c.sizes, sizes)
		})
	}
}

// TestLossIsSeen: a hole in the caller's audio is one of the same length in the callee's, in time and in sequence.
func TestLossIsSeen(t *testing.T) {
	heard := cut(t, 2, []int{3, 3, 3, 3, 3}, map[int]bool{2: true})
	var got []string
	for _, h := range heard {
		got = append(got, fmt.Sprintf("%d+%d #%d", int32(h.Timestamp-heard[0].Timestamp)/80, len(h.Payload)/80, h.SequenceNumber-heard[0].SequenceNumber))
		require.True(t, bytes.Equal(counting(int(h.Timestamp-heard[0].Timestamp), len(h.Payload)), h.Payload))
	}
	require.Equal(t, []string{"0+2 #0", "2+2 #1", "4+2 #2", "9+2 #5", "11+2 #6", "13+2 #7"}, got)

	heard = cut(t, 4, []int{3, 3, 3, 3}, map[int]bool{1: true})
	got = nil
	for _, h := range heard {
		got = append(got, fmt.Sprintf("%d+%d #%d", int32(h.Timestamp-heard[0].Timestamp)/80, len(h.Payload)/80, h.SequenceNumber-heard[0].SequenceNumber))
	}
	require.Equal(t, []string{"0+3 #0", "6+4 #2"}, got, "what was there before the hole is not kept from the peer")
}

// TestAnyCutting: whatever sizes come, lost, late or after a pause, and whatever else the leg sends between: packets follow
// each other in sequence and in time, and none overlaps another.
func TestAnyCutting(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	rapid.Check(t, func(rt *rapid.T) {
		l := &p.c.legs[Callee]
		s := l.stream
		s.PTime = ms10(rapid.IntRange(1, 6).Draw(rt, "wanted"))
		l.point(s, p.w.now())
		l.quiet()
		p.hearing(t)
		p.c.legs[Caller].in.End()
		l.out.relay.on = false
		sample, at, seq := 0, p.w.now(), uint16(rapid.IntRange(0, 65535).Draw(rt, "seq"))
		base := rapid.Uint32().Draw(rt, "ts")
		var kept *rtp.Packet
		for range rapid.IntRange(1, 40).Draw(rt, "packets") {
			n := rapid.IntRange(1, 480).Draw(rt, "samples")
			pk := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 8, SequenceNumber: seq, Timestamp: base + uint32(sample), SSRC: 9}, Payload: counting(sample, n)}
			sample += n
			at += int64(n) * sampleTime
			seq++
			switch rapid.SampledFrom([]string{"", "", "", "lost", "late", "pause", "prompt"}).Draw(rt, "what") {
			case "lost":
				continue
			case "late":
				kept = pk
				continue
			case "pause":
				sample += 4000
				at += 500 * ms
			case "prompt":
				l.playFrame(at)
			}
			p.arrive(t, Caller, pk, at)
			if kept != nil {
				p.arrive(t, Caller, kept, at)
				kept = nil
			}
		}
		heard := p.hearing(t)
		slices.SortStableFunc(heard, func(a, b heardPacket) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
		for i, h := range heard {
			require.LessOrEqual(rt, len(h.Payload), maxFrame)
			if i > 0 {
				before := heard[i-1]
				require.NotEqual(rt, before.SequenceNumber, h.SequenceNumber)
				require.GreaterOrEqual(rt, int32(h.Timestamp-before.Timestamp), int32(len(before.Payload)), "packet %d", i)
			}
		}
	})
}

// TestNothingIsAllocatedPerCutPacket, whatever the sizes.
func TestNothingIsAllocatedPerCutPacket(t *testing.T) {
	p := newPath(t, PCMA, PCMU)
	l := &p.c.legs[Callee]
	s := l.stream
	s.PTime, s.Codec = ms10(3), PCMU
	l.point(s, p.w.now())
	l.quiet()
	audio := counting(0, 160)
	source := p.c.legs[Caller].stream.RTP
	at := p.w.now()
	require.Zero(t, allocations(func() {
		for range inTalk {
			putHeader(p.w.in[:], 8, false, p.seq, uint32(p.seq)*160, 7)
			n := headerSize + copy(p.w.in[headerSize:], audio)
			p.seq++
			at += 20 * ms
			p.c.legs[Caller].received(p.w.in[:n], source, at)
			for p.receive() {
			}
		}
	}))
	require.Positive(t, l.out.packets)
}
