//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/capture"
	"axgate/e2e/carrier"
	"axgate/e2e/gate"
	"axgate/e2e/leak"
	"axgate/e2e/ports"
	"axgate/e2e/receiver"
	"axgate/e2e/redis"
	"axgate/e2e/sipp"
	"axgate/phone/speech"
)

// world is one axgate with all that surrounds it: Redis, the customer's
// server, a trunk with a network behind it, and a capture of every packet.
// Scenarios share it, each with X numbers and phones of its own.
type world struct {
	gate     *gate.Gate
	redis    *redis.Server
	customer *receiver.Receiver
	capture  *capture.Capture
	trunk    *sipp.Process
	trunkAt  netip.AddrPort
	monitor  *redis.Monitor

	mu      sync.Mutex
	xs      map[string][]string // free X numbers by app
	areas   []string            // free areas with AXYB numbers
	mobiles int                 // given out
	fixed   int
	network int // numbers behind the trunk
	parties []*party
	replies map[string]saying   // in X mode, by X
	orders  map[string]ordering // about texts, by X
	refused map[string]int      // questions about texts that get this status, by X

	verdicts map[string][]int // of the network to texts, by receiver
	answered map[string]int   // those that were given, by identity
	behind   *carrier.Network // the network behind the trunk, where texts are tested
	writers  int              // mobile numbers of that network that were given out
}

// hosts are the loopback addresses given out in this process: of phones, of
// trunks' callers, of further gates.
var hosts [3]atomic.Int32

// party is somebody in a scenario, for the leak search at the end.
type party struct {
	scene string
	leak.Party
	own []string // numbers it may see
}

// trunkIP is the network behind the trunk. Everything of an axgate is on one
// loopback address, and each phone has one of its own.
var trunkIP = netip.MustParseAddr("127.6.1.1")

func takeGateHost() netip.Addr { return netip.AddrFrom4([4]byte{127, 6, 0, byte(hosts[2].Add(1))}) }

const password = "lab-phone-password"

// The apps of the world by their keys: one per mode, and variants.
const (
	appAXB     = "e2eAXB"
	appAX      = "e2eAX"
	appAXE     = "e2eAXE"
	appAXYB    = "e2eAXYB"
	appRepeat  = "e2eAXERepeat" // repeat collection on: two further tries
	appMute    = "e2eAXBMute"   // no default prompts
	appPaused  = "e2eAXBPaused"
	appFrozen  = "e2eAXBFrozen"  // of an account in arrears
	appStereo  = "e2eAXBStereo"  // recordings with a channel for each party
	appInforms = "e2eAXBInforms" // informs people of recordings itself
	appHome    = "e2eAXHome"     // takes no foreign callers
	appOdd     = "e2eAXBOdd"     // broken by a scenario
	appX       = "e2eX"          // is told of changes of its numbers
	appXElse   = "e2eXElse"      // has a fallback number, and little time to answer
	appXDead   = "e2eXDead"      // has a server that nobody runs
)

func apps() []gate.App {
	app := func(key, mode string, change ...func(*gate.App)) gate.App {
		a := gate.App{Key: key, Secret: "secret-of-" + key, Mode: mode, Recording: true, Defaults: true}
		if mode == "AXE" {
			a.ExtDigits = 4
		}
		for _, c := range change {
			c(&a)
		}
		return a
	}
	return []gate.App{
		app(appAXB, "AXB"), app(appAX, "AX"), app(appAXE, "AXE"), app(appAXYB, "AXYB"),
		app(appRepeat, "AXE", func(a *gate.App) { a.Retries = 2 }),
		app(appMute, "AXB", func(a *gate.App) { a.Defaults = false }),
		app(appPaused, "AXB", func(a *gate.App) { a.Paused = true }),
		app(appFrozen, "AXB", func(a *gate.App) { a.Frozen = true }),
		app(appStereo, "AXB", func(a *gate.App) { a.Stereo = true }),
		app(appInforms, "AXB", func(a *gate.App) { a.Informs = true }),
		app(appHome, "AX", func(a *gate.App) { a.NoForeign = true }),
		app(appOdd, "AXB"),
		app(appX, "X", func(a *gate.App) { a.PushNumbers, a.AnswerTimeout = true, answerTime }),
		app(appXElse, "X", func(a *gate.App) { a.Fallback, a.AnswerTimeout = fallback, answerTime }),
		app(appXDead, "X", func(a *gate.App) { a.CallInURL = "http://127.0.0.1:1/" }),
	}
}

// numbersOf is how many X an app has, beside five, in the world that most
// scenarios share; mobilesMost and fixedMost are how many phones the registrar
// knows.
var numbersOf = map[string]int{appAXB: 80, appAX: 40, appAXE: 40, appAXYB: len(axybAreas) * axybNumbers, appX: 10}

const (
	mobilesMost = 400
	fixedMost   = 20
)

// Phones have numbers without many zeros in a row: in semi-octets those stand in RTCP by chance, behind
// an SSRC that ends with two certain octets.
func mobile(i int) string { return fmt.Sprintf("+86138%08d", 10_123_456+i*37) }

func fixedLine(i int) string { return fmt.Sprintf("+86755%08d", 28_123_456+i*37) }

// openWorld starts a world. change adapts the configuration.
func openWorld(t *testing.T, numbers map[string]int, change ...func(*gate.Config)) *world {
	t.Helper()
	w, cfg := surroundings(t, numbers, change...)
	var err error
	w.capture, err = capture.Start(t.TempDir(), "host "+cfg.SIP.Addr().String())
	require.NoError(t, err)
	w.startTrunk(t, w.trunkAt)
	w.start(t, cfg)
	return w
}

// surroundings starts what is around an axgate: Redis and the customer's
// server.
func surroundings(t *testing.T, numbers map[string]int, change ...func(*gate.Config)) (*world, gate.Config) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w := &world{xs: make(map[string][]string), replies: make(map[string]saying), orders: make(map[string]ordering), refused: make(map[string]int),
		verdicts: make(map[string][]int), answered: make(map[string]int)}
	var err error
	secrets := make(map[string]string)
	for _, a := range slices.Concat(apps(), textApps()) {
		secrets[a.Key] = a.Secret
	}
	w.customer, err = receiver.Start(secrets)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.customer.Close()) })
	w.customer.Reply(w.reply)
	w.redis, err = redis.Start(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.redis.Close()) })
	w.monitor, err = w.redis.Watch(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.monitor.Close()) })
	cfg := w.config(t, numbers)
	for _, c := range change {
		c(&cfg)
	}
	return w, cfg
}

func (w *world) start(t *testing.T, cfg gate.Config) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	w.gate, err = gate.Start(ctx, program, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.gate.Kill() }) // if the test has not ended it
}

// config describes axgate's surroundings to it; n is how many X an app has
// beside five.
func (w *world) config(t *testing.T, n map[string]int) gate.Config {
	t.Helper()
	port, err := ports.Take(2)
	require.NoError(t, err)
	web, err := ports.Take(1)
	require.NoError(t, err)
	out, err := ports.Take(2)
	require.NoError(t, err)
	w.trunkAt = netip.AddrPortFrom(trunkIP, uint16(out))
	host := takeGateHost()
	cfg := gate.Config{
		Dir: t.TempDir(), SIP: netip.AddrPortFrom(host, uint16(port)), HTTP: netip.AddrPortFrom(host, uint16(web)), Redis: w.redis.Addr,
		RTPFirst: firstRTP, RTPLast: lastRTP, Apps: apps(), StatusURL: w.customer.StatusURL(), FeeURL: w.customer.FeeURL(),
		RingTimeout: ringTimeout, FirstDigit: firstDigit, InterDigit: interDigit, MediaTimeout: mediaTimeout,
		Trunks: []gate.Trunk{{Name: "network", Address: w.trunkAt, Peers: "127.6.2.0/24"}},
	}
	w.stock(&cfg, n)
	for i := range mobilesMost + 1 { // the last is the fallback number
		cfg.Phones = append(cfg.Phones, gate.Account{Number: mobile(i), Password: password})
	}
	for i := range fixedMost {
		cfg.Phones = append(cfg.Phones, gate.Account{Number: fixedLine(i), Password: password})
	}
	return cfg
}

// stock gives each app its X, five more than n says.
func (w *world) stock(cfg *gate.Config, n map[string]int) {
	x := 17_010_000_000
	for _, a := range cfg.Apps {
		for i := range n[a.Key] + 5 {
			x++
			number := fmt.Sprintf("+86%d", x)
			area := ""
			if a.Key == appAXYB {
				area = w.axybArea(i)
			}
			cfg.Numbers = append(cfg.Numbers, gate.Number{X: number, App: a.Key, Area: area})
			w.xs[a.Key] = append(w.xs[a.Key], number)
		}
	}
}

// The ports for media, on the address of each axgate.
const (
	firstRTP = 20000
	lastRTP  = 21999
)

// Timeouts of the configuration, short enough for tests.
const (
	ringTimeout  = 9 * time.Second
	firstDigit   = 4 * time.Second
	interDigit   = 3 * time.Second
	mediaTimeout = 8 * time.Second
)

// startTrunk runs the network behind the trunk: see uas_trunk.xml for what the
// numbers there do.
func (w *world) startTrunk(t *testing.T, at netip.AddrPort) {
	t.Helper()
	media, err := ports.Take(sipp.MediaPorts)
	require.NoError(t, err)
	w.trunk, err = sipp.Start(sipp.Config{Dir: t.TempDir(), Scenario: "../testdata/sipp/uas_trunk.xml", Local: at, Media: media,
		Audio: map[string][]byte{"second.al": speech.Second()}, Values: map[string]any{"Speech": "second.al"}})
	require.NoError(t, err)
	t.Cleanup(w.trunk.Close)
}

// takeX gives an X of an app that no other scenario has.
func (w *world) takeX(t *testing.T, app string) string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	free := w.xs[app]
	require.NotEmpty(t, free, "app %s has no X left", app)
	w.xs[app] = free[1:]
	return free[0]
}

// takeMobile gives a mobile number with an account that no other scenario has.
func (w *world) takeMobile(t *testing.T) string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Less(t, w.mobiles, mobilesMost)
	w.mobiles++
	return mobile(w.mobiles - 1)
}

// takeFixed gives a fixed-line number with an account that no other scenario
// has.
func (w *world) takeFixed(t *testing.T) string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Less(t, w.fixed, fixedMost)
	w.fixed++
	return fixedLine(w.fixed - 1)
}

// takeHost gives a loopback address of a phone, takeTrunkHost one from which
// calls are those of the trunk.
func takeHost() netip.Addr {
	n := hosts[0].Add(1)
	return netip.AddrFrom4([4]byte{127, 6, byte(16 + n/250), byte(1 + n%250)})
}

func takeTrunkHost() netip.Addr { return netip.AddrFrom4([4]byte{127, 6, 2, byte(hosts[1].Add(1))}) }

func (w *world) addParty(p *party) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parties = append(w.parties, p)
}
