package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestNodesAreHeardByTheLedgersClock: one whose clock is off, or was set back, is waited
// for as any other, and not for longer.
func TestNodesAreHeardByTheLedgersClock(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		now := time.Now()
		slow, fast := ledgertest.Alive(t, l, "slow", now.Add(-time.Hour)), ledgertest.Alive(t, l, "fast", now.Add(time.Hour))
		beat := func(life ledger.Life, at time.Time, epoch int64) {
			_, err := l.Beat(t.Context(), life, at, epoch)
			require.NoError(t, err)
		}
		beat(slow, now.Add(-time.Hour), 1)
		beat(fast, now.Add(time.Hour), 1)
		behind := func(within time.Duration) []string {
			nodes, err := l.Behind(t.Context(), 2, within)
			require.NoError(t, err)
			return nodes
		}
		require.Equal(t, []string{"fast", "slow"}, behind(time.Minute))
		require.Empty(t, behind(-time.Minute))
		beat(fast, now, 2)
		require.Equal(t, []string{"slow"}, behind(time.Minute), "its clock was set back, and it has heard")
	})
}
