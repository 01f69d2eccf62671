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
	registrar *ua.Agent              // where axgate registers
	stations  map[string]*ua.Station // of the trunks that callees are of, the exchange among them
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

// calleeTrunk is a trunk that callees are of, known by how their numbers begin;
// with a second way those are tried over the spare one too.
type calleeTrunk struct {
	name   string
	more   map[string]any
	spared bool
}

// calleeTrunks are those trunks. Each has a station of its own.
func calleeTrunks() []calleeTrunk {
	return []calleeTrunk{
		{name: "exchange", more: map[string]any{"codecs": []string{"PCMA", "PCMU", "G729"}}},
		{name: "rests", spared: true},
		{name: "holds", more: map[string]any{"hold": "relay"}},
		{name: "pracks", more: map[string]any{"reliable_1xx": "required"}},
		{name: "silent", spared: true, more: map[string]any{"connect_timeout": "1s"}},
		{name: "falls", spared: true, more: map[string]any{"ping_interval": "1s", "connect_timeout": "2s"}},
		{name: enrols, more: map[string]any{"register": true, "register_id": "+8675588880000@ims.example", "register_user": registerUser, "password": registerPassword,
			"register_expires": "1h"}},
		{name: spare, more: map[string]any{"priority": 1}},
	}
}

// enrols is the trunk that axgate registers with.
const (
	enrols           = "enrols"
	registerUser     = "+8675588880000@private.ims.example"
	registerPassword = "registration-password"
)

// spare is the trunk that is tried last.
const spare = "spare"

// calleeTrunkAt is the place of a trunk; empty: that of the exchange.
func calleeTrunkAt(name string) int {
	return max(0, slices.IndexFunc(calleeTrunks(), func(t calleeTrunk) bool { return t.name == name }))
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
	var hosts []string
	for i := range calleeTrunks() {
		hosts = append(hosts, f.ip(0, 2+i).String())
	}
	f.cert = f.ca.Issue(hosts...).Load(t)
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
	f.stations = make(map[string]*ua.Station)
	for i, tr := range calleeTrunks() {
		f.stations[tr.name] = ua.Open(t, ua.Config{Name: tr.name, Transport: transport, At: cfg.Trunks[i].Address, Gate: f.at, Cert: &f.cert, CA: f.ca.Pool})
	}
	f.exchange = f.stations["exchange"]
	f.registrar = f.stations[enrols].Agent(t, "registrar", "registrar")
	f.gate, err = gate.Start(ctx, program, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.gate.Kill() }) // if the test has not ended it
	return f
}

func (f *field) config(t *testing.T, redisAt string) gate.Config {
	t.Helper()
	sip, err := ports.Take(4)
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
	f.calleeTrunks(t, &cfg)
	all := callerTrunks()
	for i, name := range slices.Sorted(maps.Keys(all)) {
		cfg.Trunks = append(cfg.Trunks, gate.Trunk{Name: name, Peers: f.ip(i+1, 0).String() + "/24", More: all[name]})
	}
	return cfg
}

// calleeTrunks tells axgate of the trunks that callees are of.
func (f *field) calleeTrunks(t *testing.T, cfg *gate.Config) {
	t.Helper()
	var spared []string
	for i, tr := range calleeTrunks() {
		port, err := ports.Take(2)
		require.NoError(t, err)
		prefix := "+86" + fieldPrefix(i)
		more := map[string]any{"transport": strings.ToLower(f.transport), "prefixes": []string{prefix}}
		if f.transport == "TLS" {
			more["tls_ca"] = f.ca.File
		}
		if maps.Copy(more, tr.more); tr.spared {
			spared = append(spared, prefix)
		}
		if tr.name == spare {
			more["prefixes"] = append(spared, prefix)
		}
		host := f.ip(0, 2+i)
		cfg.Trunks = append(cfg.Trunks, gate.Trunk{Name: tr.name, Address: netip.AddrPortFrom(host, uint16(port)), Peers: host.String(), More: more})
	}
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
func fieldB(i int, trunk string) string {
	return fmt.Sprintf("+86%s%06d", fieldPrefix(calleeTrunkAt(trunk)), 1+i*41)
}

// fieldPrefix is how the numbers of a trunk's callees begin.
func fieldPrefix(trunk int) string { return fmt.Sprintf("139%02d", 70+trunk) }

// fieldExt is the extension of callees in AXE.
const fieldExt = "2580"

// bind gives a scenario its X and its binding.
func (f *field) bind(cfg *gate.Config, i int, sc acceptance) {
	app := appAXB
	binding := map[string]any{"x": fieldX(i), "a": fieldA(i), "b": fieldB(i, sc.to)}
	if sc.mode == "AXE" {
		app = appAXE
		binding = map[string]any{"x": fieldX(i), "a": fieldB(i, sc.to), "ext": fieldExt}
	}
	binding["app"] = app
	cfg.Numbers = append(cfg.Numbers, gate.Number{X: fieldX(i), App: app})
	cfg.Bindings = append(cfg.Bindings, binding)
	if sc.phone {
		cfg.Phones = append(cfg.Phones, gate.Account{Number: fieldB(i, sc.to), Password: password})
	}
	f.callers, f.callees = append(f.callers, fieldA(i)), append(f.callees, fieldB(i, sc.to))
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
	f.stations[enrols].Unline(f.registrar)
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
	for name, s := range f.stations {
		for _, m := range s.Strays() { // what came after a scenario had ended
			for _, l := range leak.Text(name, m.Raw, f.callers) {
				t.Error(l)
			}
		}
		require.Empty(t, s.Bad(), "what is no SIP at %s", name)
	}
}
