package media

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const ms = int64(time.Millisecond)

func TestOwnPacketsFollowEachOther(t *testing.T) {
	o := newOutStream()
	seq0, ts0, marker := o.own(160, 0)
	require.True(t, marker)
	for i := range int64(5) {
		seq, ts, marker := o.own(160, (i+1)*20*ms)
		require.Equal(t, seq0+uint16(i)+1, seq)
		require.Equal(t, ts0+uint32(i+1)*160, ts)
		require.False(t, marker)
	}
	_, ts, marker := o.own(160, 1100*ms)
	require.Equal(t, ts0+1100*8, ts, "the clock goes on in a pause")
	require.True(t, marker)
}

func TestForwardKeepsLossAndOrder(t *testing.T) {
	o := newOutStream()
	seq0, ts0, _ := o.own(160, 0)
	type in struct {
		ext  int64
		ts   uint32
		at   int64
		want int // sequence after seq0; 0: not forwarded
	}
	for _, p := range []in{
		{70000, 5000, 25, 1}, {70001, 5160, 45, 2}, {70003, 5480, 85, 4}, {70002, 5320, 86, 3}, {70003, 5480, 87, 4},
		{69999, 4840, 88, 0}, {70004, 5640, 105, 5},
	} {
		seq, ts, first, ok := o.forward(p.ext, p.ts, 160, p.at*ms)
		require.Equal(t, p.want != 0, ok)
		if !ok {
			continue
		}
		require.Equal(t, p.ext == 70000, first)
		require.Equal(t, seq0+uint16(p.want), seq)
		require.Equal(t, ts0+200+p.ts-5000, ts, "25 ms after the first packet")
	}
	seq, _, marker := o.own(160, 130*ms)
	require.Equal(t, seq0+6, seq)
	require.True(t, marker)
	seq, _, first, ok := o.forward(70010, 6600, 160, 150*ms)
	require.True(t, ok && first)
	require.Equal(t, seq0+7, seq, "what was lost while something else was sent leaves no hole")
}

func TestForwardFollowsAPeerThatMovesItsClock(t *testing.T) {
	o := newOutStream()
	_, ts1, _, _ := o.forward(1, 1000, 160, 0)
	_, ts2, first, _ := o.forward(2, 9_000_000, 160, 20*ms)
	require.True(t, first)
	require.Equal(t, ts1+160, ts2)
	_, ts3, first, _ := o.forward(3, 9_000_160, 160, 40*ms)
	require.False(t, first)
	require.Equal(t, ts1+320, ts3)
	_, ts4, first, _ := o.forward(4, 9_000_320, 160, 10_060*ms)
	require.True(t, first, "its clock stood still in a pause of 10 s")
	require.Equal(t, ts3+80160, ts4)
	_, ts5, first, _ := o.forward(5, 9_000_320+80_000, 160, 20_060*ms)
	require.False(t, first, "its clock went on in a pause")
	require.Equal(t, ts4+80000, ts5)
}

// Whatever is mixed, in-order packets never get a used sequence number, and their timestamps never run back.
func TestOneStreamProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := newOutStream()
		now, ext, in := int64(0), int64(1<<16), rapid.Uint32().Draw(t, "peer's clock")
		var lastSeq uint16
		var endTS uint32
		any := false
		check := func(seq uint16, ts uint32, n int) {
			if any {
				require.Positive(t, int16(seq-lastSeq), "sequence")
				require.GreaterOrEqual(t, int32(ts-endTS), int32(0), "timestamp")
			}
			any, lastSeq, endTS = true, seq, ts+uint32(n)
		}
		t.Repeat(map[string]func(*rapid.T){
			"wait": func(t *rapid.T) {
				d := int64(rapid.IntRange(0, 3000).Draw(t, "ms"))
				now += d * ms
				in += uint32(d) * 8
			},
			"own": func(t *rapid.T) {
				seq, ts, _ := o.own(160, now)
				check(seq, ts, 160)
				now += 20 * ms
				in += 160
			},
			"forward": func(t *rapid.T) {
				ext += int64(rapid.IntRange(1, 5).Draw(t, "loss"))
				seq, ts, _, ok := o.forward(ext, in, 160, now)
				require.True(t, ok)
				check(seq, ts, 160)
				now += 20 * ms
				in += 160
			},
			"event": func(t *rapid.T) {
				ts, at := o.position(now)
				for i := range uint32(3) {
					seq := o.event(ts, at, 160*(i+1))
					check(seq, ts, 0)
				}
				endTS = ts + 480
				now += 60 * ms
				in += 480
			},
		})
	})
}
