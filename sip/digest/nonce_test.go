package digest

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var time0 = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// TestUse: whatever the order, no pair of nonce and count is taken twice, and
// what is remembered is bounded.
func TestUse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p proofs
		taken := map[string]bool{}
		for range rapid.IntRange(1, 200).Draw(t, "uses") {
			n := rapid.IntRange(0, 40).Draw(t, "nonce")
			count := rapid.IntRange(1, 4).Draw(t, "count")
			name := fmt.Sprint(n)
			if p.use(name, time0.Add(time.Duration(n)*time.Second), count, time0) {
				key := fmt.Sprint(n, "/", count)
				if taken[key] {
					t.Fatalf("%s was taken twice", key)
				}
				taken[key] = true
			}
			if len(p.used) > maxProofs {
				t.Fatalf("%d nonces are remembered", len(p.used))
			}
		}
	})
}
