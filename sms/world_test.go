package sms_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
	"axgate/routing"
	"axgate/sms"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	x    = routing.X("+8617010000001")
	anna = routing.Number("+8613800000001")
	bert = routing.Number("+8613800000002")
	carl = routing.Number("+8613800000003")
)

// patience is how long a test waits for what has to come.
const patience = 15 * time.Second

// rules are those of the product over facts that a test sets.
type rules struct {
	mu    sync.Mutex
	plan  routing.Plan
	app   routing.App
	facts routing.Facts
	fail  error
	ask   func(ctx context.Context, question events.Event) routing.MessageReply
	asked []events.Event
}

// axb is X bound to anna and bert.
func axb() *rules {
	b := &routing.Binding{ID: "b1", App: "app", Mode: routing.AXB, X: x, A: anna, B: bert, UserData: "data"}
	return &rules{plan: routing.ChinaPlan(), app: routing.App{Key: "app", SP: "demo", Mode: routing.AXB, SMS: true},
		facts: routing.Facts{Known: true, App: "app", Status: routing.StatusNormal, AreaCode: "0755", Bindings: 1, ByCaller: b, SMS: true}}
}

// ax is X bound to anna: whom her texts are for the app's server says.
func ax() *rules {
	r := axb()
	r.app.Mode = routing.AX
	r.facts.ByCaller, r.facts.ToX = nil, &routing.Binding{ID: "b1", App: "app", Mode: routing.AX, X: x, A: anna}
	return r
}

func (r *rules) set(edit func(r *rules)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	edit(r)
}

// about is what is known about a text; anna has all X.
func (r *rules) about(m routing.Message) (routing.App, routing.Facts) {
	f := r.facts
	if f.ToX != nil {
		b := *f.ToX
		b.X, f.ToX = m.X, &b
	}
	return r.app, f
}

func (r *rules) DecideMessage(_ context.Context, m routing.Message) (routing.MessageDecision, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return routing.MessageDecision{}, r.fail
	}
	app, facts := r.about(m)
	return routing.DecideMessage(&r.plan, &app, m, facts), nil
}

func (r *rules) DecideMessageReply(_ context.Context, m routing.Message, reply routing.MessageReply) (routing.MessageDecision, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	app, facts := r.about(m)
	return routing.DecideMessageReply(&r.plan, &app, m, facts, reply), r.fail
}

func (r *rules) AskMessage(ctx context.Context, _ *routing.App, question events.Event) routing.MessageReply {
	r.mu.Lock()
	r.asked = append(r.asked, question)
	ask := r.ask
	r.mu.Unlock()
	return ask(ctx, question)
}

func (r *rules) questions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

// world is a ledger with the rules of a test.
type world struct {
	t      testing.TB
	cfg    ledger.Config
	ledger *ledger.Ledger
	rules  *rules
	office sms.Config
	n      *int // texts that came
}

// node is an office at work.
type node struct {
	*sms.Office
	stop func() // and wait until it has ended
}

// each runs a test on an empty ledger of each kind.
func each(t *testing.T, r func() *rules, test func(t *testing.T, w *world)) {
	all := map[string]ledger.Config{"sqlite": ledgertest.SQLite(t)}
	if !testing.Short() {
		all["postgres"] = ledgertest.Postgres(t)
	}
	for name, cfg := range all {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t, cfg: cfg, rules: r(), n: new(int)}
			w.office = sms.Config{Retries: []time.Duration{50 * time.Millisecond}, Poll: 20 * time.Millisecond, Grace: 50 * time.Millisecond, Log: zerolog.Nop()}
			w.open()
			t.Cleanup(func() { require.NoError(t, w.ledger.Close()) })
			test(t, w)
		})
	}
}

func (w *world) open() {
	var err error
	w.ledger, err = ledger.Open(w.t.Context(), w.cfg)
	require.NoError(w.t, err)
}

// cases runs a test for each of some cases, on one ledger of each kind.
func cases[C any](t *testing.T, all map[string]C, r func() *rules, test func(t *testing.T, w *world, c C)) {
	each(t, r, func(t *testing.T, w *world) {
		for name, c := range all {
			t.Run(name, func(t *testing.T) {
				of := *w
				of.t, of.rules = t, r()
				test(t, &of, c)
			})
		}
	})
}

// start begins to work; without carriers nothing is sent.
func (w *world) start(carriers ...sms.Carrier) *node {
	cfg := w.office
	cfg.Rules = w.rules
	if cfg.Store == nil {
		cfg.Store = w.ledger
	}
	o, err := sms.New(cfg)
	require.NoError(w.t, err)
	n := &node{Office: o, stop: func() {}}
	if len(carriers) > 0 {
		ctx, cancel := context.WithCancel(context.Background())
		var run sync.WaitGroup
		run.Go(func() { o.Run(ctx, carriers) })
		n.stop = func() { cancel(); run.Wait() }
		w.t.Cleanup(n.stop)
	}
	return n
}

// incoming is a new text of anna's.
func (w *world) incoming(text string) sms.Incoming {
	*w.n++
	return sms.Incoming{Source: "trunk", Key: fmt.Sprint("key-", *w.n), X: x, Sender: anna, Text: text}
}

func (w *world) receive(n *node, in sms.Incoming) sms.Receipt {
	w.t.Helper()
	r, err := n.Receive(w.t.Context(), in)
	require.NoError(w.t, err)
	return r
}

// take has a text of anna's taken.
func (w *world) take(n *node, text string) (id string) {
	w.t.Helper()
	r := w.receive(n, w.incoming(text))
	require.Equal(w.t, sms.Taken, r.Outcome)
	return r.ID
}

func (w *world) message(id string) sms.Text {
	w.t.Helper()
	m, err := w.ledger.Message(w.t.Context(), id)
	require.NoError(w.t, err)
	return m
}

// eventually waits for a condition.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	require.Eventually(w.t, ok, patience, 5*time.Millisecond, what)
}

// done waits until a text is done, and looks whether it was told of once, with
// this result, and nothing is kept of it that should not be.
func (w *world) done(id string, result routing.SendResult) notice {
	w.t.Helper()
	w.eventually("the text is done", func() bool { return !w.message(id).Done.IsZero() })
	m := w.message(id)
	require.Equal(w.t, result, m.Result, m.Why+"; "+m.Failure)
	require.True(w.t, m.Due.IsZero())
	list := w.notices(id)
	require.Len(w.t, list, 1)
	require.EqualValues(w.t, result, list[0].SendResult)
	return list[0]
}

// notice is a notice as the customer reads it.
type notice struct {
	Calling, Called, VirtualNumber, SubscriptionID, UserData, AreaCode string
	SMSContent                                                         *string
	SendResult                                                         int
	ExtInfo                                                            struct{ ExtParas []struct{ Key, Value string } }
}

func (n *notice) extra(key string) string {
	for _, p := range n.ExtInfo.ExtParas {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

func (w *world) notices(id string) (list []notice) {
	w.t.Helper()
	page, err := w.ledger.Events(w.t.Context(), ledger.EventFilter{Session: id})
	require.NoError(w.t, err)
	for _, e := range page.Events {
		if e.Kind == events.SMSNotice {
			var n notice
			require.NoError(w.t, json.Unmarshal(e.Body, &n))
			list = append(list, n)
		}
	}
	return list
}

// kept tells whether a word is anywhere in the tables of texts.
func (w *world) kept(word string) bool {
	w.t.Helper()
	page, err := w.ledger.Messages(w.t.Context(), ledger.MessageFilter{Limit: 1000})
	require.NoError(w.t, err)
	for _, m := range page.Messages {
		if strings.Contains(m.Text, word) {
			return true
		}
	}
	return false
}
