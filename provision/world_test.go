package provision_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
	"axgate/lookup"
	"axgate/provision"
	"axgate/routing"
	"axgate/store"
)

func TestMain(m *testing.M) {
	// A sequence of requests takes longer than rapid's usual case: fewer of
	// them, unless the command line says otherwise.
	if err := flag.Set("rapid.checks", sequences); err != nil {
		panic(err)
	}
	pgtest.Main(m)
}

// The parties of the tests.
const (
	anna  = "+8613800000001"
	bert  = "+8613800000002"
	carl  = "+8613800000003"
	dora  = "+8613800000004"
	fixed = "+8675528000001"

	x1 = "+8617010000001" // area 0755, Guangdong
	x2 = "+8617010000002" // area 0755, Guangdong
	x3 = "+8617010000003" // area 020, Guangdong
	x4 = "+8617010000004" // area 010, Beijing
	xo = "+8617010000009" // another app's
)

// t0 is when the tests begin; the cache goes by the true time.
var t0 = time.Now().UTC().Truncate(time.Second)

// office is a service on a ledger of its own and an embedded cache.
type office struct {
	*provision.Service
	t      testing.TB
	ctx    context.Context
	ledger *ledger.Ledger
	cache  *store.Cache
	mu     sync.Mutex
	time   time.Time
}

// clock is the time of the test.
func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.time
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.time = o.time.Add(d)
}

func sqlite(t testing.TB) ledger.Config {
	return ledgertest.SQLite(t)
}

// newOffice has an app "app" of the mode with x1 to x4, and one "other" with xo.
func newOffice(t testing.TB, cfg ledger.Config, mode routing.Mode) *office {
	t.Helper()
	o := &office{t: t, ctx: t.Context(), time: t0}
	var err error
	o.ledger, err = ledger.Open(o.ctx, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.ledger.Close()) })
	o.cache, err = store.OpenEmbedded(store.Config{Address: "127.0.0.1:0", Timeout: 5 * time.Second,
		Registry: lookup.NewRegistry(o.ledger, "", nil)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, o.cache.Close()) })
	o.Service, err = provision.New(provision.Config{Ledger: o.ledger, Cache: o.cache, Plan: routing.ChinaPlan(), Now: o.clock, Log: zerolog.Nop()})
	require.NoError(t, err)
	require.NoError(t, o.EnsureAccount(o.ctx, ledger.Account{SP: "demo"}))
	for _, key := range []string{"app", "other"} {
		_, err := o.CreateApp(o.ctx, ledger.App{App: routing.App{Key: key, SP: "demo", Mode: mode}})
		require.NoError(t, err)
	}
	o.number(x1, "app", "0755", "Guangdong")
	o.number(x2, "app", "0755", "Guangdong")
	o.number(x3, "app", "020", "Guangdong")
	o.number(x4, "app", "010", "Beijing")
	o.number(xo, "other", "0755", "Guangdong")
	return o
}

func (o *office) number(x routing.X, app, area, province string) {
	o.t.Helper()
	_, err := o.AddNumber(o.ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: app, AreaCode: area, Province: province}})
	require.NoError(o.t, err)
}

func (o *office) setting(change func(*ledger.App)) {
	o.t.Helper()
	_, err := o.ChangeApp(o.ctx, "app", func(a *ledger.App) error { change(a); return nil })
	require.NoError(o.t, err)
}

// prompt stores a prompt in a state.
func (o *office) prompt(name string, state ledger.PromptState) {
	o.t.Helper()
	require.NoError(o.t, o.ledger.PutPrompt(o.ctx, ledger.Prompt{App: "app", Name: name, State: state, Uploaded: t0}))
}

// refused checks result code, HTTP status and the parameter that is named.
func refused(t testing.TB, err error, code, field string) {
	t.Helper()
	var e *provision.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, "%v", err)
	require.Equal(t, 403, e.HTTP)
	require.Equal(t, field, e.Field, "%v", err)
	require.NotEmpty(t, e.Text)
}

// outcome is the code of an answer, "0" for success, and the parameter that is
// wrong.
func outcome(err error) string {
	var e *provision.Error
	switch {
	case err == nil:
		return "0"
	case !errors.As(err, &e):
		return err.Error()
	case e.Field == "":
		return e.Code
	}
	return e.Code + " " + e.Field
}

// facts is what the cache tells a call.
func (o *office) facts(x routing.X, caller routing.Number) routing.Facts {
	o.t.Helper()
	q := routing.Question{Session: "s", X: x, Caller: caller, At: o.clock()}
	f, ticket, err := o.cache.Peek(o.ctx, q)
	require.NoError(o.t, err)
	if ticket.Miss() {
		d, err := o.ledger.Dossier(o.ctx, x)
		require.NoError(o.t, err)
		require.NoError(o.t, o.cache.Fill(o.ctx, ticket, d))
		f, ticket, err = o.cache.Peek(o.ctx, q)
		require.NoError(o.t, err)
		require.False(o.t, ticket.Miss())
	}
	return f
}

// agrees checks that cache and ledger decide the same.
func (o *office) agrees() {
	o.t.Helper()
	r, err := o.Verify(o.ctx, false)
	require.NoError(o.t, err)
	require.Zero(o.t, r.Differ, "%+v", r.Differences)
}

func p[T any](v T) *T { return &v }

func tel(i int) string { return fmt.Sprintf("+86139%08d", i) }
