//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/leak"
	"axgate/e2e/linphone"
	"axgate/e2e/ports"
)

// TestTexts ends before calls are tested: those hear when the machine has more
// to do than it can.
func TestTexts(t *testing.T) {
	for _, group := range []struct {
		name string
		play func(*testing.T)
	}{
		{"any", allTexts}, {"3GPP", relayedTexts}, {"SIPp", sippNetwork}, {"killed", killedTexts}, {"limits", textLimits},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			group.play(t)
		})
	}
}

// allTexts writes every kind of text, all at the same time.
func allTexts(t *testing.T) {
	web, withGateway := openGateway(t)
	w := openTexts(t, map[string]int{textAXB: 60, textAX: 40, textX: 10}, withGateway)
	t.Run("scenario", func(t *testing.T) {
		for _, sc := range slices.Concat(phoneTextScenarios(), textRowScenarios(), blockScenarios(), textWayScenarios(), web.scenarios()) {
			w.play(t, sc)
		}
	})
	w.close(t)
}

func phoneTextScenarios() []scenario {
	return []scenario{
		{"AXB texts, baresip and linphone", textsAXB(byBaresip(false), byLinphone)},
		{"AXB texts, linphone and baresip over TCP", textsAXB(byLinphone, byBaresip(true))},
		{"AX texts, A has linphone", textsAX(byLinphone, byBaresip(false))},
		{"AX texts, A has baresip", textsAX(byBaresip(false), byLinphone)},
	}
}

// texter is a softphone of others that writes and shows texts.
type texter interface {
	number() string
	// write sends a text to one of the X that it was made for, and tells
	// whether it was accepted.
	write(to, text string) bool
	// shown are the texts on its screen: who is their sender, and the text.
	shown() [][2]string
}

// making makes a registered softphone that can write to the numbers.
type making func(s *scene, granted []string, x ...string) texter

type onBaresip struct {
	s    *scene
	own  string
	send func(context.Context, string, string) (string, error)
	read func() [][2]string
}

func (b *onBaresip) number() string { return b.own }

func (b *onBaresip) write(to, text string) bool {
	b.s.Helper()
	status, err := b.send(b.s.within(2*step), to[len("+86"):], text)
	require.NoError(b.s, err)
	require.Contains(b.s, []string{"202", "403"}, status)
	return status == "202"
}

func (b *onBaresip) shown() [][2]string { return b.read() }

func byBaresip(tcp bool) making {
	return func(s *scene, granted []string, x ...string) texter {
		var contacts []string
		for _, n := range x {
			contacts = append(contacts, n[len("+86"):])
		}
		p, number := s.baresip(tcp, contacts...)
		s.grant(number, granted...)
		return &onBaresip{s: s, own: number, send: p.Text, read: func() (all [][2]string) {
			for _, t := range p.Texts() {
				all = append(all, [2]string{t.From, t.Body})
			}
			return all
		}}
	}
}

type onLinphone struct {
	*linphone.Phone
	s   *scene
	own string
}

func (l *onLinphone) number() string { return l.own }

func (l *onLinphone) write(to, text string) bool {
	l.s.Helper()
	accepted, err := l.Text(l.s.within(2*step), to[len("+86"):], text)
	require.NoError(l.s, err)
	return accepted
}

func (l *onLinphone) shown() (all [][2]string) {
	for _, t := range l.Texts() {
		all = append(all, [2]string{t.From, t.Body})
	}
	return all
}

// byLinphone is over UDP: over TCP it calls from whatever address, and nobody
// knows what was sent to it.
func byLinphone(s *scene, granted []string, _ ...string) texter {
	s.Helper()
	host, number := takeHost(), s.takeMobile(s.T)
	at, err := ports.Take(1)
	require.NoError(s, err)
	l, err := linphone.Start(s.within(2*step), linphone.Config{Dir: s.TempDir(), Number: number, Display: "Phone of " + number, Password: password,
		Server: s.gate.SIP(), IP: host.String(), SIPPort: at})
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, l.Close()) })
	s.addParty(&party{scene: s.Name(), own: []string{number}, Party: leak.Party{Name: s.Name() + ": linphone " + number,
		Addrs: []netip.AddrPort{netip.AddrPortFrom(host, 0)}, Granted: granted}})
	return &onLinphone{l, s, number}
}

// grant lets the party with a number see texts with real numbers.
func (s *scene) grant(number string, granted ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parties {
		if slices.Contains(p.own, number) {
			p.Granted = append(p.Granted, granted...)
		}
	}
}

// shows waits until a softphone shows these texts of X and nothing else.
func (s *scene) showsTexts(p texter, x string, texts ...string) {
	s.Helper()
	var want [][2]string
	for _, text := range texts {
		want = append(want, [2]string{x, text})
	}
	require.Eventually(s, func() bool { return len(p.shown()) >= len(want) }, 2*step, 20*time.Millisecond, "%q", want)
	require.Equal(s, want, p.shown())
}

// texts of several scripts, as they are typed.
var scripts = []string{"Grüße an Björn: das kostet 5 € & \"mehr\"", "你好，我在楼下等你", "see you 😀👍🏽", "@13800000000 is no tail of ours"}

func textsAXB(first, second making) func(*scene) {
	return func(s *scene) {
		x := s.takeX(s.T, textAXB)
		a, b := first(s, nil, x), second(s, nil, x)
		id := s.bind("axb", "--x", x, "--a", a.number(), "--b", b.number(), "--user-data", "order42")
		n := 0
		for _, text := range scripts {
			require.True(s, a.write(x, text), "A writes")
			n++
			s.told(x, n, notice{app: textAXB, direction: 1, binding: id, sender: a.number(), receiver: b.number(), user: "order42"})
			require.True(s, b.write(x, text), "B writes")
			n++
			s.told(x, n, notice{app: textAXB, direction: 0, binding: id, sender: b.number(), receiver: a.number(), user: "order42"})
		}
		s.showsTexts(a, x, scripts...)
		s.showsTexts(b, x, scripts...)
		s.kept(textAXB, x, id, n)

		require.NoError(s, s.gate.Unbind(s.within(step), id))
		require.False(s, a.write(x, "too late"))
		s.told(x, n+1, notice{app: textAXB, result: 2, direction: 2, sender: a.number()})
		s.showsTexts(b, x, scripts...)
	}
}

func textsAX(first, second making) func(*scene) {
	return func(s *scene) {
		x := s.takeX(s.T, textAXFull)
		b := second(s, nil, x)
		a := first(s, []string{from(b.number())}, x)
		id := s.bind("ax", "--x", x, "--a", a.number())
		s.ordered(x, forwarding(b.number(), "b3JkZXI0Mg=="))
		n := 0
		var atA, atB []string
		for _, text := range scripts[:3] {
			require.True(s, b.write(x, text))
			atA = append(atA, text+from(b.number()))
			n++
			s.told(x, n, notice{app: textAXFull, direction: 0, binding: id, sender: b.number(), receiver: a.number(), content: text})

			tailed := text + "@" + strings.TrimPrefix(b.number(), "+86")
			require.True(s, a.write(x, tailed))
			atB = append(atB, text)
			n++
			s.told(x, n, notice{app: textAXFull, direction: 1, binding: id, sender: a.number(), receiver: b.number(), content: tailed})

			require.True(s, a.write(x, text))
			atB = append(atB, text)
			n++
			s.questioned(x, n/3, notice{app: textAXFull, direction: 1, binding: id, sender: a.number(), content: text})
			s.told(x, n, notice{app: textAXFull, direction: 1, binding: id, sender: a.number(), receiver: b.number(), content: text, user: "b3JkZXI0Mg=="})
		}
		s.showsTexts(a, x, atA...)
		s.showsTexts(b, x, atB...)
		s.kept(textAXFull, x, id, n)
	}
}

// kept checks what the command line lists of the texts to X, all of which were
// sent.
func (s *scene) kept(app, x, binding string, n int) {
	s.Helper()
	out, err := s.gate.Run(s.within(2*step), "sms", "list", "--json", "--number", x, "--result", "0", "--limit", "100")
	require.NoError(s, err)
	var list struct{ Items []map[string]any }
	require.NoError(s, json.Unmarshal(out, &list), "%s", out)
	require.Len(s, list.Items, n)
	notices := s.customer.NoticesOf(x)
	slices.Reverse(notices)
	for i, item := range list.Items { // the newest first
		told := notices[i].Info
		require.Equal(s, []any{told["smsIdentifier"], "done", app, x, told["calling"], told["called"], binding, 0.0, told["smsContent"], told["userData"], false},
			[]any{item["smsIdentifier"], item["state"], item["appKey"], item["x"], item["sender"], item["receiver"], item["subscriptionId"], item["sendResult"], item["smsContent"], item["userData"], item["refused"]})
		require.Equal(s, notices[i].Para("direction"), fmt.Sprint(item["direction"]))
		require.Equal(s, notices[i].Para("splitNum"), fmt.Sprint(item["splitNum"]))
	}
}
