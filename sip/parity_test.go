package sip

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fleeting is what differs in any two challenges.
var fleeting = regexp.MustCompile(`(nonce|opaque)="[^"]*"`)

// bare is an answer without what differs in any two.
func bare(m msg) string {
	text := m.start + "\n"
	for _, h := range m.headers {
		switch strings.ToLower(h[0]) {
		case "via", "from", "to", "call-id", "cseq":
		default:
			text += h[0] + ": " + fleeting.ReplaceAllString(h[1], "$1") + "\n"
		}
	}
	return text + "\n" + m.body
}

// TestStrangersLearnNothing: who cannot prove who he is gets one answer to texts
// and calls, whether the X and the number in it are known or not, and whether
// the user of a wrong proof is a phone, a trunk or nobody.
func TestStrangersLearnNothing(t *testing.T) {
	o := newOffice()
	w := open(t, phones, nameless, texting(o))
	stranger := newPeer(t, "stranger", "127.0.0.9")
	stranger.to = w.srv.UDPAddr()
	answers := map[string]map[string]string{}
	say := func(what, name string, m msg) {
		require.Equal(t, 407, m.status(), "%s: %s", what, name)
		if answers[what] == nil {
			answers[what] = map[string]string{}
		}
		answers[what][bare(m)] = name
	}
	unknown := "13711119999"
	for _, x := range []string{numX, "17019999999"} {
		for _, from := range []string{numA, unknown} {
			for _, user := range []string{"", numA, unknown, "pbx7"} {
				name := fmt.Sprintf("%s to %s as %q", from, x, user)
				text := stranger.texts(x, from, "hello")
				first := text.response(407, "MESSAGE")
				say("MESSAGE", name, first)
				call := stranger.dial(x, from, w.mouthA.sdp(1))
				asked := call.fails(407)
				say("INVITE", name, asked)
				if user == "" {
					continue
				}
				text.request("MESSAGE", "hello", "Content-Type: text/plain", "Proxy-Authorization: "+proof(t, first.get("Proxy-Authenticate"), "MESSAGE", text.target, user, "a guess"))
				say("MESSAGE with a guess", name, text.response(407, "MESSAGE"))
				call.reinvite(w.mouthA.sdp(1), "Proxy-Authorization: "+proof(t, asked.get("Proxy-Authenticate"), "INVITE", call.target, user, "a guess"))
				say("INVITE with a guess", name, call.fails(407))
			}
		}
	}
	require.Len(t, answers, 4)
	for what, all := range answers {
		require.Len(t, all, 1, "%s is answered in several ways: %v", what, all)
	}
	require.Empty(t, o.all())
	w.router.mu.Lock()
	defer w.router.mu.Unlock()
	require.Empty(t, w.router.asked, "nothing is looked up for a stranger")
}
