package binding_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/api/auth"
	"axgate/api/binding"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
	"axgate/lookup"
	"axgate/provision"
	"axgate/routing"
	"axgate/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// The parties of the tests.
const (
	anna  = "+8613800000001"
	bert  = "+8613800000002"
	carl  = "+8613800000003"
	dora  = "+8613800000004"
	fixed = "+8675528000001"
)

func tel(i int) string { return fmt.Sprintf("+86139%08d", i) }

// x is the i-th number of a mode's apps. Of the app that is named like the mode
// are 1 and 2 in 0755, 3 in 020, 4 in 010, and 5 to 8 in 0571; 9 is paused. The
// others' are 20 (recording), 30 (other), 40 (poor) and 50 (paused).
func x(mode routing.Mode, i int) string {
	return fmt.Sprintf("+86170%d0000%03d", map[routing.Mode]int{routing.AX: 1, routing.AXB: 2, routing.AXE: 3, routing.AXYB: 4}[mode], i)
}

// t0 is when the tests begin; the cache goes by the true time.
var t0 = time.Now().UTC().Truncate(time.Second)

// world is the binding API on a ledger and a cache of its own.
type world struct {
	*provision.Service
	t       testing.TB
	ledger  *ledger.Ledger
	cache   *store.Cache
	handler *binding.Handler
	calls   calls
	mu      sync.Mutex
	time    time.Time
	signed  time.Time // Created of requests
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

// calls are those that are up, by session.
type calls struct {
	mu sync.Mutex
	up map[string]bool
}

func (c *calls) Stop(_ context.Context, session string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.up[session]
	delete(c.up, session)
	return was, nil
}

// apps are the ledger's, as requests are checked by.
type apps struct{ *ledger.Ledger }

func (a apps) Credentials(ctx context.Context, key string) (auth.Credentials, bool, error) {
	app, err := a.App(ctx, key)
	if errors.Is(err, ledger.ErrUnknownApp) {
		return auth.Credentials{}, false, nil
	}
	return auth.Credentials{App: auth.App{Key: app.Key, Account: app.SP, Mode: string(app.Mode), Frozen: app.Frozen}, Secret: app.Secret, Paused: app.Paused}, true, err
}

// stocked are the ledgers that worlds begin with, which are copied: to make their apps
// and numbers takes longer than most tests.
var stocked struct {
	sync.Mutex
	file []byte // SQLite
	dsn  string // PostgreSQL
}

func sqlite(t testing.TB) ledger.Config {
	t.Helper()
	stocked.Lock()
	defer stocked.Unlock()
	cfg := ledgertest.SQLite(t)
	if stocked.file == nil {
		stock(t, cfg)
		file, err := os.ReadFile(cfg.Path)
		require.NoError(t, err)
		stocked.file = file
		return cfg
	}
	require.NoError(t, os.WriteFile(cfg.Path, stocked.file, 0o600))
	return cfg
}

func postgres(t testing.TB) ledger.Config {
	t.Helper()
	stocked.Lock()
	defer stocked.Unlock()
	if stocked.dsn == "" {
		cfg := ledgertest.Postgres(t)
		stock(t, cfg)
		stocked.dsn = cfg.DSN
	}
	return ledger.Config{Driver: ledger.Postgres, DSN: pgtest.Like(t, stocked.dsn)}
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("SQLite", func(t *testing.T) { test(t, newWorld(t)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		if testing.Short() {
			t.Skip("needs PostgreSQL")
		}
		test(t, newWorldOn(t, postgres(t)))
	})
}

// newWorld is a world on SQLite.
func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOn(t, sqlite(t))
}

// newWorldOn begins with a stocked ledger.
func newWorldOn(t testing.TB, cfg ledger.Config) *world {
	t.Helper()
	w, end := open(t, cfg)
	t.Cleanup(end)
	return w
}

// open has to be ended.
func open(t testing.TB, cfg ledger.Config) (w *world, end func()) {
	t.Helper()
	w = &world{t: t, time: t0, signed: t0}
	var err error
	w.ledger, err = ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	w.cache, err = store.OpenEmbedded(store.Config{Address: "127.0.0.1:0", Timeout: 15 * time.Second,
		Registry: lookup.NewRegistry(w.ledger, "", nil)})
	require.NoError(t, err)
	w.Service, err = provision.New(provision.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Now: w.clock, Log: zerolog.Nop()})
	require.NoError(t, err)
	w.calls.up = map[string]bool{}
	w.handler, err = binding.New(binding.Config{Auth: auth.New(auth.Config{Apps: apps{w.ledger}, Now: func() time.Time { return w.signed }, Log: zerolog.Nop()}),
		Provision: w.Service, Calls: &w.calls, Log: zerolog.Nop()})
	require.NoError(t, err)
	return w, func() {
		require.NoError(t, w.cache.Close())
		require.NoError(t, w.ledger.Close())
	}
}

// stock makes five apps per mode: "AX", "AX-recording", "AX-other", "AX-poor" whose
// account is frozen, "AX-paused", and so on.
func stock(t testing.TB, cfg ledger.Config) {
	t.Helper()
	w, end := open(t, cfg)
	defer end()
	ctx := t.Context()
	for _, sp := range []string{"demo", "poor"} {
		require.NoError(t, w.EnsureAccount(ctx, ledger.Account{SP: sp, MaxApps: 50}))
	}
	for _, mode := range []routing.Mode{routing.AX, routing.AXB, routing.AXE, routing.AXYB} {
		w.makeApps(mode)
	}
	require.NoError(t, w.ChangeAccount(ctx, "poor", func(acc *ledger.Account) { acc.MaxApps, acc.Frozen = 50, true }))
}

func (w *world) makeApps(mode routing.Mode) {
	name := string(mode)
	w.app(ledger.App{App: routing.App{Key: name, SP: "demo", Mode: mode}})
	w.app(ledger.App{App: routing.App{Key: name + "-recording", SP: "demo", Mode: mode, Recording: true, Informs: true}})
	w.app(ledger.App{App: routing.App{Key: name + "-other", SP: "demo", Mode: mode}})
	w.app(ledger.App{App: routing.App{Key: name + "-poor", SP: "poor", Mode: mode}})
	w.app(ledger.App{App: routing.App{Key: name + "-paused", SP: "demo", Mode: mode}})
	for i, area := range []string{"0755", "0755", "020", "010", "0571", "0571", "0571", "0571", "0571"} {
		w.number(x(mode, i+1), name, area)
	}
	_, err := w.SetStatus(w.t.Context(), x(mode, 9), routing.StatusPaused, "")
	require.NoError(w.t, err)
	w.number(x(mode, 20), name+"-recording", "0755")
	w.number(x(mode, 30), name+"-other", "0755")
	w.number(x(mode, 40), name+"-poor", "0755")
	w.number(x(mode, 50), name+"-paused", "0755")
	_, err = w.ChangeApp(w.t.Context(), name+"-paused", func(a *ledger.App) error { a.Paused = true; return nil })
	require.NoError(w.t, err)
}

func secretOf(key string) string { return "secret-of-" + key }

func (w *world) app(a ledger.App) {
	w.t.Helper()
	if a.Secret == "" {
		a.Secret = secretOf(a.Key)
	}
	_, err := w.CreateApp(w.t.Context(), a)
	require.NoError(w.t, err)
	for name, state := range map[string]ledger.PromptState{"wait_a.wav": ledger.PromptApproved, "wait_b.wav": ledger.PromptApproved,
		"record_notice.wav": ledger.PromptApproved, "no_record.wav": ledger.PromptApproved, "new.wav": ledger.PromptPending, longName: ledger.PromptApproved} {
		require.NoError(w.t, w.ledger.PutPrompt(w.t.Context(), ledger.Prompt{App: a.Key, Name: name, State: state, Uploaded: w.time}))
	}
}

func (w *world) number(x, app, area string) {
	w.t.Helper()
	n := ledger.Number{XNumber: routing.XNumber{X: routing.X(x), App: app, AreaCode: area, Province: provinces[area]}}
	_, err := w.AddNumber(w.t.Context(), n)
	require.NoError(w.t, err)
}

var provinces = map[string]string{"0755": "Guangdong", "020": "Guangdong", "010": "Beijing", "0571": "Zhejiang"}

// facts is what the cache tells a call.
func (w *world) facts(x, caller string) routing.Facts {
	w.t.Helper()
	q := routing.Question{Session: "s", X: routing.X(x), Caller: routing.Number(caller), At: w.clock()}
	ctx := w.t.Context()
	f, ticket, err := w.cache.Peek(ctx, q)
	require.NoError(w.t, err)
	if ticket.Miss() {
		d, err := w.ledger.Dossier(ctx, q.X)
		require.NoError(w.t, err)
		require.NoError(w.t, w.cache.Fill(ctx, ticket, d))
		f, _, err = w.cache.Peek(ctx, q)
		require.NoError(w.t, err)
	}
	return f
}
