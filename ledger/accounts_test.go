package ledger_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
)

// TestAccountChangedAtOnce: nobody's change of an account undoes another's.
func TestAccountChangedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "sp-of-many", MaxApps: 1}, t0))
		const many = 16
		errs := make([]error, many)
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				errs[i] = l.ChangeAccount(t.Context(), "sp-of-many", func(acc *ledger.Account) error {
					acc.MaxApps++
					acc.Frozen = acc.Frozen || i == 0
					return nil
				})
			})
		}
		all.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		require.NoError(t, l.ChangeAccount(t.Context(), "sp-of-many", func(acc *ledger.Account) error {
			require.Equal(t, 1+many, acc.MaxApps)
			require.True(t, acc.Frozen)
			return nil
		}))
		err := l.ChangeAccount(t.Context(), "nobody", func(*ledger.Account) error { return nil })
		require.ErrorIs(t, err, ledger.ErrUnknownAccount)
	})
}
