//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/capture"
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
	monitor  *redis.Monitor

	mu      sync.Mutex
	xs      map[string][]string // free X numbers by app
	mobiles int                 // given out
	hosts   int
	parties []*party
}

// party is somebody in a scenario, for the leak search at the end.
type party struct {
	scene string
	leak.Party
	own []string // numbers it may see
}

// Addresses on loopback. Everything of axgate is on one of them, each phone
// has one of its own.
var (
	gateIP  = netip.MustParseAddr("127.6.0.1")
	trunkIP = netip.MustParseAddr("127.6.1.1") // the network behind the trunk
)

const password = "lab-phone-password"

// The apps of the world by their keys: one per mode, and variants.
const (
	appAXB    = "e2eAXB"
	appAX     = "e2eAX"
	appAXE    = "e2eAXE"
	appRepeat = "e2eAXERepeat" // repeat collection on: two further tries
	appMute   = "e2eAXBMute"   // no default prompts
	appPaused = "e2eAXBPaused"
	appFrozen = "e2eAXBFrozen" // of an account in arrears
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
		app(appAXB, "AXB"), app(appAX, "AX"), app(appAXE, "AXE"),
		app(appRepeat, "AXE", func(a *gate.App) { a.Retries = 2 }),
		app(appMute, "AXB", func(a *gate.App) { a.Defaults = false }),
		app(appPaused, "AXB", func(a *gate.App) { a.Paused = true }),
		app(appFrozen, "AXB", func(a *gate.App) { a.Frozen = true }),
	}
}

// numbersPerApp is how many X each app has, mobilesMost how many phones the
// registrar knows.
const (
	numbersPerApp = 80
	mobilesMost   = 400
)

func mobile(i int) string { return fmt.Sprintf("+86138%08d", 10_000_000+i*37) }

func openWorld(t *testing.T, change ...func(*gate.Config)) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w := &world{xs: make(map[string][]string)}
	var err error
	secrets := make(map[string]string)
	for _, a := range apps() {
		secrets[a.Key] = a.Secret
	}
	w.customer, err = receiver.Start(secrets)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.customer.Close()) })
	w.redis, err = redis.Start(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.redis.Close()) })
	w.capture, err = capture.Start(t.TempDir(), "net 127.6.0.0/16 and not net 127.0.0.0/16")
	require.NoError(t, err)
	cfg := w.config(t)
	for _, c := range change {
		c(&cfg)
	}
	w.startTrunk(t, cfg.Trunks[0].Address)
	w.gate, err = gate.Start(ctx, program, cfg)
	require.NoError(t, err)
	return w
}

// config describes axgate's surroundings to it.
func (w *world) config(t *testing.T) gate.Config {
	t.Helper()
	port, err := ports.Take(2)
	require.NoError(t, err)
	out, err := ports.Take(2)
	require.NoError(t, err)
	cfg := gate.Config{
		Dir: t.TempDir(), SIP: netip.AddrPortFrom(gateIP, uint16(port)), Redis: w.redis.Addr,
		RTPFirst: 20000, RTPLast: 29998, Apps: apps(), StatusURL: w.customer.StatusURL(), FeeURL: w.customer.FeeURL(),
		RingTimeout: ringTimeout, FirstDigit: firstDigit, InterDigit: interDigit,
		Trunks: []gate.Trunk{{Name: "network", Address: netip.AddrPortFrom(trunkIP, uint16(out)), Peers: "127.6.2.0/24"}},
	}
	x := 17_010_000_000
	for _, a := range cfg.Apps {
		for range numbersPerApp {
			x++
			number := fmt.Sprintf("+86%d", x)
			cfg.Numbers = append(cfg.Numbers, gate.Number{X: number, App: a.Key})
			w.xs[a.Key] = append(w.xs[a.Key], number)
		}
	}
	for i := range mobilesMost {
		cfg.Phones = append(cfg.Phones, gate.Account{Number: mobile(i), Password: password})
	}
	return cfg
}

// Timeouts of the configuration, short enough for tests.
const (
	ringTimeout = 9 * time.Second
	firstDigit  = 4 * time.Second
	interDigit  = 3 * time.Second
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

// takeHost gives a loopback address: of a phone, or of a trunk's caller.
func (w *world) takeHost(trunk bool) netip.Addr {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts++
	if trunk {
		return netip.AddrFrom4([4]byte{127, 6, 2, byte(w.hosts)})
	}
	return netip.AddrFrom4([4]byte{127, 6, byte(16 + w.hosts/250), byte(1 + w.hosts%250)})
}

func (w *world) addParty(p *party) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parties = append(w.parties, p)
}

// close ends axgate and checks what holds over all scenarios: no leak, no
// malformed push, each call billed once, a clean end.
func (w *world) close(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, w.gate.Stop(ctx), "axgate ends cleanly")
	packets, err := w.capture.Stop()
	require.NoError(t, err)
	if t.Failed() {
		w.keep(t)
	}
	t.Run("no leak", func(t *testing.T) { w.searchLeaks(t, packets) })
	t.Run("pushes", func(t *testing.T) { require.Empty(t, w.customer.Wrong()) })
}

// keep saves the log and the capture of a failed run in e2e/out.
func (w *world) keep(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll("out", 0o755); err != nil {
		t.Log(err)
		return
	}
	log, err := w.gate.Log()
	if err == nil {
		err = os.WriteFile(filepath.Join("out", "axgate.log"), log, 0o600)
	}
	if err != nil {
		t.Log(err)
	}
	pcap, err := os.ReadFile(w.capture.Path())
	if err == nil {
		err = os.WriteFile(filepath.Join("out", "capture.pcap"), pcap, 0o600)
	}
	if err != nil {
		t.Log(err)
	}
}

// searchLeaks looks for real numbers in every byte that each party got and in
// the log.
func (w *world) searchLeaks(t *testing.T, packets []capture.Packet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	numbers := make(map[string][]string) // of a scenario
	var all []string
	for _, p := range w.parties {
		for _, n := range p.own {
			if !slices.Contains(numbers[p.scene], n) {
				numbers[p.scene] = append(numbers[p.scene], n)
				all = append(all, n)
			}
		}
	}
	var parties []leak.Party
	for _, p := range w.parties {
		for _, n := range numbers[p.scene] {
			if !slices.Contains(p.own, n) {
				p.Secret = append(p.Secret, n)
			}
		}
		parties = append(parties, p.Party)
	}
	leaks, err := leak.Sent(packets, parties)
	require.NoError(t, err)
	log, err := w.gate.Log()
	require.NoError(t, err)
	leaks = append(leaks, leak.Text("axgate.log", log, all)...)
	for _, l := range leaks {
		t.Error(l)
	}
	t.Logf("searched %d packets for %d numbers of %d parties, and %d bytes of log", len(packets), len(all), len(parties), len(log))
}
