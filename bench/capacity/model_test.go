package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func region() (load, costs, machines) {
	return load{Calls: 6000, Bindings: 1_000_000, Talk: time.Minute, Ring: 10 * time.Second, Answered: 0.5, Pushed: 1},
		costs{Minute: 0.06, SetUp: 2, Memory: 50, Decision: 100, Cached: 1 << 10, Kept: 300, Record: 1000, Rows: 7, RowsPerCore: 1400, Push: 0.5, PushesOfCall: 5},
		machines{Cores: 2, Full: 0.5, Shard: 1, RedisFull: 0.5, LedgerFull: 0.5}
}

func TestNeeded(t *testing.T) {
	p := needed(region())
	require.InDelta(t, 200, p.Attempts, 1e-9, "100 talks begin in a second, of twice as many calls")
	require.InDelta(t, 8000, p.Up, 1e-9)
	require.InDelta(t, 6, p.Media, 1e-9)
	require.InDelta(t, 0.4, p.Signals, 1e-9)
	require.InDelta(t, 0.5, p.Pushes, 1e-9)
	require.Equal(t, 8, p.Nodes, "6.9 cores at half of 2 each are 7, and one to spare")
	require.InDelta(t, 75_000, p.Packets, 1e-9)
	require.Equal(t, 1, p.Shards)
	require.InDelta(t, 1400, p.Inserts, 1e-9)
	require.InDelta(t, 2, p.Ledger, 1e-9)
	require.InDelta(t, 48e6, p.Recording, 1e-3)
}

// TestSomethingIsNeededForNothing: what costs nothing still runs somewhere.
func TestSomethingIsNeededForNothing(t *testing.T) {
	l, _, m := region()
	p := needed(l, costs{RowsPerCore: 1}, m)
	require.Equal(t, 1, p.Shards)
	require.Equal(t, 2, p.Nodes, "one and one to spare")
	require.Positive(t, simulate(l, p, 5*time.Minute, 1).Calls)
}

// TestSimulationHoldsTheMeans: what the plan says is what is played, on
// average, and chance adds to it.
func TestSimulationHoldsTheMeans(t *testing.T) {
	l, c, m := region()
	p := needed(l, c, m)
	s := simulate(l, p, 30*time.Minute, 7)
	require.InEpsilon(t, l.Calls, s.Mean, 0.05)
	require.InEpsilon(t, p.Attempts*(30*time.Minute).Seconds(), float64(s.Calls), 0.02)
	require.Greater(t, s.Talks, 1.0)
	require.Less(t, s.Talks, 1.3)
	require.Greater(t, s.Attempts, s.Talks, "a second is shorter than a talk: chance is greater")
	require.Greater(t, s.Lost, 1.0)
	require.Less(t, s.Lost, 8.0/7*1.3)
	require.Equal(t, s, simulate(l, p, 30*time.Minute, 7), "the same chance again")
}
