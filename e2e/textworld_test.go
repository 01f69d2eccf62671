//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/capture"
	"axgate/e2e/carrier"
	"axgate/e2e/gate"
	"axgate/e2e/leak"
	"axgate/e2e/receiver"
)

// The apps with texts by their keys.
const (
	textAXB    = "textAXB"
	textAX     = "textAX"
	textX      = "textX"
	textXElse  = "textXElse"  // has a fallback number, and little time to answer
	textFull   = "textFull"   // AXB, its notices carry what was written
	textAXFull = "textAXFull" // AX, likewise
	textWords  = "textWords"  // AX, with agreed keywords and forbidden words
	textHasty  = "textHasty"  // AX, whose server has little time to answer
	textDead   = "textDead"   // AX, whose server nobody runs
	textOff    = "textOff"    // AXB without texts
	textBarred = "textBarred" // AXB of an account without texts
	textFrozen = "textFrozen" // AXB of an account in arrears
	textPaused = "textPaused"
	textAXE    = "textAXE"
	textAXYB   = "textAXYB"
	textMute   = "textMute" // AXB, whose numbers take no texts
)

// textApps are the apps of a world with texts. Their control addresses are set
// where the customer's server is known.
func textApps() []gate.App {
	app := func(key, mode string, change ...func(*gate.App)) gate.App {
		a := gate.App{Key: key, Secret: "secret-of-" + key, Mode: mode, Recording: true, Defaults: true, SMS: true, AnswerTimeout: 2 * step}
		if mode == "AXE" {
			a.ExtDigits = 4
		}
		for _, c := range change {
			c(&a)
		}
		return a
	}
	off := func(a *gate.App) { a.SMS = false }
	hasty := func(a *gate.App) { a.AnswerTimeout = 500 * time.Millisecond }
	return []gate.App{
		app(textAXB, "AXB"), app(textAX, "AX"), app(textX, "X"),
		app(textXElse, "X", hasty, func(a *gate.App) { a.Fallback = textFallback }),
		app(textFull, "AXB", func(a *gate.App) { a.SMSContent = true }),
		app(textAXFull, "AX", func(a *gate.App) { a.SMSContent = true }),
		app(textWords, "AX", func(a *gate.App) {
			a.Keywords, a.Forbidden = []string{"订单", "order"}, []string{"贷款", "lottery"}
		}),
		app(textHasty, "AX", hasty),
		app(textDead, "AX", func(a *gate.App) { a.ControlURL = "http://127.0.0.1:1/" }),
		app(textOff, "AXB", off),
		app(textBarred, "AXB", func(a *gate.App) { a.Barred = true }),
		app(textFrozen, "AXB", func(a *gate.App) { a.Frozen = true }),
		app(textPaused, "AXB", func(a *gate.App) { a.Paused = true }),
		app(textAXE, "AXE", off), app(textAXYB, "AXYB", off), app(textMute, "AXB"),
	}
}

// textFallback gets the texts to textXElse for which its server names nobody.
const textFallback = "+8613799999999"

// withTexts makes the configuration one with texts.
func (w *world) withTexts(cfg *gate.Config, numbers map[string]int) {
	cfg.Apps, cfg.Numbers, cfg.SMSURL = textApps(), nil, w.customer.SMSURL()
	cfg.SMS = map[string]any{"answer_timeout": (2 * step).String(), "per_sender": 0, "per_x": 0}
	cfg.Trunks[0].SMS = "text"
	cfg.Trunks[0].Peers += " " + trunkIP.String() + "/32"
	for i := range cfg.Apps {
		if cfg.Apps[i].ControlURL == "" {
			cfg.Apps[i].ControlURL = w.customer.ControlURL()
		}
	}
	w.xs = make(map[string][]string)
	w.stock(cfg, numbers)
	for i := range cfg.Numbers {
		cfg.Numbers[i].SMS = cfg.Numbers[i].App != textMute
	}
}

// openTexts starts a world with texts: behind its trunk there is a network that
// takes them.
func openTexts(t *testing.T, numbers map[string]int, change ...func(*gate.Config)) *world {
	t.Helper()
	w, cfg := surroundings(t, nil)
	w.withTexts(&cfg, numbers)
	for _, c := range change {
		c(&cfg)
	}
	var err error
	w.capture, err = capture.Start(t.TempDir(), captured(&cfg))
	require.NoError(t, err)
	w.customer.Answer(func(p receiver.Push) int {
		w.mu.Lock()
		defer w.mu.Unlock()
		if status := w.refused[textedX(p)]; status != 0 && p.Path == "/control" {
			return status
		}
		return http.StatusOK
	})
	w.behind, err = carrier.Open(w.trunkAt)
	require.NoError(t, err)
	w.behind.Answer(w.answerText)
	t.Cleanup(func() { require.NoError(t, w.behind.Close()) })
	w.start(t, cfg)
	return w
}

// captured is the filter of what is searched: axgate posts texts from whatever
// address.
func captured(cfg *gate.Config) string {
	filter := "host " + cfg.SIP.Addr().String()
	gateways, _ := cfg.SMS["gateways"].([]map[string]any)
	for _, g := range gateways {
		if to, err := url.Parse(fmt.Sprint(g["url"])); err == nil {
			filter += " or host " + to.Hostname()
		}
	}
	return filter
}

// ownTexts plays a scenario in a world with texts of its own.
func ownTexts(change func(*gate.Config), play func(*scene)) func(*scene) {
	return func(s *scene) {
		w := openTexts(s.T, nil, change)
		s.Run("texts", func(t *testing.T) { play(&scene{T: t, world: w, name: s.name, ctx: s.ctx}) })
		w.close(s.T)
	}
}

// answerText is what the network behind the trunk answers to a text.
func (w *world) answerText(r carrier.Request) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	status, repeated := w.answered[r.Identity()]
	if repeated {
		return status
	}
	status = http.StatusAccepted
	for number, list := range w.verdicts {
		if goesTo(number)(r) && len(list) > 0 {
			status, w.verdicts[number] = list[0], list[1:]
		}
	}
	w.answered[r.Identity()] = status
	return status
}

// answersText sets how the network behind the trunk answers the next texts to a
// number; behind them it takes all.
func (s *scene) answersText(number string, statuses ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verdicts[number] = statuses
}

// ordering is what the customer's server says about a text.
type ordering func(context.Context, receiver.Push) []byte

// textedX is the X that a push about a text is about.
func textedX(p receiver.Push) string {
	var m struct {
		Event struct {
			X string `json:"virtualNumber"`
		} `json:"smsEvent"`
	}
	_ = json.Unmarshal(p.Body, &m) // a push about something else has none
	return m.Event.X
}

func (w *world) order(ctx context.Context, p receiver.Push) []byte {
	w.mu.Lock()
	f := w.orders[textedX(p)]
	w.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(ctx, p)
}

// ordered sets what the customer's server does about texts to X.
func (s *scene) ordered(x string, f ordering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders[x] = f
}

// forwarding sends texts on to a number.
func forwarding(to, userData string) ordering {
	return func(_ context.Context, p receiver.Push) []byte { return receiver.Forward(p, to, userData) }
}

// writer is a network on another address of the trunk, for people who write to
// X: nothing sent to it may have other numbers.
func (s *scene) writer(own ...string) *carrier.Network {
	s.Helper()
	host := takeTrunkHost()
	n, err := carrier.Open(netip.AddrPortFrom(host, 5060))
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, n.Close()) })
	s.watch(host, own...)
	return n
}

// takeWriter gives a mobile number without an account, behind the trunk.
func (s *scene) takeWriter() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writers++
	return fmt.Sprintf("+86137%08d", 10_000_000+s.writers*37)
}

// getsTexts has what is sent to the trunk searched: it may have the number of
// the one there who gets the texts of the scenario, and texts that are granted.
func (s *scene) getsTexts(number string, granted ...string) {
	s.addParty(&party{scene: s.Name(), own: []string{number}, Party: leak.Party{Name: s.Name() + ": " + number + " behind the trunk",
		Addrs: []netip.AddrPort{netip.AddrPortFrom(trunkIP, 0)}, Granted: granted}})
}

// from is how a real number stands in a text to A.
func from(number string) string { return "[From" + number + "]" }

// write sends a text to X from a network, and gives the status of the answer.
func (s *scene) write(n *carrier.Network, from, x, text string) int {
	s.Helper()
	status, err := n.Send(s.within(2*step), s.gate.SIP(), carrier.New(from, strings.TrimPrefix(x, "+86"), []byte(text)))
	require.NoError(s, err)
	return status
}

// goesTo tells whether a request is for a number.
func goesTo(number string) func(carrier.Request) bool {
	return func(r carrier.Request) bool {
		return strings.HasSuffix(number, strings.TrimPrefix(r.To(), "+")) && len(r.To()) >= 11
	}
}

// delivered waits for the nth text to a number behind the trunk, and checks who
// is shown as its sender.
func (s *scene) delivered(to, x string, n int) string {
	s.Helper()
	all, err := s.behind.Wait(s.within(2*step), n, goesTo(to))
	require.NoError(s, err)
	r := all[n-1]
	require.Equal(s, x, r.Sender())
	require.True(s, strings.HasPrefix(r.Header("From"), "<sip:"+x+"@"), r.Header("From")) // no display name
	return r.Body()
}

// deliveredTo are the texts so far to a number behind the trunk.
func (s *scene) deliveredTo(to string) []string {
	var all []string
	for _, r := range s.behind.Once(goesTo(to)) {
		all = append(all, r.Body())
	}
	return all
}
