package media

import (
	"encoding/binary"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
)

// FuzzRTP throws datagrams at a bridged leg: nothing panics, and what goes out is a packet of ours with at most the
// peer's audio in it. The header is read as pion/rtp reads it.
//
// flags are the laws (bits 0 and 1), the packets that are wanted in units of 10 ms (2 to 4), RTCP on the same port (5), and a
// codec that is passed through (6).
func FuzzRTP(f *testing.F) {
	audio := make([]byte, headerSize+240)
	putHeader(audio, 8, true, 65535, 1<<32-80, 9)
	for _, flags := range []uint8{2 << 2, 3<<2 | 1, 7<<2 | 2, 1 << 5, 1 << 6, 1<<6 | 1<<5 | 6<<2} {
		f.Add(audio, flags)
	}
	f.Add([]byte{0x80, 200, 0, 6, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(1<<5))
	f.Fuzz(func(t *testing.T, b []byte, flags uint8) {
		if len(b) > datagramSize {
			return
		}
		p, ok := parse(b)
		var theirs rtp.Packet
		theirErr := theirs.Unmarshal(append([]byte(nil), b...))
		if ok && theirErr == nil {
			require.Equal(t, theirs.PayloadType, p.pt)
			require.Equal(t, theirs.SequenceNumber, p.seq)
			require.Equal(t, theirs.Timestamp, p.ts)
			require.Equal(t, theirs.SSRC, p.ssrc)
			require.Equal(t, theirs.Marker, p.marker)
			require.Equal(t, string(theirs.Payload), string(b[p.start:p.end]))
		}
		path := newPath(t, Codec(flags&1), Codec(flags>>1&1))
		c, w := path.c, path.w
		for side := range c.legs {
			l := &c.legs[side]
			s := l.stream
			s.PTime, s.Mux = ms10(int(flags>>2&7)), flags>>5&1 != 0
			if flags>>6&1 != 0 {
				s.Codec, s.Clock = Passed, 48000
			}
			l.point(s, w.now())
			l.quiet()
		}
		path.hearing(t)
		c.legs[Caller].keys.listen(true)
		source := c.legs[Caller].stream.RTP
		for i := range 3 {
			n := copy(w.in[:], b)
			if n >= headerSize { // a sequence, so that it is believed
				binary.BigEndian.PutUint16(w.in[2:], p.seq+uint16(i))
			}
			c.legs[Caller].received(w.in[:n], source, int64(i)*20*ms)
		}
		for i := 0; i < 2000; i++ {
			due := w.timers.due(1 << 40)
			if due == nil {
				break
			}
			if due.kind == tickTimer {
				due.leg.tick(due.when)
			}
		}
		require.LessOrEqual(t, c.legs[Callee].dialer.count, 1)
		for {
			n, errno := path.b.Receive(path.in[:])
			if errno != 0 {
				break
			}
			require.Equal(t, byte(0x80), path.in[0], "no extension, no contributing sources")
			require.Equal(t, c.legs[Callee].out.ssrc, binary.BigEndian.Uint32(path.in[8:]))
			require.Greater(t, n, headerSize)
			require.LessOrEqual(t, n, max(headerSize+maxPayload, len(b)))
		}
	})
}

// FuzzRTCP throws datagrams at a leg's RTCP socket.
func FuzzRTCP(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > datagramSize {
			return
		}
		l := &newPath(t, PCMA, PCMA).c.legs[Caller]
		l.out.ssrc = 2
		l.controlReceived(b, l.stream.RTCP, 1)
		require.LessOrEqual(t, l.reports.roundTrip, maxRoundTrip)
	})
}
