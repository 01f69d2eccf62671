//go:build e2e

package chaos

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/e2e/ports"
	"axgate/e2e/receiver"
	"axgate/e2e/sipp"
	"axgate/ledger/pgtest"
	"axgate/store/redistest"
)

// world is two nodes with all that surrounds them: a Redis of some kind, a PostgreSQL
// that is reached through a proxy, the customer's server, and the network behind the
// trunk.
type world struct {
	t        *testing.T
	number   byte // of the world: its addresses are 127.9.number.*
	db       *pgtest.Server
	dsn      string // of the database, past the proxy
	wire     *wire  // to the database
	standby  *wire  // to it at another address; nil: there is none
	redis    *redistest.Server
	set      *redistest.Set
	cluster  *redistest.Cluster
	customer *receiver.Receiver
	post     *wire // to the customer
	nodes    []*node
	model    *model
	network  *sipp.Process // whose phones are called
	callers  []*sipp.Process
	clerks   *clerks
	pace     time.Duration // from one fault to the next, at least
}

// node is an axgate with the file that shifts its clock.
type node struct {
	*gate.Gate
	cfg   gate.Config
	clock string
}

const (
	app    = "chaosAXB"
	secret = "secret-of-" + app
)

// worlds counts them. Another process, which may run beside, begins elsewhere.
var worlds atomic.Int32

func init() { worlds.Store(int32(os.Getpid() % 24 * 10)) }

// A plan says what a world is made of.
type plan struct {
	redis string // one, kept (with an append-only file), sentinel or cluster
	// standby has the nodes know another address of the database, to be tried second.
	standby bool
	rate    int // calls of the traffic in a second, at each node; 0: 4, or 2 in the short form
	alter   func(i int, cfg *gate.Config)
}

func newWorld(t *testing.T, p plan) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	w := &world{t: t, number: byte(worlds.Add(1)), model: newModel()}
	settings := map[string]any{}
	switch p.redis {
	case "sentinel":
		w.set = redistest.StartSet(t, 1)
		settings["sentinels"], settings["sentinel_master"] = w.set.Sentinels, w.set.Name
	case "cluster":
		w.cluster = redistest.StartCluster(t, 3, 3)
		settings["cluster"] = w.cluster.Addresses()[:3]
	case "kept":
		w.redis = redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	default:
		w.redis = redistest.Start(t)
	}
	if w.redis != nil {
		settings["address"] = w.redis.Addr
	}
	w.startDatabase(p.standby)
	var err error
	w.customer, err = receiver.Start(map[string]string{app: secret})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.customer.Close()) })
	w.post = newWire(t, host(w.customer.StatusURL()))
	trunk := w.startNetwork()
	for i := range 2 {
		n := w.newNode(i, trunk, settings, p)
		n.Gate, err = gate.Start(ctx, program, n.cfg)
		require.NoError(t, err)
		t.Cleanup(func() { _ = n.Kill() })
		w.nodes = append(w.nodes, n)
	}
	t.Cleanup(func() {
		if t.Failed() {
			w.keep()
		}
	})
	w.startTraffic(p.rate)
	w.startClerks()
	return w
}

// keep leaves the logs of a failed test where they can be read.
func (w *world) keep() {
	dir := os.Getenv("AXGATE_CHAOS_KEEP")
	if dir == "" {
		return
	}
	leave := func(name string, text []byte, err error) {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, w.t.Name()+"-"+name), text, 0o600)
		}
		if err != nil {
			w.t.Log(err)
		}
	}
	for i, n := range w.nodes {
		text, err := n.Log()
		leave(fmt.Sprint("node", i), text, err)
	}
	for i, p := range append([]*sipp.Process{w.network}, w.callers...) {
		all, err := p.Messages()
		var b bytes.Buffer
		for _, m := range all {
			fmt.Fprintf(&b, "%s sent: %v\n%s\n", m.At.Format("15:04:05.000"), m.Sent, m.Text)
		}
		leave(fmt.Sprint("phones", i), b.Bytes(), err)
	}
}

func (w *world) startDatabase(standby bool) {
	w.t.Helper()
	port, err := ports.Take(1)
	require.NoError(w.t, err)
	w.db, err = pgtest.Start("listen_addresses=127.0.0.1", "port="+strconv.Itoa(port))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = w.db.Stop() })
	w.dsn = w.db.Database(w.t)
	w.wire = newWire(w.t, "127.0.0.1:"+strconv.Itoa(port))
	if standby {
		w.standby = newWire(w.t, "127.0.0.1:"+strconv.Itoa(port))
	}
}

// reached is the DSN of the database as the nodes reach it.
func (w *world) reached() string {
	_, name, _ := strings.Cut(w.dsn, "dbname=")
	hosts, ports := "127.0.0.1", w.wire.port()
	if w.standby != nil {
		hosts, ports = hosts+",127.0.0.1", ports+","+w.standby.port()
	}
	return fmt.Sprintf("host=%s port=%s user=test dbname=%s", hosts, ports, name)
}

// at is an address of this world.
func (w *world) at(last byte, port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 9, w.number, last}), uint16(port))
}

const (
	sipPort, httpPort   = 5060, 8080
	networkAt           = 2
	firstNode           = 10
	callersAt, clerksAt = 130, 140 // both in the half of addresses from which the trunk's calls come
)

func (w *world) newNode(i int, trunk netip.AddrPort, redis map[string]any, p plan) *node {
	w.t.Helper()
	dir := w.t.TempDir()
	clock := filepath.Join(dir, "clock")
	require.NoError(w.t, os.WriteFile(clock, []byte("0"), 0o600))
	cfg := gate.Config{
		Node: fmt.Sprintf("n%d", i), Env: []string{"CLOCK_AHEAD=" + clock}, Dir: dir,
		SIP: w.at(firstNode+byte(i), sipPort), HTTP: w.at(firstNode+byte(i), httpPort),
		RTPFirst: 20000, RTPLast: 23999, StatusURL: "http://" + w.post.at() + "/status", FeeURL: "http://" + w.post.at() + "/fee",
		Trunks:  []gate.Trunk{{Name: "network", Address: trunk, Peers: fmt.Sprintf("127.9.%d.128/25", w.number)}},
		Phones:  []gate.Account{{Number: "+8613899999999", Password: "of-nobody-in-here"}}, // strangers are answered only where phones register
		Apps:    []gate.App{{Key: app, Secret: secret, Mode: "AXB", Informs: true}},
		Numbers: w.model.numbers(), MediaTimeout: 5 * time.Minute, Drain: 5 * time.Second,
		More: map[string]map[string]any{
			"ledger": {"driver": "postgres", "dsn": w.reached()},
			"redis":  redis,
			"http":   {"rate": 0},
			"log":    {"level": "info"},
		},
		Bindings: w.model.standing(),
	}
	if p.alter != nil {
		p.alter(i, &cfg)
	}
	return &node{cfg: cfg, clock: clock}
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return u.Host
}

// shift sets the clock of a node ahead of the machine's.
func (n *node) shift(by time.Duration) error {
	return os.WriteFile(n.clock, []byte(strconv.Itoa(int(by/time.Second))), 0o600)
}

// signal stops a node, lets it go on or kills it.
func (n *node) signal(s syscall.Signal) error { return syscall.Kill(n.PID(), s) }
