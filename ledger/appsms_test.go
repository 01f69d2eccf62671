package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

func TestSwitchesOfTexts(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		now := time.Now()
		require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "usual", MaxApps: 5}, now))
		require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "without", MaxApps: 5, NoSMS: true}, now))
		words := []string{"code", "two words", "发票", "a,b;c"}
		for _, sp := range []string{"usual", "without"} {
			a, err := l.CreateApp(t.Context(), ledger.App{App: routing.App{Key: sp, SP: sp, Mode: routing.AXB, SMS: true, SMSContent: true,
				Keywords: routing.NewWords(words...)}, Secret: "s", Signing: ledger.SignWSSE, Created: now})
			require.NoError(t, err)
			require.Equal(t, []any{true, true, sp == "without"}, []any{a.SMS, a.SMSContent, a.SMSBarred})
			require.Equal(t, words, a.Keywords.List())
			require.True(t, a.Forbidden.None())
		}
		a, err := l.ChangeApp(t.Context(), "usual", func(a *ledger.App) error {
			a.Keywords, a.Forbidden = routing.Words{}, routing.NewWords("x")
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, []any{true, []string{"x"}}, []any{a.Keywords.None(), a.Forbidden.List()})
		before, err := l.Marks(t.Context())
		require.NoError(t, err)
		require.NoError(t, l.ChangeAccount(t.Context(), "usual", func(a *ledger.Account) error { require.False(t, a.NoSMS); a.NoSMS = true; return nil }))
		require.NoError(t, l.ChangeAccount(t.Context(), "without", func(a *ledger.Account) error { require.True(t, a.NoSMS); a.NoSMS = false; return nil }))
		after, err := l.Marks(t.Context())
		require.NoError(t, err)
		require.Greater(t, after.Settings, before.Settings, "every node has to hear of it")
		apps, err := l.Apps(t.Context())
		require.NoError(t, err)
		accounts, err := l.Accounts(t.Context())
		require.NoError(t, err)
		for i, off := range []bool{true, false} {
			require.Equal(t, []bool{off, off}, []bool{apps[i].SMSBarred, accounts[i].NoSMS}, apps[i].Key)
		}
		require.Equal(t, []string{"x"}, apps[0].Forbidden.List())
	})
}

func TestOurs(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		const x, returned, other = "+8617010000001", "+8617010000002", "+8613800000001"
		now := time.Now()
		require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "sp", MaxApps: 5}, now))
		_, err := l.CreateApp(t.Context(), ledger.App{App: routing.App{Key: "app", SP: "sp", Mode: routing.AXB}, Secret: "s", Signing: ledger.SignWSSE, Created: now})
		require.NoError(t, err)
		for _, n := range []routing.X{x, returned} {
			_, err := l.AddNumber(t.Context(), ledger.Number{XNumber: routing.XNumber{X: n, App: "app"}}, now)
			require.NoError(t, err)
		}
		_, _, err = l.SetStatus(t.Context(), returned, routing.StatusReturned, "", now)
		require.NoError(t, err)
		for _, c := range []struct {
			a, b     routing.Number
			isA, isB bool
		}{{x, other, true, false}, {other, x, false, true}, {x, x, true, true}, {returned, other, false, false}, {"", "", false, false}, {"", x, false, true}} {
			isA, isB, err := l.Ours(t.Context(), c.a, c.b)
			require.NoError(t, err)
			require.Equal(t, []bool{c.isA, c.isB}, []bool{isA, isB}, "%s %s", c.a, c.b)
		}
	})
}
