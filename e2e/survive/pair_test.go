//go:build e2e

package survive

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/front"
	"axgate/e2e/gate"
	"axgate/e2e/ports"
	"axgate/e2e/receiver"
	"axgate/e2e/redis"
	"axgate/ledger/pgtest"
	"axgate/phone"
)

const (
	app    = "survive"
	secret = "secret-of-survive"
	// callerAt and calleeAt begin the real numbers, xAt the X.
	callerAt, calleeAt, xAt = 13_600_100_000, 13_700_200_000, 17_010_000_001
)

// pair is two nodes on one ledger, one Redis and one directory of recordings, behind
// one address, with a customer's server and phones.
type pair struct {
	t        *testing.T
	nodes    [2]*gate.Gate
	front    *front.Front
	customer *receiver.Receiver
	redis    *redis.Server
	tapes    string // directory of the recordings
	phones   [][2]*phone.Phone
	xs       []string
}

// host is a loopback address of this package: what gives who has it.
func host(what, n int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, 8, byte(what*40 + n/250), byte(1 + n%250)})
}

// hosts counts the addresses given out, of nodes and fronts, and of phones.
var hosts [2]int

func next(what int) netip.Addr {
	hosts[what]++
	return host(what, hosts[what])
}

// open starts the pair, with phones for n calls. change adapts both configurations.
func open(t *testing.T, n int, change ...func(*gate.Config)) *pair {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	p := &pair{t: t, tapes: t.TempDir()}
	var err error
	p.redis, err = redis.Start(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.redis.Close()) })
	pg, err := pgtest.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pg.Stop()) })
	dsn, err := pg.Make()
	require.NoError(t, err)
	p.customer, err = receiver.Start(map[string]string{app: secret})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.customer.Close()) })
	port, err := ports.Take(4)
	require.NoError(t, err)
	at := front.Config{Dir: t.TempDir(), At: netip.AddrPortFrom(next(0), uint16(port)), Behind: map[string]netip.AddrPort{}}
	cfg := p.config(at.At, dsn)
	for i := range n {
		p.addPhones(i, &at, &cfg)
	}
	var configs [2]gate.Config
	for i := range p.nodes {
		node := cfg
		node.Dir, node.Node = t.TempDir(), fmt.Sprint("node", i+1)
		node.SIP = netip.AddrPortFrom(next(0), uint16(port+2))
		for _, f := range change {
			f(&node)
		}
		configs[i] = node
		at.Nodes = append(at.Nodes, node.SIP)
	}
	for i := range p.nodes {
		p.nodes[i], err = gate.Start(ctx, program, configs[i])
		require.NoError(t, err)
		t.Cleanup(func() { p.end(i) })
	}
	p.front, err = front.Start(ctx, at)
	require.NoError(t, err)
	t.Cleanup(func() {
		if require.NoError(t, p.front.Close()); t.Failed() {
			t.Log(p.front.Output())
		}
	})
	return p
}

// end stops a node, and shows its log if something failed.
func (p *pair) end(i int) {
	_ = p.nodes[i].Kill()
	if p.t.Failed() {
		log, err := p.nodes[i].Log()
		p.t.Logf("node %d: %v\n%s", i+1, err, log[max(0, len(log)-20_000):])
	}
}

func (p *pair) config(carrier netip.AddrPort, dsn string) gate.Config {
	return gate.Config{Redis: p.redis.Addr, RTPFirst: 20000, RTPLast: 20999, StatusURL: p.customer.StatusURL(), FeeURL: p.customer.FeeURL(),
		RingTimeout: 20 * time.Second, FirstDigit: 4 * time.Second, InterDigit: 3 * time.Second, MediaTimeout: 20 * time.Second,
		Trunks: []gate.Trunk{{Name: "front", Address: carrier, Peers: carrier.Addr().String()}},
		Phones: []gate.Account{{Number: "+8613500000001", Password: "nobody-has-it"}}, // else strangers, as the harness, are not answered
		Apps:   []gate.App{{Key: app, Secret: secret, Mode: "AXB", Recording: true, Informs: true, Stereo: true, Defaults: true}},
		More: map[string]map[string]any{"ledger": {"driver": "postgres", "dsn": dsn}, "recording": {"dir": p.tapes},
			"cluster": {"takeover": true}}}
}

// addPhones makes two phones that reach each other through an X of their own. Every
// call of an odd pair is recorded.
func (p *pair) addPhones(i int, at *front.Config, cfg *gate.Config) {
	var two [2]*phone.Phone
	var numbers [2]string
	for side, first := range []int{callerAt, calleeAt} {
		number := fmt.Sprintf("+86%d", first+37*i)
		ph, err := phone.New(phone.Config{Number: number, Server: at.At.String(), ListenIP: next(1).String(), Codecs: []string{"PCMA"}})
		require.NoError(p.t, err)
		p.t.Cleanup(func() { require.NoError(p.t, ph.Close()) })
		two[side], numbers[side] = ph, number
		at.Behind[number] = ph.Addr()
	}
	x := fmt.Sprintf("+86%d", xAt+i)
	cfg.Numbers = append(cfg.Numbers, gate.Number{X: x, App: app})
	cfg.Bindings = append(cfg.Bindings, map[string]any{"app": app, "x": x, "a": numbers[0], "b": numbers[1], "record": i%2 == 1})
	p.phones, p.xs = append(p.phones, two), append(p.xs, x)
}

// connect makes the call of a pair of phones.
func (p *pair) connect(ctx context.Context, i int) (out, in *phone.Call, err error) {
	if out, err = p.phones[i][0].Dial(ctx, p.xs[i]); err != nil {
		return nil, nil, err
	}
	select {
	case in = <-p.phones[i][1].Incoming():
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("call %d does not arrive: %w", i, ctx.Err())
	}
	if err := in.Ring(); err != nil {
		return nil, nil, err
	}
	if err := in.Answer(ctx); err != nil {
		return nil, nil, err
	}
	return out, in, out.WaitAnswer(ctx)
}
