package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestStoppedWhileRecording: a node that stops for good within a transaction of Record is
// declared dead all the same, and who declares it is heard of meanwhile.
func TestStoppedWhileRecording(t *testing.T) {
	t.Parallel()
	cfg := ledgertest.Postgres(t)
	stopped, err := ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { _ = stopped.Close() }()
	l := open(t, cfg)
	a, b := ledgertest.Alive(t, l, "a", t0), ledgertest.Alive(t, l, "b", t0)
	c, evs := owned("s", a)
	write(t, l, c, evs...)

	locked, ends := finished(c, 5, t0.Add(time.Second))
	holding := make(chan struct{})
	goOn := make(chan struct{})
	released := make(chan error, 1)
	go func() {
		released <- ledger.HoldRecord(t.Context(), stopped, []events.Entry{{Call: locked, Events: ends}}, func() { close(holding); <-goOn })
	}()
	<-holding

	seen, found, err := l.Node(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, found)
	slowest := time.Duration(0)
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		declared := make(chan bool, 1)
		go func() {
			won, err := l.DeclareDead(ctx, b, seen)
			declared <- won && err == nil
		}()
		time.Sleep(50 * time.Millisecond)
		begun := time.Now()
		_, err := l.Beat(t.Context(), b, t0, 1)
		require.NoError(t, err)
		slowest = max(slowest, time.Since(begun))
		return <-declared
	}, 20*time.Second, 10*time.Millisecond)
	require.Less(t, slowest, 2*time.Second, "a beat waits for a declaration")
	close(goOn)
	require.Error(t, <-released, "its transaction is undone")
	require.Equal(t, evs[3].Kind, kindsOf(t, l, "s")[3])
	require.Len(t, kindsOf(t, l, "s"), 4)
}
