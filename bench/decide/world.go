package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"axgate/e2e/redis"
	"axgate/ledger"
	"axgate/lookup"
	"axgate/provision"
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

// world is a node's lookup with what is beneath it.
type world struct {
	dir     string
	redis   *redis.Server
	ledger  *ledger.Ledger
	cache   *store.Cache
	office  *provision.Service
	router  *lookup.Router
	end     func()
	lock    *os.File  // nil: nobody else measures
	since   time.Time // the turn beside others began
	bound   int
	binding time.Duration // how long that took
	empty   int64         // bytes of an empty Redis
}

func open(ctx context.Context, dir string, cfg ledger.Config, lock string) (w *world, err error) {
	w = &world{dir: dir, end: func() {}}
	if lock != "" {
		if w.lock, err = os.OpenFile(lock, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
			return nil, err
		}
	}
	if w.redis, err = redis.Start(ctx, dir); err != nil {
		return nil, err
	}
	if w.ledger, err = ledger.Open(ctx, cfg); err != nil {
		return nil, errors.Join(err, w.redis.Close())
	}
	log := zerolog.New(os.Stderr)
	w.cache, err = store.Open(store.Config{Address: w.redis.Addr, Node: "bench", Log: log, Timeout: time.Minute,
		NewServer: func(ctx context.Context) (int64, error) { return w.ledger.RaiseEpoch(ctx, "a new Redis") }})
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
	if w.empty, err = w.redisBytes(ctx); err != nil {
		return err
	}
	w.office, err = provision.New(provision.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Node: "bench", Log: log})
	if err != nil {
		return err
	}
	if err := w.office.EnsureAccount(ctx, ledger.Account{SP: "bench"}); err != nil {
		return err
	}
	if _, err := w.office.CreateApp(ctx, ledger.App{App: routing.App{Key: app, SP: "bench", Mode: routing.AXB}}); err != nil {
		return err
	}
	if w.router, err = lookup.New(ctx, lookup.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Node: "bench", Log: log}); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var runs sync.WaitGroup
	runs.Go(func() { w.router.Run(ctx) })
	w.end = func() { stop(); runs.Wait() }
	return nil
}

func (w *world) close() error {
	w.end()
	return errors.Join(w.cache.Close(), w.ledger.Close(), w.redis.Close())
}

// beside takes a turn on this machine beside others, which it keeps for a while
// if it has one; alone waits for a turn of its own.
func (w *world) beside() error {
	const whole = time.Minute
	if w.lock == nil || time.Since(w.since) < whole {
		return nil
	}
	if err := w.yield(); err != nil {
		return err
	}
	defer func() { w.since = time.Now() }()
	return w.take(syscall.LOCK_SH)
}

func (w *world) alone() error {
	if w.lock == nil {
		return nil
	}
	if err := w.yield(); err != nil {
		return err
	}
	return w.take(syscall.LOCK_EX)
}

// yield lets others have their turn.
func (w *world) yield() error {
	if w.lock == nil {
		return nil
	}
	w.since = time.Time{}
	return w.take(syscall.LOCK_UN)
}

func (w *world) take(how int) error {
	if err := syscall.Flock(int(w.lock.Fd()), how); err != nil {
		return fmt.Errorf("take turns by %s: %w", w.lock.Name(), err)
	}
	return nil
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
		if err := w.beside(); err != nil {
			return err
		}
		begun := time.Now()
		results, err := w.office.BindLines(ctx, app, lines)
		w.binding += time.Since(begun)
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
	if cache, err = w.redisBytes(ctx); err != nil {
		return 0, 0, err
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "*.db"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			disk += info.Size()
		}
	}
	return cache - w.empty, disk, err
}

func (w *world) redisBytes(ctx context.Context) (n int64, err error) {
	info, err := w.redis.Client().InfoMap(ctx, "memory").Result()
	if err == nil {
		_, err = fmt.Sscan(info["Memory"]["used_memory"], &n)
	}
	return n, err
}
