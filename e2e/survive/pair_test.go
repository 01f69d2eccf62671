//go:build e2e

package survive

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/e2e/front"
	"axgate/e2e/gate"
	"axgate/e2e/ports"
	"axgate/e2e/receiver"
	"axgate/e2e/redis"
	"axgate/ledger/pgtest"
	"axgate/phone"
)

const (
	app     = "survive"
	private = "survive-private" // whose X carry one call at a time
	secret  = "secret-of-survive"
	// callerAt and calleeAt, behind the prefix of its way, begin the real numbers, xAt the X.
	callerAt, calleeAt, xAt = 13_600_100_000, 200_000, 17_010_000_001
)

// prefixes lead each callee to the trunk of a way.
var prefixes = map[front.Way]string{front.UDP: "+86137", front.TCP: "+86138", front.TLS: "+86139"}

// pair is two nodes on one ledger, one Redis and one directory of recordings, behind
// one address, with a customer's server and phones.
type pair struct {
	t        *testing.T
	nodes    [2]*gate.Gate
	front    *front.Front
	customer *receiver.Receiver
	redis    *redis.Server
	tapes    string // directory of the recordings
	ca       *certtest.Authority
	ways     []front.Way // of each pair of phones
	alone    int         // from this pair on, calls are to an X that carries one at a time
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

// open starts the pair, with phones for a call on each of some ways to the nodes. The last
// ones call an X that carries one call at a time.
func open(t *testing.T, ways, last []front.Way) *pair {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	p := &pair{t: t, tapes: t.TempDir(), ca: certtest.New(t), ways: slices.Concat(ways, last), alone: len(ways)}
	var err error
	p.redis, err = redis.Start(ctx, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.redis.Close()) })
	pg, err := pgtest.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pg.Stop()) })
	dsn, err := pg.Make()
	require.NoError(t, err)
	p.customer, err = receiver.Start(map[string]string{app: secret, private: secret})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.customer.Close()) })
	port, err := ports.Take(7)
	require.NoError(t, err)
	ip := next(0)
	own := p.ca.Issue(ip.String())
	at := front.Config{Dir: t.TempDir(), At: netip.AddrPortFrom(ip, uint16(port)), Secure: netip.AddrPortFrom(ip, uint16(port+1)), Cert: own.Cert, Key: own.Key, CA: p.ca.File,
		Behind: map[string]netip.AddrPort{}, Ways: map[string]front.Way{}}
	cfg := p.config(&at, dsn)
	for i := range p.ways {
		p.addPhones(i, &at, &cfg)
	}
	var configs [2]gate.Config
	for i := range p.nodes {
		node, ip := cfg, next(0)
		doors := front.Node{UDP: netip.AddrPortFrom(ip, uint16(port+2)), TCP: netip.AddrPortFrom(ip, uint16(port+3)), TLS: netip.AddrPortFrom(ip, uint16(port+4))}
		own := p.ca.Issue(ip.String())
		node.Dir, node.Node, node.SIP, node.HTTP = t.TempDir(), fmt.Sprint("node", i+1), doors.UDP, netip.AddrPortFrom(ip, uint16(port+5))
		node.More = maps.Clone(cfg.More)
		node.More["sip"] = map[string]any{"tcp": doors.TCP.String(), "tls": doors.TLS.String(), "tls_cert": own.Cert, "tls_key": own.Key}
		configs[i] = node
		at.Nodes = append(at.Nodes, doors)
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

func (p *pair) config(carrier *front.Config, dsn string) gate.Config {
	trunk := func(w front.Way, at netip.AddrPort, more map[string]any) gate.Trunk {
		more["prefixes"] = []string{prefixes[w]}
		return gate.Trunk{Name: "front-" + w.String(), Address: at, Transport: w.String(), Peers: w.String() + "://" + at.Addr().String(), More: more}
	}
	return gate.Config{Redis: p.redis.Addr, RTPFirst: 20000, RTPLast: 20999, StatusURL: p.customer.StatusURL(), FeeURL: p.customer.FeeURL(),
		RingTimeout: 20 * time.Second, FirstDigit: 4 * time.Second, InterDigit: 3 * time.Second, MediaTimeout: 20 * time.Second,
		Trunks: []gate.Trunk{trunk(front.UDP, carrier.At, map[string]any{}), trunk(front.TCP, carrier.At, map[string]any{}),
			trunk(front.TLS, carrier.Secure, map[string]any{"tls_ca": p.ca.File, "media_security": "required"})},
		Phones: []gate.Account{{Number: "+8613500000001", Password: "nobody-has-it"}}, // else strangers, as the harness, are not answered
		Apps: []gate.App{{Key: app, Secret: secret, Mode: "AXB", Recording: true, Informs: true, Stereo: true, Defaults: true},
			{Key: private, Secret: secret, Mode: "AX", Defaults: true}},
		More: map[string]map[string]any{"ledger": {"driver": "postgres", "dsn": dsn}, "recording": {"dir": p.tapes},
			"cluster": {"takeover": true}}}
}

// addPhones makes two phones that reach each other through an X of their own. Every
// call of an odd pair is recorded.
func (p *pair) addPhones(i int, at *front.Config, cfg *gate.Config) {
	var two [2]*phone.Phone
	var numbers [2]string
	way := p.ways[i]
	for side, number := range []string{fmt.Sprintf("+86%d", callerAt+37*i), fmt.Sprintf("%s%08d", prefixes[way], calleeAt+37*i)} {
		ph, err := phone.New(phone.Config{Number: number, Server: at.At.String(), ListenIP: next(1).String(), Codecs: []string{"PCMA"}, Secure: way == front.TLS})
		require.NoError(p.t, err)
		p.t.Cleanup(func() { require.NoError(p.t, ph.Close()) })
		two[side], numbers[side] = ph, number
		at.Behind[number] = ph.Addr()
	}
	x := fmt.Sprintf("+86%d", xAt+i)
	at.Ways[x] = way
	binding := map[string]any{"app": app, "x": x, "a": numbers[0], "b": numbers[1], "record": i%2 == 1}
	if i >= p.alone {
		binding = map[string]any{"app": private, "x": x, "a": numbers[1]}
	}
	cfg.Numbers = append(cfg.Numbers, gate.Number{X: x, App: binding["app"].(string)})
	cfg.Bindings = append(cfg.Bindings, binding)
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
