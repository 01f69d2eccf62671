package lookup

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// slow loads X when it is told to.
type slow struct {
	begun chan wanted
	end   chan error
	n     atomic.Int64
}

func newSlow() *slow { return &slow{begun: make(chan wanted, 100), end: make(chan error, 100)} }

func (s *slow) load(ctx context.Context, w wanted) (bool, error) {
	s.n.Add(1)
	s.begun <- w
	select {
	case err := <-s.end:
		return err == nil, err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// running has the loaders work until the test ends.
func (l *loads) running(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { l.run(ctx) })
	t.Cleanup(func() { cancel(); all.Wait() })
}

const someX routing.X = "+8617010000001"

// TestOneLoadForAll: however many want an X, it is loaded once, and again when
// it is missing after that.
func TestOneLoadForAll(t *testing.T) {
	t.Parallel()
	s := newSlow()
	l := newLoads(s.load, s.load)
	l.running(t)
	for range 100 {
		l.later(wanted{x: someX})
	}
	<-s.begun
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			loaded, err := l.now(t.Context(), wanted{x: someX})
			require.NoError(t, err)
			require.True(t, loaded)
		})
	}
	for range 100 {
		l.later(wanted{x: someX})
	}
	time.Sleep(10 * time.Millisecond) // most of those who wait are there by now
	require.EqualValues(t, 1, s.n.Load())
	close(s.end)
	all.Wait()
	require.Eventually(t, func() bool { l.mu.Lock(); defer l.mu.Unlock(); return len(l.all) == 0 }, 10*time.Second, time.Millisecond)
	before := s.n.Load()
	l.later(wanted{x: someX})
	require.Eventually(t, func() bool { return s.n.Load() == before+1 }, 10*time.Second, time.Millisecond)
}

// TestWhoWaitsGoesFirst: it does not stand in the queue, and does not depend on
// anybody who serves it.
func TestWhoWaitsGoesFirst(t *testing.T) {
	t.Parallel()
	s := newSlow()
	l := newLoads(s.load, s.load)
	for i := range 10 {
		l.later(wanted{x: routing.X(fmt.Sprint(i))})
	}
	s.end <- nil
	loaded, err := l.now(t.Context(), wanted{x: "9"})
	require.NoError(t, err)
	require.True(t, loaded)
	require.Equal(t, routing.X("9"), (<-s.begun).x)
	l.running(t)
	for range 9 {
		s.end <- nil
		require.NotEqual(t, routing.X("9"), (<-s.begun).x, "it is loaded already")
	}
}

// TestTheLastTicketLoads: a change takes the ticket of a load that waits away,
// and the next call brings another one.
func TestTheLastTicketLoads(t *testing.T) {
	t.Parallel()
	s := newSlow()
	l := newLoads(s.load, s.load)
	first, second := time.Unix(1, 0), time.Unix(2, 0)
	l.later(wanted{x: someX, at: first})
	l.later(wanted{x: someX, at: second})
	l.running(t)
	require.Equal(t, second, (<-s.begun).at)
	s.end <- nil
}

// TestAnothersFailure is not that of a call whose load it was not.
func TestAnothersFailure(t *testing.T) {
	t.Parallel()
	s := newSlow()
	l := newLoads(s.load, s.load)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		_, err := l.now(ctx, wanted{x: someX})
		require.ErrorIs(t, err, context.Canceled)
	})
	<-s.begun
	all.Go(func() {
		loaded, err := l.now(t.Context(), wanted{x: someX})
		require.NoError(t, err)
		require.True(t, loaded)
	})
	time.Sleep(10 * time.Millisecond)
	cancel()
	<-s.begun
	s.end <- nil
	all.Wait()

	s.end <- errors.New("the ledger is away")
	_, err := l.now(t.Context(), wanted{x: someX})
	require.EqualError(t, err, "the ledger is away")
}

// TestLoadsAreBounded: what does not fit is for a later call.
func TestLoadsAreBounded(t *testing.T) {
	t.Parallel()
	l := newLoads(newSlow().load, newSlow().load)
	for i := range mostLoads + 10 {
		l.later(wanted{x: routing.X(fmt.Sprint(i))})
	}
	require.Len(t, l.all, mostLoads)
}
