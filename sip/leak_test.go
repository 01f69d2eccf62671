package sip

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// spellings are ways to write a number that a header may hold it in.
func spellings(national string) []string {
	var escaped strings.Builder
	for _, c := range national {
		fmt.Fprintf(&escaped, "%%%02X", c)
	}
	return []string{
		national, "+86" + national, "0086" + national, "86" + national, "0" + national,
		national[:3] + "-" + national[3:7] + "-" + national[7:], "+86 " + national[:3] + " " + national[3:7] + " " + national[7:],
		escaped.String(), "%2B86" + national, escaped.String()[:12] + national[4:],
		base64.StdEncoding.EncodeToString([]byte("+86" + national)), base64.StdEncoding.EncodeToString([]byte("x" + national)),
		hex.EncodeToString([]byte(national)),
	}
}

// hidden tells in which form a number stands in a text; empty: in none.
func hidden(text, national string) string {
	plain := text
	if p, err := url.PathUnescape(text); err == nil {
		plain = p
	} else {
		for i := byte('0'); i <= '9'; i++ { // stray percent signs: only digits matter
			plain = strings.ReplaceAll(plain, fmt.Sprintf("%%%02X", i), string(i))
		}
	}
	switch {
	case strings.Contains(text, national), strings.Contains(plain, national):
		return "plainly"
	case strings.Contains(strings.NewReplacer("-", "", ".", "", " ", "", "(", "", ")", "").Replace(plain), national):
		return "with separators"
	case strings.Contains(strings.ToLower(text), hex.EncodeToString([]byte(national))):
		return "in hexadecimal"
	}
	for shift := range 3 { // base64 at each alignment, without the characters that its neighbours change
		coded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + national))
		from := []int{0, 2, 3}[shift]
		if strings.Contains(text, coded[from:len(coded)-1]) {
			return "in base64"
		}
	}
	return ""
}

func TestHiddenFindsEverySpelling(t *testing.T) {
	for _, s := range spellings(numA) {
		require.NotEmpty(t, hidden("X: <sip:"+s+"@h>;q=1", numA), s)
	}
	require.Empty(t, hidden("INVITE sip:13800000002@h 17010000001 %41%zz", numA))
}

// gossip draws header lines and SDP lines in which a side names itself in every
// place that a message has.
type gossip struct {
	t      *rapid.T
	number string
}

func (g gossip) name() string { return rapid.SampledFrom(spellings(g.number)).Draw(g.t, "spelling") }

// token is a spelling that may stand in a tag or Call-ID.
func (g gossip) token() string {
	return strings.NewReplacer(" ", "", "+", "p", "=", "", "%", "p").Replace(g.name()) + unique("t")
}

func (g gossip) headers() []string {
	all := []string{
		"P-Asserted-Identity: \"%s\" <sip:%s@h>", "P-Preferred-Identity: <tel:%s>", "Remote-Party-ID: <sip:%s@h>;party=calling", "Diversion: <sip:%s@h>;reason=no-answer",
		"History-Info: <sip:%s@h>;index=1", "Referred-By: <sip:%s@h>", "Call-Info: <http://h/%s>", "Alert-Info: <http://h/%s>", "Subject: %s", "Organization: %s",
		"User-Agent: phone of %s", "Server: %s", "User-to-User: %s;encoding=hex", "Session-ID: %s", "X-Caller: %s", "P-Charging-Vector: icid-value=%s", "P-Called-Party-ID: <sip:%s@h>",
		"Geolocation: <cid:%s@h>", "Identity: %s;info=<https://h>", "In-Reply-To: %s", "Reason: Q.850;cause=16;text=\"%s\"", "Warning: 399 h \"%s\"", "Privacy: none", "Priority: %s",
		"Timestamp: 1", "Date: %s", "Reply-To: <sip:%s@h>", "Supported: x%s", "Accept-Language: %s", "P-Early-Media: %s", "Content-Disposition: session;x=%s", "Replaces: %s;to-tag=1;from-tag=2",
	}
	var lines []string
	for _, h := range rapid.SliceOfN(rapid.SampledFrom(all), 0, 12).Draw(g.t, "headers") {
		for strings.Contains(h, "%s") {
			h = strings.Replace(h, "%s", g.name(), 1)
		}
		lines = append(lines, h)
	}
	return lines
}

// sdp is the ear's, with the number wherever RFC 8866 lets one write.
func (g gossip) sdp(e *ear) string {
	s := e.sdp(1)
	n := strings.ReplaceAll(g.name(), " ", "")
	s = strings.Replace(s, "o=- ", "o="+n+" ", 1)
	s = strings.Replace(s, "s=-\r\n", "s=call of "+n+"\r\ni="+n+"\r\nu=http://h/"+n+"\r\ne="+n+"@h\r\np="+n+"\r\n", 1)
	for _, l := range rapid.SliceOfN(rapid.SampledFrom([]string{"a=tool:%s", "a=ssrc:1 cname:%s", "a=candidate:1 1 UDP 1 %s 1 typ host", "a=label:%s", "a=mid:%s", "a=x-%s", "a=fmtp:101 0-15;x=%s", "a=rtpmap:99 %s/8000"}), 0, 5).Draw(g.t, "sdp") {
		s += strings.ReplaceAll(l, "%s", n) + "\r\n"
	}
	return s
}

// TestNothingLeaks: whatever the sides say of themselves, anywhere, neither
// can find the other's number, address, tag or Call-ID in a single byte.
func TestNothingLeaks(t *testing.T) {
	w := open(t, func(s *settings) { s.trunkB.SendPPI = true })
	rapid.Check(t, func(rt *rapid.T) {
		ga, gb := gossip{rt, numA}, gossip{rt, numB}
		seenA, seenB := len(w.a.everything()), len(w.b.everything())
		a := &side{p: w.a, callID: ga.token(), me: "\"" + ga.name() + "\" <sip:" + numA + "@carrier.example>", other: "<sip:" + numX + "@axgate.example>", mine: ga.token(),
			target: "sip:" + numX + "@" + w.a.to.String(), contact: "\"" + ga.name() + "\" <sip:" + numA + "@" + w.a.addr.String() + ";x=" + numA + ">"}
		a.reinvite(ga.sdp(w.mouthA), ga.headers()...)
		b := w.b.ring()
		b.mine, b.contact = gb.token(), "\""+gb.name()+"\" <sip:"+numB+"@"+w.b.addr.String()+";x="+numB+">"
		leakCall(rt, w, a, b, ga, gb)
		eventually(t, "the call is over", func() bool { return w.open() == 0 })
		for _, raw := range w.b.everything()[seenB:] {
			search(rt, "B", raw, numA, a.callID, a.mine, "127.0.0.2", "carrier.example")
		}
		for _, raw := range w.a.everything()[seenA:] {
			search(rt, "A", raw, numB, b.callID, b.mine, "127.0.0.3", b.theirs)
		}
	})
	for _, n := range []string{numA, numB} {
		require.Empty(t, hidden(w.logged(), n), "the log names %s", n)
	}
}

func search(t *rapid.T, who, raw, number string, others ...string) {
	if form := hidden(raw, number); form != "" {
		t.Fatalf("%s sees %s %s in\n%s", who, number, form, raw)
	}
	for _, o := range others {
		if strings.Contains(raw, o) {
			t.Fatalf("%s sees %q in\n%s", who, o, raw)
		}
	}
}

// leakCall takes a call one of the ways that there are.
func leakCall(rt *rapid.T, w *world, a, b *side, ga, gb gossip) {
	if rapid.Bool().Draw(rt, "rings") {
		body, status := "", 180
		if rapid.Bool().Draw(rt, "early media") {
			body, status = gb.sdp(w.mouthB), 183
		}
		b.says(status, body, gb.headers()...)
		a.response(status, "INVITE")
	}
	switch rapid.IntRange(0, 3).Draw(rt, "way") {
	case 0:
		b.says(rapid.SampledFrom([]int{302, 400, 404, 480, 486, 500, 603}).Draw(rt, "status"), "", gb.headers()...)
		m := w.a.await("a failure", func(m msg) bool { return m.status() >= 300 && m.get("Call-ID") == a.callID })
		a.nack(m)
	case 1:
		a.cancel()
		m := a.response(487, "INVITE")
		a.nack(m)
		if b.says(180, ""); true {
			b.cancelled()
		}
	default:
		b.says(200, gb.sdp(w.mouthB), gb.headers()...)
		b.acked()
		a.response(200, "INVITE")
		a.ack("")
		leakTalk(rt, a, b, ga, gb)
	}
}

func leakTalk(rt *rapid.T, a, b *side, ga, gb gossip) {
	for range rapid.IntRange(0, 3).Draw(rt, "requests") {
		s, g, mouth := a, ga, a.p
		if rapid.Bool().Draw(rt, "of B") {
			s, g, mouth = b, gb, b.p
		}
		_ = mouth
		method := rapid.SampledFrom([]string{"INFO", "OPTIONS", "REFER", "MESSAGE", "UPDATE"}).Draw(rt, "method")
		n := s.request(method, g.name(), append(g.headers(), "Content-Type: text/plain", "Refer-To: <sip:"+g.number+"@h>")...)
		s.p.await("an answer", func(m msg) bool { k, _ := m.cseq(); return k == n && m.status() >= 200 && m.get("Call-ID") == s.callID })
	}
	first, last := a, b
	g := ga
	if rapid.Bool().Draw(rt, "B hangs up") {
		first, last, g = b, a, gb
	}
	first.request("BYE", "", g.headers()...)
	first.response(200, "BYE")
	last.hungUp()
}
