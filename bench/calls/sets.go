package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// setRows shows whether the size of what is bound matters: each set is bound,
// every X of it is called once so that the cache has it, then it is measured.
// A process of axgate has all sets, one after the other.
func (b *bench) setRows(ctx context.Context, row string) error {
	return b.each(row, func(c *column) (err error) {
		a := c.system.(*axgate)
		if err := a.serve(ctx); err != nil {
			return err
		}
		emptyRedis, err := a.redis.Memory(ctx)
		if err != nil {
			return errors.Join(err, a.stop(ctx))
		}
		emptyLedger, err := a.ledgerBytes()
		for _, n := range b.o.Sets {
			if err != nil {
				break
			}
			err = b.setRow(ctx, c, a, n, emptyRedis, emptyLedger)
		}
		return errors.Join(err, a.stop(ctx))
	})
}

func (b *bench) setRow(ctx context.Context, c *column, a *axgate, n int, emptyRedis, emptyLedger int64) error {
	k := kind{"AXB", c.record}
	had := a.bound[k]
	took, err := a.bind(ctx, k, n)
	if err != nil {
		return err
	}
	if err := b.fill(ctx, c, a, k, n); err != nil {
		return err
	}
	warm, err := b.signal(ctx, c, "warm up", k, n, 50, 4*time.Second) // the first set's process is new
	if err := errors.Join(err, warm.flawless("warm up")); err != nil {
		return err
	}
	cache, err := a.redis.Memory(ctx)
	if err != nil {
		return err
	}
	disk, err := a.ledgerBytes()
	if err != nil {
		return err
	}
	name := fmt.Sprintf(", %d bindings", n)
	r, err := b.signal(ctx, c, name[2:], k, n, goalRate, b.o.For)
	if err != nil {
		return err
	}
	if took > 0 {
		b.table.add(c.title, "bound per second, up to "+name[2:], "%.0f", float64(n-had)/took.Seconds(), sure)
	}
	b.table.add(c.title, dialMedian+name, "%.3f", r.PostDial.P50, r.doubt())
	b.table.add(c.title, dialMost+name, "%.3f", r.PostDial.P99, r.doubt())
	b.table.add(c.title, perThousand+name, "%.3f", r.PerThousand, r.doubt())
	b.table.add(c.title, "bad calls"+name, "%.0f", float64(r.Calls.Bad), believe(r.Valid))
	b.table.add(c.title, "Redis bytes per binding"+name, "%.0f", float64(cache-emptyRedis)/float64(n), sure)
	b.table.add(c.title, "ledger bytes per binding"+name, "%.0f", float64(disk-emptyLedger)/float64(n), sure)
	return nil
}

// fill calls each X once, and waits until the cache has them all.
func (b *bench) fill(ctx context.Context, c *column, a *axgate, k kind, n int) error {
	rate := 50 // large ones
	if k.perX() == 1 {
		rate = 400
	}
	xs := (n + k.perX() - 1) / k.perX()
	last := time.Duration(float64(xs) / float64(rate) * float64(time.Second))
	r, err := b.run(ctx, c, "fill the cache", k, n, "signal", "--rate", strconv.Itoa(rate), "--for", max(last, time.Second).String(), "--hold", "100ms", "--stride", strconv.Itoa(k.perX()))
	if err := errors.Join(err, r.flawless("fill the cache")); err != nil {
		return err
	}
	return a.filled(ctx)
}
