package sip

import (
	"fmt"
	"strings"
	"testing"

	"github.com/icholy/digest"
	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
)

func named(s *settings) { s.trunkB.Username, s.trunkB.Password = "line7", "secret" }

// asking is a challenge by 407.
func asking(nonce string, more ...string) string {
	return fmt.Sprintf(`Proxy-Authenticate: Digest realm="carrier", nonce="%s", algorithm=MD5, qop="auth"%s`, nonce, strings.Join(more, ""))
}

// proven reads the proof in a request and checks it as the carrier does.
func proven(t testing.TB, m msg, header, user, password string) *digest.Credentials {
	t.Helper()
	got, err := digest.ParseCredentials(m.get(header))
	require.NoError(t, err, m.raw)
	require.Equal(t, user, got.Username)
	require.Equal(t, strings.Fields(m.start)[1], got.URI)
	ask := &digest.Challenge{Realm: got.Realm, Nonce: got.Nonce, Algorithm: got.Algorithm}
	if got.QOP != "" {
		ask.QOP = []string{got.QOP}
	}
	want, err := digest.Digest(ask, digest.Options{Method: m.method(), URI: got.URI, Count: got.Nc, Username: user, Password: password, Cnonce: got.Cnonce})
	require.NoError(t, err)
	require.Equal(t, want.Response, got.Response, m.raw)
	require.NotContains(t, m.raw, password)
	return got
}

// TestTrunkAsksForAProof (RFC 3261 section 22): by a registrar's or a proxy's
// challenge, with the next CSeq; ACK has the credentials of its INVITE, BYE a
// proof of its own without being asked.
func TestTrunkAsksForAProof(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status      int
		ask, answer string
	}{
		"407": {407, "Proxy-Authenticate", "Proxy-Authorization"},
		"401": {401, "WWW-Authenticate", "Authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, named)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			b := w.b.ring()
			require.Empty(t, b.invite.get(c.answer))
			b.says(c.status, "", c.ask+`: Digest realm="carrier", nonce="md5", algorithm=MD5, qop="auth"`, c.ask+`: Digest realm="carrier", nonce="sha", algorithm=SHA-256, qop="auth"`)
			require.Empty(t, b.acked().get(c.answer))
			again := w.b.ring()
			require.Equal(t, b.callID, again.callID)
			require.Equal(t, "2 INVITE", again.invite.get("CSeq"))
			require.Equal(t, b.invite.tag("From"), again.invite.tag("From"))
			require.NotEqual(t, b.invite.get("Via"), again.invite.get("Via"))
			proof := proven(t, again.invite, c.answer, "line7", "secret")
			require.Equal(t, []any{"sha", 1}, []any{proof.Nonce, proof.Nc}, "the strongest")
			again.says(200, w.mouthB.sdp(1))
			require.Equal(t, again.invite.get(c.answer), again.acked().get(c.answer), "RFC 3261 section 13.2.2.4")
			a.response(200, "INVITE")
			a.ack("")
			a.bye()
			bye := again.hungUp()
			require.Equal(t, "3 BYE", bye.get("CSeq"))
			require.Equal(t, 2, proven(t, bye, c.answer, "line7", "secret").Nc)
			w.ends(0, 0)
			for _, raw := range w.a.everything() {
				require.NotContains(t, raw, "uthorization:")
			}

			w.a.dial(numX, numA, w.mouthA.sdp(1))
			next := w.b.ring()
			require.Equal(t, "1 INVITE", next.invite.get("CSeq"))
			require.Equal(t, 3, proven(t, next.invite, c.answer, "line7", "secret").Nc, "the trunk need not ask each time")
			next.says(486, "")
		})
	}
}

// TestProofThatIsNotTaken: a wrong password is tried once, and who goes on
// asking is left; the caller is not told of it.
func TestProofThatIsNotTaken(t *testing.T) {
	t.Parallel()
	t.Run("wrong password", func(t *testing.T) {
		w := open(t, named)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		for range 2 {
			w.b.ring().says(407, "", asking("abc"))
		}
		require.Empty(t, a.fails(503).get("Proxy-Authenticate"))
		w.ends(8020, 7506)
	})
	t.Run("stale without end", func(t *testing.T) {
		w := open(t, named)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		for i := range 3 {
			b := w.b.ring()
			require.Equal(t, fmt.Sprint(i+1, " INVITE"), b.invite.get("CSeq"))
			b.says(407, "", asking(fmt.Sprint("n", i), ", stale=true"))
		}
		a.fails(503)
		w.ends(8020, 7506)
	})
	t.Run("no name", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring().says(407, "", asking("abc"))
		a.fails(503)
		w.ends(8020, 7506)
	})
}

// TestProxyAndRegistrarAsk: each gets its proof in the same request.
func TestProxyAndRegistrarAsk(t *testing.T) {
	w := open(t, named)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	w.b.ring().says(407, "", asking("p"))
	w.b.ring().says(401, "", `WWW-Authenticate: Digest realm="home", nonce="r", qop="auth"`)
	b := w.b.ring()
	proven(t, b.invite, "Proxy-Authorization", "line7", "secret")
	proven(t, b.invite, "Authorization", "line7", "secret")
	b.says(486, "")
	a.fails(486)
}

// TestChallengedBye: nobody may be left on an open line because the trunk wants
// a proof, on either leg.
func TestChallengedBye(t *testing.T) {
	t.Parallel()
	t.Run("of the callee", func(t *testing.T) {
		w := open(t, named)
		a, b := w.talk()
		a.bye()
		b.reply(w.b.request("BYE"), 407, "", asking("abc"))
		bye := b.hungUp()
		require.Equal(t, "3 BYE", bye.get("CSeq"))
		require.Equal(t, "Q.850;cause=16", bye.get("Reason"))
		proven(t, bye, "Proxy-Authorization", "line7", "secret")
	})
	t.Run("of the caller", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkA.Username, s.trunkA.Password = "line8", "secret8" })
		a, b := w.talk()
		b.bye()
		a.reply(w.a.request("BYE"), 401, "", `WWW-Authenticate: Digest realm="a", nonce="n"`)
		proven(t, a.hungUp(), "Authorization", "line8", "secret8")
	})
	t.Run("of another fork", func(t *testing.T) {
		w := open(t, named)
		a, b := w.talk()
		b.mine = unique("late")
		b.says(200, w.mouthB.sdp(2))
		b.acked()
		b.reply(w.b.request("BYE"), 407, "", asking("abc"))
		require.Equal(t, b.mine, b.hungUp().tag("To"))
		a.bye()
		w.b.answers(w.b.request("BYE"), 200)
	})
	t.Run("by a trunk that does not know us", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		a.bye()
		b.reply(w.b.request("BYE"), 407, "", asking("abc"))
		w.ends(0, 0)
	})
}

// TestEveryRequestIsProved: whatever of ours a trunk challenges inside a dialog
// is sent again with its proof and the next CSeq, and the call goes on.
func TestEveryRequestIsProved(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 407} {
		ask, answer := "WWW-Authenticate", "Authorization"
		if status == 407 {
			ask, answer = "Proxy-Authenticate", "Proxy-Authorization"
		}
		for _, method := range []string{"PRACK", "UPDATE", "INVITE", "INFO"} {
			t.Run(fmt.Sprint(status, " to ", method), func(t *testing.T) {
				w := open(t, named, quick, func(s *settings) {
					s.trunkA.Timer.Off = true
					s.trunkB.Timer.Off = method == "PRACK" || method == "INFO"
					if method == "INFO" {
						s.trunkB.DTMF = trunk.Info
					}
				})
				challenged := func(b *side) {
					ours := func() msg {
						return w.b.await(method, func(m msg) bool { return m.method() == method && m.get("Call-ID") == b.callID })
					}
					m := ours()
					b.reply(m, status, "", ask+`: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"`)
					again := ours()
					was, _ := m.cseq()
					now, _ := again.cseq()
					require.Equal(t, was+1, now)
					require.Equal(t, []string{m.body, m.get("RAck")}, []string{again.body, again.get("RAck")})
					require.Equal(t, "n1", proven(t, again, answer, "line7", "secret").Nonce)
					body := ""
					if method == "INVITE" {
						body = w.mouthB.sdp(1)
					}
					b.reply(again, 200, body)
					if method == "INVITE" {
						require.NotEmpty(t, b.ackOf(again).get(answer))
					}
				}
				var a, b *side
				switch method {
				case "PRACK":
					a = w.a.dial(numX, numA, w.mouthA.sdp(1))
					b = w.b.ring()
					w.mouthB.talksTo(b.invite)
					b.reliably(180, 1, "")
					challenged(b)
					a.response(180, "INVITE")
					b.says(200, w.mouthB.sdp(1))
					b.acked()
					w.mouthA.talksTo(a.response(200, "INVITE"))
					a.ack("")
				case "UPDATE":
					a, b = w.begins(nil, []string{"Allow: UPDATE"})
					challenged(b)
				case "INVITE":
					a, b = w.begins(nil, nil)
					challenged(b)
				case "INFO":
					a, b = w.talk()
					w.bothHear()
					w.mouthA.press("5")
					challenged(b)
				}
				w.bothHear()
				a.bye()
				proven(t, b.hungUp(), answer, "line7", "secret")
				w.ends(0, 0)
			})
		}
	}
}
