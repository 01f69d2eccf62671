package sip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/sip/registrar"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// nameless makes the caller's trunk one that calls from wherever it is.
func nameless(s *settings) {
	s.trunkA.Peers, s.trunkA.Auth = nil, trunk.Auth{Username: "pbx7", Password: "secret of it"}
}

// TestTrunkWithoutAddress: its INVITE is challenged and is then that of the
// trunk, whose rule says who calls; what follows comes from the same host, and
// goes there, whatever its Contact says.
func TestTrunkWithoutAddress(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"UDP", "TCP"} {
		t.Run(transport, func(t *testing.T) {
			w := open(t, nameless, func(s *settings) { s.tcpA, s.trunkA.Rule.Trusted = transport == "TCP", true })
			a := w.a.dial(numX, "13700000007", w.mouthA.sdp(1), "P-Asserted-Identity: <sip:"+numA+"@pbx.example>")
			a.contact = "<sip:pbx@192.168.7.7:5062>"
			asked := a.fails(407)
			require.Contains(t, asked.get("Proxy-Authenticate"), `realm="axgate"`)
			auth := "Proxy-Authorization: " + proof(t, asked.get("Proxy-Authenticate"), "INVITE", a.target, "pbx7", "secret of it")
			a.reinvite(w.mouthA.sdp(1), auth, "P-Asserted-Identity: <sip:"+numA+"@pbx.example>")
			b := w.b.ring()
			require.NotContains(t, b.invite.raw, "pbx7")
			b.says(200, w.mouthB.sdp(1))
			b.acked()
			a.response(200, "INVITE")
			a.ack("")
			a.request("OPTIONS", "")
			a.response(200, "OPTIONS")
			stranger := newPeer(t, "stranger", "127.0.0.9")
			stranger.to = w.srv.UDPAddr()
			theirs := *a
			theirs.p = stranger
			theirs.request("BYE", "")
			theirs.response(403, "BYE")
			b.bye()
			a.hungUp()
			rec := w.ends(0, 0)
			require.Equal(t, "+86"+numA, rec.Caller, "it is trusted")
			require.True(t, w.srv.known(wire.Peer{Addr: w.a.addr, Transport: transport}), "it is no stranger any more")
			require.False(t, w.srv.known(wire.Peer{Addr: stranger.addr, Transport: transport}))
		})
	}
}

// TestWhoCannotProveIt: an unknown user, a wrong password and a proof that was
// used before get the same answer, and no call is made.
func TestWhoCannotProveIt(t *testing.T) {
	w := open(t, nameless)
	for user, password := range map[string]string{"pbx7": "guess", "pbx8": "secret of it", "": ""} {
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		asked := a.fails(407)
		a.reinvite(w.mouthA.sdp(1), "Proxy-Authorization: "+proof(t, asked.get("Proxy-Authenticate"), "INVITE", a.target, user, password))
		require.NotContains(t, a.fails(407).get("Proxy-Authenticate"), "stale")
	}
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	good := "Proxy-Authorization: " + proof(t, a.fails(407).get("Proxy-Authenticate"), "INVITE", a.target, "pbx7", "secret of it")
	a.reinvite(w.mouthA.sdp(1), good)
	b := w.b.ring()
	b.says(486, "")
	a.fails(486)
	again := w.a.dial(numX, numA, w.mouthA.sdp(1), good)
	require.Contains(t, again.fails(407).get("Proxy-Authenticate"), "stale=true", "no proof serves twice")
	w.b.never(0, "another call", func(m msg) bool { return m.method() == "INVITE" })
}

// TestTrunksAndPhonesBothProve: one challenge serves both, and their names
// are told apart.
func TestTrunksAndPhonesBothProve(t *testing.T) {
	w := open(t, nameless, func(s *settings) {
		s.accounts = []registrar.Account{{Number: "+86" + numA, Password: "first secret"}}
	})
	for user, password := range map[string]string{"pbx7": "secret of it", numA: "first secret"} {
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.proves(w.mouthA.sdp(1), user, password)
		b := w.b.ring()
		b.says(486, "")
		a.fails(486)
	}
}

// TestTextOfTrunkWithoutAddress: MESSAGE is challenged as INVITE is; a trunk
// without texts is told after its proof.
func TestTextOfTrunkWithoutAddress(t *testing.T) {
	t.Parallel()
	for _, form := range []trunk.TextForm{trunk.Plain, trunk.TextsOff} {
		t.Run(string(form), func(t *testing.T) {
			o := newOffice()
			w := open(t, texting(o), nameless, func(s *settings) {
				s.trunkA.Texts.Form = form
				s.more = append(s.more, trunk.Trunk{Name: "other", Auth: trunk.Auth{Username: "pbx9", Password: "secret of 9"}, Texts: trunk.Texts{Form: trunk.Plain}})
			})
			d := &side{p: w.a, callID: unique("text"), me: "<sip:" + numA + "@pbx.example>", other: "<sip:" + numX + "@axgate.example>", mine: unique("m"),
				target: "sip:" + numX + "@" + w.a.to.String(), contact: "<sip:pbx@" + w.a.addr.String() + ">"}
			d.request("MESSAGE", "hello", "Content-Type: text/plain")
			asked := d.response(407, "MESSAGE")
			d.request("MESSAGE", "hello", "Content-Type: text/plain", "Proxy-Authorization: "+proof(t, asked.get("Proxy-Authenticate"), "MESSAGE", d.target, "pbx7", "secret of it"))
			if form == trunk.TextsOff {
				d.response(405, "MESSAGE")
				return
			}
			d.response(202, "MESSAGE")
			require.Equal(t, "a", o.last(t).Source)
			require.Equal(t, "+86"+numA, string(o.last(t).Sender))
		})
	}
}

// TestProvenAddresses are few, and forgotten in the end.
func TestProvenAddresses(t *testing.T) {
	n := namedTrunks{proven: map[netip.Addr]time.Time{}}
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	old := time.Now().Add(-2 * provenTime)
	for i := range maxProven {
		n.note(at(i), old)
	}
	require.False(t, n.known(at(0)))
	for i := range 2 * maxProven {
		n.note(at(maxProven+i), time.Now())
	}
	require.Len(t, n.proven, maxProven)
	require.True(t, n.known(at(maxProven)))
	require.False(t, n.known(at(3*maxProven-1)), "there is no room")
}
