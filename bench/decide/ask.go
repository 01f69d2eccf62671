package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"axgate/routing"
)

// times are how long things took.
type times []time.Duration

func (t times) at(percent int) time.Duration {
	if len(t) == 0 {
		return 0
	}
	slices.Sort(t)
	return t[min(len(t)-1, len(t)*percent/100)].Round(time.Microsecond)
}

// fill calls each new X once, and has it loaded.
func (w *world) fill(ctx context.Context, perX, from, until int) (first times, took time.Duration, err error) {
	for i := from - from%perX; i < until; i += perX {
		begun := time.Now()
		d, err := w.router.Decide(ctx, question(i, perX, "first"))
		first = append(first, time.Since(begun))
		if err = right(d, err, i); err == nil {
			w.router.Release("first")
			err = w.loaded(ctx, question(i, perX, "fill"))
		}
		took += time.Since(begun)
		if err != nil {
			return nil, 0, err
		}
	}
	return first, took, nil
}

// loaded waits until the cache has an X.
func (w *world) loaded(ctx context.Context, q routing.Question) error {
	for {
		if _, err := w.router.Peek(ctx, q); err != nil {
			return err
		}
		_, ticket, err := w.cache.Peek(ctx, q)
		if err != nil || !ticket.Miss() {
			return err
		}
		time.Sleep(10 * time.Millisecond) // the node was too busy to hear from the ledger: the cache is not believed for a moment
	}
}

func question(i, perX int, session string) routing.Question {
	return routing.Question{Session: session, X: xOf(i / perX), Caller: callerOf(i), At: time.Now()}
}

// right tells whether a call came to what it should; two at once may want one AX
// number or extension.
func right(d routing.Decision, err error, i int) error {
	if err == nil && d.End.Word == routing.EndInUse.Word {
		return nil
	}
	if err == nil && (d.Step != routing.Dial || d.Callee != calleeOf(i)) {
		err = fmt.Errorf("pair %d: %s", i, d.Why)
	}
	return err
}

// result is what questions cost.
type result struct {
	rate        float64
	took        times
	here, redis float64 // us of CPU per decision
	busy        float64 // share of a core that Redis used
	commands    string
}

// ask puts questions about random pairs.
func (w *world) ask(ctx context.Context, o *options, n, askers int) (r result, err error) {
	c := w.redis.Client()
	if err := c.ConfigResetStat(ctx).Err(); err != nil {
		return r, err
	}
	if o.Profile != "" {
		f, failure := os.Create(o.Profile)
		if failure != nil {
			return r, failure
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return r, err
		}
		defer pprof.StopCPUProfile()
	}
	redisBefore, err := w.redisCPU(ctx)
	if err != nil {
		return r, err
	}
	here, begun := ownCPU(), time.Now()
	all := make([]times, askers)
	failures := make([]error, askers)
	var asking sync.WaitGroup
	for i := range all {
		asking.Go(func() {
			all[i], failures[i] = w.asker(ctx, o, n, fmt.Sprintf("s%d", i), o.Rate/float64(askers), begun.Add(o.For))
		})
	}
	asking.Wait()
	took := time.Since(begun)
	used := ownCPU() - here
	redisAfter, err := w.redisCPU(ctx)
	if err = errors.Join(append(failures, err)...); err != nil {
		return r, err
	}
	r.took = slices.Concat(all...)
	count := float64(len(r.took))
	r.rate, r.busy = count/took.Seconds(), (redisAfter-redisBefore)/took.Seconds()
	r.here, r.redis = used.Seconds()*1e6/count, (redisAfter-redisBefore)*1e6/count
	info, err := c.Info(ctx, "commandstats").Result()
	r.commands = commands(info, count)
	return r, err
}

func (w *world) asker(ctx context.Context, o *options, n int, session string, rate float64, until time.Time) (took times, err error) {
	next := time.Now()
	for ctx.Err() == nil {
		if rate > 0 {
			next = next.Add(time.Duration(rand.ExpFloat64() / rate * float64(time.Second)))
			time.Sleep(time.Until(next))
		}
		begun := time.Now()
		if begun.After(until) {
			return took, nil
		}
		i := rand.IntN(n)
		d, err := w.decide(ctx, o, i, session)
		if err = right(d, err, i); err != nil {
			return nil, err
		}
		took = append(took, time.Since(begun))
		w.router.Release(session)
	}
	return took, ctx.Err()
}

// decide is what becomes of a call by binding i.
func (w *world) decide(ctx context.Context, o *options, i int, session string) (routing.Decision, error) {
	q := question(i, o.PerX, session)
	d, err := w.router.Decide(ctx, q)
	if err == nil && d.Step == routing.Collect {
		d, err = w.router.DecideExtension(ctx, q, extensionOf(i%o.PerX))
	}
	return d, err
}

// redisCPU is what Redis has used, in s.
func (w *world) redisCPU(ctx context.Context) (float64, error) {
	info, err := w.redis.Client().InfoMap(ctx, "cpu").Result()
	if err != nil {
		return 0, err
	}
	var user, system float64
	if _, err := fmt.Sscan(info["CPU"]["used_cpu_user"]+" "+info["CPU"]["used_cpu_sys"], &user, &system); err != nil {
		return 0, fmt.Errorf("read the CPU of Redis: %w", err)
	}
	return user + system, nil
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var commandLine = regexp.MustCompile(`cmdstat_(\S+):calls=(\d+),usec=\d+,usec_per_call=([\d.]+)`)

// commands is what Redis ran per decision, and how many us one took.
func commands(info string, decisions float64) string {
	var all []string
	for _, m := range commandLine.FindAllStringSubmatch(info, -1) {
		var calls float64
		if _, err := fmt.Sscan(m[2], &calls); err == nil && calls/decisions >= 0.01 {
			all = append(all, fmt.Sprintf("%s %.2f x %s us", m[1], calls/decisions, m[3]))
		}
	}
	return strings.Join(all, ", ")
}
