//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/e2e/carrier"
	"axgate/e2e/gate"
	"axgate/e2e/sipp"
)

// textWayScenarios are about the way of a text over a trunk: its forms, and
// what the network answers.
func textWayScenarios() []scenario {
	return []scenario{
		{"text way: sipp brings texts", sippTexts},
		{"text way: sipp is refused", sippTextRefused},
		{"text way: X is not ours", textToNobody},
		{"text way: not taken by the network", textNotTaken},
		{"text way: half of it taken", textHalfTaken},
		{"text way: the phone is off for a moment", textTakenLater},
		{"text way: sent twice at once", textTwice},
		{"text way: long text", textLong},
	}
}

// sippText runs SIPp as the trunk with one text, and waits for its status.
func (s *scene) sippText(caller, x, kind, body string, status int, headers ...string) {
	s.Helper()
	run := s.uac("uac_message.xml", strings.TrimPrefix(caller, "+86"), strings.TrimPrefix(x, "+86"), false,
		map[string]any{"Type": kind, "Length": len(body), "Body": sipp.Bytes([]byte(body)), "Status": status, "Headers": headers})
	require.NoError(s, run.Wait(s.within(2*step)))
}

// sippTexts: SIPp brings a text in each form, with the sender's number wherever
// trunks put it.
func sippTexts(s *scene) {
	r := &raised{app: textAXB, x: s.takeX(s.T, textAXB), a: s.takeWriter(), b: s.takeWriter()}
	bindAXB()(s, r)
	s.getsTexts(r.b)
	const text = "Grüße 你好 😀"
	for i, form := range [][2]string{
		{"text/plain", text}, {"text/plain;charset=UTF-8", text}, {"text/plain; charset=gbk", "\xc4\xe3\xba\xc3"},
		{"message/cpim", "From: <im:" + r.a + "@carrier.example>\r\nTo: <im:someone@example.com>\r\nDateTime: 2026-01-02T03:04:05Z\r\nSubject: of " + r.a +
			"\r\n\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text},
	} {
		s.sippText(r.a, r.x, form[0], form[1], 202, "P-Asserted-Identity: \"Real Name\" <tel:"+r.a+">", "Subject: text of "+r.a, "User-Agent: phone/"+r.a)
		want := text
		if strings.HasSuffix(form[0], "gbk") {
			want = "你好"
		}
		require.Equal(s, want, s.delivered(r.b, r.x, i+1))
		s.told(r.x, i+1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	}
}

func sippTextRefused(s *scene) {
	r := &raised{app: textAXB, x: s.takeX(s.T, textAXB), a: s.takeWriter(), b: s.takeWriter()}
	bindAXB()(s, r)
	who := s.takeWriter()
	s.sippText(who, r.x, "text/plain", "hello", 403)
	s.told(r.x, 1, notice{app: textAXB, result: 2, direction: 2, sender: who})
	s.sippText(who, r.x, "image/png", "\x89PNG\r\n\x1a\n\x00", 415)
	require.Empty(s, append(s.deliveredTo(r.a), s.deliveredTo(r.b)...))
	require.Len(s, s.customer.NoticesOf(r.x), 1)
}

// textToNobody leaves nothing.
func textToNobody(s *scene) {
	who, x := s.takeWriter(), "+8617099999999"
	require.Equal(s, 404, s.write(s.writer(who), who, x, "hello"))
	out, err := s.gate.Run(s.within(2*step), "sms", "list", "--json", "--number", who)
	require.NoError(s, err)
	require.NotContains(s, string(out), x)
	require.Empty(s, s.customer.NoticesOf(x))
}

func textNotTaken(s *scene) {
	r, n := relayedPair(s)
	for i, status := range []int{404, 403, 488, 603} {
		s.answersText(r.b, status)
		require.Equal(s, 202, s.write(n, r.a, r.x, "hello"))
		s.told(r.x, i+1, notice{app: textAXB, result: 10, direction: 1, binding: r.binding, sender: r.a})
		require.Len(s, s.deliveredTo(r.b), i+1, "it was not tried again")
	}
}

// epic does not fit into one MESSAGE.
var epic = strings.Repeat("天地玄黄，宇宙洪荒。", 60)

func textLong(s *scene) {
	r, n := relayedPair(s)
	require.Equal(s, 202, s.write(n, r.a, r.x, epic))
	s.told(r.x, 1, notice{app: textAXB, direction: 1, parts: 9, binding: r.binding, sender: r.a, receiver: r.b})
	require.Equal(s, epic, strings.Join(s.deliveredTo(r.b), ""))
	for _, request := range s.behind.Once(goesTo(r.b)) {
		require.Less(s, len(request.Raw), 1300)
	}
}

func textHalfTaken(s *scene) {
	r, n := relayedPair(s)
	s.answersText(r.b, 202, 404)
	require.Equal(s, 202, s.write(n, r.a, r.x, epic))
	s.told(r.x, 1, notice{app: textAXB, result: 9, direction: 1, parts: 9, binding: r.binding, sender: r.a})
	require.Len(s, s.deliveredTo(r.b), 2)
}

// textTakenLater: the text is sent again, as another request: the network
// remembers what it answered to the first one.
func textTakenLater(s *scene) {
	r, n := relayedPair(s)
	s.answersText(r.b, 480)
	require.Equal(s, 202, s.write(n, r.a, r.x, "hello"))
	s.told(r.x, 1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	require.Equal(s, []string{"hello", "hello"}, s.deliveredTo(r.b))
	all := s.behind.Once(goesTo(r.b))
	require.Equal(s, all[0].Header("Call-ID"), all[1].Header("Call-ID"))
	require.NotEqual(s, all[0].Header("CSeq"), all[1].Header("CSeq"))
}

// textTwice: a sender repeats a MESSAGE in a transaction of its own, and writes
// the same text again.
func textTwice(s *scene) {
	r, n := relayedPair(s)
	m := carrier.New(r.a, r.x, []byte("hello"))
	again := m
	again.Branch += "2"
	for _, message := range []carrier.Message{m, again, m, carrier.New(r.a, r.x, []byte("hello")), carrier.New(r.a, r.x, []byte("that was all"))} {
		status, err := n.Send(s.within(2*step), s.gate.SIP(), message)
		require.NoError(s, err)
		require.Equal(s, 202, status)
	}
	for i := range 3 {
		s.told(r.x, i+1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	}
	require.Equal(s, []string{"hello", "hello", "that was all"}, s.deliveredTo(r.b))
	require.Len(s, s.customer.NoticesOf(r.x), 3)
}

// textLimits: more than may be is refused for now, and leaves nothing.
func textLimits(t *testing.T) {
	(&world{}).play(t, scenario{"text limits", ownTexts(func(c *gate.Config) { c.SMS["per_sender"] = 3 }, func(s *scene) {
		r, n := relayedPair(s)
		for i := range 3 {
			require.Equal(s, 202, s.write(n, r.a, r.x, "hello"))
			s.told(r.x, i+1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
		}
		require.Equal(s, 480, s.write(n, r.a, r.x, "hello"))
		who := s.takeWriter()
		require.Equal(s, 403, s.write(s.writer(who), who, r.x, "it is not too much of others"))
		s.told(r.x, 4, notice{app: textAXB, result: 2, direction: 2, sender: who})
		require.Len(s, s.deliveredTo(r.b), 3)
	})})
}
