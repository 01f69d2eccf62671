package sip

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/sip/trunk"
	"axgate/sms/rp"
)

// TestReportReferences: each text under way on a trunk has one of its own, the
// wished one if it is free.
func TestReportReferences(t *testing.T) {
	var r reports
	one, other := &trunk.Trunk{Name: "one"}, &trunk.Trunk{Name: "other"}
	seen := map[byte]bool{}
	for range 256 {
		mr, _, ok := r.enter(one, 200, "call", rp.Network)
		require.True(t, ok)
		require.False(t, seen[mr])
		seen[mr] = true
	}
	_, _, ok := r.enter(one, 200, "call", rp.Network)
	require.False(t, ok, "all are in use")
	mr, _, ok := r.enter(other, 200, "call", rp.Network)
	require.True(t, ok)
	require.Equal(t, byte(200), mr)
	r.leave(one, 7)
	mr, _, ok = r.enter(one, 200, "call", rp.Network)
	require.True(t, ok)
	require.Equal(t, byte(7), mr)
}

// TestReportsThatCross: of two texts with one reference on two trunks, each
// gets the report on its own MESSAGE, by whatever trunk it comes.
func TestReportsThatCross(t *testing.T) {
	var r reports
	out, in := &trunk.Trunk{Name: "out"}, &trunk.Trunk{Name: "in"}
	_, first, _ := r.enter(out, 9, "first", rp.Network)
	_, second, _ := r.enter(in, 9, "second", rp.Network)
	ack := rp.Ack{From: rp.Network, MR: 9}
	r.take(in, ack, []string{"x", "first"})
	require.Len(t, first, 1)
	require.Empty(t, second)
	r.take(in, ack, []string{"first"}) // again: it is there
	r.take(in, ack, nil)
	require.Len(t, second, 1)
	r.take(in, rp.Ack{From: rp.Network, MR: 10}, nil)
	r.take(nil, ack, nil)
	require.Len(t, first, 1)
}

// TestReportWithAProof: a trunk may challenge what it asked for.
func TestReportWithAProof(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"UDP", "TCP"} {
		t.Run(transport, func(t *testing.T) {
			o := newOffice()
			w := open(t, texting(o), func(s *settings) {
				s.trunkB.Texts = trunk.Texts{Form: trunk.ThreeGPP, Role: trunk.UE, Center: center}
				s.trunkB.Username, s.trunkB.Password = "user", "secret"
				s.tcpB = transport == "TCP"
			})
			d := w.b.delivers(t, 77, rp.Deliver{Originator: rp.Number("+86" + numB), At: time.Now(), Content: rp.Content{Text: "hello"}})
			d.response(202, "MESSAGE")
			require.Equal(t, routing.Number("+86"+numB), o.last(t).Sender)
			m := w.b.request("MESSAGE")
			w.b.answers(m, 407, `Proxy-Authenticate: Digest realm="carrier", nonce="abc", algorithm=MD5, qop="auth"`)
			n := w.b.request("MESSAGE")
			require.Equal(t, "2 MESSAGE", n.get("CSeq"))
			require.Contains(t, n.get("Proxy-Authorization"), `username="user"`)
			require.Equal(t, d.callID, n.get("In-Reply-To"))
			require.Equal(t, m.body, n.body)
			w.b.answers(n, 407, `Proxy-Authenticate: Digest realm="carrier", nonce="abc", algorithm=MD5, qop="auth"`) // once is enough
			eventually(t, "it is let be", func() bool { return w.srv.stack.Transactions() == 0 })
			w.b.never(20*time.Millisecond, "a third", func(m msg) bool { return m.method() == "MESSAGE" })
		})
	}
}
