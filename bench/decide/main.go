// Command decide measures the decision about a call by itself: lookup and rules
// in this process, a real redis-server, and a ledger, without SIP. For each set
// of bindings it shows
//
//   - what a binding costs in Redis and in the ledger, and how fast sets are
//     bound and brought to the cache,
//   - how long a first call takes, to an X that is not in the cache,
//   - decisions per second, how long one takes, and the CPU that it costs here
//     and in Redis, by how many ask at once,
//   - which commands Redis runs for that.
//
// What redis-server carries on a core is the figure with many askers, divided by
// the share of the core that it used.
//
//	go run ./bench/decide --sets 1000,100000,1000000
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"axgate/ledger"
	"axgate/ledger/pgtest"
	"axgate/routing"
)

type options struct {
	Mode      string        `default:"AXB" enum:"AXB,AX,AXE" help:"What is bound; others than AXB with --cache-only. With AXE a question is two: X, and an extension."`
	Sets      []int         `default:"1000,100000,1000000" help:"Bindings; each set keeps those before it."`
	PerX      int           `name:"per-x" help:"Pairs on an X; 0: 1 with AX, which has no more, else 1000."`
	Askers    []int         `default:"1,8,64" help:"How many ask at once."`
	Rate      float64       `help:"Questions per second; 0: as many as can be."`
	For       time.Duration `default:"5s" help:"How long each row is measured."`
	Ledger    string        `default:"sqlite" enum:"sqlite,postgres" help:"The ledger's database."`
	CacheOnly bool          `name:"cache-only" help:"Sets are brought to the cache alone, several times as fast; the ledger has none of them."`
	Profile   string        `help:"Write a CPU profile of this process while it asks." placeholder:"FILE" type:"path"`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("decide"), kong.Description("What the decision about a call costs."), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := measure(ctx, &o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, o *options) (err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	switch {
	case o.PerX < 1 && o.Mode == string(routing.AX):
		o.PerX = 1
	case o.PerX < 1:
		o.PerX = 1000
	}
	cfg := ledger.Config{Driver: o.Ledger, Path: filepath.Join(dir, "axgate.db")}
	if o.Ledger == ledger.Postgres {
		pg, err := pgtest.Start("fsync=on")
		if err != nil {
			return err
		}
		defer func() { _ = pg.Stop() }()
		if cfg.DSN, err = pg.Make(); err != nil {
			return err
		}
	}
	w, err := open(ctx, dir, cfg, routing.Mode(o.Mode))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for _, n := range o.Sets {
		if err := w.set(ctx, o, n); err != nil {
			return err
		}
	}
	return nil
}

// set grows what is bound to n and shows what it costs.
func (w *world) set(ctx context.Context, o *options, n int) error {
	had, begun := w.bound, time.Now()
	each := func(took time.Duration) float64 { return float64(n-had) / took.Seconds() }
	if o.Mode != "AXB" && !o.CacheOnly {
		return errors.New("other bindings than of AXB are made with --cache-only")
	}
	if o.CacheOnly {
		if err := w.bring(ctx, o.PerX, n); err != nil {
			return err
		}
	} else if err := w.bind(ctx, o.PerX, n); err != nil {
		return err
	}
	bound := time.Since(begun)
	if o.CacheOnly {
		cache, _, err := w.bytes(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%d bindings: Redis %d bytes each; %.0f brought to the cache per second\n", n, cache/int64(n), each(bound))
	} else {
		first, filled, err := w.fill(ctx, o.PerX, had, n)
		if err != nil {
			return err
		}
		cache, disk, err := w.bytes(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%d bindings: Redis %d bytes each, ledger %d; %.0f bound and %.0f brought to the cache per second\n", n, cache/int64(n), disk/int64(n), each(bound), each(filled))
		fmt.Printf("  first call to an X: p50 %s, p99 %s\n", first.at(50), first.at(99))
	}
	for _, askers := range o.Askers {
		r, err := w.ask(ctx, o, n, askers)
		if err != nil {
			return err
		}
		fmt.Printf("  %2d at once: %7.0f decisions/s, p50 %s, p99 %s; CPU us of a decision: here %.1f, Redis %.1f (%.0f %% of a core)\n", askers, r.rate, r.took.at(50), r.took.at(99), r.here, r.redis, 100*r.busy)
		fmt.Printf("     %s\n", r.commands)
	}
	return nil
}
