package sip

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
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
// tests mostly wait, so many of them wait together.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "24"); err != nil {
		panic(err)
	}
	sip.SetTimers(100*time.Millisecond, 400*time.Millisecond, 500*time.Millisecond)
	sip.Timer_M = time.Millisecond
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
			FirstDigit: 400 * time.Millisecond, InterDigit: 300 * time.Millisecond, Digits: 3 * time.Second, MinTalk: 300 * time.Millisecond, RecordDir: w.dir},
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

// rules is the router: what a test says, else A and B reach each other.
type rules struct {
	decide    func(routing.Question) (routing.Decision, error)
	extension func(routing.Question, routing.Extension) (routing.Decision, error)

	mu       sync.Mutex
	held     map[string]int
	rang     []routing.Decision
	answered []routing.Decision
	asked    []routing.Question
}

var _ Router = (*rules)(nil)

func (r *rules) Decide(_ context.Context, q routing.Question) (routing.Decision, error) {
	r.mu.Lock()
	if r.held == nil {
		r.held = map[string]int{}
	}
	r.held[q.Session]++
	r.asked = append(r.asked, q)
	r.mu.Unlock()
	if f := r.said(); f != nil {
		return f(q)
	}
	return connect(q), nil
}

func (r *rules) DecideExtension(_ context.Context, q routing.Question, ext routing.Extension) (routing.Decision, error) {
	r.mu.Lock()
	f := r.extension
	r.mu.Unlock()
	return f(q, ext)
}

// decides sets what is decided from now on.
func (r *rules) decides(f func(routing.Question) (routing.Decision, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decide = f
}

func (r *rules) said() func(routing.Question) (routing.Decision, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.decide
}

func (r *rules) Rang(_ context.Context, _ routing.Question, d routing.Decision) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rang = append(r.rang, d)
	return nil
}

func (r *rules) Answered(_ context.Context, _ routing.Question, d routing.Decision) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered = append(r.answered, d)
	return nil
}

func (r *rules) Release(session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held[session] > 0 {
		r.held[session]--
	}
}

func (r *rules) busy() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.held)
}

// connect is the decision of an AXB binding of A and B.
func connect(q routing.Question) routing.Decision {
	callee, way := routing.Number("+86"+numB), routing.FromA
	if q.Caller == callee {
		callee, way = "+86"+numA, routing.ToA
	}
	return routing.Decision{Step: routing.Dial, Callee: callee, Caller: q.Caller, X: q.X, Direction: way,
		App: &routing.App{Key: "app1", Mode: routing.AXB}, Binding: &routing.Binding{ID: "bind1", Mode: routing.AXB, X: q.X, A: "+86" + numA, B: "+86" + numB}, Why: "test"}
}

// memory is the journal: it keeps everything in order, and checks at the end
// that each call was told as the contract says.
type memory struct {
	mu    sync.Mutex
	calls map[string]events.Call
	evs   map[string][]events.Event
	fail  func(events.Event) error                              // what becomes of an event; nil: stored
	slow  func(events.Event) (until <-chan struct{}, err error) // a write that takes its time, and its outcome
	stuck func(events.Event)                                    // runs before Write returns
}

var _ Journal = (*memory)(nil)

func newMemory() *memory {
	return &memory{calls: map[string]events.Call{}, evs: map[string][]events.Event{}}
}

func (m *memory) Write(call events.Call, evs ...events.Event) <-chan error {
	done := make(chan error, 1)
	m.mu.Lock()
	stuck := m.stuck
	m.mu.Unlock()
	if stuck != nil {
		stuck(evs[0])
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.slow != nil {
		if until, err := m.slow(evs[0]); until != nil {
			if err == nil {
				m.store(call, evs)
			}
			go func() { <-until; done <- err }()
			return done
		}
	}
	for _, e := range evs {
		if m.fail != nil {
			if err := m.fail(e); err != nil {
				done <- err
				return done
			}
		}
	}
	m.store(call, evs)
	done <- nil
	return done
}

func (m *memory) store(call events.Call, evs []events.Event) {
	m.calls[call.Session] = call
	for _, e := range evs {
		if !slices.ContainsFunc(m.evs[e.Session], func(k events.Event) bool { return k.Seq == e.Seq }) {
			m.evs[e.Session] = append(m.evs[e.Session], e)
		}
	}
}

// ended waits for the end of the only call that was told of.
func (m *memory) ended(t testing.TB) events.Call {
	t.Helper()
	var c events.Call
	eventually(t, "a fee event", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		for s, evs := range m.evs {
			for _, e := range evs {
				if e.Kind == events.Fee {
					c = m.calls[s]
					return true
				}
			}
		}
		return false
	})
	return c
}

// kinds are the events of a call in their order.
func (m *memory) kinds(session string) []events.Kind {
	m.mu.Lock()
	defer m.mu.Unlock()
	evs := slices.Clone(m.evs[session])
	slices.SortFunc(evs, func(a, b events.Event) int { return a.Seq - b.Seq })
	var all []events.Kind
	for _, e := range evs {
		all = append(all, e.Kind)
	}
	return all
}

// check: no gaps, one disconnect and then one fee event, nothing after them.
func (m *memory) check(t testing.TB) {
	t.Helper()
	for s := range m.evs {
		kinds := m.kinds(s)
		require.GreaterOrEqual(t, len(kinds), 3, "%v", kinds)
		require.Equal(t, events.CallIn, kinds[0])
		require.Equal(t, []events.Kind{events.Disconnect, events.Fee}, kinds[len(kinds)-2:])
		for i, k := range kinds[:len(kinds)-2] {
			require.NotContains(t, []events.Kind{events.Disconnect, events.Fee}, k, "event %d of %v", i, kinds)
		}
		seqs := map[int]bool{}
		for _, e := range m.evs[s] {
			seqs[e.Seq] = true
		}
		for i := range kinds {
			require.True(t, seqs[i+1], "no event %d of %v", i+1, kinds)
		}
		require.False(t, m.calls[s].Ended.IsZero())
	}
}

var errDisk = errors.New("disk full")

// prompts are clips by file name or scene.
type prompts map[string][]byte

var _ Prompts = prompts(nil)

func (p prompts) Clip(_ *routing.App, file string, scene routing.Scene) (string, []byte, bool) {
	name := file
	if name == "" {
		name = string(scene)
	}
	clip, ok := p[name]
	return name, clip, ok
}

// clip is A-law of one byte.
func clip(b byte, length time.Duration) []byte {
	return bytes.Repeat([]byte{b}, int(length/time.Second*8000)+int(length%time.Second*8/time.Millisecond))
}

// talk sets up an answered call from A to B.
func (w *world) talk() (a, b *side) {
	w.t.Helper()
	a = w.a.dial(numX, numA, w.mouthA.sdp(1))
	b = w.b.ring()
	w.mouthB.talksTo(b.invite)
	b.says(180, "")
	a.response(180, "INVITE")
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	ok := a.response(200, "INVITE")
	w.mouthA.talksTo(ok)
	a.ack("")
	return a, b
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

// fails and delays say what becomes of writes from now on.
func (m *memory) fails(f func(events.Event) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = f
}

func (m *memory) blocks(f func(events.Event)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stuck = f
}

func (m *memory) delays(f func(events.Event) (<-chan struct{}, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slow = f
}
