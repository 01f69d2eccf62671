package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// table is what is printed at the end.
type table struct{ rows [][2]string }

func (t *table) add(name, format string, args ...any) {
	value := fmt.Sprintf(format, args...)
	t.rows = append(t.rows, [2]string{name, value})
	fmt.Fprintf(os.Stderr, "%s: %s\n", name, value)
}

func (t *table) print() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range t.rows {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	return w.Flush()
}

// measure measures the rows that are wanted and prints what there is, even if
// it is ended before.
func measure(ctx context.Context, o *options) error {
	w, err := open(ctx, o)
	if err != nil {
		if w != nil {
			err = errors.Join(err, w.close(ctx))
		}
		return err
	}
	t := &table{}
	for _, row := range []struct {
		name string
		do   func(context.Context, *table, kind) error
	}{{"media", w.mediaRows}, {"signal", w.signalRows}, {"speed", w.speedRow}, {"once", w.onceRow}} {
		if err == nil && slices.Contains(o.Rows, row.name) {
			err = w.bothWays(func(k kind) error { return row.do(ctx, t, k) })
		}
	}
	if err == nil && slices.Contains(o.Rows, "sets") {
		err = w.setRows(ctx, t)
	}
	return errors.Join(err, w.close(ctx), t.print())
}

// bothWays does it without and with recording, as is wanted.
func (w *world) bothWays(do func(kind) error) error {
	for _, record := range []bool{false, true} {
		if record && w.o.Record == "no" || !record && w.o.Record == "yes" {
			continue
		}
		if err := do(kind{"AXB", record}); err != nil {
			return err
		}
	}
	return nil
}

func recorded(k kind) string {
	if k.record {
		return ", recorded"
	}
	return ""
}

// doubtful marks a figure that the generator does not believe.
func doubtful(r *result) string {
	if r.Valid {
		return ""
	}
	return "  (INVALID)"
}

func (w *world) mediaRows(ctx context.Context, t *table, k kind) error {
	for _, calls := range w.o.Calls {
		err := w.measured(ctx, k, w.o.Pairs, func() error {
			name := fmt.Sprintf("%d calls%s", calls, recorded(k))
			r, err := w.media(ctx, name, k, calls, w.o.For)
			if err != nil {
				return err
			}
			t.add("CPU s per call-minute, "+name, "%.4f%s", r.PerCallMinute, doubtful(&r))
			t.add("added delay ms p50 / p99, "+name, "%.3f / %.3f, lost %.4f %%%s", r.Media.Delay.P50, r.Media.Delay.P99, r.Media.Loss, doubtful(&r))
			t.add("memory per call KiB, "+name, "%.1f, %d of %d good%s", r.MemoryPerCall, r.Calls.Good, r.Calls.Begun, doubtful(&r))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) signalRows(ctx context.Context, t *table, k kind) error {
	for _, mode := range w.o.Modes {
		k.mode = mode
		err := w.measured(ctx, k, w.o.Pairs, func() error {
			name := fmt.Sprintf("%s at %g cps%s", mode, w.o.Rate, recorded(k))
			r, err := w.signal(ctx, name, k, w.o.Pairs, w.o.Rate, w.o.For)
			if err != nil {
				return err
			}
			t.add("CPU s per 1,000 calls, "+name, "%.3f, %d of %d good%s", r.PerThousand, r.Calls.Good, r.Calls.Begun, doubtful(&r))
			delay := r.PostDial
			if mode == "AXE" {
				delay = r.AfterDigits
			}
			t.add("post-dial delay ms p50 / p99, "+name, "%.3f / %.3f%s", delay.P50, delay.P99, doubtful(&r))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fast tells whether a rate was carried.
func (r *result) fast() bool {
	const good, again = 0.999, 0.01
	return r.Calls.Share >= good && r.Messages.Share <= again
}

// speedRow looks for the most calls per second: up by doubling, then to within
// a sixteenth by halving.
func (w *world) speedRow(ctx context.Context, t *table, k kind) error {
	name := "calls per second at most, AXB" + recorded(k)
	best, at, err := w.search(ctx, k, w.o.Rate, w.o.Most, func(rate float64) (bool, string, error) {
		r, err := w.signal(ctx, name, k, w.o.Pairs, rate, w.o.For/3)
		return r.fast(), fmt.Sprintf("%.2f %% good, %.4f retransmissions per call, post-dial delay p99 %.2f ms%s", 100*r.Calls.Share, r.Messages.Share, r.PostDial.P99, doubtful(&r)), err
	})
	t.add(name, "%.0f (%s)", best, at)
	return err
}

// onceRow looks for the most calls at once.
func (w *world) onceRow(ctx context.Context, t *table, k kind) error {
	const loss, late, first = 0.1, 10.0, 200
	name := "calls at once at most, AXB" + recorded(k)
	best, at, err := w.search(ctx, k, first, (lastRTP-firstRTP)/4, func(calls float64) (bool, string, error) {
		r, err := w.media(ctx, name, k, int(calls), w.o.For/3)
		return r.Media.Loss < loss && r.Media.Delay.P99 < late && r.Calls.Bad == 0, fmt.Sprintf("lost %.4f %%, added delay p99 %.2f ms, %d bad%s", r.Media.Loss, r.Media.Delay.P99, r.Calls.Bad, doubtful(&r)), err
	})
	t.add(name, "%.0f (%s)", best, at)
	return err
}

// search finds the most that passes, between first and most, and what it was
// like; each try has a fresh process.
func (w *world) search(ctx context.Context, k kind, first, most float64, try func(float64) (bool, string, error)) (best float64, at string, err error) {
	const fine = 1.0 / 16
	low, high := 0.0, 0.0
	for next := min(first, most); ; {
		var passed bool
		var what string
		err := w.measured(ctx, k, w.o.Pairs, func() (err error) { passed, what, err = try(next); return err })
		if err != nil {
			return low, at, err
		}
		fmt.Fprintf(os.Stderr, "%.0f: %v, %s\n", next, passed, what)
		switch {
		case passed:
			low, at = next, what
		default:
			high = next
		}
		switch {
		case high == 0 && low == most:
			return low, at, nil
		case high == 0:
			next = min(2*next, most)
		case high-low <= fine*high || high < 2:
			return low, at, nil
		default:
			next = float64(int((low + high) / 2))
		}
	}
}

// setRows shows whether the size of what is bound matters: each set is bound,
// every X of it is called once so that the cache has it, then it is measured.
func (w *world) setRows(ctx context.Context, t *table) error {
	k := kind{"AXB", false}
	if err := w.start(ctx); err != nil {
		return err
	}
	emptyRedis, err := w.redisBytes(ctx)
	if err != nil {
		return errors.Join(err, w.stop(ctx))
	}
	emptyLedger, err := w.ledgerBytes()
	for _, n := range w.o.Sets {
		if err != nil {
			break
		}
		err = w.setRow(ctx, t, k, n, emptyRedis, emptyLedger)
	}
	return errors.Join(err, w.stop(ctx))
}

func (w *world) setRow(ctx context.Context, t *table, k kind, n int, emptyRedis, emptyLedger int64) error {
	had := w.bound[k]
	took, err := w.bind(ctx, k, n)
	if err != nil {
		return err
	}
	if err := w.fill(ctx, k, n); err != nil {
		return err
	}
	cache, err := w.redisBytes(ctx)
	if err != nil {
		return err
	}
	disk, err := w.ledgerBytes()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d bindings", n)
	r, err := w.signal(ctx, name, k, n, w.o.Rate, w.o.For)
	if err != nil {
		return err
	}
	if took > 0 {
		t.add("bound per second, up to "+name, "%.0f", float64(n-had)/took.Seconds())
	}
	t.add("post-dial delay ms p50 / p99, "+name, "%.3f / %.3f, %d of %d good%s", r.PostDial.P50, r.PostDial.P99, r.Calls.Good, r.Calls.Begun, doubtful(&r))
	t.add("CPU s per 1,000 calls, "+name, "%.3f%s", r.PerThousand, doubtful(&r))
	t.add("bytes per binding, "+name, "Redis %d, ledger %d", (cache-emptyRedis)/int64(n), (disk-emptyLedger)/int64(n))
	return nil
}

// fill calls each X once.
func (w *world) fill(ctx context.Context, k kind, n int) error {
	const rate = 50
	xs := (n + k.perX() - 1) / k.perX()
	last := time.Duration(float64(xs) / rate * float64(time.Second))
	_, err := w.run(ctx, "fill the cache", k, n, "signal", "--rate", strconv.Itoa(rate), "--for", max(last, time.Second).String(), "--hold", "100ms", "--stride", strconv.Itoa(k.perX()))
	return err
}
