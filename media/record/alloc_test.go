package record

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// allocations are those of a whole run: an average per packet would be rounded down to none. The process may allocate
// beside it; of three runs the one with the fewest counts.
func allocations(run func()) float64 {
	least := testing.AllocsPerRun(1, run)
	for range 2 {
		least = min(least, testing.AllocsPerRun(1, run))
	}
	return least
}

// Neither packets nor the pieces that become of them cost an allocation, and none what the goroutine does that writes them.
func TestTalkAllocatesNothing(t *testing.T) {
	for name, stereo := range map[string]bool{"mono": false, "stereo": true} {
		t.Run(name, func(t *testing.T) {
			p := begin(t, Options{Stereo: stereo})
			p.queue.pause = time.Millisecond
			frame := bytes.Repeat([]byte{a}, 160)
			i, pieces := 0, 0
			require.Zero(t, allocations(func() {
				pieces = 0
				for range 500 {
					before := p.base
					for side := range 2 {
						p.Write(side, uint32(side), uint32(160*i), p.start.Add(time.Duration(20*i)*time.Millisecond), frame)
					}
					i++
					if p.base != before {
						pieces++
						time.Sleep(3 * time.Millisecond) // it is written, and the queue rests
					}
				}
			}))
			require.GreaterOrEqual(t, pieces, 500*160/pieceFrames)
			require.Zero(t, p.writer.Pieces())
			p.end(20 * i)
		})
	}
}
