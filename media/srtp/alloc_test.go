//go:build !race

// With the race detector a sync.Pool, of which pion takes a buffer, forgets at random.

package srtp

import (
	"encoding/binary"
	"testing"
)

// TestNoAllocations: packets of a talk cost none, in both directions.
func TestNoAllocations(t *testing.T) {
	for _, s := range Suites() {
		k := NewKey(s)
		out, in := sender(t, k, 7), receiver(t, k)
		packet, control, dst := rtpPacket(7, 0), report(7), make([]byte, 0, 2048)
		seq := uint16(0)
		n := testing.AllocsPerRun(1000, func() {
			binary.BigEndian.PutUint16(packet[2:], seq)
			seq++
			b, err := out.RTP(dst, packet)
			if err == nil {
				_, err = in.RTP(b)
			}
			if err == nil {
				b, err = out.RTCP(dst, control)
			}
			if err == nil {
				_, err = in.RTCP(b)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%v: %v allocations for a packet each way", s, n)
		}
	}
}
