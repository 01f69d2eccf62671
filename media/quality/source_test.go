package quality

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestVerdicts(t *testing.T) {
	type step struct {
		ssrc    uint32
		seq     uint16
		verdict Verdict
		from    int64 // extended number minus that of the first packet of the sequence
	}
	for name, steps := range map[string][]step{
		"in order":              {{1, 10, Restart, 0}, {1, 11, Newer, 1}, {1, 12, Newer, 2}},
		"loss":                  {{1, 10, Restart, 0}, {1, 13, Newer, 3}},
		"reordered":             {{1, 10, Restart, 0}, {1, 12, Newer, 2}, {1, 11, Late, 1}, {1, 13, Newer, 3}},
		"before the first":      {{1, 10, Restart, 0}, {1, 9, Late, -1}},
		"before the first wrap": {{1, 0, Restart, 0}, {1, 65535, Late, -1}},
		"duplicate":             {{1, 10, Restart, 0}, {1, 10, Late, 0}},
		"wrap":                  {{1, 65535, Restart, 0}, {1, 0, Newer, 1}, {1, 65535, Late, 0}, {1, 1, Newer, 2}},
		"another SSRC":          {{1, 10, Restart, 0}, {2, 7000, Restart, 0}, {2, 7001, Newer, 1}},
		"one stray packet":      {{1, 10, Restart, 0}, {1, 40000, Stray, 0}, {1, 11, Newer, 1}},
		"peer begins anew":      {{1, 10, Restart, 0}, {1, 40000, Stray, 0}, {1, 40001, Restart, 0}, {1, 40002, Newer, 1}},
		"two strays apart":      {{1, 10, Restart, 0}, {1, 40000, Stray, 0}, {1, 40005, Stray, 0}, {1, 11, Newer, 1}},
		"stray at zero":         {{1, 30000, Restart, 0}, {1, 0, Stray, 0}, {1, 1, Restart, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var s Source
			var first int64
			for i, st := range steps {
				ext, v := s.Packet(st.ssrc, st.seq)
				require.Equal(t, st.verdict, v, "step %d", i)
				if v == Restart {
					first = ext
				}
				if v != Stray {
					require.Equal(t, st.from, ext-first, "step %d", i)
				}
			}
		})
	}
}

func TestLossOverSequences(t *testing.T) {
	var s Source
	for _, seq := range []uint16{65534, 65535, 1, 2} { // 0 is missing
		s.Packet(1, seq)
	}
	for _, seq := range []uint16{100, 105} { // 4 are missing
		s.Packet(2, seq)
	}
	require.EqualValues(t, 6, s.Received())
	require.EqualValues(t, 5, s.Lost())
	s.End()
	s.End()
	require.EqualValues(t, 6, s.Received())
	require.EqualValues(t, 5, s.Lost())
	_, v := s.Packet(2, 106)
	require.Equal(t, Restart, v, "after End a new sequence begins, whatever its numbers")
	require.EqualValues(t, 5, s.Lost())
}

func TestReport(t *testing.T) {
	var s Source
	_, ok := s.Report()
	require.False(t, ok)
	for seq := range uint16(100) {
		if seq%4 != 3 || seq == 99 {
			s.Packet(7, seq+65500) // wraps
		}
	}
	r, ok := s.Report()
	require.True(t, ok)
	require.Equal(t, Report{SSRC: 7, Fraction: 24 * 256 / 100, TotalLost: 24, Highest: 1<<16 + 63}, r)
	s.Packet(7, 64)
	r, _ = s.Report()
	require.Zero(t, r.Fraction, "since the last report")
	require.EqualValues(t, 24, r.TotalLost)
}

func TestJitter(t *testing.T) {
	var s Source
	s.Packet(1, 0)
	for i := range uint32(2000) { // every other packet 10 ms late
		s.Audio(5000+i*160+(i%2)*80, i*160)
	}
	require.InDelta(t, 80, s.Jitter(), 1)

	var steady Source
	steady.Packet(1, 0)
	for i := range uint32(50) {
		steady.Audio(i*160, 1<<31+i*160)
	}
	for i := range uint32(50) { // a peer that moves its clock is not jitter
		steady.Audio(8000+i*160, i*160)
	}
	require.Zero(t, steady.Jitter())
}

// Loss is what was left out, whatever the order of the others within the limits of reordering.
func TestLossProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Uint16().Draw(t, "start")
		keep := rapid.SliceOfN(rapid.Bool(), 2, 300).Draw(t, "keep")
		keep[0], keep[len(keep)-1] = true, true
		var s Source
		var lost, seen uint64
		var late []uint16
		for i, k := range keep {
			switch seq := start + uint16(i); {
			case !k:
				lost++
				continue
			case i > 0 && i < len(keep)-1 && rapid.Float64().Draw(t, "late") < 0.1:
				late = append(late, seq)
			default:
				s.Packet(9, seq)
			}
			seen++
			if len(late) > 0 && start+uint16(i)-late[0] > 50 {
				s.Packet(9, late[0])
				late = late[1:]
			}
		}
		for _, seq := range late {
			s.Packet(9, seq)
		}
		require.Equal(t, seen, s.Received())
		require.Equal(t, lost, s.Lost())
	})
}

func TestMOS(t *testing.T) {
	good := MOS(0, 0, 0)
	require.InDelta(t, 4.38, good, 0.03, "G.711 without loss (G.107: R 92 is MOS 4.38)")
	require.InDelta(t, 3.9, MOS(0.05, 0, 0), 0.35)
	require.Equal(t, 1.0, MOS(1, time.Minute, time.Minute))
	rapid.Check(t, func(t *rapid.T) {
		loss := rapid.Float64Range(0, 1).Draw(t, "loss")
		jitter := time.Duration(rapid.IntRange(0, 500).Draw(t, "jitter ms")) * time.Millisecond
		trip := time.Duration(rapid.IntRange(0, 2000).Draw(t, "trip ms")) * time.Millisecond
		m := MOS(loss, jitter, trip)
		require.GreaterOrEqual(t, m, 1.0)
		require.LessOrEqual(t, m, 4.5)
		require.LessOrEqual(t, MOS(min(1, loss+0.05), jitter, trip), m, "loss makes it no better")
		require.LessOrEqual(t, MOS(loss, jitter, trip+50*time.Millisecond), m, "nor does delay")
	})
}
