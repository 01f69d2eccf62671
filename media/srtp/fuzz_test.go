package srtp

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReceive gives a receiver what anybody may send: without the key nothing
// is believed, and the peer is heard as before.
func FuzzReceive(f *testing.F) {
	for _, s := range Suites() {
		k, err := KeyOf(s, bytes.Repeat([]byte{1}, s.KeySize()))
		require.NoError(f, err)
		out := sender(f, k, 7)
		f.Add(uint8(s), protect(f, out, rtpPacket(7, 9)))
		control, err := out.RTCP(make([]byte, 0, 64), report(7))
		require.NoError(f, err)
		f.Add(uint8(s), control)
	}
	f.Add(uint8(AES128SHA80), []byte{0x9F, 0x80, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0xBE, 0xDE, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, suite uint8, packet []byte) {
		all := Suites()
		s := all[int(suite)%len(all)]
		k := NewKey(s)
		out, in := sender(t, k, 7), receiver(t, k)
		passes(t, in, protect(t, out, rtpPacket(7, 100)), rtpPacket(7, 100))
		for _, open := range []func([]byte) ([]byte, error){in.RTP, in.RTCP} {
			b, err := open(bytes.Clone(packet))
			require.Error(t, err)
			require.Nil(t, b)
		}
		c := in.Counts()
		require.Equal(t, uint64(2), c.Forged+c.Malformed+c.Replayed)
		passes(t, in, protect(t, out, rtpPacket(7, 101)), rtpPacket(7, 101))
	})
}
