//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/e2e/gate"
	"axgate/e2e/leak"
	"axgate/e2e/ports"
	"axgate/e2e/receiver"
	"axgate/e2e/redis"
	"axgate/e2e/ua"
)

// field is an axgate between two carriers that speak one transport: callers on
// the one side, each on a host of its own, and an exchange on the other that
// has all callees.
type field struct {
	transport string
	gate      *gate.Gate
	at        netip.AddrPort // of that transport
	customer  *receiver.Receiver
	exchange  *ua.Station
	stations  map[string]*ua.Station // further ones, by the trunk that leads there
	ports     int                    // of the stations, the first
	ca        *certtest.Authority
	cert      tls.Certificate // of everybody who is no axgate
	net       byte            // third octet of its addresses, up to fieldNets further ones
	hosts     [fieldNets]atomic.Int32

	callers, callees []string // all real numbers
}

// fieldNets are the networks of a field: axgate and exchange, and one for each
// trunk whose callers are told apart.
const fieldNets = 12

// fieldCount counts the fields of this process; each process has a network of its
// own, as several may run on one machine.
var fieldCount atomic.Int32

func takeNet() (second, third byte) {
	n := fieldCount.Add(1) - 1
	return byte(100 + os.Getpid()%150), byte(n * fieldNets)
}

func (f *field) ip(net, host int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(100 + os.Getpid()%150), f.net + byte(net), byte(host)})
}

// callerTrunks are the trunks that callers are of, with what is not default
// about them.
func callerTrunks() map[string]map[string]any {
	return map[string]map[string]any{
		"plain": {},
		"latch": {"nat_media": true},
		"ulaw":  {"codecs": []string{"PCMU"}},
		"info":  {"dtmf": "info"},
		"tones": {"dtmf": "inband"},
		"wide":  {"codecs": []string{"G729", "PCMA", "PCMU"}},
	}
}

// Times of a field, short and yet patient on a busy machine.
const (
	fieldRing  = 8 * time.Second
	fieldMedia = 6 * time.Second
)

// floodRate is how many messages a second a stranger may send.
const floodRate = 30

// openField starts the surroundings and axgate for the scenarios.
func openField(t *testing.T, transport string, list []acceptance, change ...func(*field, *gate.Config)) *field {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	f := &field{transport: transport, ca: certtest.New(t)}
	_, f.net = takeNet()
	f.cert = f.ca.Issue(f.ip(0, 2).String()).Load(t)
	var err error
	f.customer, err = receiver.Start(map[string]string{appAXB: "secret-of-" + appAXB, appAXE: "secret-of-" + appAXE})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.customer.Close()) })
	r, err := redis.Start(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	cfg := f.config(t, r.Addr)
	for i, sc := range list {
		f.bind(&cfg, i, sc)
	}
	for _, c := range change {
		c(f, &cfg)
	}
	f.exchange = ua.Open(t, ua.Config{Name: "exchange", Transport: transport, At: cfg.Trunks[0].Address, Gate: f.at, Cert: &f.cert, CA: f.ca.Pool})
	f.gate, err = gate.Start(ctx, program, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.gate.Kill() }) // if the test has not ended it
	return f
}

func (f *field) config(t *testing.T, redisAt string) gate.Config {
	t.Helper()
	sip, err := ports.Take(4)
	require.NoError(t, err)
	out, err := ports.Take(2)
	require.NoError(t, err)
	host := f.ip(0, 1)
	pair := f.ca.Issue(host.String())
	cfg := gate.Config{
		Dir: t.TempDir(), SIP: netip.AddrPortFrom(host, uint16(sip)), Redis: redisAt, RTPFirst: firstRTP, RTPLast: lastRTP,
		Apps: []gate.App{
			{Key: appAXB, Secret: "secret-of-" + appAXB, Mode: "AXB", SendReleasedBy: true},
			{Key: appAXE, Secret: "secret-of-" + appAXE, Mode: "AXE", ExtDigits: 4, SendReleasedBy: true, Defaults: true},
		},
		StatusURL: f.customer.StatusURL(), FeeURL: f.customer.FeeURL(),
		RingTimeout: fieldRing, FirstDigit: firstDigit, InterDigit: interDigit, MediaTimeout: fieldMedia, Drain: 2 * time.Second,
		Phones: []gate.Account{{Number: mobile(mobilesMost), Password: password}}, // nobody's, but strangers get answers
		More:   map[string]map[string]any{"sip": {"tls": netip.AddrPortFrom(host, uint16(sip+2)).String(), "tls_cert": pair.Cert, "tls_key": pair.Key, "flood_rate": floodRate, "flood_burst": 2 * floodRate}},
	}
	f.at = cfg.SIP
	if f.transport == "TLS" {
		f.at = netip.AddrPortFrom(host, uint16(sip+2))
	}
	way := map[string]any{"transport": strings.ToLower(f.transport), "codecs": []string{"PCMA", "PCMU", "G729"}}
	if f.transport == "TLS" {
		way["tls_ca"] = f.ca.File
	}
	cfg.Trunks = []gate.Trunk{{Name: "exchange", Address: netip.AddrPortFrom(f.ip(0, 2), uint16(out)), Peers: f.ip(0, 2).String(), More: way}}
	all := callerTrunks()
	for i, name := range slices.Sorted(maps.Keys(all)) {
		cfg.Trunks = append(cfg.Trunks, gate.Trunk{Name: name, Peers: f.ip(i+1, 0).String() + "/24", More: all[name]})
	}
	return cfg
}

// trunkNet is the network of the callers of a trunk.
func trunkNet(name string) int {
	if name == "" {
		name = "plain"
	}
	return 1 + slices.Index(slices.Sorted(maps.Keys(callerTrunks())), name)
}

// The numbers of scenario i.
func fieldX(i int) string { return fmt.Sprintf("+86%d", 17_010_500_000+i) }
func fieldA(i int) string { return fmt.Sprintf("+86136%08d", 20_000_003+i*37) }
func fieldB(i int) string { return fmt.Sprintf("+86139%08d", 70_000_001+i*41) }

// fieldExt is the extension of callees in AXE.
const fieldExt = "2580"

// bind gives a scenario its X and its binding.
func (f *field) bind(cfg *gate.Config, i int, sc acceptance) {
	app := appAXB
	binding := map[string]any{"x": fieldX(i), "a": fieldA(i), "b": fieldB(i)}
	if sc.mode == "AXE" {
		app = appAXE
		binding = map[string]any{"x": fieldX(i), "a": fieldB(i), "ext": fieldExt}
	}
	binding["app"] = app
	cfg.Numbers = append(cfg.Numbers, gate.Number{X: fieldX(i), App: app})
	cfg.Bindings = append(cfg.Bindings, binding)
	if sc.phone {
		cfg.Phones = append(cfg.Phones, gate.Account{Number: fieldB(i), Password: password})
	}
	f.callers, f.callees = append(f.callers, fieldA(i)), append(f.callees, fieldB(i))
}

// strangers is the network of hosts that are of no trunk.
const strangers = fieldNets - 2

// stranger opens an agent on a host that axgate does not know.
func (f *field) stranger(t *testing.T, name, number string) (*ua.Station, *ua.Agent) {
	t.Helper()
	host := f.ip(strangers, int(f.hosts[strangers].Add(1)))
	s := ua.Open(t, ua.Config{Name: name, Transport: f.transport, At: netip.AddrPortFrom(host, 0), Gate: f.at, Dials: f.transport != "UDP", CA: f.ca.Pool})
	return s, s.Agent(t, name, number)
}

// caller opens an agent that calls, on a host of its own in the network of its
// trunk.
func (f *field) caller(t *testing.T, name, number, trunk string) (*ua.Station, *ua.Agent) {
	t.Helper()
	net := trunkNet(trunk)
	host := f.ip(net, int(f.hosts[net].Add(1)))
	s := ua.Open(t, ua.Config{Name: name, Transport: f.transport, At: netip.AddrPortFrom(host, 0), Gate: f.at, Dials: f.transport != "UDP", CA: f.ca.Pool})
	return s, s.Agent(t, name, number)
}

// close ends axgate and checks what holds over all scenarios.
func (f *field) close(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, f.gate.Stop(ctx), "axgate ends cleanly")
	require.Empty(t, f.customer.Wrong(), "pushes")
	log, err := f.gate.Log()
	require.NoError(t, err)
	if t.Failed() {
		_ = os.MkdirAll("out", 0o755)
		require.NoError(t, os.WriteFile("out/acceptance-"+f.transport+".log", log, 0o600))
	}
	for _, word := range []string{"panic", "DATA RACE", "goroutine "} {
		require.NotContains(t, string(log), word)
	}
	for _, l := range leak.Text("axgate.log", log, slices.Concat(f.callers, f.callees)) {
		t.Error(l)
	}
	for _, m := range f.exchange.Strays() { // what came after a scenario had ended
		for _, l := range leak.Text("exchange", m.Raw, f.callers) {
			t.Error(l)
		}
	}
	require.Empty(t, f.exchange.Bad(), "what is no SIP")
}
