package sip

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/sip/sdp"
)

// forged is how many packets of a leg had no key that fits.
var forged = regexp.MustCompile(`"forged":(\d+)`)

// TestSecureLegs: each leg has SRTP as its own side offers or answers it, over
// RTP/SAVP or over RTP/AVP with keys, whatever is on the other.
func TestSecureLegs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		protoA, protoB string // empty: plain RTP
		a, b           sdp.Security
	}{
		{"RTP/AVP", "RTP/SAVP", sdp.Required, sdp.Required},
		{"RTP/SAVP", "RTP/AVP", sdp.Optional, sdp.Optional},
		{"RTP/AVP", "RTP/AVP", sdp.Optional, sdp.Optional},
		{"RTP/AVP", "", sdp.Required, sdp.Off},
		{"", "RTP/SAVP", sdp.Optional, sdp.Required},
		{"RTP/SAVP", "", sdp.Optional, sdp.Optional},
	} {
		t.Run(c.protoA+"-"+c.protoB, func(t *testing.T) {
			w := private(t, c.a, c.b)
			offer, answer := w.mouthA.sdp(1), w.mouthB.sdp(1)
			var earA, earB *sealed
			if c.protoA != "" {
				earA = seal(t, w.mouthA)
				offer = earA.sdp(1, c.protoA)
			}
			if c.protoB != "" {
				earB = seal(t, w.mouthB)
				answer = earB.sdp(1, c.protoB)
			}
			a := w.a.dial(numX, numA, offer)
			b := w.b.ring()
			w.mouthB.talksTo(b.invite)
			if earB != nil {
				earB.hearsBy(b.invite)
			}
			b.says(200, answer)
			b.acked()
			ok := a.response(200, "INVITE")
			w.mouthA.talksTo(ok)
			if earA != nil {
				earA.hearsBy(ok)
				require.Contains(t, ok.body, " "+c.protoA+" 8")
			} else {
				require.NotContains(t, ok.body, "crypto")
			}
			a.ack("")
			w.bothHear()
			a.bye()
			b.hungUp()
			w.ends(0, 0)
		})
	}
}

// TestNewKeys: either side may take another key in the talk by its re-INVITE;
// ours stays, and the other leg is not told. What comes by a key that is not
// agreed is not heard.
func TestNewKeys(t *testing.T) {
	w := private(t, sdp.Required, sdp.Required)
	earA, earB := seal(t, w.mouthA), seal(t, w.mouthB)
	a := w.a.dial(numX, numA, earA.sdp(1, "RTP/SAVP"))
	b := w.b.ring()
	toB := earB.hearsBy(b.invite)
	b.says(200, earB.sdp(1, "RTP/SAVP"))
	b.acked()
	ok := a.response(200, "INVITE")
	toA := earA.hearsBy(ok)
	a.ack("")
	w.bothHear()

	for version, s := range []struct {
		of    *side
		mouth *ear
		said  byte
		other *ear
		ours  string
	}{{a, w.mouthA, 0x44, w.mouthB, toA}, {b, w.mouthB, 0x45, w.mouthA, toB}} {
		old := s.mouth.sealedBy(nil)
		next := seal(t, s.mouth)
		for range 10 {
			next.frame(s.said)
		}
		fresh := s.mouth.sealedBy(old)
		w.bothHear() // what came before it was looked at too
		require.Zero(t, s.other.count(s.said), "by a key that nobody has yet")
		s.mouth.sealedBy(fresh)
		s.of.reinvite(next.sdp(version+2, "RTP/SAVP"))
		res := s.of.response(200, "INVITE")
		require.Contains(t, res.body, s.ours, "our own stays")
		require.NotContains(t, res.body, base64.StdEncoding.EncodeToString(next.key.Octets()))
		s.of.ack("")
		w.bothHear()
	}
	for _, p := range []*peer{w.a, w.b} {
		p.never(0, "an offer", func(m msg) bool { return m.method() == "INVITE" || m.method() == "UPDATE" })
	}
	a.bye()
	b.hungUp()
	w.ends(0, 0)
	eventually(t, "the audio is told", func() bool { return strings.Count(w.logged(), `"srtp":true`) == 2 })
	all := forged.FindAllStringSubmatch(w.logged(), -1)
	require.Len(t, all, 2)
	for _, m := range all {
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		require.GreaterOrEqual(t, n, 10)
	}
}

// sealedBy has what an ear says be sealed so, and returns how it was before.
func (e *ear) sealedBy(f func([]byte) []byte) (before func([]byte) []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before, e.seal = e.seal, f
	return before
}
