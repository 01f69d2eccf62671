package ledger_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

// TestManyLookAtOnce: more than there are connections, of which each compiles
// what is new to it, and nobody waits for another one for ever.
func TestManyLookAtOnce(t *testing.T) {
	for range 10 { // each begins with nothing compiled
		l, err := ledger.Open(t.Context(), ledgertest.SQLite(t))
		require.NoError(t, err)
		const x = "+8617010000001"
		app := addApp(t, l, routing.AXB, nil, x)
		_, _, err = l.Bind(t.Context(), axb(app, x, tel(0), tel(1)))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				f, err := l.Facts(ctx, routing.Question{X: x, Caller: tel(0), At: t0})
				require.NoError(t, err)
				require.NotNil(t, f.ByCaller)
				if i%3 == 0 {
					d, err := l.Dossier(ctx, x)
					require.NoError(t, err)
					require.Len(t, d.Bindings, 1)
					_, _, err = l.Ours(ctx, tel(0), tel(1))
					require.NoError(t, err)
				}
			})
		}
		all.Wait()
		cancel()
		require.NoError(t, l.Close())
	}
}
