package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"axgate/e2e/redis"
	"axgate/ledger"
	"axgate/lookup"
	"axgate/provision"
	"axgate/roster"
	"axgate/routing"
	"axgate/store"
)

const (
	app         = "bench"
	firstX      = 17_000_000_000
	firstCaller = 13_000_000_000
	firstCallee = 15_000_000_000
)

func xOf(i int) routing.X           { return routing.X(fmt.Sprintf("+86%d", firstX+i)) }
func callerOf(i int) routing.Number { return routing.Number(fmt.Sprintf("+86%d", firstCaller+i)) }
func calleeOf(i int) routing.Number { return routing.Number(fmt.Sprintf("+86%d", firstCallee+i)) }

func extensionOf(i int) routing.Extension { return routing.Extension(fmt.Sprintf("%04d", 1+i)) }

// world is a node's lookup with what is beneath it.
type world struct {
	dsn    string // of PostgreSQL
	mode   routing.Mode
	dir    string
	redis  *redis.Server
	ledger *ledger.Ledger
	cache  *store.Cache
	office *provision.Service
	router *lookup.Router
	end    func()
	bound  int
	empty  int64 // bytes of an empty Redis
}

func open(ctx context.Context, dir string, cfg ledger.Config, mode routing.Mode) (w *world, err error) {
	w = &world{dir: dir, dsn: cfg.DSN, mode: mode, end: func() {}}
	if w.redis, err = redis.Start(ctx, dir); err != nil {
		return nil, err
	}
	if w.ledger, err = ledger.Open(ctx, cfg); err != nil {
		return nil, errors.Join(err, w.redis.Close())
	}
	log := zerolog.New(os.Stderr)
	w.cache, err = store.Open(store.Config{Address: w.redis.Addr, Node: "bench", Log: log, Timeout: time.Minute,
		Registry: lookup.NewRegistry(w.ledger, "bench", nil)})
	if err != nil {
		return nil, errors.Join(err, w.ledger.Close(), w.redis.Close())
	}
	if err := w.begin(ctx, log); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// begin makes the app, and a router that follows the ledger.
func (w *world) begin(ctx context.Context, log zerolog.Logger) (err error) {
	if err := w.cache.Ping(ctx); err != nil {
		return err
	}
	if w.empty, err = w.redis.Memory(ctx); err != nil {
		return err
	}
	w.office, err = provision.New(provision.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Node: "bench", Log: log})
	if err != nil {
		return err
	}
	if err := w.office.EnsureAccount(ctx, ledger.Account{SP: "bench"}); err != nil {
		return err
	}
	if _, err := w.office.CreateApp(ctx, ledger.App{App: routing.App{Key: app, SP: "bench", Mode: w.mode, ExtDigits: 4}}); err != nil {
		return err
	}
	nodes, err := roster.Join(ctx, roster.Config{Ledger: w.ledger, Node: "bench", Home: "bench", Log: log})
	if err != nil {
		return err
	}
	if w.router, err = lookup.New(ctx, lookup.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Node: "bench", Roster: nodes, Log: log}); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var runs sync.WaitGroup
	runs.Go(func() { nodes.Run(ctx) })
	runs.Go(func() { w.router.Run(ctx) })
	w.end = func() { stop(); runs.Wait() }
	return nil
}

func (w *world) close() error {
	w.end()
	return errors.Join(w.cache.Close(), w.ledger.Close(), w.redis.Close())
}

// bring has n pairs in the cache alone.
func (w *world) bring(ctx context.Context, perX, n int) error {
	starts := make(chan int)
	failures := make([]error, runtime.NumCPU())
	var all sync.WaitGroup
	for i := range failures {
		all.Go(func() {
			for first := range starts {
				if failures[i] == nil {
					failures[i] = w.bringX(ctx, xOf(first/perX), first, min(first+perX, n))
				}
			}
		})
	}
	for first := w.bound - w.bound%perX; first < n; first += perX { // an X comes as a whole
		starts <- first
	}
	close(starts)
	all.Wait()
	w.bound = n
	return errors.Join(failures...)
}

func (w *world) bringX(ctx context.Context, x routing.X, from, until int) error {
	d := routing.Dossier{Number: routing.XNumber{X: x, App: app, Mode: w.mode, Status: routing.StatusNormal, AreaCode: "0755", Bindings: until - from, Version: 1}}
	for i := from; i < until; i++ {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		b := routing.Binding{ID: id.String(), App: app, Mode: w.mode, X: x, A: calleeOf(i), AreaCode: "0755", Version: 1}
		switch w.mode {
		case routing.AXB:
			b.A, b.B = callerOf(i), calleeOf(i)
		case routing.AXE:
			b.Ext = extensionOf(i - from)
		}
		d.Bindings = append(d.Bindings, b)
	}
	if err := w.cache.Forget(ctx, x); err != nil {
		return err
	}
	_, ticket, err := w.cache.Peek(ctx, routing.Question{Session: "bring", X: x, Caller: callerOf(from), At: time.Now()})
	if err != nil {
		return err
	}
	return w.cache.Fill(ctx, ticket, d)
}

// bind has n pairs, of which pair i is on X i/perX.
func (w *world) bind(ctx context.Context, perX, n int) error {
	for w.bound < n {
		x := xOf(w.bound / perX)
		if w.bound%perX == 0 {
			if _, err := w.office.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: app, AreaCode: "0755"}, Voice: true}); err != nil {
				return err
			}
		}
		var lines []provision.BindingLine
		for len(lines) < provision.MostBindings && w.bound < n && w.bound/perX == (w.bound-len(lines))/perX {
			lines = append(lines, provision.BindingLine{Line: w.bound, X: string(x), A: string(callerOf(w.bound)), B: string(calleeOf(w.bound))})
			w.bound++
			if w.bound%perX == 0 {
				break
			}
		}
		results, err := w.office.BindLines(ctx, app, lines)
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.State != provision.LineBound {
				return fmt.Errorf("bind pair %d: %s", r.Line, r.Reason)
			}
		}
	}
	return nil
}

// bytes are what Redis and the ledger use for what is bound.
func (w *world) bytes(ctx context.Context) (cache, disk int64, err error) {
	if cache, err = w.redis.Memory(ctx); err != nil {
		return 0, 0, err
	}
	if w.dsn != "" {
		db, err := sql.Open("pgx", w.dsn)
		if err != nil {
			return 0, 0, err
		}
		defer func() { _ = db.Close() }()
		err = db.QueryRowContext(ctx, `SELECT pg_database_size(current_database())`).Scan(&disk)
		return cache - w.empty, disk, err
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "*.db"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			disk += info.Size()
		}
	}
	return cache - w.empty, disk, err
}
