package events_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

// server is a customer's server.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(push) int
	got    []push
}

type push struct {
	path   string
	header http.Header
	length int64
	kind   string
	ids    []string // sessions
	body   string
	status int
}

func newServer(t testing.TB, tls ...bool) *server {
	s := &server{answer: func(push) int { return 200 }}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	if len(tls) > 0 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *server) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	var m struct {
		EventType  string
		StatusInfo struct{ SessionID string }
		FeeLst     []struct{ SessionID string }
	}
	p := push{path: req.URL.Path, header: req.Header, length: req.ContentLength, body: string(body)}
	if err := json.Unmarshal(body, &m); err != nil {
		p.kind = err.Error()
	} else if p.kind = m.EventType; p.kind == "fee" {
		for _, f := range m.FeeLst {
			p.ids = append(p.ids, f.SessionID)
		}
	} else {
		p.ids = []string{m.StatusInfo.SessionID}
	}
	s.mu.Lock()
	answer := s.answer
	s.mu.Unlock()
	p.status = answer(p)
	s.mu.Lock()
	s.got = append(s.got, p)
	s.mu.Unlock()
	if p.status/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(p.status)
}

func (s *server) answers(f func(push) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func (s *server) pushes() []push {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// kinds lists what was told of a session, taken or not.
func (s *server) kinds(session string) (list []string) {
	for _, p := range s.pushes() {
		if slices.Contains(p.ids, session) {
			list = append(list, p.kind)
		}
	}
	return list
}

// clock stands until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a ledger with apps, and a clock.
type world struct {
	testing.TB
	*ledger.Ledger
	clock *clock
}

func newWorld(t testing.TB, cfg ledger.Config) *world {
	l, err := ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "demo", MaxApps: 100}, t0))
	return &world{TB: t, Ledger: l, clock: &clock{at: t0.Add(time.Hour)}}
}

// app makes an app whose events go to a server's /status and /fee.
func (w *world) app(key string, to *server, edit ...func(*ledger.App)) {
	a := ledger.App{App: routing.App{Key: key, SP: "demo", Mode: routing.AXB}, Secret: "secret of " + key, Created: t0, Signing: ledger.SignWSSE,
		StatusURL: to.URL + "/status", FeeURL: to.URL + "/fee"}
	for _, e := range edit {
		e(&a)
	}
	_, err := w.CreateApp(w.Context(), a)
	require.NoError(w, err)
}

// run starts a pusher, and gives a function that ends it. Its time limit is one that a busy
// machine does not reach: it would push again.
func (w *world) run(change ...func(*events.Config)) (stop func()) {
	cfg := events.Config{Poll: 10 * time.Millisecond, Timeout: 15 * time.Second, Now: w.clock.now}
	if os.Getenv("PUSH_LOG") != "" {
		cfg.Log = zerolog.New(os.Stderr)
	}
	for _, c := range change {
		c(&cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	p := events.NewPusher(w.Outbox(), cfg)
	go func() {
		defer close(ended)
		p.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	w.Cleanup(stop)
	return stop
}

// all are the events of an answered call.
var all = []events.Kind{events.CallIn, events.CallOut, events.Alerting, events.Answer, events.Disconnect, events.Fee}

// told are the kinds of all, except that of the fee event, as a server sees them.
var told = []string{"callin", "callout", "alerting", "answer", "disconnect"}

// call writes events of a call, numbered from first.
func (w *world) call(app, session string, first int, kinds ...events.Kind) {
	w.Helper()
	c := events.Call{Session: session, Node: "n", App: app, SP: "demo", Mode: "AXB", X: "+8617010000001", Caller: "+8613800000001", Callee: "+8613800000002",
		In: t0, Out: t0, Alerting: t0, Answered: t0, ReleasedBy: 1}
	if slices.Contains(kinds, events.Fee) {
		c.Ended = t0
	}
	var evs []events.Event
	for i, k := range kinds {
		if k == events.Fee {
			evs = append(evs, events.NewFee(c, first+i))
		} else {
			evs = append(evs, events.NewCallEvent(c, first+i, k, t0, ""))
		}
	}
	ledgertest.Record(w, w.Ledger, c, evs...)
}

// log reads the event log of a session.
func (w *world) log(session string) []ledger.LoggedEvent {
	page, err := w.Events(w.Context(), ledger.EventFilter{Session: session})
	require.NoError(w, err)
	return page.Events
}

// settled waits until an event's state is as wanted.
func (w *world) settled(session string, seq int, want string) {
	w.Helper()
	state := ""
	for range 1000 {
		e := w.log(session)[seq-1]
		switch state = fmt.Sprintf("%d tries", e.Tries); {
		case !e.Done.IsZero():
			state += ", done"
		case e.Due.IsZero():
			state += ", never again"
		default:
			state += ", due after " + e.Due.Sub(t0.Add(time.Hour)).String()
		}
		if e.Failure != "" {
			state += ": " + e.Failure
		}
		if state == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	require.Equal(w, want, state, "event %d of %s", seq, session)
}

// eventually waits for something that takes as long as the machine needs.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	require.Eventually(t, cond, 20*time.Second, 5*time.Millisecond, what)
}
