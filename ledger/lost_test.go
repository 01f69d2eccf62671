package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestTakenAgain: who has lost the answer of a take-over is given the same calls again, or
// closes them.
func TestTakenAgain(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		a, b := ledgertest.Alive(t, l, "a", t0), ledgertest.Alive(t, l, "b", t0)
		c, evs := owned("s", a)
		write(t, l, c, evs...)
		d := declared(t, l, a, b)
		kept := []ledger.Kept{{Call: c, Seq: 4}}
		for range 2 {
			taken, err := l.TakeOver(t.Context(), a, b, kept)
			require.NoError(t, err)
			require.Equal(t, map[string]int{"s": 104}, taken)
		}
		for i := range 2 {
			was, closed, err := l.CloseTaken(t.Context(), "s", b, d, nil)
			require.NoError(t, err)
			require.Equal(t, i == 0, closed)
			if closed {
				require.Equal(t, c.X, was.X)
			}
			require.Equal(t, wholeCall, kindsOf(t, l, "s"))
		}
		require.Equal(t, d.AliveAt, call(t, l, "s").Ended)
		taken, err := l.TakeOver(t.Context(), a, b, kept)
		require.NoError(t, err)
		require.Empty(t, taken, "it is over")
	})
}

// TestClockSetBack: a call is not longer than it was because its node's clock was ahead once.
func TestClockSetBack(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		a, b := ledgertest.Alive(t, l, "a", t0.Add(time.Hour)), ledgertest.Alive(t, l, "b", t0)
		_, err := l.Beat(t.Context(), a, t0.Add(time.Minute), 1)
		require.NoError(t, err)
		c, evs := owned("s", a)
		write(t, l, c, evs...)
		_, err = l.CloseOpen(t.Context(), declared(t, l, a, b), false, nil)
		require.NoError(t, err)
		require.Equal(t, t0.Add(time.Minute), call(t, l, "s").Ended)
	})
}

// TestCallOfALifeBefore: a call that the journal of one life brings after the next has begun
// ends when the first was alive last, whoever settles the second.
func TestCallOfALifeBefore(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		first := ledgertest.Alive(t, l, "a", t0.Add(time.Minute))
		second := ledgertest.Alive(t, l, "a", t0.Add(2*time.Hour))
		for i, life := range []ledger.Life{first, second} {
			c, evs := owned(fmt.Sprint("s", i), life)
			write(t, l, c, evs...)
		}
		_, err := l.CloseOpen(t.Context(), declared(t, l, second, ledgertest.Alive(t, l, "b", t0)), false, nil)
		require.NoError(t, err)
		require.Equal(t, t0.Add(time.Minute), call(t, l, "s0").Ended)
		require.Equal(t, t0.Add(2*time.Hour), call(t, l, "s1").Ended)
	})
}

// TestBegunUnheard: who has lost the answer to the begin of its next life goes on with it;
// another of the name does not.
func TestBegunUnheard(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		a, err := l.JoinNode(t.Context(), "a", "home", ledger.Node{})
		require.NoError(t, err)
		declared(t, l, a, ledgertest.Alive(t, l, "b", t0))
		for _, again := range []bool{false, true} {
			next, err := l.RejoinNode(t.Context(), a, ledger.Self{Home: "home", Drains: true}, again)
			require.NoError(t, err)
			require.Equal(t, ledger.Life{Node: "a", Incarnation: 2}, next)
		}
		n, _, err := l.Node(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, ledger.NodeDraining, n.State, "it is drained as it was")
		for _, home := range []string{"", "another"} {
			_, err = l.RejoinNode(t.Context(), a, ledger.Self{Home: home}, true)
			require.ErrorIs(t, err, ledger.ErrReplaced)
		}
		_, err = l.RejoinNode(t.Context(), a, ledger.Self{Home: "home"}, false)
		require.ErrorIs(t, err, ledger.ErrReplaced, "a copy of its directory has begun")

		begun := ledger.Life{Node: "a", Incarnation: 2}
		declared(t, l, begun, ledgertest.Alive(t, l, "c", t0))
		_, err = l.RejoinNode(t.Context(), a, ledger.Self{Home: "another"}, true)
		require.ErrorIs(t, err, ledger.ErrReplaced)
		next, err := l.RejoinNode(t.Context(), a, ledger.Self{Home: "home"}, true)
		require.NoError(t, err, "others have found silent what it did not know to have begun")
		require.Equal(t, ledger.Life{Node: "a", Incarnation: 3}, next)
	})
}

// TestBeginsBesideItself: a node that proves that it is the same needs not wait for a
// pause in what the ledger hears of it; another of the name is refused then.
func TestBeginsBesideItself(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		a, err := l.JoinNode(t.Context(), "a", "home", ledger.Node{})
		require.NoError(t, err)
		seen, _, err := l.Node(t.Context(), "a")
		require.NoError(t, err)
		time.Sleep(2 * time.Millisecond)
		_, err = l.Beat(t.Context(), a, t0, 1)
		require.NoError(t, err)
		for _, home := range []string{"", "another"} {
			_, err = l.JoinNode(t.Context(), "a", home, seen)
			require.ErrorIs(t, err, ledger.ErrNodeMoved)
		}
		next, err := l.JoinNode(t.Context(), "a", "home", seen)
		require.NoError(t, err)
		require.Equal(t, ledger.Life{Node: "a", Incarnation: 2}, next)
		_, err = l.Beat(t.Context(), a, t0, 1)
		require.ErrorIs(t, err, ledger.ErrReplaced)
	})
}

// TestALostLife: a ledger that has lost a life is told of it again: nobody has declared it
// over.
func TestALostLife(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		older := ledgertest.Alive(t, l, "a", t0)
		b := ledgertest.Alive(t, l, "b", t0)
		me := ledger.Self{Home: "home", Addresses: ledger.Addresses{UDP: "192.0.2.1:5060", HTTP: "192.0.2.1:8080"}, Drains: true}
		for _, life := range []ledger.Life{{Node: "a", Incarnation: 3}, {Node: "c", Incarnation: 2}} {
			_, err := l.Beat(t.Context(), life, t0, 1)
			require.ErrorIs(t, err, ledger.ErrLifeLost)
			for range 2 {
				state, err := l.RestoreLife(t.Context(), life, me)
				require.NoError(t, err)
				require.Equal(t, ledger.NodeDraining, state)
			}
			_, err = l.Beat(t.Context(), life, t0, 1)
			require.NoError(t, err)
			n, found, err := l.Node(t.Context(), life.Node)
			require.NoError(t, err)
			require.True(t, found)
			require.Equal(t, life, n.Life)
			require.Equal(t, me, ledger.Self{Home: n.Home, Addresses: n.Addresses, Drains: n.State == ledger.NodeDraining})
		}
		now := ledger.Life{Node: "a", Incarnation: 3}
		deaths, err := l.Deaths(t.Context(), now)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(deaths, func(d ledger.Dead) bool { return d.Life == older }), "its older life is its own to settle")
		_, err = l.Beat(t.Context(), older, t0, 1)
		require.ErrorIs(t, err, ledger.ErrReplaced)
		declared(t, l, now, b)
		_, err = l.Beat(t.Context(), now, t0, 1)
		require.ErrorIs(t, err, ledger.ErrDeclaredDead)
		_, err = l.RestoreLife(t.Context(), now, me)
		require.ErrorIs(t, err, ledger.ErrDeclaredDead)
		_, err = l.RestoreLife(t.Context(), older, me)
		require.ErrorIs(t, err, ledger.ErrReplaced)
	})
}

// TestADeathIsNotLeftForLong: a node that starts again and does not come to settle its last
// life is not waited for long, nor at all with that of another: it may end at each start.
func TestADeathIsNotLeftForLong(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			l := open(t, cfg)
			b := ledgertest.Alive(t, l, "b", t0)
			lives := []ledger.Life{ledgertest.Alive(t, l, "a", t0)}
			settles := func(heir ledger.Life) (list []ledger.Life) {
				deaths, err := l.Deaths(t.Context(), heir)
				require.NoError(t, err)
				for _, d := range deaths {
					list = append(list, d.Life)
				}
				return list
			}
			declared(t, l, ledgertest.Alive(t, l, "c", t0), b) // by one that goes on
			for range 2 {
				require.ElementsMatch(t, []ledger.Life{{Node: "c", Incarnation: 1}}, settles(b), "who starts has time for it")
				lives = append(lives, ledgertest.Alive(t, l, "a", t0))
				require.ElementsMatch(t, lives[:len(lives)-1], settles(lives[len(lives)-1]))
			}
			d := ledgertest.Alive(t, l, "d", t0)
			require.Empty(t, settles(d))
			execute(t, cfg, "UPDATE node_lives SET ended_at = ended_at - 31000000 WHERE ended_at > 0")
			now := lives[len(lives)-1]
			require.ElementsMatch(t, lives[:len(lives)-1], settles(now), "its own it has as long as nobody else wants it")
			require.ElementsMatch(t, lives[:len(lives)-1], settles(d))
			require.Empty(t, settles(now))
			c := ledger.Life{Node: "c", Incarnation: 1}
			require.ElementsMatch(t, []ledger.Life{c}, settles(b), "another node that goes on is")
			again := ledgertest.Alive(t, l, "b", t0)
			require.ElementsMatch(t, []ledger.Life{c, b}, settles(again), "whoever asks first")
			last := ledgertest.Alive(t, l, "b", t0)
			require.ElementsMatch(t, append([]ledger.Life{c}, lives[:len(lives)-1]...), settles(d))
			require.ElementsMatch(t, []ledger.Life{b, again}, settles(last))
			require.NoError(t, l.LeaveDeaths(t.Context(), last))
			require.ElementsMatch(t, append(append([]ledger.Life{c}, lives[:len(lives)-1]...), b, again), settles(d))
		})
	}
}
