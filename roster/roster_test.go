package roster

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// each runs a test on both databases.
func each(t *testing.T, test func(*testing.T, ledger.Config)) {
	for name, cfg := range map[string]func(testing.TB) ledger.Config{"sqlite": ledgertest.SQLite, "postgres": ledgertest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, cfg(t))
		})
	}
}

// member is a node of a test with a connection of its own.
type member struct {
	*Roster
	ledger *ledger.Ledger
	hangs  atomic.Bool  // it hears nothing of the ledger, nor that of it
	stuck  atomic.Int64 // so many beats and looks have no answer until they are given up

	mu     sync.Mutex
	dead   []Dead
	lost   []Life
	missed int // before it was told of a death
	stop   func()
}

// Beat hangs while the member does.
func (m *member) Beat(ctx context.Context, life Life, at time.Time, epoch int64) (ledger.NodeState, error) {
	for m.hangs.Load() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return m.ledger.Beat(ctx, life, at, epoch)
}

// hanging is the ledger as a member sees it.
type hanging struct {
	*ledger.Ledger
	m *member
}

func (h hanging) Beat(ctx context.Context, life Life, at time.Time, epoch int64) (ledger.NodeState, error) {
	h.m.stick(ctx)
	return h.m.Beat(ctx, life, at, epoch)
}

func (h hanging) Nodes(ctx context.Context) ([]ledger.Node, error) {
	h.m.stick(ctx)
	return h.Ledger.Nodes(ctx)
}

// stick waits until ctx ends, if this query is to be stuck.
func (m *member) stick(ctx context.Context) {
	if m.stuck.Load() > 0 && m.stuck.Add(-1) >= 0 {
		<-ctx.Done()
	}
}

func (m *member) deaths() []Dead {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Dead(nil), m.dead...)
}

func (m *member) losses() []Life {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Life(nil), m.lost...)
}

const lease = 2 * time.Second // a busy machine does not hold up a beat for so long

func join(t *testing.T, cfg ledger.Config, name, home string) (*member, error) {
	return joinFor(t, cfg, name, home, lease)
}

func joinFor(t *testing.T, cfg ledger.Config, name, home string, lease time.Duration) (*member, error) {
	l, err := ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	m := &member{ledger: l}
	m.Roster, err = Join(t.Context(), Config{Ledger: hanging{l, m}, Node: name, Home: home, Lease: lease, Log: zerolog.Nop()})
	if err != nil {
		return m, err
	}
	m.Died(func(_ context.Context, d Dead) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.dead = append(m.dead, d)
		return nil
	})
	m.Missed(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.dead) == 0 {
			m.missed++
		}
	})
	m.Lost(func(_ context.Context, l Life) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.lost = append(m.lost, l)
	})
	m.Attend()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { m.Run(ctx) })
	m.stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	t.Cleanup(m.stop)
	return m, nil
}

func joined(t *testing.T, cfg ledger.Config, name string) *member {
	m, err := join(t, cfg, name, "home of "+name)
	require.NoError(t, err)
	return m
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	require.Eventually(t, cond, 20*time.Second, 5*time.Millisecond, what)
}

// TestASilentNodeDies: it is declared dead once, by one of the others; when it is
// heard of again it lets go of its calls and is somebody else.
func TestASilentNodeDies(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		a, b, c := joined(t, cfg, "a"), joined(t, cfg, "b"), joined(t, cfg, "c")
		was := a.Life()
		require.Equal(t, Life{Node: "a", Incarnation: 1}, was)
		eventually(t, "all are themselves", func() bool { return a.Holds() && b.Holds() && c.Holds() })
		a.hangs.Store(true)
		heirs := func() []Dead { return append(b.deaths(), c.deaths()...) }
		eventually(t, "one of the others is its heir", func() bool { return len(heirs()) == 1 })
		require.False(t, a.Holds(), "it does not believe itself longer than others wait")
		require.Equal(t, was, heirs()[0].Life)
		require.WithinDuration(t, time.Now(), heirs()[0].AliveAt, 10*time.Second)
		require.Empty(t, a.losses(), "it does not know")
		a.hangs.Store(false)
		eventually(t, "it is somebody else", func() bool { return a.Holds() && a.Incarnation() == 2 })
		require.Equal(t, []Life{was}, a.losses())
		require.Len(t, heirs(), 1)
		eventually(t, "nothing is left of it", func() bool {
			_, settled, found, err := b.ledger.LastLife(t.Context(), a.Life())
			return err == nil && found && settled
		})
		eventually(t, "what it brings late is its own", func() bool { return len(a.deaths()) == 1 })
		require.Equal(t, was, a.deaths()[0].Life)
		require.WithinDuration(t, time.Now(), a.deaths()[0].LetGo, 10*time.Second)

	})
}

// TestStuckQueries: queries that have no answer, on connections that are dead, keep a node
// from nothing.
func TestStuckQueries(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		a, err := joinFor(t, cfg, "a", "home of a", 3*time.Second)
		require.NoError(t, err)
		b, err := joinFor(t, cfg, "b", "home of b", 3*time.Second)
		require.NoError(t, err)
		eventually(t, "both are themselves", func() bool { return a.Holds() && b.Holds() && a.OthersUp() && b.OthersUp() })
		for range 2 {
			a.stuck.Store(2)
			eventually(t, "they are under way", func() bool { return a.stuck.Load() == 0 })
			begun := time.Now()
			eventually(t, "others hear of it", func() bool { return a.Holds() && begun.Before(a.Heard().Clock) })
		}
		require.Equal(t, int64(1), a.Incarnation())
		require.Empty(t, a.losses())
		require.Empty(t, b.deaths())
	})
}

// TestTwoOfOneName: the second is refused while the first is alive; one that is gone,
// or proves that it is the same, makes room at once.
func TestTwoOfOneName(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		a := joined(t, cfg, "a")
		_, err := join(t, cfg, "a", "another home")
		require.ErrorIs(t, err, ErrAlive)
		require.ErrorContains(t, err, "begin as node a: another node of that name is alive: give each node a name of its own (node)")
		a.stop()
		require.NoError(t, a.Leave(t.Context()))
		begun := time.Now()
		b, err := join(t, cfg, "a", "another home")
		require.NoError(t, err)
		require.Less(t, time.Since(begun), 10*time.Second)
		require.Equal(t, int64(2), b.Incarnation())
		dead, err := b.ledger.Deaths(t.Context(), b.Life())
		require.NoError(t, err)
		require.Empty(t, dead, "the first has said that it ends")

		b.stop() // killed
		c, err := join(t, cfg, "a", "another home")
		require.NoError(t, err)
		eventually(t, "it settles its own last life", func() bool { return len(c.deaths()) >= 1 })
		require.Equal(t, Life{Node: "a", Incarnation: 2}, c.deaths()[0].Life)

		// A copy of the directory, say; that the first beats meanwhile hinders it not.
		d, err := join(t, cfg, "a", "another home")
		require.NoError(t, err)
		select {
		case err := <-c.Over():
			require.ErrorIs(t, err, ledger.ErrReplaced)
		case <-time.After(20 * time.Second):
			require.Fail(t, "the first goes on beside the second")
		}
		require.False(t, c.Holds())
		require.Len(t, c.losses(), 1)
		eventually(t, "the second goes on", d.Holds)
	})
}

// TestAnHeirDies: what a dead node was heir of, and had not settled, is its
// own heir's.
func TestAnHeirDies(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		a, b := joined(t, cfg, "a"), joined(t, cfg, "b")
		b.Died(func(ctx context.Context, d Dead) error {
			b.hangs.Store(true)
			<-ctx.Done()
			return ctx.Err()
		})
		a.stop()
		eventually(t, "b is at it", func() bool { return len(b.deaths()) == 1 })
		b.stop()
		c := joined(t, cfg, "c")
		eventually(t, "c settles both", func() bool { return len(c.deaths()) == 2 })
		require.Equal(t, []Life{{Node: "a", Incarnation: 1}, {Node: "b", Incarnation: 1}}, []Life{c.deaths()[0].Life, c.deaths()[1].Life})
	})
}

// TestMissed: that a node may be dead is told before it is declared so.
func TestMissed(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		a, b := joined(t, cfg, "a"), joined(t, cfg, "b")
		eventually(t, "both are themselves", func() bool { return a.Holds() && b.Holds() && b.OthersUp() })
		a.stop()
		eventually(t, "it is dead", func() bool { return len(b.deaths()) == 1 })
		b.mu.Lock()
		defer b.mu.Unlock()
		require.Positive(t, b.missed)
	})
}

// TestAbstain: a node that ends is nobody's heir any more: what it has not settled others
// do, and whoever falls silent others find so.
func TestAbstain(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		a, b := joined(t, cfg, "a"), joined(t, cfg, "b")
		var ends atomic.Bool // b cannot settle anything, for now
		b.Died(func(context.Context, Dead) error {
			if ends.Load() {
				return nil
			}
			return errors.New("not yet")
		})
		a.stop()
		eventually(t, "b is its heir", func() bool { return len(b.deaths()) > 0 })
		z := joined(t, cfg, "z")
		require.NoError(t, b.Abstain(t.Context()))
		ends.Store(true)
		before := len(b.deaths())
		settles := func(m *member, dead string) func() bool {
			return func() bool {
				return slices.ContainsFunc(m.deaths(), func(d Dead) bool { return d.Life == Life{Node: dead, Incarnation: 1} })
			}
		}
		eventually(t, "z settles it", settles(z, "a"))
		z.stop()
		time.Sleep(3 * lease)
		require.Len(t, b.deaths(), before)
		n, _, err := b.ledger.Node(t.Context(), "z")
		require.NoError(t, err)
		require.Equal(t, ledger.NodeUp, n.State, "b declares nobody dead any more")
		eventually(t, "and goes on to its end", b.Holds)
		c := joined(t, cfg, "c")
		eventually(t, "c does", settles(c, "z"))
	})
}

// TestAbstainLater: a death that is being settled for longer than the end of a node waits is
// left to others all the same, and soon, after what was begun of it has been ended.
func TestAbstainLater(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		a, b := joined(t, cfg, "a"), joined(t, cfg, "b")
		free := make(chan struct{})
		b.Died(func(context.Context, Dead) error {
			<-free
			return errors.New("not done")
		})
		var asked atomic.Int64
		b.Leaving(func(context.Context) error {
			if asked.Add(1) == 1 {
				return errors.New("not at once")
			}
			return nil
		})
		a.stop()
		eventually(t, "b is at it", func() bool { return len(b.deaths()) > 0 })
		z := joined(t, cfg, "z")
		soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, b.Abstain(soon), context.DeadlineExceeded)
		require.Zero(t, asked.Load(), "it is still being settled")
		close(free)
		eventually(t, "z settles it", func() bool { return len(z.deaths()) == 1 })
		require.NoError(t, b.Abstain(t.Context()))
		require.Equal(t, int64(2), asked.Load(), "until it is done")
		require.True(t, b.Holds(), "it has not ended yet")
		b.stop()
		require.NoError(t, b.Abstain(t.Context()), "nor does it wait when nobody would come to it")
	})
}

// TestALostRow: a ledger that has lost a node hears again who and where it is.
func TestALostRow(t *testing.T) {
	cfg := ledgertest.SQLite(t)
	a := joined(t, cfg, "a")
	at := ledger.Addresses{UDP: "192.0.2.1:5060", HTTP: "192.0.2.1:8080"}
	require.NoError(t, a.Announce(t.Context(), at))
	_, err := a.ledger.DrainNode(t.Context(), "a", true)
	require.NoError(t, err)
	eventually(t, "it drains", a.Draining)
	db, err := sql.Open("sqlite", cfg.Path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.Exec("PRAGMA busy_timeout = 5000; DELETE FROM nodes; DELETE FROM node_lives")
	require.NoError(t, err)
	var n ledger.Node
	eventually(t, "it is known again", func() bool {
		var found bool
		n, found, err = a.ledger.Node(t.Context(), "a")
		return err == nil && found && !n.AliveAt.IsZero()
	})
	require.Equal(t, []any{Life{Node: "a", Incarnation: 1}, "home of a", at, ledger.NodeDraining}, []any{n.Life, n.Home, n.Addresses, n.State})
	require.True(t, a.Draining())
	require.Empty(t, a.losses())
}

// TestDrain: a node hears with its next beat what it is to do.
func TestDrain(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		a, b := joined(t, cfg, "a"), joined(t, cfg, "b")
		told := make(chan bool, 10)
		a.Drained(func(drain bool) { told <- drain })
		eventually(t, "they know each other", func() bool { return a.OthersUp() && b.OthersUp() })
		alive, err := b.ledger.DrainNode(t.Context(), "a", true)
		require.NoError(t, err)
		require.True(t, alive)
		require.True(t, <-told)
		require.True(t, a.Draining())
		require.True(t, a.Holds(), "it goes on with what it has")
		eventually(t, "others know", func() bool { return !b.OthersUp() })
		_, err = b.ledger.DrainNode(t.Context(), "a", false)
		require.NoError(t, err)
		require.False(t, <-told)
		alive, err = b.ledger.DrainNode(t.Context(), "nobody", true)
		require.NoError(t, err)
		require.False(t, alive)
	})
}
