package timeline

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const frame = rate / 50

// arrival is one packet: its number in the stream and when it arrives.
type arrival struct {
	n  int
	at time.Duration
}

func feed(l *Line, ssrc uint32, from time.Duration, all []arrival, start time.Time) {
	seq, ts := uint16(65530), uint32(1<<32-500) // both wrap
	for _, a := range all {
		h := rtp.Header{SSRC: ssrc, SequenceNumber: seq + uint16(a.n), Timestamp: ts + uint32(a.n*frame)}
		l.Packet(&h, bytes.Repeat([]byte{byte(a.n)}, frame), start.Add(from+a.at))
	}
}

func TestLaysOutByTime(t *testing.T) {
	start := time.Now()
	ms := time.Millisecond
	tests := []struct {
		name                  string
		arrivals              []arrival
		want                  []byte // value of each 20 ms from the first packet on
		packets, lost, breaks int
	}{
		{"in order", []arrival{{0, 20 * ms}, {1, 40 * ms}, {2, 60 * ms}}, []byte{0, 1, 2}, 3, 0, 0},
		{"late and out of order", []arrival{{0, 20 * ms}, {2, 60 * ms}, {1, 75 * ms}, {3, 80 * ms}}, []byte{0, 1, 2, 3}, 4, 0, 0},
		{"lost", []arrival{{0, 20 * ms}, {3, 80 * ms}}, []byte{0, silence, silence, 3}, 2, 2, 0},
		{"twice", []arrival{{0, 20 * ms}, {1, 40 * ms}, {1, 41 * ms}}, []byte{0, 1}, 2, 0, 0},
		{"in a burst", []arrival{{0, 20 * ms}, {1, 90 * ms}, {2, 90 * ms}, {3, 91 * ms}}, []byte{0, 1, 2, 3}, 4, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := New(start)
			feed(l, 1, 100*ms, tt.arrivals, start)
			h := l.Heard()
			require.Equal(t, start, h.Start)
			at := h.Since(start.Add(100 * ms))
			for i, v := range tt.want {
				require.Equal(t, bytes.Repeat([]byte{v}, frame), at[i*frame:(i+1)*frame], "frame %d", i)
			}
			require.Len(t, at, len(tt.want)*frame)
			s := l.Streams()
			require.Len(t, s, 1)
			require.Equal(t, []int{tt.packets, tt.lost, tt.breaks}, []int{s[0].Packets, s[0].Lost, s[0].Breaks})
		})
	}
}

// TestNewSource lets a second source take over: its clock is its own.
func TestNewSource(t *testing.T) {
	start := time.Now()
	l := New(start)
	feed(l, 1, 0, []arrival{{1, 20 * time.Millisecond}}, start)
	feed(l, 2, 0, []arrival{{5, 1020 * time.Millisecond}}, start)
	h := l.Heard()
	require.Equal(t, byte(1), h.Audio[0])
	require.Equal(t, byte(silence), h.Audio[frame])
	require.Equal(t, byte(5), h.Audio[rate])
	require.Len(t, l.Streams(), 2)
}

// TestClockJump: a sender whose timestamps jump is heard where it arrived.
func TestClockJump(t *testing.T) {
	start := time.Now()
	l := New(start)
	for i, ts := range []uint32{0, 160, 1 << 30} {
		l.Packet(&rtp.Header{SSRC: 1, SequenceNumber: uint16(i), Timestamp: ts}, bytes.Repeat([]byte{byte(i + 1)}, frame), start.Add(time.Duration(i+1)*20*time.Millisecond))
	}
	require.Equal(t, byte(3), l.Heard().Audio[2*frame])
	require.Equal(t, 1, l.Streams()[0].Breaks)
}

// TestAnyPackets feeds anything: nothing panics and memory stays bounded.
func TestAnyPackets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Now()
		l := New(start)
		at := time.Duration(0)
		for range rapid.IntRange(1, 200).Draw(t, "packets") {
			at += time.Duration(rapid.IntRange(-50, 5000).Draw(t, "ms")) * time.Millisecond
			h := rtp.Header{SSRC: uint32(rapid.IntRange(0, 80).Draw(t, "ssrc")), SequenceNumber: rapid.Uint16().Draw(t, "seq"), Timestamp: rapid.Uint32().Draw(t, "ts")}
			l.Packet(&h, make([]byte, rapid.IntRange(0, 1500).Draw(t, "size")), start.Add(at))
		}
		if n := len(l.Heard().Audio); n > samplesOf(at+time.Minute) {
			t.Fatalf("%d samples after %v", n, at)
		}
		if n := len(l.Streams()); n > maxStreams {
			t.Fatalf("%d streams", n)
		}
	})
}
