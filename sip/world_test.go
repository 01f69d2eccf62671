package sip

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"axgate/events"
	"axgate/media"
	"axgate/media/record"
	"axgate/routing"
	"axgate/sip/registrar"
	"axgate/sip/trunk"
)

// TestMain shortens SIP's timers to a fifth, for both ends: what takes 32 s
// takes 6.4 s here. They are sipgo's package variables and are set once. The
// tests mostly wait, so many of them wait together. Groups of tests that go by some
// hundred milliseconds do not wait with others.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "24"); err != nil {
		panic(err)
	}
	sip.SetTimers(100*time.Millisecond, 400*time.Millisecond, 500*time.Millisecond)
	goleak.VerifyTestMain(m)
}

// The people of these tests.
const (
	numA = "13800000001"
	numB = "13900000002"
	numX = "17010000001"
)

// world is a server between two carriers: calls come in from a and go out to b.
type world struct {
	t       *testing.T
	srv     *Server
	engine  *media.Engine
	router  *rules
	journal *memory
	a, b    *peer
	mouthA  *ear
	mouthB  *ear
	ports   int
	log     bytes.Buffer
	logMu   sync.Mutex
	dir     string
	set     settings // as they are in the end
	tape    *record.Writer
}

// settings is what a test changes about its world.
type settings struct {
	cfg      Config
	trunkA   trunk.Trunk
	trunkB   trunk.Trunk
	more     []trunk.Trunk
	prompts  prompts
	tcpA     bool
	tcpB     bool
	inactive time.Duration
	accounts []registrar.Account
	noTrunkB bool
}

var ranges atomic.Uint32

func open(t *testing.T, changes ...func(*settings)) *world {
	t.Helper()
	t.Parallel()
	w := &world{t: t, router: &rules{}, journal: newMemory(), dir: t.TempDir()}
	w.a, w.b = newPeer(t, "A", "127.0.0.2"), newPeer(t, "B", "127.0.0.3")
	w.mouthA, w.mouthB = newEar(t, w.a.addr.Addr()), newEar(t, w.b.addr.Addr())
	s := settings{
		cfg: Config{Node: "n1", Host: "host1", UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", MediaIP: netip.MustParseAddr("127.0.0.1"), Plan: routing.ChinaPlan(),
			Agent: "axgate", Codecs: []string{"PCMA", "PCMU"}, RingTimeout: 5 * time.Second, RingbackIn: 200 * time.Millisecond,
			FirstDigit: 2 * time.Second, InterDigit: time.Second, Digits: 6 * time.Second, MinTalk: 300 * time.Millisecond, RecordDir: w.dir},
		trunkA: trunk.Trunk{Name: "a", Peers: []trunk.Peer{{Net: netip.PrefixFrom(w.a.addr.Addr(), 32)}}},
		trunkB: trunk.Trunk{Name: "b", Peers: []trunk.Peer{{Net: netip.PrefixFrom(w.b.addr.Addr(), 32)}}, Address: w.b.addr,
			CalleeFormat: routing.FormatNational, FromFormat: routing.FormatNational, SendPAI: true},
		inactive: time.Minute,
	}
	for _, change := range changes {
		change(&s)
	}
	if s.tcpB {
		w.b.overTCP()
		s.trunkB.Transport = "TCP"
	}
	list := append([]trunk.Trunk{s.trunkA}, s.more...)
	if !s.noTrunkB {
		list = append(list, s.trunkB)
	}
	table, err := trunk.New(list)
	require.NoError(t, err)
	s.cfg.Trunks = table
	if s.accounts != nil {
		s.cfg.Registrar, err = registrar.New(registrar.Config{Plan: s.cfg.Plan, Accounts: s.accounts})
		require.NoError(t, err)
	}
	first := uint16(20000 + 40*ranges.Add(1))
	w.engine, err = media.Open(media.Config{IP: s.cfg.MediaIP, PortMin: first, PortMax: first + 39, Quarantine: time.Millisecond, Inactive: s.inactive}, zerolog.Nop())
	require.NoError(t, err)
	w.ports = w.engine.PortsFree()
	tape := record.Open(record.WriterOptions{Workers: 1})
	if s.prompts == nil {
		s.prompts = prompts{}
	}
	w.srv, err = Open(s.cfg, w.engine, w.router, w.journal, s.prompts, tape, zerolog.New(w).Level(zerolog.InfoLevel))
	require.NoError(t, err)
	w.srv.Serve()
	w.set, w.tape = s, tape
	w.a.to, w.b.to = w.srv.UDPAddr(), w.srv.UDPAddr()
	if s.tcpA {
		w.a.dialTCP(w.srv.TCPAddr())
	}
	t.Cleanup(func() {
		w.close()
		require.NoError(t, tape.Close())
	})
	return w
}

// Write is the log.
func (w *world) Write(p []byte) (int, error) {
	w.logMu.Lock()
	defer w.logMu.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.logMu.Lock()
	defer w.logMu.Unlock()
	return w.log.String()
}

// close checks that nothing of the calls is left, and ends the server.
func (w *world) close() {
	defer func() {
		if w.t.Failed() {
			w.t.Log(w.logged())
		}
	}()
	eventually(w.t, "all calls are over", func() bool { return w.srv.Calls() == 0 && w.open() == 0 })
	w.srv.mu.Lock()
	legs, invites := len(w.srv.legs), len(w.srv.invites)
	w.srv.mu.Unlock()
	require.Zero(w.t, legs, "legs in the table")
	require.Zero(w.t, invites, "invites in the table")
	eventually(w.t, "all ports are back", func() bool { return w.engine.PortsFree() == w.ports })
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	require.NoError(w.t, w.srv.Shutdown(ctx))
	require.NoError(w.t, w.engine.Close())
	w.journal.check(w.t)
	for session, n := range w.router.busy() {
		require.Zero(w.t, n, "reservations of %s", session)
	}
}

// open counts the calls in the table, over or not.
func (w *world) open() int {
	w.srv.mu.Lock()
	defer w.srv.mu.Unlock()
	return len(w.srv.calls)
}

func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// talk sets up an answered call from A to B.
func (w *world) talk() (a, b *side) {
	w.t.Helper()
	a, b = w.rings()
	b.says(180, "")
	a.response(180, "INVITE")
	w.answers(a, b)
	return a, b
}

// rings has A call B, whose side has said nothing yet.
func (w *world) rings() (a, b *side) {
	w.t.Helper()
	a = w.a.dial(numX, numA, w.mouthA.sdp(1))
	b = w.b.ring()
	w.mouthB.talksTo(b.invite)
	return a, b
}

// answers has B answer A.
func (w *world) answers(a, b *side) {
	w.t.Helper()
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
}

// hangsUp ends a talk by A.
func (w *world) hangsUp(a, b *side) {
	w.t.Helper()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// bothHear checks that audio flows both ways.
func (w *world) bothHear() {
	w.t.Helper()
	toB, toA := w.mouthB.count(0x11), w.mouthA.count(0x22)
	w.mouthA.until(0x11, "B hears A", w.mouthB.hears(0x11, toB+3))
	w.mouthB.until(0x22, "A hears B", w.mouthA.hears(0x22, toA+3))
}

// ends checks the codes of a call that is over.
func (w *world) ends(state, reason int) events.Call {
	w.t.Helper()
	c := w.journal.ended(w.t)
	require.Equal(w.t, fmt.Sprint(state, "/", reason), fmt.Sprint(c.StateCode, "/", c.FailReason), c.EndWord)
	return c
}

func (w *world) recordings() []string {
	all, err := filepath.Glob(filepath.Join(w.dir, "*"))
	require.NoError(w.t, err)
	return all
}

func size(t testing.TB, file string) int64 {
	info, err := os.Stat(file)
	require.NoError(t, err)
	return info.Size()
}

// stop orders the end of the only call.
func (w *world) stop() string {
	w.t.Helper()
	w.srv.mu.Lock()
	var session string
	for s := range w.srv.calls {
		session = s
	}
	w.srv.mu.Unlock()
	require.True(w.t, w.srv.Stop(session))
	return session
}

// expired is a context that is over.
func expired() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// another is a second server with the settings of the first: another node, or the
// same one after it was killed.
func (w *world) another() *Server {
	t := w.t
	t.Helper()
	s := w.set
	s.cfg.UDP, s.cfg.TCP, s.cfg.Advertise = "127.0.0.1:0", "127.0.0.1:0", w.srv.cfg.Advertise
	srv, err := Open(s.cfg, w.engine, w.router, w.journal, s.prompts, w.tape, zerolog.Nop())
	require.NoError(t, err)
	srv.Serve()
	t.Cleanup(func() { require.NoError(t, srv.Shutdown(expired())) })
	return srv
}
