// Command api measures the binding API: how many pairs (AXB) are bound in a
// second, and how long one takes, for 1, 8 and 64 clients on SQLite and on
// PostgreSQL. The node is a process of its own with a real redis-server; each
// request is signed and has a connection of its own, as the contract has it.
// Both databases wait for the disk.
//
//	go run ./bench/api --for 5s
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"axgate/e2e/redis"
	"axgate/ledger"
	"axgate/ledger/pgtest"
)

type options struct {
	For time.Duration `default:"5s" help:"How long each row is measured."`
}

func main() {
	if os.Getenv(childEnv) != "" {
		exit(serve())
	}
	var o options
	kong.Parse(&o, kong.Name("api"), kong.Description("What the binding API carries."), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := measure(ctx, o.For)
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// measure prints a row per database, way to name X, and number of clients.
func measure(ctx context.Context, last time.Duration) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	pg, err := pgtest.Start("fsync=on")
	if err != nil {
		return err
	}
	defer func() { _ = pg.Stop() }()
	dsn, err := pg.Make()
	if err != nil {
		return err
	}
	fmt.Printf("binds of pairs by signed HTTP requests, one connection each; %d processors for node, database, Redis and clients together\n\n", runtime.NumCPU())
	fmt.Printf("%-10s %-14s %7s %9s %9s %9s %9s %8s %12s\n", "database", "X", "clients", "binds/s", "p50", "p99", "most", "refused", "node's CPU")
	for _, database := range []struct{ driver, dsn string }{{ledger.SQLite, ""}, {ledger.Postgres, dsn}} {
		if err := measureOn(ctx, dir, database.driver, database.dsn, last); err != nil {
			return fmt.Errorf("%s: %w", database.driver, err)
		}
	}
	return nil
}

func measureOn(ctx context.Context, dir, driver, dsn string, last time.Duration) error {
	data, err := os.MkdirTemp(dir, driver)
	if err != nil {
		return err
	}
	cache, err := redis.Start(ctx, data)
	if err != nil {
		return err
	}
	defer func() { _ = cache.Close() }()
	n, err := startNode(data, driver, dsn, cache.Addr)
	if err != nil {
		return err
	}
	defer n.stop()
	for _, way := range []string{"named", "by area"} {
		for _, clients := range []int{1, 8, 64} {
			r, err := load(ctx, n, way, clients, last)
			if err != nil {
				return err
			}
			fmt.Printf("%-10s %-14s %7d %9.0f %9s %9s %9s %8d %9.2f ms\n", driver, way, clients, r.rate, r.at(50), r.at(99), r.at(100), r.refused, r.cpu)
		}
	}
	return nil
}
