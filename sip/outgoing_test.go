package sip

import (
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/sip/identity"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// TestMessageThatMayNotLeave: whatever is sent on a leg, by whatever way, is
// looked at before.
func TestMessageThatMayNotLeave(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	s := w.srv
	la := s.leg(a.callID, a.theirs)
	lb := s.leg(b.callID, b.theirs)
	require.NotNil(t, la)
	require.NotNil(t, lb)
	build := func(l *leg, method sip.RequestMethod, change func(*sip.Request)) (*sip.Request, wire.Peer) {
		d := *l.dialog
		req, to := d.Request(method, "", nil)
		change(req)
		return req, to
	}
	for what, change := range map[string]func(*sip.Request){
		"Subject":     func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Subject", "x")) },
		"Reason":      func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Reason", "Q.850\r\nX-A: 1")) },
		"number":      func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Contact", "<sip:+86"+numA+"@h>")) },
		"Request-URI": func(r *sip.Request) { r.Recipient.User = numA },
		"body":        func(r *sip.Request) { r.SetBody([]byte("o=" + numA)) },
	} {
		for _, method := range []sip.RequestMethod{sip.INVITE, sip.UPDATE, sip.PRACK, sip.INFO, sip.BYE, sip.ACK} {
			req, to := build(lb, method, change)
			if method == sip.ACK {
				require.ErrorIs(t, s.stack.Write(req, to), wire.ErrRefused, what)
				continue
			}
			failed := make(chan error, 1)
			s.stack.Send(req, to, func(_ *sip.Response, err error) { failed <- err })
			err := <-failed
			require.ErrorIs(t, err, wire.ErrRefused, "%s in %s", what, method)
			require.NotContains(t, err.Error(), numA)
		}
	}
	require.NotContains(t, w.logged(), numA)
	require.Contains(t, w.logged(), errOtherParty.Error())
	req, _ := build(la, sip.BYE, func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Reason", identity.Reason(16))) })
	require.NoError(t, s.fit(req, wire.TextOf(req)), "A's own number is A's")
	req.AppendHeader(sip.NewHeader("Contact", "<sip:0"+numB+"@h>"))
	require.ErrorIs(t, s.fit(req, wire.TextOf(req)), errOtherParty)
	a.bye()
	b.hungUp()
}

// TestPeerNamesTheOther: a peer whose own addresses hold the other party's digits
// is hung up like any other. What is let pass are these addresses, as it named
// them, in what goes to it; nothing else.
func TestPeerNamesTheOther(t *testing.T) {
	t.Parallel()
	named := func(w *world) (contact, route string) {
		return "<sip:" + numA + "@" + w.b.addr.String() + ">", "<sip:0" + numA + "@" + w.b.addr.String() + ";lr>"
	}
	t.Run("in a talk", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.Username, s.trunkB.Password = "line7", "secret" })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		var route string
		b.contact, route = named(w)
		b.says(200, w.mouthB.sdp(1), "Record-Route: "+route)
		require.Equal(t, "ACK sip:"+numA+"@"+w.b.addr.String()+" SIP/2.0", b.acked().start)
		a.response(200, "INVITE")
		a.ack("")
		s, l := w.srv, w.srv.leg(b.callID, b.theirs)
		require.NotNil(t, l)
		d := *l.dialog
		bye, _ := d.Request(sip.BYE, "", nil)
		require.NoError(t, s.fit(bye, wire.TextOf(bye)))
		for what, change := range map[string]func(*sip.Request){
			"Contact":              func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Contact", b.contact)) },
			"another Route":        func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Route", "<sip:"+numA+"@h;lr>")) },
			"more in the Route":    func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Route", route+";x="+numA)) },
			"the Route in a list":  func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Route", route+", "+route)) },
			"another Request-URI":  func(r *sip.Request) { r.Recipient.Port++ },
			"a Request-URI with +": func(r *sip.Request) { r.Recipient.User = "+86" + r.Recipient.User },
			"body":                 func(r *sip.Request) { r.SetBody([]byte(b.contact)) },
			"Reason":               func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Reason", "Q.850;text="+numA)) },
			"a proof":              func(r *sip.Request) { r.AppendHeader(sip.NewHeader("Authorization", `Digest username="`+numA+`"`)) },
			"another dialog":       func(r *sip.Request) { r.To().Params.Remove("tag"); r.To().Params.Add("tag", "x") },
		} {
			r := bye.Clone()
			change(r)
			require.ErrorIs(t, s.fit(r, wire.TextOf(r)), errOtherParty, what)
		}
		a.bye()
		m := w.b.request("BYE")
		b.reply(m, 401, "", `WWW-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"`)
		m = b.hungUp()
		require.Equal(t, "sip:"+numA+"@"+w.b.addr.String(), m.uri())
		require.Equal(t, route, m.get("Route"))
		proven(t, m, "Authorization", "line7", "secret")
		w.ends(0, 0)
	})
	t.Run("of a second phone", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		late := *b
		late.mine = "late"
		late.contact, _ = named(w)
		late.says(200, w.mouthB.sdp(1))
		bye := w.b.await("BYE to the second", func(m msg) bool { return m.method() == "BYE" && m.tag("To") == "late" })
		require.Contains(t, bye.uri(), numA)
		late.reply(bye, 200, "")
		a.bye()
		b.hungUp()
	})
	t.Run("of the caller", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		a.contact = "<sip:" + numB + "@" + w.a.addr.String() + ">"
		a.request("UPDATE", "")
		a.response(200, "UPDATE")
		b.bye()
		require.Contains(t, a.hungUp().uri(), numB)
	})
	t.Run("not before anybody has answered", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		l := w.srv.leg(b.callID, b.invite.tag("From"))
		require.NotNil(t, l)
		d := *l.dialog
		invite, _ := d.Invite(70, nil)
		require.NoError(t, w.srv.fit(invite, wire.TextOf(invite)))
		invite.Recipient.User = numA
		require.ErrorIs(t, w.srv.fit(invite, wire.TextOf(invite)), errOtherParty)
		b.says(486, "")
		a.fails(486)
	})
}

// TestResponseThatMayNotLeave: the sender's transaction ends with a failure
// that has nothing in it.
func TestResponseThatMayNotLeave(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	l := w.srv.leg(a.callID, a.theirs)
	secret := "application/sdp" // as if this were B's number
	l.hidden.Store(&secret)
	a.request("OPTIONS", "")
	a.response(500, "OPTIONS")
	phrase := "OK"
	l.hidden.Store(&phrase)
	a.request("OPTIONS", "")
	a.response(500, "OPTIONS")
	l.hide(routing.Number("+86"+numB), "86")
	a.request("OPTIONS", "")
	a.response(200, "OPTIONS")
	a.bye()
	b.hungUp()
}

func TestShortNumbersAreNotLookedFor(t *testing.T) {
	l := new(leg)
	l.hide("+8695588", "86")
	require.Nil(t, l.hidden.Load())
	l.hide("+8675528000001", "86")
	require.Equal(t, "75528000001", *l.hidden.Load())
	l.hide("+12125550100", "86")
	require.Equal(t, "12125550100", *l.hidden.Load())
	l.hide("", "86")
	require.Nil(t, l.hidden.Load())
}

// TestHeadersOfTrunk: what a trunk wants to read beside who calls.
func TestHeadersOfTrunk(t *testing.T) {
	w := open(t, func(s *settings) {
		s.trunkB.SendPPI, s.trunkB.FromDomain = true, "ims.example"
		s.trunkB.Headers = trunk.Headers{Diversion: true, HistoryInfo: true, NoAgent: true, Extra: []identity.Header{{Name: "X-Customer", Value: "seven; of=nine"}, {Name: "P-Access-Network-Info", Value: "IEEE-802.3"}}}
	})
	a, b := w.talk()
	for name, want := range map[string]string{
		"P-Asserted-Identity": "<sip:" + numX + "@ims.example>", "P-Preferred-Identity": "<sip:" + numX + "@ims.example>",
		"Diversion":    "<sip:" + numX + "@ims.example>;reason=unconditional;counter=1;privacy=off",
		"History-Info": "<sip:" + numX + "@ims.example>;index=1", "Privacy": "", "User-Agent": "",
		"X-Customer": "seven; of=nine", "P-Access-Network-Info": "IEEE-802.3",
	} {
		require.Equal(t, want, b.invite.get(name), name)
	}
	a.bye()
	bye := b.hungUp()
	require.Empty(t, bye.get("User-Agent"))
	require.Empty(t, bye.get("X-Customer"))
}

// TestNotEvenX: with hide nothing but the asserted identity has X, and all of
// it says that it is not to be shown.
func TestNotEvenX(t *testing.T) {
	w := open(t, func(s *settings) {
		s.trunkB.Hide, s.trunkB.SendPAI = true, false
		s.trunkB.Headers = trunk.Headers{Diversion: true, HistoryInfo: true}
	})
	a, b := w.talk()
	require.Contains(t, b.invite.get("From"), "<sip:anonymous@anonymous.invalid>")
	require.Contains(t, b.invite.get("P-Asserted-Identity"), numX)
	require.Equal(t, "id", b.invite.get("Privacy"))
	require.Contains(t, b.invite.get("Diversion"), ";privacy=full")
	require.Contains(t, b.invite.get("History-Info"), "?Privacy=history>")
	require.NotContains(t, b.invite.contact(), numX)
	a.bye()
	b.hungUp()
}

// TestGuessedNumber: nobody learns the other party's number by saying it and
// looking at what we do.
func TestGuessedNumber(t *testing.T) {
	w := open(t)
	a, b := w.talk()
	for d, guess := range map[*side]string{a: numB, b: numA} {
		for _, number := range []string{guess, "13012345678"} {
			d.cseq++
			d.p.send(d.text("OPTIONS", d.cseq, unique("z9hG4bK"+number), ""))
			d.response(200, "OPTIONS")
			d.request("INFO", "", "Require: "+number)
			require.Equal(t, number, d.response(420, "INFO").get("Unsupported"))
			d.request("UPDATE", w.mouthA.sdp(2)+"m="+number+" 9 RTP/AVP 0\r\n")
			d.response(400, "UPDATE")
		}
	}
	w.bothHear()
	a.bye()
	b.hungUp()
}
