package sip

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// long has trunk b's INVITEs be larger than UDP may be trusted with.
func long(s *settings) {
	s.trunkB.Way.TCPLarge = true
	s.trunkB.FromDomain = strings.Repeat("a", 200) + ".example"
	s.trunkB.Way.Domain = strings.Repeat("b", 200) + ".example"
}

// TestLargeOverTCP: an INVITE that is too large for UDP and all that follows it
// goes over TCP, and says so.
func TestLargeOverTCP(t *testing.T) {
	w := open(t, long)
	w.b.overTCP()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	require.Greater(t, len(b.invite.raw), largest)
	at := w.srv.TCPAddr().String()
	require.True(t, strings.HasPrefix(b.invite.get("Via"), "SIP/2.0/TCP "+at+";"), b.invite.get("Via"))
	require.Equal(t, "sip:"+numX+"@"+at+";transport=tcp", b.invite.contact())
	b.contact = "<sip:device@" + w.b.addr.String() + ";transport=tcp>"
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	a.response(200, "INVITE")
	a.ack("")
	a.bye()
	require.Contains(t, b.hungUp().get("Via"), "SIP/2.0/TCP ")
	w.ends(0, 0)
}

// TestLargeOverUDP: where there is no TCP, UDP has to do; the server is not
// thought to be down for that.
func TestLargeOverUDP(t *testing.T) {
	w := open(t, long)
	for range missesDown + 1 {
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		require.Contains(t, b.invite.get("Via"), "SIP/2.0/UDP ")
		require.NotContains(t, b.invite.contact(), "transport")
		b.says(486, "")
		a.fails(486)
		w.ends(8102, 8102)
	}
	require.True(t, w.srv.Trunks()[1].Up)
}

// TestSmallOverUDP: what is not too large stays there.
func TestSmallOverUDP(t *testing.T) {
	w := open(t, func(s *settings) { s.trunkB.Way.TCPLarge = true })
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	require.Contains(t, b.invite.get("Via"), "SIP/2.0/UDP ")
	b.says(486, "")
	a.fails(486)
	w.ends(8102, 8102)
}

// farAway has the caller's INVITE come by proxies whose names are long, so that
// what goes to the caller is too large for UDP.
func farAway(w *world) []string {
	var headers []string
	for i := range 8 {
		headers = append(headers, fmt.Sprintf("Record-Route: <sip:%s;lr;id=%d%s>", w.a.addr, i, strings.Repeat("x", 180)))
	}
	return headers
}

// TestLargeInside: a request inside a dialog that is too large for UDP goes over
// TCP, or over UDP where there is none.
func TestLargeInside(t *testing.T) {
	t.Parallel()
	for name, tcp := range map[string]bool{"TCP": true, "UDP": false} {
		t.Run(name, func(t *testing.T) {
			w := open(t, func(s *settings) { s.trunkA.Way.TCPLarge = true })
			if tcp {
				ln, err := net.Listen("tcp", w.a.addr.String())
				require.NoError(t, err)
				w.a.listens(ln)
			}
			a := w.a.dial(numX, numA, w.mouthA.sdp(1), farAway(w)...)
			b := w.b.ring()
			b.says(200, w.mouthB.sdp(1))
			b.acked()
			a.response(200, "INVITE")
			a.ack("")
			b.bye()
			bye := a.hungUp()
			require.Greater(t, len(bye.raw), largest)
			require.Contains(t, bye.get("Via"), "SIP/2.0/"+name+" ")
			w.ends(0, 0)
		})
	}
}
