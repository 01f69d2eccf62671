package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSimulationHoldsTheMeans: what the plan says is what is played, on
// average, and chance adds to it.
func TestSimulationHoldsTheMeans(t *testing.T) {
	l, c, m := small()
	p := needed(l, c, m)
	s := simulate(l, c, m, p, 30*time.Minute, 7)
	require.InEpsilon(t, l.Calls, s.Mean, 0.05)
	require.InEpsilon(t, p.Attempts*(30*time.Minute).Seconds(), float64(s.Calls), 0.02)
	for what, share := range map[string]float64{
		"talks": float64(s.Whole.Talks) / p.PerNode, "CPU": s.Whole.Busy / p.Busy, "worker": s.Whole.Worker / p.Worker, "ports": float64(s.Whole.Ports) / p.Ports,
		"CPU after a loss": s.Lost.Busy / p.Lost, "worker after a loss": s.Lost.Worker / p.Loaded, "ports after a loss": float64(s.Lost.Ports) / p.Crowded,
	} {
		require.Greater(t, share, 1.0, what)
		require.Less(t, share, 1.3, what)
	}
	require.Greater(t, s.Decide, p.Decide)
	require.Less(t, s.Decide, 3*p.Decide, "100 a second and chance")
	require.Empty(t, s.beyond(m))
	require.Equal(t, s, simulate(l, c, m, p, 30*time.Minute, 7), "the same chance again")
}

// TestTakenOverTalksAreAtOneNode: of a lost node only the calls that rang are gone.
func TestTakenOverTalksAreAtOneNode(t *testing.T) {
	l, c, m := small()
	p := needed(l, c, m)
	gone := simulate(l, c, m, p, 15*time.Minute, 3)
	m.Takeover = true
	kept := simulate(l, c, m, p, 15*time.Minute, 3)
	require.Equal(t, gone.Whole, kept.Whole)
	require.Less(t, float64(gone.Lost.Talks), 1.5*p.PerNode)
	require.Greater(t, float64(kept.Lost.Talks), 1.8*p.PerNode)
	require.Greater(t, kept.Lost.Worker, 1.7*p.Worker)
	require.Greater(t, float64(kept.Lost.Ports), 4*1.8*p.PerNode)
}

// TestPlanDoesNotHold: each limit that is passed is named.
func TestPlanDoesNotHold(t *testing.T) {
	l, c, m := small()
	p := needed(l, c, m)
	for name, spoil := range map[string]func(*machines){
		"ports": func(m *machines) { m.Ports = 4000 }, "node": func(m *machines) { m.Cores = 1 }, "shard": func(m *machines) { m.Most = 0.001 },
	} {
		less := m
		spoil(&less)
		s := simulate(l, c, less, p, 10*time.Minute, 1)
		require.Contains(t, joined(s.beyond(less)), name)
	}
	p.staffed(1)
	s := simulate(l, c, m, p, 10*time.Minute, 1)
	require.Contains(t, joined(s.beyond(m)), "media worker")
}

func joined(list []string) (all string) {
	for _, one := range list {
		all += one + ", "
	}
	return all
}

func TestRefilled(t *testing.T) {
	one := refilled(1, 2000, 1)
	require.InDelta(t, 1, one.Faster, 0.01)
	require.Zero(t, one.Twice)
	for _, nodes := range []int{2, 20} {
		r := refilled(nodes, 20_000, 1)
		require.Greater(t, r.Faster, 0.9*float64(nodes))
		require.Less(t, r.Faster, 1.01*float64(nodes))
		require.Less(t, r.Twice, 0.02)
	}
}

// TestPortsRestAfterCalls: those of calls that ended lately are counted as well.
func TestPortsRestAfterCalls(t *testing.T) {
	l, c, m := small()
	p := needed(l, c, m)
	short := simulate(l, c, m, p, 10*time.Minute, 1)
	m.Rest = 30
	long := simulate(l, c, m, p, 10*time.Minute, 1)
	more := portsOfCall * p.Attempts * 28 / float64(p.Nodes)
	require.InEpsilon(t, more, long.Whole.Ports-short.Whole.Ports, 0.2)
	require.Equal(t, short.Whole.Talks, long.Whole.Talks)
}
