package events_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
)

// TestFarLedger: two nodes push from a PostgreSQL that is half a second away: each event once,
// however many are due together.
func TestFarLedger(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it wants PostgreSQL")
	}
	t.Parallel()
	cfg := ledgertest.Postgres(t)
	w, to := newWorld(t, cfg), newServer(t)
	w.app("app", to)
	const calls = 200
	for i := range calls {
		w.call("app", fmt.Sprint("call", i), 1, events.CallOut, events.Fee)
	}
	var stops []func()
	for range 2 {
		way := pgtest.NewWay(t, cfg.DSN)
		l, err := ledger.Open(t.Context(), ledger.Config{Driver: ledger.Postgres, DSN: way.DSN})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		_, _, err = l.Outbox().Claim(t.Context(), time.Now(), time.Now(), func(events.Lane) int { return 0 }) // it is connected
		require.NoError(t, err)
		way.Take(500 * time.Millisecond)
		stops = append(stops, (&world{TB: t, Ledger: l}).run(func(c *events.Config) { c.Now, c.Timeout, c.PerAddress = nil, 5*time.Second, calls }))
	}
	began := time.Now()
	require.Eventually(t, func() bool { return len(w.noted("app")) == 2*calls }, 40*time.Second, 50*time.Millisecond, "not stored in time")
	t.Logf("claimed, pushed and stored in %s", time.Since(began).Round(100*time.Millisecond))
	for _, stop := range stops {
		stop()
	}
	seen := map[string]int{}
	for _, p := range to.pushes() {
		for _, id := range p.ids {
			seen[id+" "+p.kind]++
		}
	}
	require.Len(t, seen, 2*calls)
	for what, n := range seen {
		require.Equal(t, 1, n, what)
	}
}

// late gives what it claims after its lease has ended, and somebody else has claimed it.
type late struct {
	events.Outbox
	after    func()
	finished chan int // how many outcomes
}

func (l *late) Finish(ctx context.Context, outcomes []events.Outcome) error {
	l.finished <- len(outcomes)
	return l.Outbox.Finish(ctx, outcomes)
}

func (l *late) Claim(ctx context.Context, now, lease time.Time, room func(events.Lane) int) ([]events.Claimed, bool, error) {
	taken, more, err := l.Outbox.Claim(ctx, now, lease, room)
	if len(taken) > 0 {
		l.after()
	}
	return taken, more, err
}

// TestClaimedTooLate: what was claimed is not pushed once another node may have it.
func TestClaimedTooLate(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to)
		w.call("app", "one", 1, events.CallOut, events.Disconnect, events.Fee)
		var others []events.Claimed
		out := &late{w.Outbox(), sync.OnceFunc(func() {
			w.clock.move(time.Minute)
			now := w.clock.now()
			var err error
			others, _, err = w.Outbox().Claim(t.Context(), now, now.Add(time.Minute), func(events.Lane) int { return 10 })
			assert.NoError(t, err)
		}), make(chan int, 3)}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			events.NewPusher(out, events.Config{Timeout: time.Second, Poll: 10 * time.Millisecond, Now: w.clock.now}).Run(ctx)
		}()
		for n := 0; n < 3; n += <-out.finished {
		}
		cancel()
		<-ended
		require.Len(t, others, 3)
		require.Empty(t, to.pushes())
		for _, e := range w.log("one") {
			require.Equal(t, others[0].Lease, e.Due, "it is the other's")
		}
	})
}

// narrow is an outbox that needs longer than there is to store more than so many outcomes.
type narrow struct {
	events.Outbox
	most   int
	owes   []events.Claimed
	stored map[string]int
	late   int
}

func (n *narrow) Claim(_ context.Context, _, lease time.Time, _ func(events.Lane) int) ([]events.Claimed, bool, error) {
	taken := n.owes
	for i := range taken {
		taken[i].Lease = lease
	}
	n.owes = nil
	return taken, false, nil
}

func (n *narrow) Finish(ctx context.Context, outcomes []events.Outcome) error {
	time.Sleep(time.Second)
	if len(outcomes) > n.most {
		<-ctx.Done()
		n.late++
		return errors.New("it took too long")
	}
	for _, o := range outcomes {
		n.stored[o.Session]++
	}
	return nil
}

func (n *narrow) Receiver(context.Context, string) (events.Receiver, error) {
	return events.Receiver{}, nil
}
func (n *narrow) Settings(context.Context) (int64, error) { return 1, nil }
func (n *narrow) Wake() <-chan struct{}                   { return nil }

// TestFewerAtOnce: outcomes that take too long to be stored together are stored in smaller
// parts, within their lease.
func TestFewerAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &narrow{most: 60, stored: map[string]int{}}
		for i := range 300 {
			n.owes = append(n.owes, events.Claimed{Event: events.Event{Session: fmt.Sprint("call", i), Seq: 1, App: "app", Kind: events.Fee}})
		}
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { events.NewPusher(n, events.Config{}).Run(ctx) })
		time.Sleep(time.Minute)
		cancel()
		work.Wait()
		require.Len(t, n.stored, 300)
		for session, times := range n.stored {
			require.Equal(t, 1, times, session)
		}
		require.NotZero(t, n.late)
		require.Less(t, n.late, 10)
	})
}
