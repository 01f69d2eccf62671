package sip

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"

	"axgate/routing"
	"axgate/sip/trunk"
	"axgate/sms"
)

// office is the office of texts: it keeps what it is given, and what it was
// given before it knows by its key.
type office struct {
	mu     sync.Mutex
	kept   []sms.Incoming
	asked  int
	answer func(in sms.Incoming) (sms.Receipt, error) // nil: Taken or Repeated
	fresh  chan struct{}
}

// answers sets what becomes of texts from now on.
func (o *office) answers(f func(sms.Incoming) (sms.Receipt, error)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer = f
}

func newOffice() *office { return &office{fresh: make(chan struct{}, 1024)} }

func (o *office) Receive(ctx context.Context, in sms.Incoming) (sms.Receipt, error) {
	o.mu.Lock()
	o.asked++
	answer := o.answer
	o.mu.Unlock()
	if answer != nil {
		return answer(in)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range o.kept {
		if k.Key == in.Key || k.Twin.Mark != "" && k.Twin.Mark == in.Twin.Mark && !in.Twin.New {
			return sms.Receipt{ID: "text", Outcome: sms.Repeated}, nil
		}
	}
	o.kept = append(o.kept, in)
	o.fresh <- struct{}{}
	return sms.Receipt{ID: "text", Outcome: sms.Taken}, nil
}

func (o *office) all() []sms.Incoming {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]sms.Incoming(nil), o.kept...)
}

func (o *office) times() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked
}

// last is the text that was kept last.
func (o *office) last(t testing.TB) sms.Incoming {
	t.Helper()
	all := o.all()
	require.NotEmpty(t, all)
	return all[len(all)-1]
}

func (o *office) says(r sms.Receipt, err error) {
	o.answers(func(sms.Incoming) (sms.Receipt, error) { return r, err })
}

// texting has both carriers exchange texts with the office.
func texting(o *office) func(*settings) {
	return func(s *settings) {
		s.cfg.Texts = o
		s.trunkA.Texts.Form, s.trunkB.Texts.Form = trunk.Plain, trunk.Plain
	}
}

// texts sends a MESSAGE for X.
func (p *peer) texts(x, from, body string, headers ...string) *side {
	p.t.Helper()
	d := &side{p: p, callID: unique("text"), me: "<sip:" + from + "@carrier.example>", other: "<sip:" + x + "@axgate.example>", mine: unique("m"),
		target: "sip:" + x + "@" + p.to.String(), contact: "<sip:" + from + "@" + p.addr.String() + ">"}
	if !strings.Contains(strings.Join(headers, "\n"), "Content-Type:") {
		headers = append(headers, "Content-Type: text/plain")
	}
	d.request("MESSAGE", body, headers...)
	return d
}

func TestTextComesIn(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"UDP", "TCP"} {
		t.Run(transport, func(t *testing.T) {
			o := newOffice()
			w := open(t, texting(o), func(s *settings) { s.tcpA = transport == "TCP" })
			m := w.a.texts(numX, numA, "你好, 😀").response(202, "MESSAGE")
			require.Empty(t, m.get("Contact"), "RFC 3428 section 7")
			require.NotEmpty(t, m.tag("To"))
			in := o.last(t)
			require.Zero(t, in.At, "the office says when, by the clock of all nodes")
			require.Len(t, in.Key, 64)
			require.NotContains(t, in.Key, numA)
			in.Key = ""
			require.Equal(t, sms.Incoming{Source: "a", X: "+86" + numX, Sender: "+86" + numA, Text: "你好, 😀"}, in)
		})
	}
}

// TestTextBodies: what is read, and what is answered to the rest.
func TestTextBodies(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o))
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("号码")
	require.NoError(t, err)
	about := "From: <sip:+8613911112222@h>\r\nTo: <sip:+8613922221111@h>\r\n"
	for name, c := range map[string]struct {
		contentType, body string
		status            int
		text              string // 202
		header            string
	}{
		"plain":               {"text/plain", "a b\r\nc", 202, "a b\r\nc", ""},
		"charset":             {"text/plain; charset=\"UTF-8\"", "ü", 202, "ü", ""},
		"upper case":          {"TEXT/PLAIN;CHARSET=utf-8", "u", 202, "u", ""},
		"another parameter":   {"text/plain;charset=UTF-8;format=flowed", "f", 202, "f", ""},
		"GBK":                 {"text/plain;charset=gbk", gbk, 202, "号码", ""},
		"Latin 1":             {"text/plain;charset=iso-8859-1", "gr\xfc\xdf", 202, "grüß", ""},
		"NUL and BOM":         {"text/plain", "\ufeffend\x00", 202, "end", ""},
		"cpim":                {"message/cpim", about + "DateTime: 2026-11-25T10:00:00Z\r\n\r\nContent-Type: text/plain;charset=UTF-8\r\n\r\n中 文", 202, "中 文", ""},
		"cpim, base64":        {"message/cpim", about + "\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte("中")) + "\r\n", 202, "中", ""},
		"cpim, charset":       {"message/cpim", about + "\r\nContent-Type: text/plain;charset=gbk\r\n\r\n" + gbk, 202, "号码", ""},
		"cpim with a receipt": {"message/cpim", about + "NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: x1\r\nimdn.Disposition-Notification: display\r\n\r\nContent-Type: text/plain\r\n\r\nseen?", 202, "seen?", ""},
		"empty":               {"text/plain", "", 200, "", ""},
		"only NUL":            {"text/plain", "\x00", 200, "", ""},
		"empty cpim":          {"message/cpim", about + "\r\nContent-Type: text/plain\r\n\r\n", 200, "", ""},

		"typing":              {"application/im-iscomposing+xml", "<isComposing/>", 415, "", "Accept: " + acceptTexts},
		"a receipt":           {"message/cpim", about + "\r\nContent-Type: message/imdn+xml\r\n\r\n<imdn/>", 415, "", "Accept: " + acceptTexts},
		"a picture":           {"image/png", "\x89PNG", 415, "", "Accept: " + acceptTexts},
		"multipart":           {"multipart/mixed;boundary=b", "--b\r\n\r\nx\r\n--b--", 415, "", "Accept: " + acceptTexts},
		"no type that is one": {"nonsense", "x", 415, "", "Accept: " + acceptTexts},
		"unknown charset":     {"text/plain;charset=klingon", "x", 415, "", "Accept: " + acceptTexts},
		"barred charset":      {"text/plain;charset=iso-2022-cn", "x", 415, "", "Accept: " + acceptTexts},
		"cpim that requires":  {"message/cpim", about + "Require: mystery\r\n\r\n\r\nx", 415, "", "Accept: " + acceptTexts},
		"no UTF-8":            {"text/plain", "\xff\xfe", 400, "", ""},
		"broken cpim":         {"message/cpim", "no header at all", 400, "", ""},
		"broken base64":       {"message/cpim", about + "\r\nContent-Transfer-Encoding: base64\r\n\r\n***", 400, "", ""},
		"too much":            {"text/plain", strings.Repeat("x", maxTextBody+1), 413, "", ""},
	} {
		had := len(o.all())
		d := w.a.texts(numX, numA, c.body, "Content-Type: "+c.contentType)
		m := w.a.await("an answer to "+name, func(m msg) bool { return m.get("Call-ID") == d.callID })
		require.Equal(t, c.status, m.status(), name)
		require.Empty(t, m.get("Contact"), name)
		if c.header != "" {
			require.Equal(t, c.header+"\r\n", m.lines("Accept"), name)
		}
		if c.status != 202 {
			require.Len(t, o.all(), had, name)
			continue
		}
		in := o.last(t)
		require.Equal(t, c.text, in.Text, name)
		require.Equal(t, routing.Number("+86"+numA), in.Sender, "%s: SIP says who sent it", name)
		require.Equal(t, routing.X("+86"+numX), in.X, name)
	}
	m := w.a.texts(numX, numA, "x", "Content-Encoding: gzip").response(415, "MESSAGE")
	require.Equal(t, "identity", m.get("Accept-Encoding"))
	w.a.texts(numX, numA, "x", "Content-Encoding: identity").response(202, "MESSAGE")
}

// TestTextsThatAreTurnedAway at the door, before anybody is asked.
func TestTextsThatAreTurnedAway(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o))
	for name, c := range map[string]struct {
		x       string
		headers []string
		status  int
		header  string
	}{
		"no hops left":      {numX, []string{"Max-Forwards: 0"}, 483, ""},
		"unknown extension": {numX, []string{"Require: foo, bar"}, 420, "Unsupported: foo, bar"},
		"no X":              {"100000000000000000", nil, 404, ""},
		"no number":         {"somebody", nil, 404, ""},
	} {
		m := w.a.texts(c.x, numA, "hello", c.headers...).response(c.status, "MESSAGE")
		if c.header != "" {
			key, value, _ := strings.Cut(c.header, ": ")
			require.Equal(t, value, m.get(key), name)
		}
	}
	require.Zero(t, o.times())
}

// TestTextAnswers: the office's word decides.
func TestTextAnswers(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o))
	for _, c := range []struct {
		receipt sms.Receipt
		err     error
		status  int
		after   string
	}{
		{sms.Receipt{ID: "1", Outcome: sms.Taken}, nil, 202, ""},
		{sms.Receipt{ID: "1", Outcome: sms.Repeated}, nil, 202, ""},
		{sms.Receipt{ID: "1", Outcome: sms.Refused, Result: routing.TextForbidden}, nil, 403, ""},
		{sms.Receipt{Outcome: sms.Unknown}, nil, 404, ""},
		{sms.Receipt{Outcome: sms.TooLong}, nil, 413, ""},
		{sms.Receipt{Outcome: sms.Limited, After: 1500 * time.Millisecond}, nil, 480, "2"},
		{sms.Receipt{Outcome: sms.Limited}, nil, 480, "1"},
		{sms.Receipt{Outcome: sms.Busy, After: time.Second}, nil, 503, "1"},
		{sms.Receipt{}, errors.New("the disk is full"), 500, ""},
	} {
		o.says(c.receipt, c.err)
		m := w.a.texts(numX, numA, "hello").response(c.status, "MESSAGE")
		require.Equal(t, c.after, m.get("Retry-After"))
		require.Empty(t, m.get("Contact"))
	}
	require.Contains(t, w.logged(), "the disk is full")
	require.NotContains(t, w.logged(), numA)
}

// TestTextSender: whom the trunk's rule names, or nobody.
func TestTextSender(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o), func(s *settings) { s.trunkA.Rule.Trusted = true })
	w.a.texts(numX, numA, "x", "P-Asserted-Identity: <sip:+8613711110000@h>").response(202, "MESSAGE")
	require.Equal(t, routing.Number("+8613711110000"), o.last(t).Sender)
	w.a.texts(numX, "anonymous", "x").response(202, "MESSAGE")
	require.Empty(t, o.last(t).Sender)
	w.a.texts(numX, numA, "x", "Privacy: id").response(202, "MESSAGE")
	require.Empty(t, o.last(t).Sender)
	w.a.texts("+86"+numX, "0086"+numA, "x").response(202, "MESSAGE")
	require.Equal(t, routing.Number("+86"+numA), o.last(t).Sender)
}

// TestTextComesAgain: retransmitted while the office thinks, after its answer,
// by another way, and after the node came up again.
func TestTextComesAgain(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o))
	hold := make(chan struct{})
	o.answers(func(sms.Incoming) (sms.Receipt, error) { <-hold; return sms.Receipt{ID: "1"}, nil })
	d := w.a.texts(numX, numA, "once")
	eventually(t, "the office has it", func() bool { return o.times() == 1 })
	branch := unique("z9hG4bK")
	again := d.text("MESSAGE", 9, branch, "twice", "Content-Type: text/plain")
	w.a.send(again)
	eventually(t, "the office has the other", func() bool { return o.times() == 2 })
	for range 3 {
		w.a.send(again)
	}
	close(hold)
	d.cseq = 9
	m := d.response(202, "MESSAGE")
	had := w.a.times(m)
	w.a.send(again)
	eventually(t, "it is answered again", func() bool { return w.a.times(m) > had })
	require.Equal(t, 2, o.times())

	o.answers(nil)
	e := w.a.texts(numX, numA, "thrice")
	e.response(202, "MESSAGE")
	w.a.send(e.text("MESSAGE", e.cseq, unique("z9hG4bK"), "thrice", "Content-Type: text/plain"))
	eventually(t, "the office was asked again", func() bool { return o.times() == 4 })
	require.Len(t, o.all(), 1, "it has the same key")

	v := w.another() // another node, or this one after a crash
	w.a.to = v.UDPAddr()
	w.a.send(e.text("MESSAGE", e.cseq, e.branch+unique("z9hG4bK"), "thrice", "Content-Type: text/plain"))
	eventually(t, "the office was asked again", func() bool { return o.times() == 5 })
	require.Len(t, o.all(), 1, "it has the same key")
	e.request("MESSAGE", "thrice", "Content-Type: text/plain") // the next one of this sender may say the same
	e.response(202, "MESSAGE")
	require.Len(t, o.all(), 2)
}

// TestTextsWhenTheOfficeIsSlow: those over the bound are told to come again,
// and nobody waits for them.
func TestTextsWhenTheOfficeIsSlow(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o))
	hold := make(chan struct{})
	o.answers(func(sms.Incoming) (sms.Receipt, error) { <-hold; return sms.Receipt{ID: "1"}, nil })
	for range maxTexts {
		w.a.texts(numX, numA, "slow")
	}
	eventually(t, "the office is full", func() bool { return o.times() == maxTexts })
	m := w.a.texts(numX, numA, "one more").response(503, "MESSAGE")
	require.Equal(t, "5", m.get("Retry-After"))
	w.a.outside("OPTIONS").response(200, "OPTIONS")
	close(hold)
	eventually(t, "the desk is free", func() bool {
		w.srv.desk.mu.Lock()
		defer w.srv.desk.mu.Unlock()
		return w.srv.desk.busy == 0
	})
	for read := -1; read != len(w.a.everything()); time.Sleep(100 * time.Millisecond) { // its socket is full of answers, and would lose the next one
		read = len(w.a.everything())
	}
	w.a.texts(numX, numA, "later").response(202, "MESSAGE")
}

// TestTextsOffered: who may send texts is told so, and nobody else.
func TestTextsOffered(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o), func(s *settings) { s.trunkB.Texts.Form = trunk.TextsOff })
	m := w.a.outside("OPTIONS").response(200, "OPTIONS")
	require.Contains(t, m.get("Allow"), "MESSAGE")
	require.Equal(t, "application/sdp, text/plain, message/cpim, application/vnd.3gpp.sms", m.get("Accept"))
	require.Contains(t, w.a.outside("REFER").response(405, "REFER").get("Allow"), "MESSAGE")
	m = w.b.outside("OPTIONS").response(200, "OPTIONS")
	require.NotContains(t, m.get("Allow"), "MESSAGE")
	require.Equal(t, "application/sdp", m.get("Accept"))
	m = w.b.texts(numX, numB, "hello").response(405, "MESSAGE")
	require.NotContains(t, m.get("Allow"), "MESSAGE")
	require.Zero(t, o.times())
}

// TestTextsWhileDraining: the last ones are answered, new ones go elsewhere.
func TestTextsWhileDraining(t *testing.T) {
	o := newOffice()
	w := open(t, texting(o))
	hold := make(chan struct{})
	o.answers(func(sms.Incoming) (sms.Receipt, error) { <-hold; return sms.Receipt{ID: "1"}, nil })
	d := w.a.texts(numX, numA, "the last")
	eventually(t, "the office has it", func() bool { return o.times() == 1 })
	down := make(chan error)
	go func() { down <- w.srv.Shutdown(context.Background()) }()
	eventually(t, "it drains", w.srv.draining.Load)
	w.a.texts(numX, numA, "too late").response(503, "MESSAGE")
	close(hold)
	d.response(202, "MESSAGE")
	require.NoError(t, <-down)
}
