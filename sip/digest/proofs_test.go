package digest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var time0 = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// TestUse: whatever the order, and however many there are, no pair of nonce and
// count is taken twice while the nonce counts, and what is remembered is bounded.
func TestUse(t *testing.T) {
	const span = time.Minute
	rapid.Check(t, func(t *rapid.T) {
		var p proofs
		taken := map[string]bool{}
		now, fillers := time0, 0
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			for range rapid.SampledFrom([]int{0, 0, 0, maxProofs, 2*maxProofs + 1}).Draw(t, "others") {
				fillers++
				p.use(fmt.Sprint("other", fillers), now, 1, now, span)
			}
			n := rapid.IntRange(0, 40).Draw(t, "nonce")
			count := rapid.IntRange(1, 4).Draw(t, "count")
			made := time0.Add(time.Duration(n) * 10 * time.Second)
			if made.After(now) || now.Sub(made) > span {
				continue // no server takes it
			}
			if p.use(fmt.Sprint(n), made, count, now, span) {
				key := fmt.Sprint(n, "/", count)
				if taken[key] {
					t.Fatalf("%s was taken twice", key)
				}
				taken[key] = true
			}
			if len(p.new)+len(p.old) > 2*maxProofs {
				t.Fatalf("%d nonces are remembered", len(p.new)+len(p.old))
			}
		}
	})
}

// TestManyAtOnce: the proofs of a trunk that is asked for one with each call
// come in any order, and all are good, once.
func TestManyAtOnce(t *testing.T) {
	s, err := NewServer(ServerConfig{})
	require.NoError(t, err)
	account := NewAccount("secret")
	prove := func(req *sip.Request, at time.Time) (bool, *Refusal) {
		got, refusal := s.Prove(req, Proxy, func(string) *Account { return account }, at)
		return got == account, refusal
	}
	var calls []*sip.Request
	for i := range 500 {
		req := sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", User: fmt.Sprint(i), Host: "axgate.example"})
		_, refusal := prove(req, time0.Add(time.Duration(i)*time.Millisecond))
		res := sip.NewResponse(refusal.Status, "")
		for _, h := range refusal.Headers {
			res.AppendHeader(h)
		}
		e := client(t).Begin()
		require.NoError(t, e.Challenged(res))
		e.client.password = "secret"
		require.NoError(t, e.Sign(req))
		calls = append(calls, req)
	}
	rand.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
	for _, good := range []bool{true, false} {
		for _, req := range calls {
			ok, _ := prove(req, time0.Add(time.Second))
			require.Equal(t, good, ok)
		}
	}
}
