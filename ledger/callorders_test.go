package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
)

// TestOrders: the order to hang a call up goes to the life that has it, once.
func TestOrders(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		a := ledger.Life{Node: "a", Incarnation: 2}
		c, evs := owned("up", a)
		write(t, l, c, evs...)
		over, _ := owned("over", a)
		over, ends := finished(over, 1, t0)
		write(t, l, over, ends...)
		for _, session := range []string{"over", "none"} {
			_, ok, err := l.OrderStop(t.Context(), session)
			require.NoError(t, err)
			require.False(t, ok)
		}
		orders := func(of ledger.Life, within time.Duration) []string {
			list, err := l.StopOrders(t.Context(), of, within)
			require.NoError(t, err)
			return list
		}
		became := func() string {
			outcome, err := l.StopOrder(t.Context(), "up")
			require.NoError(t, err)
			return outcome
		}
		for _, outcome := range []string{ledger.OrderDone, ledger.OrderInVain} {
			has, ok, err := l.OrderStop(t.Context(), "up")
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, a, has)
			require.Equal(t, ledger.OrderOpen, became())
			require.Equal(t, []string{"up"}, orders(a, time.Minute))
			require.Empty(t, orders(a, -time.Minute), "nobody waits any more")
			require.Empty(t, orders(ledger.Life{Node: "a", Incarnation: 1}, time.Minute))
			require.NoError(t, l.AnswerOrder(t.Context(), "up", outcome))
			require.Equal(t, outcome, became())
			require.Empty(t, orders(a, time.Minute))
		}
		calls, err := l.OpenCalls(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[string]int{"a": 1}, calls)
		require.Equal(t, int64(2), call(t, l, "up").Incarnation)
	})
}
