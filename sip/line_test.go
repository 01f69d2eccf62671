package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/sip/enrol"
	"axgate/sip/trunk"
)

const lineID = "+862160000000@ims.example.com"

// enrolled makes the callee's trunk one that wants a registration.
func enrolled(s *settings) {
	s.cfg.enrolRetry = time.Second
	s.trunkB.Enrol = trunk.Enrol{On: true, ID: lineID, User: "460001@private.example", Expires: 20 * time.Minute}
	s.trunkB.Password = "line secret"
	s.trunkB.Peers = nil
}

// lineOf is the trunk's side of our registration.
type lineOf struct {
	*side
	p       *peer
	contact string // that we registered
}

// enrols takes our next REGISTER without a proof, asks for one and takes us in.
func (p *peer) enrols(headers ...string) *lineOf {
	p.t.Helper()
	m := p.request("REGISTER")
	p.answers(m, 401, `WWW-Authenticate: Digest realm="ims", nonce="n1", algorithm=MD5, qop="auth"`)
	again := p.request("REGISTER")
	require.Equal(p.t, m.get("Call-ID"), again.get("Call-ID"))
	was, _ := m.cseq()
	now, _ := again.cseq()
	require.Equal(p.t, was+1, now)
	proven(p.t, again, "Authorization", "460001@private.example", "line secret")
	return p.keeps(again, headers...)
}

// keeps answers a REGISTER with 200.
func (p *peer) keeps(m msg, headers ...string) *lineOf {
	p.t.Helper()
	l := &lineOf{p: p, contact: m.contact(), side: &side{p: p, mine: unique("r"), contact: "<" + m.contact() + ">;expires=600"}}
	l.reply(m, 200, "", headers...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.auto = func(m msg) bool {
		gone := m.method() == "REGISTER" && m.get("Expires") == "0"
		if gone {
			l.reply(m, 200, "")
		}
		return gone
	}
	return l
}

func (w *world) registration(name string) (at enrol.Status) {
	for _, t := range w.srv.Trunks() {
		if t.Name == name && t.Registration != nil {
			at = *t.Registration
		}
	}
	return at
}

// registered waits until we know that we are.
func (w *world) registered() enrol.Status {
	w.t.Helper()
	var at enrol.Status
	eventually(w.t, "registered", func() bool {
		at = w.registration("b")
		return at.State == enrol.Registered
	})
	return at
}

// dials calls a Contact of ours.
func (p *peer) dials(contact, to, from, sdp string, headers ...string) *side {
	p.t.Helper()
	d := &side{p: p, callID: unique("call"), me: "<sip:" + from + "@carrier.example>", other: "<sip:" + to + "@ims.example.com>", mine: unique("a"),
		target: contact, contact: "<sip:" + from + "@" + p.addr.String() + ">"}
	d.reinvite(sdp, headers...)
	return d
}

// TestRegisteredTrunk: REGISTER, then calls both ways by the way that it took.
func TestRegisteredTrunk(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"UDP", "TCP", "TLS"} {
		t.Run(transport, func(t *testing.T) {
			ca := certtest.New(t)
			us := ca.Issue("127.0.0.1")
			w := open(t, enrolled, func(s *settings) {
				switch transport {
				case "TCP":
					s.tcpB = true
				case "TLS":
					s.cfg.TLS = TLS{Listen: "127.0.0.1:0", Cert: us.Cert, Key: us.Key}
					s.trunkB.Transport = "tls"
					s.trunkB.TLS = trunk.TLS{Name: "b.example", CA: ca.File, Cert: us.Cert, Key: us.Key}
				}
			})
			if transport == "TLS" {
				w.b.overTLS(ca, "b.example")
			}
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			a.fails(503)
			w.ends(8020, 7508)
			w.b.never(0, "a call while nothing is registered", func(m msg) bool { return m.method() == "INVITE" })

			l := w.b.enrols("Service-Route: <sip:scscf.ims.example.com;lr>, <sip:as.ims.example.com;lr>", "Path: <sip:pcscf.example;lr>", "P-Associated-URI: <sip:"+lineID+">, <tel:+862160000000>")
			at := w.registered()
			require.Equal(t, []string{"sip:scscf.ims.example.com;lr", "sip:as.ims.example.com;lr"}, at.ServiceRoute)
			require.Equal(t, []string{"sip:" + lineID, "tel:+862160000000"}, at.Associated)
			require.Equal(t, []string{"sip:pcscf.example;lr"}, at.Path)
			require.Regexp(t, `^sip:line-[0-9a-f]{16}@127\.0\.0\.1:`, l.contact, "nobody's number")

			a, b := w.talk()
			require.Equal(t, []string{"<sip:scscf.ims.example.com;lr>", "<sip:as.ims.example.com;lr>"}, strings.Fields(strings.ReplaceAll(b.invite.lines("Route"), "Route: ", "")))
			require.Equal(t, l.contact, b.invite.contact())
			require.True(t, strings.HasSuffix(b.invite.uri(), "@ims.example.com"), b.invite.start)
			require.True(t, strings.HasPrefix(b.invite.get("From"), "<sip:"+numX+"@ims.example.com>"), b.invite.get("From"))
			a.bye()
			bye := b.hungUp()
			require.Empty(t, bye.get("Route"), "of the dialog, which has none")

			for _, raw := range w.b.everything() {
				require.Empty(t, hidden(raw, numA), raw)
				require.NotContains(t, raw, "line secret")
			}
			for _, raw := range w.a.everything() {
				require.Empty(t, hidden(raw, "62160000000"), "A sees the line in\n%s", raw)
			}
			in := w.b.dials(l.contact, numX, numB, w.mouthB.sdp(1))
			out := w.b.ring()
			out.says(486, "")
			in.fails(486)
		})
	}
}

// TestCallsToALine: what calls the Contact that we registered is the trunk's if
// it comes from where that is registered; X stands in P-Called-Party-ID or To,
// or is the line.
func TestCallsToALine(t *testing.T) {
	w := open(t, enrolled)
	l := w.b.enrols()
	w.registered()
	for name, c := range map[string]struct {
		to     string
		header []string
	}{
		"To":                {numX, nil},
		"P-Called-Party-ID": {"862160000000", []string{"P-Called-Party-ID: <sip:+86" + numX + "@ims.example.com>"}},
	} {
		in := w.b.dials(l.contact, c.to, numB, w.mouthB.sdp(1), c.header...)
		out := w.b.ring()
		w.router.mu.Lock()
		q := w.router.asked[len(w.router.asked)-1]
		w.router.mu.Unlock()
		require.Equal(t, "+86"+numX, string(q.X), name)
		require.Equal(t, "+86"+numB, string(q.Caller), name)
		out.says(486, "")
		in.fails(486)
	}
	in := w.b.dials(l.contact, "862160000000", numB, w.mouthB.sdp(1))
	in.fails(404)
	in = w.b.dials(strings.Replace(l.contact, "line-", "line-x", 1), numX, numB, w.mouthB.sdp(1))
	in.fails(403)
	in = w.b.dials("sip:"+numX+"@"+w.b.to.String(), numX, numB, w.mouthB.sdp(1))
	in.fails(403)
	other := newPeer(t, "another", "127.0.0.10")
	other.to = w.srv.UDPAddr()
	other.dials(l.contact, numX, numB, w.mouthB.sdp(1))
	other.never(50*time.Millisecond, "an answer", func(msg) bool { return true })
}

// TestLineRefused: while the trunk does not take us nothing goes out; its
// texts neither.
func TestLineRefused(t *testing.T) {
	w := open(t, texting(newOffice()), enrolled)
	w.b.answers(w.b.request("REGISTER"), 403)
	eventually(t, "it failed", func() bool { at := w.registration("b"); return at.State == enrol.Failed })
	w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
	f := failure(t, carrierOf(t, w.srv, "b").Send(t.Context(), texted("hi")))
	require.True(t, f.Temporary)
	l := w.b.enrols("Service-Route: <sip:scscf.ims.example.com;lr>") // it is tried again
	w.registered()
	done := w.sends(w.srv, "b", texted("hi"))
	m := w.b.request("MESSAGE")
	require.Equal(t, "<sip:scscf.ims.example.com;lr>", m.get("Route"))
	w.b.answers(m, 200)
	require.NoError(t, wait(t, done))
	require.NotEmpty(t, l.contact)
	require.Zero(t, w.registration("a"))
}

// TestConnectionLost: what was registered over a connection is registered again
// when that has ended.
func TestConnectionLost(t *testing.T) {
	w := open(t, enrolled, func(s *settings) { s.tcpB = true })
	first := w.b.enrols()
	w.registered()
	w.b.mu.Lock()
	c := w.b.tcp
	w.b.mu.Unlock()
	require.NoError(t, c.Close())
	m := w.b.request("REGISTER")
	require.Equal(t, "3 REGISTER", m.get("CSeq"))
	require.Contains(t, m.get("Authorization"), "nc=00000002")
	require.Equal(t, first.contact, w.b.keeps(m).contact)
	_, b := w.talk()
	b.bye()
	w.a.answers(w.a.request("BYE"), 200)
}

// TestUnregisters at the end, but does not wait for ever for a trunk that is
// silent.
func TestUnregisters(t *testing.T) {
	w := open(t, enrolled)
	w.b.enrols()
	w.registered()
	gone := make(chan msg, 10)
	w.b.mu.Lock()
	w.b.auto = func(m msg) bool {
		if m.method() == "REGISTER" && m.get("Expires") == "0" {
			gone <- m
		}
		return true
	}
	w.b.mu.Unlock()
	began := time.Now()
	require.NoError(t, w.srv.Shutdown(expired()))
	require.Less(t, time.Since(began), patience)
	require.NotEmpty(t, gone)
	at := w.registration("b")
	require.Equal(t, enrol.Closed, at.State)
}

// TestTextToALine: a MESSAGE to the Contact that we registered is the trunk's.
func TestTextToALine(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o), enrolled)
	l := w.b.enrols()
	w.registered()
	d := &side{p: w.b, callID: unique("text"), me: "<sip:" + numB + "@ims.example.com>", other: "<sip:+86" + numX + "@ims.example.com>", mine: unique("m"),
		target: l.contact, contact: "<sip:smsc@" + w.b.addr.String() + ">"}
	d.request("MESSAGE", "hello", "Content-Type: text/plain")
	d.response(202, "MESSAGE")
	in := o.last(t)
	require.Equal(t, []string{"b", "+86" + numX, "+86" + numB}, []string{in.Source, string(in.X), string(in.Sender)})
	other := *d
	other.p, other.callID = w.a, unique("text")
	other.request("MESSAGE", "hello", "Content-Type: text/plain")
	other.response(202, "MESSAGE")
	require.Equal(t, "a", o.last(t).Source, "whoever knows the Contact of another trunk is not that trunk")
}
