package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/sip/cpim"
	"axgate/sip/trunk"
	"axgate/sms"
)

// texted is a text from X to B.
func texted(text string) sms.Outgoing {
	return sms.Outgoing{ID: "sms-1", X: "+86" + numX, Receiver: "+86" + numB, Text: text, Pieces: 1, At: time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)}
}

// carrier finds one of a server's by its name.
func carrierOf(t testing.TB, srv *Server, name string) sms.Carrier {
	t.Helper()
	for _, c := range srv.TextCarriers() {
		if c.Name() == name {
			return c
		}
	}
	t.Fatalf("no carrier %q", name)
	return nil
}

// sends sends a text in the background.
func (w *world) sends(srv *Server, name string, o sms.Outgoing) <-chan error {
	c := carrierOf(w.t, srv, name)
	done := make(chan error, 1)
	go func() { done <- c.Send(context.Background(), o) }()
	return done
}

// says answers a MESSAGE.
func (p *peer) answers(m msg, status int, headers ...string) {
	p.t.Helper()
	d := &side{p: p, mine: unique("b"), contact: "<sip:device@" + p.addr.String() + ">"}
	d.reply(m, status, "", headers...)
}

func wait(t testing.TB, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("waited in vain for the end of a text")
		return nil
	}
}

// failure is the *sms.Failure that an error has to be.
func failure(t testing.TB, err error) sms.Failure {
	t.Helper()
	var f *sms.Failure
	require.ErrorAs(t, err, &f)
	require.Empty(t, hidden(f.Reason, numB))
	return *f
}

func TestTextGoesOut(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"UDP", "TCP"} {
		t.Run(transport, func(t *testing.T) {
			w := open(t, texting(newOffice()), func(s *settings) {
				s.tcpB, s.trunkB.SendPPI, s.trunkB.FromDomain = transport == "TCP", true, "ims.example"
			})
			require.Equal(t, 1, carrierOf(t, w.srv, "b").Pieces("你好"))
			done := w.sends(w.srv, "b", texted("你好"))
			m := w.b.request("MESSAGE")
			require.Equal(t, "MESSAGE sip:"+numB+"@"+w.b.addr.String()+" SIP/2.0", m.start)
			require.True(t, strings.HasPrefix(m.get("From"), "<sip:"+numX+"@ims.example>;tag="), m.get("From"))
			require.Equal(t, "<sip:"+numB+"@"+w.b.addr.String()+">", m.get("To"))
			require.Equal(t, "<sip:"+numX+"@ims.example>", m.get("P-Asserted-Identity"))
			require.Equal(t, "<sip:"+numX+"@ims.example>", m.get("P-Preferred-Identity"))
			require.Equal(t, "70", m.get("Max-Forwards"))
			require.Equal(t, "1 MESSAGE", m.get("CSeq"))
			require.Equal(t, "axgate", m.get("User-Agent"))
			require.Empty(t, m.get("Contact"), "RFC 3428 section 4")
			require.Equal(t, "text/plain;charset=UTF-8", m.get("Content-Type"))
			require.Equal(t, "你好", m.body)
			w.b.answers(m, 200)
			require.NoError(t, wait(t, done))
		})
	}
}

func TestTextIsHidden(t *testing.T) {
	w := open(t, texting(newOffice()), func(s *settings) { s.trunkB.Hide = true })
	done := w.sends(w.srv, "b", texted("hi"))
	m := w.b.request("MESSAGE")
	require.True(t, strings.HasPrefix(m.get("From"), "<sip:anonymous@anonymous.invalid>;tag="), m.get("From"))
	require.Contains(t, m.get("P-Asserted-Identity"), numX)
	require.Equal(t, "id", m.get("Privacy"))
	w.b.answers(m, 202)
	require.NoError(t, wait(t, done))
}

func TestTextAsCPIM(t *testing.T) {
	w := open(t, texting(newOffice()), func(s *settings) { s.trunkB.Texts.Form = trunk.CPIM })
	done := w.sends(w.srv, "b", texted("你好\r\n再见"))
	m := w.b.request("MESSAGE")
	require.Equal(t, "message/cpim", m.get("Content-Type"))
	_, body, _ := strings.Cut(m.raw, "\r\n\r\n")
	inner, err := cpim.Read([]byte(body))
	require.NoError(t, err)
	require.Equal(t, "你好\r\n再见", string(inner.Body))
	require.Equal(t, "text/plain;charset=UTF-8", inner.Type)
	require.Equal(t, "<sip:"+numX+"@"+w.srv.cfg.Domain+">", inner.From)
	require.Equal(t, "<sip:"+numB+"@"+w.b.addr.String()+">", inner.To)
	require.Equal(t, texted("").At, inner.At)
	w.b.answers(m, 200)
	require.NoError(t, wait(t, done))
}

// TestTextFailures: what may be tried again, and what not
// (docs/decisions/0015-sms.md).
func TestTextFailures(t *testing.T) {
	w := open(t, texting(newOffice()))
	for status, temporary := range map[int]bool{
		301: false, 400: false, 401: true, 403: false, 404: false, 405: false, 407: true, 408: true, 410: false, 413: false, 415: false, 480: true, 482: false, 484: false, 486: true, 488: false,
		500: true, 501: true, 502: true, 503: true, 504: true, 600: false, 603: false, 604: false,
	} {
		o := texted("hi")
		o.ID = fmt.Sprint("to be answered ", status)
		done := w.sends(w.srv, "b", o)
		w.b.answers(w.b.request("MESSAGE"), status)
		require.Equal(t, sms.Failure{Status: status, Reason: fmt.Sprint("b answered ", status), Temporary: temporary}, failure(t, wait(t, done)))
	}
	o := texted("hi")
	o.Try = 1
	there := w.sends(w.srv, "b", o)
	w.b.answers(w.b.request("MESSAGE"), 482)
	err := wait(t, there)
	require.ErrorContains(t, err, "it is there already")
	require.False(t, errors.As(err, new(*sms.Failure)), "nobody knows: another carrier must not have it")
	o.Piece = 1
	require.False(t, failure(t, carrierOf(t, w.srv, "b").Send(context.Background(), o)).Temporary)
}

// TestTextIsTriedAgain: the same request as long as nobody knows, a new one
// after an answer or a time-out.
func TestTextIsTriedAgain(t *testing.T) {
	w := open(t, texting(newOffice()))
	o := texted("hi")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- carrierOf(t, w.srv, "b").Send(ctx, o) }()
	first := w.b.request("MESSAGE")
	cancel()
	err := wait(t, done)
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, errors.As(err, new(*sms.Failure)), "nobody knows: another carrier must not have it")

	o.Try = 1 // the node was killed: another has the text
	other := w.another()
	had := w.b.times(first)
	second := w.sends(other, "b", o)
	eventually(t, "the same request came", func() bool { return w.b.times(first) > had })
	w.b.to = other.UDPAddr()
	w.b.answers(first, 200)
	require.NoError(t, wait(t, second))
	w.b.to = w.srv.UDPAddr()

	o.ID, o.Try = "sms-2", 0
	third := w.sends(w.srv, "b", o)
	m := w.b.request("MESSAGE")
	require.NotEqual(t, first.get("Call-ID"), m.get("Call-ID"))
	w.b.answers(m, 480)
	require.Equal(t, 480, failure(t, wait(t, third)).Status)
	o.Try, o.Fails = 1, 1
	fourth := w.sends(w.srv, "b", o)
	n := w.b.request("MESSAGE")
	require.Equal(t, m.get("Call-ID"), n.get("Call-ID"))
	require.Equal(t, m.tag("From"), n.tag("From"))
	require.NotEqual(t, m.get("Via"), n.get("Via"))
	require.Equal(t, "4 MESSAGE", n.get("CSeq"))
	// It is not answered: the next one is new again.
	require.Equal(t, sms.Failure{Status: 408, Reason: "b does not answer", Temporary: true}, failure(t, wait(t, fourth)))
	require.Greater(t, w.b.times(n), 2, "retransmitted")
	o.Try, o.Fails = 2, 2
	fifth := w.sends(w.srv, "b", o)
	p := w.b.request("MESSAGE")
	require.Equal(t, "7 MESSAGE", p.get("CSeq"))
	w.b.answers(p, 200)
	require.NoError(t, wait(t, fifth))
	// Sent, and yet tried again: the ledger did not hear of it.
	o.Try, had = 3, w.b.times(p)
	sixth := w.sends(w.srv, "b", o)
	eventually(t, "the same request came", func() bool { return w.b.times(p) > had })
	w.b.answers(p, 200)
	require.NoError(t, wait(t, sixth))
}

// TestNodesCutAlike: whichever node goes on with a text, it begins where the
// last piece ended.
func TestNodesCutAlike(t *testing.T) {
	to := func(form trunk.TextForm) *trunk.Trunk {
		return &trunk.Trunk{Name: "b", Address: netip.MustParseAddrPort("192.0.2.9:5060"), SendPAI: true, Texts: trunk.Texts{Form: form}}
	}
	for name, c := range map[string]*trunk.Trunk{"phone": nil, "text": to(trunk.Plain), "cpim": to(trunk.CPIM)} {
		var rooms []int
		for _, cfg := range []Config{
			{Advertise: "10.0.0.1:5060", Domain: "10.0.0.1", Agent: "axgate 1.9"},
			{Advertise: "192.168.100.100:25060", Domain: "192.168.100.100", Agent: "axgate 1.10"},
			{Advertise: "[2001:db8::1]:5060", Domain: "2001:db8::1", Agent: "axgate"},
		} {
			rooms = append(rooms, (&Server{cfg: cfg}).newCarrier(c).room)
		}
		require.Equal(t, []int{rooms[0], rooms[0], rooms[0]}, rooms, name)
		require.Greater(t, rooms[0], 250, name)
	}
}

// TestTextPieces have names of their own.
func TestTextPieces(t *testing.T) {
	w := open(t, texting(newOffice()))
	c := carrierOf(t, w.srv, "b")
	text := strings.Repeat("零一二三四五六七八九", 60)
	n := c.Pieces(text)
	require.Greater(t, n, 1)
	seen := map[string]bool{}
	var whole strings.Builder
	for i := range n {
		o := texted(text)
		o.Piece, o.Pieces = i, n
		done := w.sends(w.srv, "b", o)
		m := w.b.request("MESSAGE")
		require.Less(t, len(m.raw), 1300, "RFC 3428 section 8")
		require.False(t, seen[m.get("Call-ID")])
		seen[m.get("Call-ID")] = true
		whole.WriteString(m.body)
		w.b.answers(m, 200)
		require.NoError(t, wait(t, done))
	}
	require.Equal(t, text, whole.String())
}

func TestTextWithAProof(t *testing.T) {
	secret := func(s *settings) { s.trunkB.Username, s.trunkB.Password = "user", "secret" }
	w := open(t, texting(newOffice()), secret)
	const challenge = `Digest realm="carrier", nonce="abc", algorithm=MD5, qop="auth"`
	text := strings.Repeat("零一二三四五六七八九", 9)
	done := w.sends(w.srv, "b", texted(text))
	m := w.b.request("MESSAGE")
	w.b.answers(m, 407, "Proxy-Authenticate: "+challenge)
	n := w.b.request("MESSAGE")
	require.Equal(t, "2 MESSAGE", n.get("CSeq"))
	require.Equal(t, m.get("Call-ID"), n.get("Call-ID"))
	require.Contains(t, n.get("Proxy-Authorization"), `username="user"`)
	require.Less(t, len(n.raw), 1300)
	w.b.answers(n, 200)
	require.NoError(t, wait(t, done))

	wrong := w.sends(w.srv, "b", texted(text))
	first := w.b.request("MESSAGE")
	require.Equal(t, m.get("Via"), first.get("Via"), "a peer that has it knows it")
	require.Contains(t, first.get("Proxy-Authorization"), "nc=00000002", "it has asked before")
	w.b.answers(first, 407, "Proxy-Authenticate: "+challenge) // its nonce was forgotten
	again := w.b.request("MESSAGE")
	require.Equal(t, n.get("Via"), again.get("Via"), "a peer that has it knows it")
	require.Contains(t, again.get("Proxy-Authorization"), "nc=00000003")
	w.b.answers(again, 407, "Proxy-Authenticate: "+challenge)
	require.Equal(t, 407, failure(t, wait(t, wrong)).Status)
}

// TestTextRest: a trunk that asks for a rest gets no text, but calls.
func TestTextRest(t *testing.T) {
	w := open(t, texting(newOffice()))
	done := w.sends(w.srv, "b", texted("hi"))
	w.b.answers(w.b.request("MESSAGE"), 503, "Retry-After: 60")
	require.Equal(t, 503, failure(t, wait(t, done)).Status)
	o := texted("hi")
	o.Try = 1
	f := failure(t, carrierOf(t, w.srv, "b").Send(context.Background(), o))
	require.Equal(t, sms.Failure{Status: 503, Reason: "b asked for a rest", Temporary: true}, f)
	a, b := w.talk()
	a.bye()
	b.hungUp()
}

func TestTextCarriers(t *testing.T) {
	w := open(t, phones, texting(newOffice()), func(s *settings) {
		s.more = append(s.more,
			trunk.Trunk{Name: "silent", Address: s.trunkB.Address},
			trunk.Trunk{Name: "cpim", Address: s.trunkB.Address, Texts: trunk.Texts{Form: trunk.CPIM}},
			trunk.Trunk{Name: "ims", Address: s.trunkB.Address, Texts: trunk.Texts{Form: trunk.ThreeGPP, Center: "+8613800100500"}})
	})
	var names []string
	for _, c := range w.srv.TextCarriers() {
		names = append(names, c.Name())
		require.Equal(t, c.Name() != "phone", c.Reaches("+8613711110000"), c.Name())
		require.True(t, c.Reaches("+86"+numB), c.Name())
		require.Equal(t, 1, c.Pieces(""), c.Name())
	}
	require.Equal(t, []string{"phone", "a", "cpim", "ims"}, names, "in their order")
}

// TestTextsBetweenPhones: by digest, to the place that the phone registered
// from.
func TestTextsBetweenPhones(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"UDP", "TCP"} {
		t.Run(transport, func(t *testing.T) {
			o := newOffice()
			w := open(t, phones, texting(o))
			f := failure(t, carrierOf(t, w.srv, "phone").Send(context.Background(), texted("hi")))
			require.Equal(t, sms.Failure{Status: 480, Reason: "the phone is not registered", Temporary: true}, f)
			if transport == "TCP" {
				w.a.dialTCP(w.srv.TCPAddr())
				w.b.dialTCP(w.srv.TCPAddr())
			}
			w.b.registers(numB, "second secret")
			d := w.a.texts(numX, "13711110000", "from whom?")
			asked := d.response(407, "MESSAGE")
			require.Zero(t, o.times())
			d.request("MESSAGE", "from me", "Content-Type: text/plain", "Proxy-Authorization: "+proof(t, asked.get("Proxy-Authenticate"), "MESSAGE", d.target, numA, "first secret"))
			d.response(202, "MESSAGE")
			require.Equal(t, routing.Number("+86"+numA), o.last(t).Sender, "the number that it proved")
			require.Equal(t, "phone", o.last(t).Source)
			done := w.sends(w.srv, "phone", texted("from X"))
			m := w.b.request("MESSAGE")
			require.Equal(t, "MESSAGE sip:"+numB+"@192.168.7.7:5062 SIP/2.0", m.start)
			require.True(t, strings.HasPrefix(m.get("From"), "<sip:+86"+numX+"@"), m.get("From"))
			require.Equal(t, "from X", m.body)
			w.b.answers(m, 200)
			require.NoError(t, wait(t, done))
		})
	}
}

// TestTextToADeadTrunk: over TCP it cannot be reached, which is known at once.
func TestTextToADeadTrunk(t *testing.T) {
	w := open(t, texting(newOffice()), func(s *settings) { s.trunkB.Transport = "TCP" }) // nobody listens there
	f := failure(t, carrierOf(t, w.srv, "b").Send(context.Background(), texted("hi")))
	require.Equal(t, sms.Failure{Reason: "b cannot be reached", Temporary: true}, f)
	require.NoError(t, w.srv.Shutdown(context.Background()))
	f = failure(t, carrierOf(t, w.srv, "b").Send(context.Background(), texted("hi")))
	require.True(t, f.Temporary)
}
