package provision_test

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/lookup"
	"axgate/provision"
	"axgate/routing"
	"axgate/store"
)

// TestARefusalIsTrueOfTheCacheToo: a process ends a binding in the ledger and
// dies before the cache hears of it. Whoever asks another process again is
// told that there is no such binding: from then on it must not be routed.
func TestARefusalIsTrueOfTheCacheToo(t *testing.T) {
	const x, anna, bert = "+8617010000001", "+8613800000001", "+8613800000002"
	ctx, at := t.Context(), time.Now()
	requests := map[routing.Mode]map[string]func(s *provision.Service, b routing.Binding) error{
		routing.AX: {
			"by id": func(s *provision.Service, b routing.Binding) error {
				return s.UnbindAX(ctx, "app", provision.AX{SubscriptionID: b.ID})
			},
			"by X": func(s *provision.Service, b routing.Binding) error {
				return s.UnbindAX(ctx, "app", provision.AX{PrivateNum: x})
			},
		},
		routing.AXB: {
			"by id": func(s *provision.Service, b routing.Binding) error { return s.UnbindAXB(ctx, "app", b.ID, "") },
			"by X":  func(s *provision.Service, b routing.Binding) error { return s.UnbindAXB(ctx, "app", "", x) },
		},
		routing.AXE: {
			"by id": func(s *provision.Service, b routing.Binding) error {
				return s.UnbindAXE(ctx, "app", provision.AXE{SubscriptionID: b.ID})
			},
			"by X": func(s *provision.Service, b routing.Binding) error {
				return s.UnbindAXE(ctx, "app", provision.AXE{VirtualNum: x, ExtendNum: string(b.Ext)})
			},
		},
	}
	codes := map[string]string{"AX by id": "1016001", "AX by X": "1011004", "AXB by id": "1012007", "AXB by X": "1012007",
		"AXE by id": "1012007", "AXE by X": "1012007"}
	for mode, ways := range requests {
		for way, request := range ways {
			t.Run(string(mode)+" "+way, func(t *testing.T) {
				l, err := ledger.Open(ctx, ledgertest.SQLite(t))
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, l.Close()) })
				c, err := store.OpenEmbedded(store.Config{Address: "127.0.0.1:0", Timeout: 5 * time.Second,
					Registry: lookup.NewRegistry(l, "", nil)})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, c.Close()) })
				s, err := provision.New(provision.Config{Ledger: l, Cache: c, Plan: routing.ChinaPlan(), Log: zerolog.Nop()})
				require.NoError(t, err)
				require.NoError(t, s.EnsureAccount(ctx, ledger.Account{SP: "demo"}))
				_, err = s.CreateApp(ctx, ledger.App{App: routing.App{Key: "app", SP: "demo", Mode: mode}})
				require.NoError(t, err)
				_, err = s.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "app"}})
				require.NoError(t, err)
				b := routing.Binding{App: "app", Mode: mode, X: x, A: anna, CreatedAt: at}
				if mode == routing.AXB {
					b.B = bert
				}
				b, _, err = l.Bind(ctx, b)
				require.NoError(t, err)

				q := routing.Question{Session: "s", X: x, Caller: anna, At: at}
				_, ticket, err := c.Peek(ctx, q)
				require.NoError(t, err)
				d, err := l.Dossier(ctx, x)
				require.NoError(t, err)
				require.NoError(t, c.Fill(ctx, ticket, d))
				_, err = l.Unbind(ctx, "app", b.ID, at) // and the process dies
				require.NoError(t, err)
				f, _, err := c.Peek(ctx, q)
				require.NoError(t, err)
				require.NotNil(t, f.ByCaller)

				require.Equal(t, codes[string(mode)+" "+way], provision.Code(request(s, b)))
				f, _, err = c.Peek(ctx, q)
				require.NoError(t, err)
				require.Nil(t, f.ByCaller, "it would be routed")
			})
		}
	}
}

// TestBoundIsTrueOfTheCacheToo: nobody could tell whether the ledger took a binding, and the
// cache did not hear of it. Whoever asks again is told that it stands: from then on it
// has to be routed.
func TestBoundIsTrueOfTheCacheToo(t *testing.T) {
	const x, anna, bert, carl = "+8617010000001", "+8613800000001", "+8613800000002", "+8613800000003"
	ctx, at := t.Context(), time.Now()
	l, err := ledger.Open(ctx, ledgertest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	c, err := store.OpenEmbedded(store.Config{Address: "127.0.0.1:0", Timeout: 5 * time.Second, Registry: lookup.NewRegistry(l, "", nil)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	s, err := provision.New(provision.Config{Ledger: l, Cache: c, Plan: routing.ChinaPlan(), Log: zerolog.Nop()})
	require.NoError(t, err)
	require.NoError(t, s.EnsureAccount(ctx, ledger.Account{SP: "demo"}))
	_, err = s.CreateApp(ctx, ledger.App{App: routing.App{Key: "app", SP: "demo", Mode: routing.AXB}})
	require.NoError(t, err)
	_, err = s.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "app"}})
	require.NoError(t, err)
	q := routing.Question{Session: "s", X: x, Caller: anna, At: at}
	_, ticket, err := c.Peek(ctx, q)
	require.NoError(t, err)
	d, err := l.Dossier(ctx, x)
	require.NoError(t, err)
	require.NoError(t, c.Fill(ctx, ticket, d))
	_, _, err = l.Bind(ctx, routing.Binding{App: "app", Mode: routing.AXB, X: x, A: anna, B: bert, CreatedAt: at})
	require.NoError(t, err)

	_, err = s.BindAXB(ctx, "app", provision.BindAXB{CallerNum: anna, CalleeNum: carl, RelationNum: x})
	require.Equal(t, "1012010", provision.Code(err))
	_, ticket, err = c.Peek(ctx, q)
	require.NoError(t, err)
	require.False(t, ticket.Miss(), "another request does not concern it")
	_, err = s.BindAXB(ctx, "app", provision.BindAXB{CallerNum: anna, CalleeNum: bert, RelationNum: x})
	require.Equal(t, "1012010", provision.Code(err))
	_, ticket, err = c.Peek(ctx, q)
	require.NoError(t, err)
	require.True(t, ticket.Miss(), "the cache does not know yet, and would say that nobody is bound")
}

// TestRepairWaits: an X that the cache missed a change of is read anew, but not while other
// nodes may go by the cache alone still because the ledger was away.
func TestRepairWaits(t *testing.T) {
	t.Parallel()
	const x = "+8617010000001"
	ctx, at := t.Context(), time.Now()
	l, err := ledger.Open(ctx, ledgertest.SQLite(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	c, err := store.OpenEmbedded(store.Config{Address: "127.0.0.1:0", Timeout: 5 * time.Second, Registry: lookup.NewRegistry(l, "", nil)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	s, err := provision.New(provision.Config{Ledger: l, Cache: c, Plan: routing.ChinaPlan(), Log: zerolog.Nop(), Now: func() time.Time { return at.Add(time.Minute) }})
	require.NoError(t, err)
	require.NoError(t, s.EnsureAccount(ctx, ledger.Account{SP: "demo"}))
	_, err = s.CreateApp(ctx, ledger.App{App: routing.App{Key: "app", SP: "demo", Mode: routing.AXB}})
	require.NoError(t, err)
	_, err = s.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "app"}})
	require.NoError(t, err)
	require.NoError(t, s.Tend(ctx))
	q := routing.Question{Session: "s", X: x, Caller: "+8613800000001", At: at}
	_, ticket, err := c.Peek(ctx, q)
	require.NoError(t, err)
	d, err := l.Dossier(ctx, x)
	require.NoError(t, err)
	require.NoError(t, c.Fill(ctx, ticket, d))
	_, _, err = l.Bind(ctx, routing.Binding{App: "app", Mode: routing.AXB, X: x, A: "+8613800000001", B: "+8613800000002", CreatedAt: at})
	require.NoError(t, err)
	known := func() bool {
		_, ticket, err := c.Peek(ctx, q)
		require.NoError(t, err)
		return !ticket.Miss()
	}

	late, cancel := context.WithDeadline(ctx, time.Now())
	defer cancel()
	require.Error(t, s.Tend(late), "the ledger does not answer in time")
	back := time.Now()
	for time.Since(back) < 2*time.Second {
		require.NoError(t, s.Tend(ctx))
		require.True(t, known(), "calls can go by the cache")
		time.Sleep(200 * time.Millisecond)
	}
	require.Eventually(t, func() bool { require.NoError(t, s.Tend(ctx)); return !known() }, 3*time.Second, 100*time.Millisecond)
}
