package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// bench is a run of this program.
type bench struct {
	o       *options
	load    string // the generator
	columns []column
	table   table
	round   int
	found   map[string]float64 // by row and column: what a search has found before
	again   bool               // a run that was disturbed is an error: it is made again
}

// measure measures the rows that are wanted and prints what there is, even if
// it is ended before.
func measure(ctx context.Context, o *options) error {
	dir := o.Dir
	if dir == "" {
		made, err := os.MkdirTemp("", "bench")
		if err != nil {
			return err
		}
		dir = made
		if !o.Keep {
			defer func() { _ = os.RemoveAll(made) }()
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	b := &bench{o: o, found: make(map[string]float64)}
	err := b.begin(ctx)
	if err == nil {
		err = b.build(ctx, dir)
	}
	if err == nil {
		b.columns, err = columns(ctx, o, dir)
	}
	for b.round = 1; err == nil && b.round <= o.Rounds; b.round++ {
		err = b.rows(ctx)
	}
	for i, c := range b.columns {
		if i == 0 || b.columns[i-1].system != c.system {
			err = errors.Join(err, c.system.close(ctx))
		}
	}
	return errors.Join(err, b.file(b.table.lines), b.table.print(os.Stdout))
}

// rows measures each row of a round, column by column.
func (b *bench) rows(ctx context.Context) error {
	fmt.Fprintf(os.Stderr, "round %d of %d\n", b.round, b.o.Rounds)
	for _, row := range []struct {
		name string
		do   func(context.Context, string) error
	}{{"media", b.mediaRows}, {"signal", b.signalRows}, {"speed", b.speedRow}, {"once", b.onceRow}, {"sets", b.setRows}} {
		if !slices.Contains(b.o.Rows, row.name) {
			continue
		}
		if err := row.do(ctx, row.name); err != nil {
			return err
		}
	}
	return nil
}

// each does it for each column that has the row.
func (b *bench) each(row string, do func(*column) error) error {
	for i := range b.columns {
		if !slices.Contains(b.columns[i].does, row) {
			continue
		}
		if err := do(&b.columns[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) mediaRows(ctx context.Context, row string) error {
	for _, calls := range b.o.Calls {
		name := fmt.Sprintf(", %d calls", calls)
		err := b.each(row, func(c *column) error {
			return b.fresh(ctx, c, "AXB", func(k kind) error {
				if err := b.warm(ctx, c, k); err != nil {
					return err
				}
				r, err := b.media(ctx, c, name[2:], k, calls, b.o.For)
				if err != nil {
					return err
				}
				b.table.add(c.title, perMinute+name, "%.4f", r.PerCallMinute, r.doubt())
				b.table.add(c.title, addedMedian+name, "%.3f", r.Media.Delay.P50, r.doubt())
				b.table.add(c.title, addedMost+name, "%.3f", r.Media.Delay.P99, r.doubt())
				b.table.add(c.title, "lost %"+name, "%.4f", r.Media.Loss, r.doubt())
				b.table.add(c.title, idleMemory+name, "%.0f", float64(r.IdleMemory)/1024, r.doubt())
				b.table.add(c.title, memory+name, "%.1f", r.MemoryPerCall, r.doubt())
				b.table.add(c.title, "bad calls"+name, "%.0f", float64(r.Calls.Bad), believe(r.Valid))
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) signalRows(ctx context.Context, row string) error {
	for _, mode := range b.o.Modes {
		for _, rate := range b.o.Rates {
			if err := b.signalRow(ctx, row, mode, rate); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bench) signalRow(ctx context.Context, row, mode string, rate float64) error {
	name := ", " + mode
	if rate != goalRate {
		name += fmt.Sprintf(", %.0f/s", rate)
	}
	return b.each(row, func(c *column) error {
		if !slices.Contains(c.modes, mode) {
			return nil
		}
		return b.fresh(ctx, c, mode, func(k kind) error {
			if err := b.warm(ctx, c, k); err != nil {
				return err
			}
			const calls = 3000 // a hundredth of fewer is next to nothing
			r, err := b.signal(ctx, c, name[2:], k, b.o.Pairs, rate, max(b.o.For, time.Duration(calls/rate*float64(time.Second))))
			if err != nil {
				return err
			}
			delay := r.PostDial
			if mode == "AXE" {
				delay = r.AfterDigits
			}
			b.table.add(c.title, perThousand+name, "%.3f", r.PerThousand, r.doubt())
			b.table.add(c.title, idleCPU+name, "%.3f", r.Idle, r.doubt())
			b.table.add(c.title, dialMedian+name, "%.3f", delay.P50, r.doubt())
			b.table.add(c.title, dialMost+name, "%.3f", delay.P99, r.doubt())
			b.table.add(c.title, answerMedian+name, "%.3f", r.Answer.P50, r.doubt())
			b.table.add(c.title, answerMost+name, "%.3f", r.Answer.P99, r.doubt())
			b.table.add(c.title, "bad calls"+name, "%.0f", float64(r.Calls.Bad), believe(r.Valid))
			return nil
		})
	})
}

// carried tells whether a rate was carried, however late.
func (r *result) carried() bool {
	const good, again = 0.999, 0.01
	return r.Calls.Share >= good && r.Messages.Share <= again
}

// fast tells whether it was carried in time. Who answers 100 at once can hide a queue from those
// who would repeat themselves, so INVITEs have to be through within T1 (RFC 3261 section 17.1.1.1).
func (r *result) fast() bool {
	const t1 = 500 // ms
	return r.carried() && r.PostDial.P99 <= t1
}

// speedRow looks for the most calls per second, in time and however late.
func (b *bench) speedRow(ctx context.Context, row string) error {
	return b.search(ctx, row, mostSpeed, mostLate, b.o.Speed, b.o.Most, func(c *column, k kind, rate float64) (trial, error) {
		if err := b.warm(ctx, c, k); err != nil {
			return trial{}, err
		}
		r, err := b.signal(ctx, c, row, k, b.o.Pairs, rate, b.o.For)
		return trial{rate, r.fast(), r.carried(), r.Valid, fmt.Sprintf("%.2f %% good, %.4f retransmissions per call, post-dial delay p50 %.2f, p99 %.2f ms", 100*r.Calls.Share, r.Messages.Share, r.PostDial.P50, r.PostDial.P99)}, err
	})
}

// onceRow looks for the most calls at once.
func (b *bench) onceRow(ctx context.Context, row string) error {
	const loss, late = 0.1, 10.0
	return b.search(ctx, row, mostOnce, "", b.o.Once, (lastRTP-firstRTP)/4, func(c *column, k kind, calls float64) (trial, error) {
		r, err := b.media(ctx, c, row, k, int(calls), b.o.For/3)
		return trial{
			calls, r.Media.Loss < loss && r.Media.Delay.P99 < late && r.Calls.Bad == 0, false, r.Valid,
			fmt.Sprintf("lost %.4f %%, added delay p99 %.2f ms, %d bad", r.Media.Loss, r.Media.Delay.P99, r.Calls.Bad),
		}, err
	})
}

// errDisturbed: the host of this machine, or other programs, had too much of its processors.
var errDisturbed = errors.New("the machine was not quiet")

// fresh runs work on processes of its own, and again, some times, if it was disturbed: that does
// not depend on what the system under test did.
func (b *bench) fresh(ctx context.Context, c *column, mode string, work func(kind) error) error {
	const longest = 4 * time.Minute
	defer func() { b.again = false }()
	for pause := 30 * time.Second; ; pause *= 2 {
		b.again = pause <= longest
		worked, err := b.once(ctx, c, mode, work)
		if err != nil || !errors.Is(worked, errDisturbed) {
			return errors.Join(worked, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %v: made again in %v\n", c.title, worked, pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// once runs work on processes of its own. err is theirs.
func (b *bench) once(ctx context.Context, c *column, mode string, work func(kind) error) (worked, err error) {
	k := kind{mode, c.record}
	if err := c.system.start(ctx, k, b.o.Pairs); err != nil {
		return nil, fmt.Errorf("%s: %w", c.title, err)
	}
	worked = work(k)
	return worked, c.system.stop(ctx)
}

// warm has the processes make what they make once: connections, buffers, the
// cache's entries of all X, and the room in memory that they keep without calls.
func (b *bench) warm(ctx context.Context, c *column, k kind) error {
	if a, ok := c.system.(*axgate); ok && k.mode == "AX" { // those of other modes are few: these calls come to all of them
		if err := b.fill(ctx, c, a, k, b.o.Pairs); err != nil {
			return err
		}
	}
	// 2,000 calls: Go's heap has used the room then that it keeps without calls. They are short, so that 40 are up at once,
	// fewer than those whose memory is compared with that of more.
	r, err := b.run(ctx, c, "warm up", k, b.o.Pairs, "signal", "--rate", "400", "--for", "5s", "--hold", "100ms", "--random")
	return errors.Join(err, r.flawless("warm up"))
}
