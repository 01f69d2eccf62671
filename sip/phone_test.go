package sip

import (
	"strings"
	"testing"

	"github.com/icholy/digest"
	"github.com/stretchr/testify/require"

	"axgate/sip/registrar"
)

// registers makes a peer the phone of a number.
func (p *peer) registers(number, password string) *side {
	p.t.Helper()
	d := &side{p: p, callID: unique("reg"), me: "<sip:" + number + "@axgate>", other: "<sip:" + number + "@axgate>", mine: unique("r"), target: "sip:axgate",
		contact: "<sip:" + number + "@192.168.7.7:5062>"} // an address behind a NAT: nobody reaches it
	d.request("REGISTER", "")
	asked := d.response(401, "REGISTER")
	d.request("REGISTER", "", "Authorization: "+proof(p.t, asked.get("WWW-Authenticate"), "REGISTER", "sip:axgate", number, password))
	ok := d.response(200, "REGISTER")
	require.Contains(p.t, ok.get("Contact"), "192.168.7.7:5062>;expires=3600")
	return d
}

func proof(t testing.TB, challenge, method, uri, user, password string) string {
	t.Helper()
	c, err := digest.ParseChallenge(challenge)
	require.NoError(t, err)
	cred, err := digest.Digest(c, digest.Options{Method: method, URI: uri, Username: user, Password: password, Count: 1})
	require.NoError(t, err)
	return cred.String()
}

// proves answers the 407 to the INVITE of a phone and repeats it.
func (d *side) proves(sdp, number, password string) {
	d.p.t.Helper()
	asked := d.fails(407)
	d.reinvite(sdp, "Proxy-Authorization: "+proof(d.p.t, asked.get("Proxy-Authenticate"), "INVITE", d.target, number, password))
}

func phones(s *settings) {
	s.accounts = []registrar.Account{{Number: "+86" + numA, Password: "first secret"}, {Number: "+86" + numB, Password: "second secret"}}
	s.trunkA.Peers, s.trunkB.Peers = nil, nil
	s.trunkA.Address = s.trunkB.Address
	s.noTrunkB = true
}

func TestPhonesCallEachOther(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"UDP", "TCP"} {
		t.Run(transport, func(t *testing.T) {
			w := open(t, phones)
			if transport == "TCP" {
				w.a.dialTCP(w.srv.TCPAddr())
				w.b.dialTCP(w.srv.TCPAddr())
			}
			w.a.registers(numA, "first secret")
			w.b.registers(numB, "second secret")
			a := w.a.dial(numX, "anybody", w.mouthA.sdp(1))
			a.proves(w.mouthA.sdp(1), numA, "first secret")
			b := w.b.ring()
			require.Equal(t, "INVITE sip:"+numB+"@192.168.7.7:5062 SIP/2.0", b.invite.start, "its contact, at the address it registered from")
			require.True(t, strings.HasPrefix(b.invite.get("From"), "<sip:+86"+numX+"@"), b.invite.get("From"))
			w.mouthB.talksTo(b.invite)
			b.contact = "<sip:" + numB + "@192.168.7.7:5062>"
			b.says(180, "")
			a.response(180, "INVITE")
			b.says(200, w.mouthB.sdp(1))
			b.acked()
			w.mouthA.talksTo(a.response(200, "INVITE"))
			a.ack("")
			w.bothHear()
			b.bye()
			a.hungUp()
			rec := w.ends(0, 0)
			require.Equal(t, "+86"+numA, rec.Caller, "the number that it proved, not the one it shows")
			require.Equal(t, []string{"phone", "phone"}, []string{rec.CallerTrunk, rec.CalleeTrunk})
		})
	}
}

func TestPhonesAndTrunks(t *testing.T) {
	t.Parallel()
	half := func(s *settings) {
		s.accounts = []registrar.Account{{Number: "+86" + numA, Password: "first secret"}}
		s.trunkA.Peers, s.trunkA.Address = nil, s.trunkB.Address // A is no trunk
		s.trunkA.Name, s.noTrunkB = "b", true
		s.trunkA.Peers = s.trunkB.Peers
	}
	t.Run("out", func(t *testing.T) {
		w := open(t, half)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.proves(w.mouthA.sdp(1), numA, "first secret")
		b := w.b.ring()
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		a.response(200, "INVITE")
		a.ack("")
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("in", func(t *testing.T) {
		w := open(t, half)
		w.a.registers(numA, "first secret")
		b := w.b.dial(numX, numB, w.mouthB.sdp(1))
		a := w.a.ring()
		a.says(180, "")
		b.response(180, "INVITE")
		a.says(486, "")
		b.fails(486)
		rec := w.ends(8102, 8102)
		require.Equal(t, 0, rec.Direction)
		require.Equal(t, []string{"b", "phone"}, []string{rec.CallerTrunk, rec.CalleeTrunk})
	})
	t.Run("unregistered: by the trunk", func(t *testing.T) {
		w := open(t, half)
		reg := w.a.registers(numA, "first secret")
		reg.request("REGISTER", "", "Expires: 0")
		asked := reg.response(401, "REGISTER")
		reg.request("REGISTER", "", "Expires: 0", "Authorization: "+proof(t, asked.get("WWW-Authenticate"), "REGISTER", "sip:axgate", numA, "first secret"))
		reg.response(200, "REGISTER")
		b := w.b.dial(numX, numB, w.mouthB.sdp(1))
		back := w.b.ring()
		require.Contains(t, back.invite.start, numA)
		back.says(404, "")
		b.fails(404)
	})
	t.Run("a wrong password", func(t *testing.T) {
		w := open(t, half)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.proves(w.mouthA.sdp(1), numA, "guess")
		a.fails(407)
		require.Empty(t, w.b.everything())
		require.Empty(t, w.journal.evs)
	})
}
