package sip

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/lookup/usage"
	"axgate/routing"
)

// rules is the router: what a test says, else A and B reach each other.
type rules struct {
	decide    func(routing.Question) (routing.Decision, error)
	extension func(routing.Question, routing.Extension) (routing.Decision, error)
	ask       func(context.Context, routing.Question, events.Event) (routing.Decision, error)

	mu       sync.Mutex
	held     map[string]int
	rang     []routing.Decision
	answered []routing.Decision
	asked    []routing.Question
	use      *usage.Book // nil: calls are not counted
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

func (r *rules) Ask(ctx context.Context, q routing.Question, _ routing.Decision, question events.Event) (routing.Decision, error) {
	r.mu.Lock()
	f := r.ask
	r.mu.Unlock()
	d, err := f(ctx, q, question)
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.Step == routing.Dial && ctx.Err() == nil { // as the router does: until ctx is done it reserves
		r.held[q.Session]++
	}
	return d, err
}

// answers sets what the app's server leads to from now on.
func (r *rules) answers(f func(context.Context, routing.Question, events.Event) (routing.Decision, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ask = f
}

// decides sets what is decided from now on.
func (r *rules) decides(f func(routing.Question) (routing.Decision, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decide = f
}

// extends sets what an extension leads to from now on.
func (r *rules) extends(f func(routing.Question, routing.Extension) (routing.Decision, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.extension = f
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

func (r *rules) Answered(_ context.Context, q routing.Question, d routing.Decision) error {
	if r.use != nil {
		r.use.Answered(q.Session)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered = append(r.answered, d)
	return nil
}

func (r *rules) Carry(q routing.Question, _ routing.Extension, _ routing.Decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil {
		r.held = map[string]int{}
	}
	r.held[q.Session]++
}

func (r *rules) Forget(session string) { r.Release(session) }

func (r *rules) Release(session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held[session] > 0 {
		r.held[session] = 0
	}
	if r.use != nil {
		r.use.Leave(session)
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
	return routing.Decision{Step: routing.Dial, Callee: callee, Caller: q.Caller, Shown: q.X, Direction: way,
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

// Hurry is of no use: what can be written is written at once.
func (m *memory) Hurry() {}

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

// bodies are what the customer is told of a session.
func (m *memory) bodies(session string) (all []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.evs[session] {
		all = append(all, string(e.Body))
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
