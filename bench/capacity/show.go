package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

const gib, tib = 1 << 30, 1 << 40

// table writes rows of a name and what there is of it.
type table struct{ *tabwriter.Writer }

func newTable(to io.Writer) table { return table{tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)} }

func (t table) row(name, format string, args ...any) {
	_, _ = fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) // Flush tells
}

// showUnits writes what one of each carries.
func showUnits(to io.Writer, l load, c costs, m machines) error {
	u, t := carries(l, c, m), newTable(to)
	t.row("one core", "%.0f recorded talks, or %.0f calls set up per second; %.0f talks at once with their set-ups, %.0f %% full", u.TalksOfCore, u.SetUpsOfCore, u.CallsOfCore, 100*m.Full)
	t.row(fmt.Sprintf("one node of %d cores", m.Cores), "%.0f talks at once by its CPU, %.0f %% full; %.0f calls up by its %d RTP ports", u.CallsOfNode, 100*m.Full, u.UpByPorts, m.Ports)
	t.row("Redis Cluster of n shards", "n x %.0f calls per second, planned n x %.0f; n x %.1f million bindings in %.0f GiB each", u.DecisionsOfShard, u.DecisionsPlanned, u.BindingsOfShard/1e6, m.Shard)
	t.row("PostgreSQL, per core", "%.0f calls per second, which are %.0f rows; %.0f with all their pushes; planned %.0f %% of it", u.StoredOfCore, u.RowsOfCore, u.PushedOfCore, 100*m.LedgerFull)
	return t.Flush()
}

// showPlan writes what the region needs.
func showPlan(to io.Writer, l load, m machines, p plan) error {
	t := newTable(to)
	t.row("calls per second", "%.0f, of which %.0f are answered", p.Attempts, p.Attempts*l.Answered)
	t.row("calls up at once", "%.0f, of which %d talk", p.Up, l.Calls)
	t.row("cores filled by talks", "%.1f", p.Media)
	t.row("cores filled by set-up and tear-down", "%.1f", p.Signals)
	t.row("cores filled by pushes", "%.1f, %.0f posts per second", p.Pushes, p.Posts)
	t.row("nodes that take calls", "%d of %d cores; %.0f talks each", p.Nodes, m.Cores, p.PerNode)
	t.row("nodes that push", "%d more of the same, without calls, one to spare", p.Pushers)
	t.row("CPU of a node", "%.0f %%; of the fullest after one is lost %.0f %%", 100*p.Busy, 100*p.Lost)
	t.row("media workers and the load of the fullest", "%d per node; %.0f %% of a core, after one is lost %.0f %%", p.Workers, 100*p.Worker, 100*p.Loaded)
	t.row("RTP ports of a node", "%.0f, after one is lost %.0f, of %d", p.Ports, p.Crowded, m.Ports)
	t.row("network of a node, each way", "%.0f packets per second, %.2f Gbit/s", p.Packets, p.Bits/1e9)
	t.row("memory of the calls of a node", "%.2f GiB after one is lost", p.Memory/gib)
	t.row("shards of Redis", "%d of %.0f GiB: the bindings need %d, the decisions %d", p.Shards, m.Shard, p.ByMemory, p.BySpeed)
	t.row("fill of a shard", "%.0f %%, and of each of its replicas; %.0f %% of a core", 100*p.Fill, 100*p.Decide)
	t.row("memory of Redis", "%.0f GiB: each shard and its replicas, %d", p.Redis/gib, m.Replicas)
	t.row("PostgreSQL", "%.0f rows per second and %.0f pushes fill %.1f cores; planned %.1f", p.Inserts, p.Posts, p.Busied, p.Ledger)
	t.row("its WAL", "%.0f MB/s", p.Logged/1e6)
	t.row("ledger", "%.2f TiB of calls per day, %.1f GiB of bindings", p.PerDay/tib, p.Bound/gib)
	t.row("recordings", "%.2f GB/s, %.1f TiB in 7 days at this load day and night", p.Recording/1e9, p.Recording*7*86400/tib)
	return t.Flush()
}

// showOthers writes how many nodes it takes otherwise.
func showOthers(to io.Writer, l load, c costs, m machines) error {
	t := newTable(to)
	for _, way := range []struct {
		name   string
		change func(*machines)
	}{
		{"nodes that take calls", func(*machines) {}},
		{"with --takeover", func(m *machines) { m.Takeover = true }},
		{"with --cores 16", func(m *machines) { m.Cores = 16 }},
		{"with --ports 10000", func(m *machines) { m.Ports = 10_000 }},
	} {
		other := m
		way.change(&other)
		p := needed(l, c, other)
		t.row(way.name, "%d; CPU %.0f %%, after one is lost %.0f %%; media workers %d of %.0f %%, %.0f %%; ports %.0f, %.0f", p.Nodes, 100*p.Busy, 100*p.Lost, p.Workers, 100*p.Worker, 100*p.Loaded, p.Ports, p.Crowded)
	}
	return t.Flush()
}

// showPlayed writes what was played, and whether the plan holds.
func showPlayed(to io.Writer, m machines, s peaks, last time.Duration, excess []string) error {
	t := newTable(to)
	t.row("played", "%d calls in %v, %.0f talks at once on average", s.Calls, last, s.Mean)
	for _, f := range []struct {
		when string
		fullness
	}{{"the fullest in any second", s.Whole}, {"the same after one node was lost", s.Lost}} {
		t.row(f.when, "%d talks, node %.0f %%, media worker %.0f %% of a core, %d ports", f.Talks, 100*f.Busy, 100*f.Worker, f.Ports)
	}
	t.row("the fullest shard in any second", "%.0f %% of a core", 100*s.Decide)
	if len(excess) == 0 {
		t.row("the plan", "holds: nothing above %.0f %%, and ports for all", 100*m.Most)
	} else {
		t.row("the plan", "does not hold: %s", strings.Join(excess, ", "))
	}
	return t.Flush()
}

// showRefill writes how long an emptied Redis takes to be full again.
func showRefill(to io.Writer, l load, c costs, p plan) error {
	const xs = 20_000
	nodes := p.Nodes + p.Pushers
	r, t := refilled(nodes, xs, 1), newTable(to)
	alone := time.Duration(float64(l.Bindings)/c.Refill) * time.Second
	t.row("an emptied Redis is full again", "after %.1f h by one node, %.0f min by %d that divide the X; %.2f loads for each X", alone.Hours(), alone.Minutes()/r.Faster, nodes, 1+r.Twice)
	return t.Flush()
}
