package sip

import (
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/sip/trunk"
)

func rewrites(t *testing.T, texts ...string) (all []routing.Rewrite) {
	for _, s := range texts {
		r, err := routing.ParseRewrite(s)
		require.NoError(t, err)
		all = append(all, r)
	}
	return all
}

// TestNumbersOfTrunk: X in the trunk's own spelling is read, and the callee and
// X go out in that of theirs.
func TestNumbersOfTrunk(t *testing.T) {
	w := open(t, func(s *settings) {
		s.trunkA.Numbers.Dial = rewrites(t, "9901(*) -> $")
		s.trunkB.Numbers = trunk.Numbers{Callee: rewrites(t, "(1XXXXXXXXXX) -> 7788$"), From: rewrites(t, "1XXXXXXXXXX -> +86$")}
	})
	for _, dialled := range []string{"9901" + numX, "99010086" + numX, numX, "+86" + numX, "+86-170-1000-0001;npdi;rn=+8613900000000", "0" + numX + ";phone-context=ims.example"} {
		a := w.a.dial(dialled, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		require.Contains(t, b.invite.uri(), "sip:7788"+numB+"@")
		require.Contains(t, b.invite.get("From"), "<sip:+86"+numX+"@")
		require.Contains(t, b.invite.get("P-Asserted-Identity"), "<sip:+86"+numX+"@")
		b.says(486, "")
		a.fails(486)
	}
	a := w.a.dial("9902"+numX, numA, w.mouthA.sdp(1))
	a.fails(404)
}

// TestAnotherCallerIDIsRefused: whatever the rules of a trunk say, nothing but
// X is shown.
func TestAnotherCallerIDIsRefused(t *testing.T) {
	w := open(t, func(s *settings) { s.trunkB.Numbers.From = rewrites(t, "(1)7010000001 -> 400$234567") })
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	a.fails(500)
	w.ends(8020, 8020)
	require.Contains(t, w.logged(), "make another number of +8617010000001")
}
