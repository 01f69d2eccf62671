package wire

import (
	"testing"

	"github.com/emiago/sipgo/sip"
)

// BenchmarkParse has what the grammar costs beside sipgo's parser alone.
func BenchmarkParse(b *testing.B) {
	raw := tortures(b)["sdp01"]
	s := parser()
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.parse(raw, false, Peer{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sipgo", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			msg, err := sip.ParseMessage(raw)
			if err != nil {
				b.Fatal(err)
			}
			if err := check(msg.(*sip.Request)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
