package srtp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func octets(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// rtpPacket is a plain packet of 20 ms of G.711.
func rtpPacket(ssrc uint32, seq uint16) []byte {
	b := make([]byte, 172, 2048)
	b[0], b[1] = 0x80, 8
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], uint32(seq)*160)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	for i := 12; i < len(b); i++ {
		b[i] = byte(i) ^ byte(seq)
	}
	return b
}

// report is an empty receiver report.
func report(ssrc uint32) []byte {
	b := make([]byte, 8, 64)
	copy(b, []byte{0x80, 201, 0, 1})
	binary.BigEndian.PutUint32(b[4:], ssrc)
	return b
}

func sender(t testing.TB, k Key, ssrc uint32) *Sender {
	s, err := NewSender(k, ssrc)
	require.NoError(t, err)
	return s
}

func receiver(t testing.TB, k Key) *Receiver {
	r, err := NewReceiver(k)
	require.NoError(t, err)
	return r
}

func protect(t testing.TB, s *Sender, packet []byte) []byte {
	b, err := s.RTP(make([]byte, 0, len(packet)+Overhead), packet)
	require.NoError(t, err)
	return b
}

// passes and fails give a copy of a protected packet to a receiver.
func passes(t testing.TB, r *Receiver, protected, plain []byte) {
	t.Helper()
	b, err := r.RTP(bytes.Clone(protected))
	require.NoError(t, err)
	require.Equal(t, plain, b)
}

func fails(t testing.TB, r *Receiver, protected []byte, want error) {
	t.Helper()
	_, err := r.RTP(bytes.Clone(protected))
	require.ErrorIs(t, err, want)
}

// TestVectors is what libsrtp makes of the same keys and packets (its test
// driver, srtp_validate and srtp_validate_gcm).
func TestVectors(t *testing.T) {
	plain := octets(t, "800f1234 decafbad cafebabe abababab abababab abababab abababab")
	for _, v := range []struct {
		suite       Suite
		key, packet string
	}{
		{AES128SHA80, "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
			"800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb"},
		{AES128SHA32, "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6",
			"800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc"},
		{AES128GCM, "000102030405060708090a0b0c0d0e0f a0a1a2a3a4a5a6a7a8a9aaab",
			"800f1234 decafbad cafebabe c5002ede 04cfdd2e b91159e0 880aa06e d2976826 f796b201 df3131a1 27e8a392"},
	} {
		k, err := KeyOf(v.suite, octets(t, v.key))
		require.NoError(t, err)
		protected := octets(t, v.packet)
		require.Equal(t, protected, protect(t, sender(t, k, 0xcafebabe), plain), "%v", v.suite)
		passes(t, receiver(t, k), protected, plain)
	}

	k, err := KeyOf(AES128SHA80, octets(t, "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6"))
	require.NoError(t, err)
	control := octets(t, "81c8000b cafebabe abababab abababab abababab abababab")
	protected, err := sender(t, k, 0xcafebabe).RTCP(make([]byte, 0, 64), control)
	require.NoError(t, err)
	require.Equal(t, octets(t, "81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798"), protected)
	back, err := receiver(t, k).RTCP(protected)
	require.NoError(t, err)
	require.Equal(t, control, back)
}

func TestSuites(t *testing.T) {
	for _, s := range Suites() {
		t.Run(s.String(), func(t *testing.T) {
			named, ok := Named(s.String())
			require.True(t, ok)
			require.Equal(t, s, named)
			k := NewKey(s)
			require.Len(t, k.Octets(), s.KeySize())
			require.NotEqual(t, k, NewKey(s))
			again, err := KeyOf(s, k.Octets())
			require.NoError(t, err)
			require.Equal(t, k, again)
			named8, err := k.WithID(0x0102, 4)
			require.NoError(t, err)

			out, in := sender(t, k, 7), receiver(t, k)
			plain := rtpPacket(7, 100)
			protected := protect(t, out, plain)
			require.LessOrEqual(t, len(protected), len(plain)+Overhead)
			require.False(t, bytes.Contains(protected, plain[12:28]), "the payload can be read")
			fails(t, receiver(t, NewKey(s)), protected, ErrForged)
			fails(t, receiver(t, named8), protected, ErrForged)
			for i := range protected { // each bit counts, in header, payload and tag
				bad := bytes.Clone(protected)
				bad[i] ^= 0x20
				_, err := receiver(t, k).RTP(bad)
				require.Error(t, err, "octet %d", i)
			}
			for n := range protected {
				_, err := receiver(t, k).RTP(bytes.Clone(protected[:n]))
				require.Error(t, err, "%d octets", n)
			}
			passes(t, in, protected, plain)
			twiceSent, err := out.RTP(plain, plain)
			require.ErrorIs(t, err, ErrRepeated)
			require.Nil(t, twiceSent)

			control, err := out.RTCP(make([]byte, 0, 64), report(7))
			require.NoError(t, err)
			for i := range control {
				bad := bytes.Clone(control)
				bad[i] ^= 0x01
				_, err := receiver(t, k).RTCP(bad)
				require.Error(t, err, "octet %d", i)
			}
			for n := range control {
				_, err := receiver(t, k).RTCP(bytes.Clone(control[:n]))
				require.Error(t, err, "%d octets", n)
			}
			twice := bytes.Clone(control)
			back, err := in.RTCP(control)
			require.NoError(t, err)
			require.Equal(t, report(7), back)
			_, err = in.RTCP(twice)
			require.ErrorIs(t, err, ErrReplayed)
		})
	}
	_, ok := Named("aes_cm_128_hmac_sha1_80")
	require.False(t, ok)
	_, ok = Named("")
	require.False(t, ok)
	require.Equal(t, "suite 9", Suite(9).String())
	require.Zero(t, Suite(9).KeySize())
}

func TestKeys(t *testing.T) {
	for _, s := range Suites() {
		for _, n := range []int{0, s.KeySize() - 1, s.KeySize() + 1} {
			_, err := KeyOf(s, make([]byte, n))
			require.ErrorIs(t, err, ErrKeySize)
		}
	}
	_, err := KeyOf(0, nil)
	require.ErrorIs(t, err, ErrKeySize)
	k := NewKey(AES128SHA80)
	for _, bad := range []struct {
		id   uint64
		size int
	}{{1, 0}, {1, -1}, {1, 9}, {256, 1}, {1 << 32, 4}} {
		_, err := k.WithID(bad.id, bad.size)
		require.ErrorIs(t, err, ErrKeyID, "%+v", bad)
	}
	for _, good := range []int{1, 4, 8} {
		_, err := k.WithID(255, good)
		require.NoError(t, err)
	}
	_, err = NewSender(Key{}, 1)
	require.ErrorIs(t, err, ErrKeySize)
	_, err = NewReceiver(Key{})
	require.ErrorIs(t, err, ErrKeySize)

	require.False(t, Keys{}.On())
	keys := Keys{In: k, Out: NewKey(AES128SHA80)}
	require.True(t, keys.On())
	require.NoError(t, keys.Check())
	withID, err := k.WithID(1, 1)
	require.NoError(t, err)
	require.ErrorIs(t, Keys{In: k, Out: withID}.Check(), ErrSameKey)
	require.ErrorIs(t, Keys{In: k}.Check(), ErrKeySize)
	require.ErrorIs(t, Keys{Out: k}.Check(), ErrKeySize)
}

// TestKeysAreNotShown: whatever prints a key says its suite at most.
func TestKeysAreNotShown(t *testing.T) {
	k, err := KeyOf(AES128SHA80, bytes.Repeat([]byte{0xA7}, 30))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{k, &k, Keys{In: k, Out: k}, struct{ K Keys }{Keys{In: k}}} {
			said := fmt.Sprintf(verb, v)
			for _, shown := range []string{"167", "a7a7", "A7A7", "\xa7\xa7", `\xa7\xa7`} {
				require.NotContains(t, said, shown, verb)
			}
		}
	}
}

// TestIdentifiers: packets of a peer whose key has an identifier carry it.
func TestIdentifiers(t *testing.T) {
	for _, s := range Suites() {
		k, err := NewKey(s).WithID(5, 4)
		require.NoError(t, err)
		_, err = NewSender(k, 1)
		require.ErrorIs(t, err, ErrKeyID)
		peer, err := k.context()
		require.NoError(t, err)
		plain := rtpPacket(1, 1)
		protected, err := peer.EncryptRTP(nil, plain, nil)
		require.NoError(t, err)
		require.True(t, bytes.Contains(protected[172:], []byte{0, 0, 0, 5}))
		passes(t, receiver(t, k), protected, plain)
		control, err := peer.EncryptRTCP(nil, report(1), nil)
		require.NoError(t, err)
		back, err := receiver(t, k).RTCP(control)
		require.NoError(t, err)
		require.Equal(t, report(1), back)
		other, err := k.WithID(6, 4)
		require.NoError(t, err)
		r := receiver(t, other)
		fails(t, r, protected, ErrForged)
		require.Equal(t, Counts{Forged: 1}, r.Counts())
	}
}

// TestReplay: a packet is believed once, in any order within the window.
func TestReplay(t *testing.T) {
	k := NewKey(AES128SHA80)
	out, in := sender(t, k, 7), receiver(t, k)
	const n = 400
	plain, sent := make([][]byte, n), make([][]byte, n)
	for i := range n {
		plain[i] = rtpPacket(7, uint16(i+1))
		sent[i] = protect(t, out, plain[i])
	}
	for at := 1; at < n; at += 100 { // shuffled within each hundred
		for _, i := range rand.Perm(99) {
			passes(t, in, sent[at+i], plain[at+i])
		}
	}
	for i := 1; i < n; i++ {
		if (i-1)%100 != 99 {
			fails(t, in, sent[i], ErrReplayed)
		}
	}
	fails(t, in, sent[0], ErrReplayed) // it never came, and is too old to tell
	passes(t, in, sent[300], plain[300])
	require.Equal(t, uint64(396+1), in.Counts().Replayed)
	require.Zero(t, in.Counts().Forged)
}

// TestForgeriesChangeNothing: what does not authenticate leaves no trace.
func TestForgeriesChangeNothing(t *testing.T) {
	k := NewKey(AES128SHA32)
	out, in := sender(t, k, 7), receiver(t, k)
	passes(t, in, protect(t, out, rtpPacket(7, 1)), rtpPacket(7, 1))
	next := protect(t, out, rtpPacket(7, 2))
	for i := range 1000 {
		forged := rtpPacket(uint32(i), uint16(30000+i))
		if i%2 == 0 {
			binary.BigEndian.PutUint32(forged[8:], 7)
		}
		fails(t, in, forged, ErrForged)
	}
	fails(t, in, []byte{0x80, 1, 2}, ErrMalformed)
	fails(t, in, append([]byte{0x40}, make([]byte, 100)...), ErrMalformed)
	long := rtpPacket(7, 3)
	long[0] |= 0x10 // an extension longer than the packet
	long[14], long[15] = 0xFF, 0xFF
	fails(t, in, long, ErrMalformed)
	_, err := in.RTCP([]byte{0x80, 201, 0})
	require.ErrorIs(t, err, ErrMalformed)
	passes(t, in, next, rtpPacket(7, 2))
	require.Equal(t, Counts{Forged: 1000, Malformed: 4}, in.Counts())
}

// TestRollOver: the counter goes on through two wraps of the sequence, with
// loss and disorder around them.
func TestRollOver(t *testing.T) {
	for _, s := range Suites() {
		k := NewKey(s)
		out, in := sender(t, k, 7), receiver(t, k)
		var late []byte
		var lateSeq uint16
		for i := 30000; i < 30000+2*65536+500; i += 1 + i%7 {
			seq := uint16(i)
			p := protect(t, out, rtpPacket(7, seq))
			if late == nil && seq > 65530 {
				late, lateSeq = p, seq
				continue
			}
			passes(t, in, p, rtpPacket(7, seq))
			if late != nil && seq < 100 && seq > 20 {
				passes(t, in, late, rtpPacket(7, lateSeq))
				late = nil
			}
		}
		roc, ok := in.context.ROC(7)
		require.True(t, ok)
		require.Equal(t, uint32(2), roc)
	}
}

// TestLateForRollOver: a peer whose sequence began high is heard although all
// before its roll-over was lost, and forgeries came first.
func TestLateForRollOver(t *testing.T) {
	for _, s := range Suites() {
		k := NewKey(s)
		out, in := sender(t, k, 7), receiver(t, k)
		for seq := uint16(65500); seq != 3; seq++ {
			protect(t, out, rtpPacket(7, seq))
		}
		for i := range uint32(maxSources - 1) {
			fails(t, in, rtpPacket(i+100, 3), ErrForged)
			fails(t, in, rtpPacket(i+100, 65000), ErrForged)
		}
		for seq := uint16(3); seq < 500; seq++ {
			passes(t, in, protect(t, out, rtpPacket(7, seq)), rtpPacket(7, seq))
		}
		require.Nil(t, in.saved)

		old := NewKey(s)
		in, out = receiver(t, old), sender(t, old, 7)
		passes(t, in, protect(t, out, rtpPacket(7, 1)), rtpPacket(7, 1))
		require.NoError(t, in.Rekey(k))
		late := sender(t, k, 8)
		protect(t, late, rtpPacket(8, 65535))
		passes(t, in, protect(t, late, rtpPacket(8, 1)), rtpPacket(8, 1))

		flooded := receiver(t, k)
		for i := range uint32(1000) {
			fails(t, flooded, rtpPacket(i+100, 3), ErrForged)
		}
		require.Zero(t, flooded.guesses)
		passes(t, flooded, protect(t, sender(t, k, 9), rtpPacket(9, 3)), rtpPacket(9, 3))
	}
}

// TestSources: a peer may change its SSRC and go back, up to a bound.
func TestSources(t *testing.T) {
	k := NewKey(AES128SHA80)
	in := receiver(t, k)
	var first *Sender
	for i := range uint32(maxSources) {
		out := sender(t, k, i)
		if first == nil {
			first = out
		}
		passes(t, in, protect(t, out, rtpPacket(i, 60000)), rtpPacket(i, 60000))
		b, err := out.RTCP(make([]byte, 0, 64), report(i))
		require.NoError(t, err)
		_, err = in.RTCP(b)
		require.NoError(t, err)
	}
	beyond := sender(t, k, 1000)
	fails(t, in, protect(t, beyond, rtpPacket(1000, 1)), ErrSources)
	b, err := beyond.RTCP(make([]byte, 0, 64), report(1000))
	require.NoError(t, err)
	_, err = in.RTCP(b)
	require.ErrorIs(t, err, ErrSources)
	require.Equal(t, Counts{Sources: 2}, in.Counts())
	passes(t, in, protect(t, first, rtpPacket(0, 60001)), rtpPacket(0, 60001))
	again := protect(t, sender(t, k, 0), rtpPacket(0, 60001))
	fails(t, in, again, ErrReplayed)
}

// TestSenderEncryptsOnce: no two packets of a stream share a sequence number.
func TestSenderEncryptsOnce(t *testing.T) {
	out := sender(t, NewKey(AES128SHA80), 7)
	dst := make([]byte, 0, 2048)
	send := func(seq uint16) error {
		_, err := out.RTP(dst, rtpPacket(7, seq))
		return err
	}
	require.NoError(t, send(10))
	require.NoError(t, send(12))
	require.NoError(t, send(11), "disorder goes on")
	require.ErrorIs(t, send(11), ErrRepeated)
	require.NoError(t, send(9))
	require.ErrorIs(t, send(65535), ErrRepeated, "before the stream began")
	require.NoError(t, send(12+window))
	require.ErrorIs(t, send(12), ErrRepeated)
	for seq := uint16(12 + window + 1); seq != 3; seq++ {
		require.NoError(t, send(seq))
	}
	require.ErrorIs(t, send(65535), ErrRepeated)
	require.NoError(t, send(3))

	_, err := out.RTP(dst, rtpPacket(8, 4))
	require.ErrorIs(t, err, ErrStream)
	_, err = out.RTP(make([]byte, 0, 172+9), rtpPacket(7, 4))
	require.ErrorIs(t, err, ErrRoom)
	_, err = out.RTP(dst, make([]byte, 11))
	require.ErrorIs(t, err, ErrMalformed)
	_, err = out.RTCP(dst, report(8))
	require.ErrorIs(t, err, ErrStream)
	_, err = out.RTCP(make([]byte, 0, 8), report(7))
	require.ErrorIs(t, err, ErrRoom)
	_, err = out.RTCP(dst, nil)
	require.ErrorIs(t, err, ErrMalformed)
	require.NoError(t, send(4), "what was refused took no number")

	packet := rtpPacket(7, 5)
	b, err := out.RTP(packet, packet)
	require.NoError(t, err)
	require.Same(t, &packet[0], &b[0], "in place")
}

// TestRekey: after a new key the roll-over counter goes on or begins anew, as
// the peer reads the RFCs, and packets under the old key are forgeries.
func TestRekey(t *testing.T) {
	for _, s := range Suites() {
		for _, goesOn := range []bool{true, false} {
			old, fresh := NewKey(s), NewKey(s)
			out, in := sender(t, old, 7), receiver(t, old)
			for i := 0; i < 65536+100; i += 50 {
				passes(t, in, protect(t, out, rtpPacket(7, uint16(i))), rtpPacket(7, uint16(i)))
			}
			require.NoError(t, in.Rekey(old))
			last := protect(t, out, rtpPacket(7, 101))
			fails(t, in, rtpPacket(7, 101), ErrForged)
			passes(t, in, last, rtpPacket(7, 101))
			next := protect(t, out, rtpPacket(7, 102))
			require.NoError(t, in.Rekey(fresh))
			require.ErrorIs(t, in.Rekey(Key{}), ErrKeySize)
			fails(t, in, next, ErrForged)

			peer, err := fresh.context()
			require.NoError(t, err)
			if goesOn {
				peer.SetROC(7, 1)
			}
			control, err := peer.EncryptRTCP(nil, report(7), nil)
			require.NoError(t, err)
			twice := bytes.Clone(control)
			_, err = in.RTCP(control)
			require.NoError(t, err)
			for seq := uint16(200); seq < 210; seq++ {
				b, err := peer.EncryptRTP(nil, rtpPacket(7, seq), nil)
				require.NoError(t, err)
				passes(t, in, b, rtpPacket(7, seq))
				fails(t, in, b, ErrReplayed)
			}
			require.Nil(t, in.other)
			_, err = in.RTCP(twice)
			require.ErrorIs(t, err, ErrReplayed)
		}
	}
}
