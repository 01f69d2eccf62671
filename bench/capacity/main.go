// Command capacity computes what a region needs - nodes, shards of Redis,
// PostgreSQL, network, disks - from what one call and one binding cost, and
// plays the region to see how far chance goes beyond the means that the plan
// is made of.
//
//	go run ./bench/capacity --calls 100000 --bindings 100000000
package main

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Load     load          `embed:""`
	Costs    costs         `embed:""`
	Machines machines      `embed:""`
	For      time.Duration `default:"15m" help:"How long the region is played, in its own time; the first third fills it."`
	Seed     uint64        `default:"1" help:"Of the chance."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("capacity"), kong.Description("What a region of so many calls and bindings needs."), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err := o.check(); err != nil {
		fmt.Fprintln(os.Stderr, "capacity:", err)
		os.Exit(2)
	}
	p := needed(o.Load, o.Costs, o.Machines)
	show(&o, p, simulate(o.Load, p, o.For, o.Seed))
}

// check names what cannot be computed with.
func (o *options) check() error {
	switch {
	case o.Load.Calls < 1 || o.Load.Bindings < 1:
		return fmt.Errorf("--calls and --bindings are to be 1 or more")
	case o.Load.Talk <= 0 || o.Load.Ring < 0:
		return fmt.Errorf("--talk is to be above 0, and --ring not below")
	case o.Load.Answered <= 0 || o.Load.Answered > 1:
		return fmt.Errorf("--answered is a share, above 0 and up to 1")
	case o.Machines.Cores < 1 || o.Machines.Full <= 0 || o.Machines.RedisFull <= 0 || o.Machines.LedgerFull <= 0 || o.Machines.Shard <= 0 || o.Costs.RowsPerCore <= 0:
		return fmt.Errorf("--cores, --full, --redis-full, --ledger-full, --shard and --rows-per-core are to be above 0")
	case o.For < 5*o.Load.Talk:
		return fmt.Errorf("--for is to be five times --talk or more: the region has to fill first")
	}
	return nil
}

func show(o *options, p plan, s peaks) {
	const gib, tib = 1 << 30, 1 << 40
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("calls per second", "%.0f, of which %.0f are answered", p.Attempts, p.Attempts*o.Load.Answered)
	row("calls up at once", "%.0f, of which %d talk", p.Up, o.Load.Calls)
	row("cores filled by talks", "%.1f", p.Media)
	row("cores filled by set-up and tear-down", "%.1f", p.Signals)
	row("cores filled by pushes", "%.1f, %.0f posts per second", p.Pushes, p.Posts)
	row("nodes", "%d of %d cores, one in ten to spare; %.0f talks each", p.Nodes, o.Machines.Cores, p.PerNode)
	row("network of a node, each way", "%.0f packets per second, %.2f Gbit/s", p.Packets, p.Bits/1e9)
	row("memory of the calls of a node", "%.2f GiB", p.Memory/gib)
	row("shards of Redis", "%d: the bindings need %d, the decisions %d", p.Shards, p.ByMemory, p.BySpeed)
	row("PostgreSQL", "%.0f rows per second, %.1f cores", p.Inserts, p.Ledger)
	row("ledger", "%.2f TiB of calls per day, %.1f GiB of bindings", p.PerDay/tib, p.Bound/gib)
	row("recordings", "%.2f GB/s, %.1f TiB in 7 days at this load day and night", p.Recording/1e9, p.Recording*7*86400/tib)
	row("played", "%d calls in %v, %.0f talks at once on average", s.Calls, o.For, s.Mean)
	row("  fullest node, talks", "%.3f of the mean", s.Talks)
	row("  fullest node, calls of a second", "%.3f of the mean", s.Attempts)
	row("  fullest node after one was lost, talks", "%.3f of the mean before", s.Lost)
	row("  fullest shard, decisions of a second", "%.3f of the mean", s.Shard)
	_ = w.Flush()
}
