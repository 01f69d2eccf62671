package srtp

import (
	"encoding/binary"
	"testing"
)

// BenchmarkSend protects packets of 20 ms of G.711.
func BenchmarkSend(b *testing.B) {
	for _, s := range Suites() {
		b.Run(s.String(), func(b *testing.B) {
			out, packet, dst := sender(b, NewKey(s), 7), rtpPacket(7, 0), make([]byte, 0, 2048)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				binary.BigEndian.PutUint16(packet[2:], uint16(i))
				if _, err := out.RTP(dst, packet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReceive takes the protection off packets of 20 ms of G.711.
func BenchmarkReceive(b *testing.B) {
	for _, s := range Suites() {
		b.Run(s.String(), func(b *testing.B) {
			k := NewKey(s)
			sent := protectedRounds(b, k)
			in, buffer := receiver(b, k), make([]byte, 2048)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i == len(sent) {
					b.StopTimer()
					k = NewKey(s)
					sent, i = protectedRounds(b, k), 0
					in = receiver(b, k)
					b.StartTimer()
				}
				if _, err := in.RTP(buffer[:copy(buffer, sent[i])]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkForged refuses packets of a known source with a wrong tag.
func BenchmarkForged(b *testing.B) {
	k := NewKey(AES128SHA80)
	in, buffer := receiver(b, k), make([]byte, 2048)
	passes(b, in, protect(b, sender(b, k, 7), rtpPacket(7, 1)), rtpPacket(7, 1))
	forged := rtpPacket(7, 2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := in.RTP(buffer[:copy(buffer, forged)]); err != ErrForged {
			b.Fatal(err)
		}
	}
}

func protectedRounds(b *testing.B, k Key) [][]byte {
	out := sender(b, k, 7)
	sent := make([][]byte, 20000)
	for i := range sent {
		sent[i] = protect(b, out, rtpPacket(7, uint16(i)))
	}
	return sent
}
