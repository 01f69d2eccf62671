package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func small() (load, costs, machines) {
	return load{Calls: 6000, Bindings: 1_000_000, Talk: time.Minute, Ring: 10 * time.Second, Answered: 0.5, Pushed: 1},
		costs{Minute: 0.06, SetUp: 2, Push: 0.5, PushesOfCall: 5, Memory: 50, Decision: 100, Cached: 1 << 10, Talk: 1 << 10, Kept: 300, Rows: 7, Record: 1000, WAL: 2000, Stored: 1, PushStored: 0.2, Refill: 1000},
		machines{Cores: 2, Full: 0.5, Most: 0.8, Ports: 10_000, Rest: 2, Shard: 1, ShardFull: 0.5, Replicas: 1, RedisFull: 0.5, LedgerFull: 0.5}
}

func TestNeeded(t *testing.T) {
	p := needed(small())
	require.InDelta(t, 200, p.Attempts, 1e-9, "100 talks begin in a second, of twice as many calls")
	require.InDelta(t, 8000, p.Up, 1e-9)
	require.InDelta(t, 6, p.Media, 1e-9)
	require.InDelta(t, 0.4, p.Signals, 1e-9)
	require.InDelta(t, 0.5, p.Pushes, 1e-9)
	require.Equal(t, 2, p.Pushers, "half a core, and one to spare")
	require.Equal(t, 8, p.Nodes, "6.4 cores at half of 2 each are 7, and one to spare")
	require.InDelta(t, 0.4, p.Busy, 1e-9)
	require.InDelta(t, 6.4/14, p.Lost, 1e-9)
	require.InDelta(t, 4*8400.0/8, p.Ports, 1e-9, "8,000 are up, and those of 2 s rest")
	require.InDelta(t, 4*8400.0/7, p.Crowded, 1e-9)
	require.Equal(t, 2, p.Workers, "6 cores by 7 nodes, a tenth more, at half of one each")
	require.InDelta(t, 3.0/8, p.Worker, 1e-9)
	require.InDelta(t, 3.0/7, p.Loaded, 1e-9)
	require.InDelta(t, 75_000, p.Packets, 1e-9)
	require.Equal(t, 2, p.Shards, "a GB at half of a GiB each")
	require.InDelta(t, 1_024_000_000.0/(2<<30), p.Fill, 1e-9)
	require.InDelta(t, 4<<30, p.Redis, 1e-3, "each has a replica")
	require.InDelta(t, 0.01, p.Decide, 1e-9)
	require.InDelta(t, 1400, p.Inserts, 1e-9)
	require.InDelta(t, 0.4, p.Busied, 1e-9, "200 calls of a ms, 1,000 pushes of 0.2")
	require.InDelta(t, 0.8, p.Ledger, 1e-9)
	require.InDelta(t, 48e6, p.Recording, 1e-3)
}

// TestPortsDecide: where ports are few there are as many nodes as have them.
func TestPortsDecide(t *testing.T) {
	l, c, m := small()
	m.Ports = 2000
	p := needed(l, c, m)
	require.Equal(t, 20, p.Nodes, "33,600 ports and a tenth more on 19 of 20 nodes")
	require.LessOrEqual(t, p.Crowded*chance, 2000.0)
}

// TestOneNodeGoesOnWithAnothersTalks: the heir has twice the talks, so nodes are less full.
func TestOneNodeGoesOnWithAnothersTalks(t *testing.T) {
	l, c, m := small()
	m.Takeover = true
	p := needed(l, c, m)
	require.Equal(t, 9, p.Nodes, "at 8 it would have 78 %% of its CPU busy, a tenth more is too much")
	require.InDelta(t, 4*(8400+6000)/9.0, p.Crowded, 1e-9)
	require.InDelta(t, (2*6.0/9+0.4/8)/2, p.Lost, 1e-9)
	require.InDelta(t, (1_024_000_000.0+6000*1024)/(2<<30), p.Fill, 1e-9, "what is kept of each talk")
}

// TestSomethingIsNeededForNothing: what costs nothing still runs somewhere.
func TestSomethingIsNeededForNothing(t *testing.T) {
	l, _, m := small()
	p := needed(l, costs{}, m)
	require.Equal(t, 1, p.Shards)
	require.Zero(t, p.Pushers)
	require.Equal(t, 5, p.Nodes, "ports are needed all the same")
	require.Positive(t, simulate(l, costs{}, m, p, 5*time.Minute, 1).Calls)
}

// TestCarries: what one of each carries is what the plan is made of.
func TestCarries(t *testing.T) {
	l, c, m := small()
	u := carries(l, c, m)
	require.InDelta(t, 1000, u.TalksOfCore, 1e-9)
	require.InDelta(t, 500, u.SetUpsOfCore, 1e-9)
	require.InDelta(t, 937.5, u.CallsOfNode, 1e-9)
	p := needed(l, c, m)
	require.InDelta(t, float64(l.Calls), u.CallsOfNode*(p.Media+p.Signals)/(float64(m.Cores)*m.Full), 1e-6)
	require.InDelta(t, 8000, u.UpByPorts*p.Ports*float64(p.Nodes)/float64(m.Ports), 1e-6)
	require.InDelta(t, 10_000, u.DecisionsOfShard, 1e-9)
	require.InDelta(t, 524_288, u.BindingsOfShard, 1e-9)
	require.InDelta(t, 7000, u.RowsOfCore, 1e-9)
	require.InDelta(t, 500, u.PushedOfCore, 1e-9)
}

func TestCheckRefusesWhatCannotBeComputedWith(t *testing.T) {
	good := func() *options {
		l, c, m := small()
		return &options{Load: l, Costs: c, Machines: m, For: 15 * time.Minute}
	}
	require.NoError(t, good().check())
	for name, spoil := range map[string]func(*options){
		"calls": func(o *options) { o.Load.Calls = 0 }, "talk": func(o *options) { o.Load.Talk = 0 }, "answered": func(o *options) { o.Load.Answered = 1.1 },
		"ports": func(o *options) { o.Machines.Ports = 3 }, "rest": func(o *options) { o.Machines.Rest = -1 }, "costs": func(o *options) { o.Costs.Stored = 0 }, "for": func(o *options) { o.For = time.Minute },
	} {
		o := good()
		spoil(o)
		require.Error(t, o.check(), name)
	}
}
