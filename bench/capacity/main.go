// Command capacity computes what one core, node, shard of Redis and PostgreSQL carry, and
// what a region needs of them, from what one call and one binding cost (costs.go). Then it
// plays the region, by chance and with a node lost, and tells whether the plan holds: it
// exits with 1 if not.
//
//	go run ./bench/capacity --calls 100000 --bindings 100000000
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/alecthomas/kong"
)

type options struct {
	Load     load          `embed:""`
	Costs    costs         `embed:""`
	Machines machines      `embed:""`
	Nodes    int           `help:"So many nodes take calls, whatever the plan says; 0: as it says."`
	Workers  int           `help:"So many media workers in each; 0: as the plan says."`
	For      time.Duration `default:"15m" help:"How long the region is played, in its own time; the first third fills it."`
	Seed     uint64        `default:"1" help:"Of the chance."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("capacity"), kong.Description("What a region of so many calls and bindings needs."), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), defaults)
	if err := o.check(); err != nil {
		fmt.Fprintln(os.Stderr, "capacity:", err)
		os.Exit(2)
	}
	holds, err := o.show(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "capacity:", err)
	}
	if err != nil || !holds {
		os.Exit(1)
	}
}

// check names what cannot be computed with.
func (o *options) check() error {
	l, c, m := &o.Load, &o.Costs, &o.Machines
	switch {
	case l.Calls < 1 || l.Bindings < 1:
		return errors.New("--calls and --bindings are to be 1 or more")
	case l.Talk <= 0 || l.Ring < 0:
		return errors.New("--talk is to be above 0, and --ring not below")
	case l.Answered <= 0 || l.Answered > 1:
		return errors.New("--answered is a share, above 0 and up to 1")
	case m.Cores < 1 || m.Ports < portsOfCall || m.Full <= 0 || m.Most <= 0 || m.RedisFull <= 0 || m.LedgerFull <= 0 || m.Shard <= 0 || m.ShardFull <= 0:
		return errors.New("--cores, --ports, --full, --most, --shard, --shard-full, --redis-full and --ledger-full are to be above 0")
	case m.Rest < 0 || m.Replicas < 0 || o.Nodes < 0 || o.Workers < 0:
		return errors.New("--rest, --replicas, --nodes and --workers are not to be below 0")
	case c.Minute <= 0 || c.SetUp <= 0 || c.Decision <= 0 || c.Cached <= 0 || c.Stored <= 0 || c.Refill <= 0:
		return errors.New("costs are to be above 0")
	case o.For < 5*l.Talk:
		return errors.New("--for is to be five times --talk or more: the region has to fill first")
	}
	return nil
}

func (o *options) show(to io.Writer) (holds bool, err error) {
	l, c, m := o.Load, o.Costs, o.Machines
	p := needed(l, c, m)
	if o.Nodes > 0 {
		p.spread(l, c, m, o.Nodes)
		p.staff(m)
	}
	if o.Workers > 0 {
		p.staffed(o.Workers)
	}
	s := simulate(l, c, m, p, o.For, o.Seed)
	excess := s.beyond(m)
	blank := func() error { _, err := fmt.Fprintln(to); return err }
	for _, part := range []func() error{
		func() error { return showUnits(to, l, c, m) }, blank,
		func() error { return showPlan(to, l, m, p) }, blank,
		func() error { return showPlayed(to, m, s, o.For, excess) }, blank,
		func() error { return showOthers(to, l, c, m) }, blank,
		func() error { return showRefill(to, l, c, p) },
	} {
		if err := part(); err != nil {
			return false, err
		}
	}
	return len(excess) == 0, nil
}

// beyond names what was fuller than it may be.
func (s *peaks) beyond(m machines) (excess []string) {
	share := func(what string, is float64) {
		if is > m.Most {
			excess = append(excess, fmt.Sprintf("%s %.0f %%", what, 100*is))
		}
	}
	for _, f := range []struct {
		when string
		fullness
	}{{"", s.Whole}, {" after a loss", s.Lost}} {
		share("node"+f.when, f.Busy)
		share("media worker"+f.when, f.Worker)
		if f.Ports > m.Ports {
			excess = append(excess, fmt.Sprintf("%d ports%s", f.Ports, f.when))
		}
	}
	share("shard", s.Decide)
	return excess
}
