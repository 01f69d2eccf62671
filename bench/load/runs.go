package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"axgate/bench/load/meter"
	"axgate/bench/load/wire"
)

// settle is how long the system under test may go on working after the last
// call, in what is measured.
const settle = 2 * time.Second

// signalCmd is the load of a switch: calls come and go, and next to nothing is said.
type signalCmd struct {
	Rate  float64       `default:"100" help:"Calls begun in a second."`
	For   time.Duration `default:"30s" help:"For how long calls are begun."`
	Hold  time.Duration `default:"1s" help:"How long each is up."`
	Words int           `default:"1" help:"Packets of audio that each side sends once the call is up: the first are what a system that has a look at sources, or records, has most work with."`
}

// Run makes the calls.
func (c *signalCmd) Run(ctx context.Context, o *options) error {
	calls := int(c.Rate * c.For.Seconds())
	if c.Rate <= 0 || calls < 1 || c.Hold < 0 || c.Words < 0 {
		return fmt.Errorf("%g calls a second for %v, each up for %v: that cannot be", c.Rate, c.For, c.Hold)
	}
	const spare = 1000
	places := min(calls, int(c.Rate*(c.Hold+o.Patience).Seconds())+spare)
	return o.run(ctx, places, c.Hold, func(l *load, r *result) error {
		r.Mode, r.Rate, l.media.says = "signal", c.Rate, c.Words
		before, err := l.quiet(ctx, o.Processes, r)
		if err != nil {
			return err
		}
		p := newPace(c.Rate, calls)
		if err := l.until(ctx, func(now int64) bool { p.turn(l, now); return p.left == 0 && l.live == 0 }); err != nil {
			return err
		}
		end := l.lastEnd + int64(settle)
		if err := l.until(ctx, func(now int64) bool { return now >= end }); err != nil {
			return err
		}
		after, err := look(o.Processes)
		r.Spent = between(o.Processes, before, after)
		r.PerThousand = r.Spent.CPU / float64(calls) * 1000
		return err
	})
}

// mediaCmd is the load of talks: so many calls are up at once, and both sides
// send a packet of 20 ms each.
type mediaCmd struct {
	Calls int           `default:"300" help:"Calls up at once."`
	Rate  float64       `default:"50" help:"Calls begun and ended in a second."`
	Warm  time.Duration `default:"3s" help:"How long all talk before it counts."`
	Talk  time.Duration `default:"30s" help:"How long it counts."`
}

// Run makes the calls.
func (c *mediaCmd) Run(ctx context.Context, o *options) error {
	if c.Rate <= 0 || c.Calls < 1 || c.Talk <= 0 {
		return fmt.Errorf("%d calls at %g a second for %v: that cannot be", c.Calls, c.Rate, c.Talk)
	}
	return o.run(ctx, c.Calls, -1, func(l *load, r *result) error {
		r.Mode, r.Rate = "media", c.Rate
		l.media.says = endless
		if _, err := l.quiet(ctx, o.Processes, r); err != nil {
			return err
		}
		p := newPace(c.Rate, c.Calls)
		first, few, err := c.build(ctx, l, &p, o.Processes)
		if err != nil {
			return err
		}
		from, until, err := c.talk(ctx, l, o.Processes)
		if err != nil {
			return err
		}
		talking := l.talking
		if err := l.hangUpAll(ctx, c.Rate); err != nil {
			return err
		}
		r.Spent = between(o.Processes, from, until)
		r.Media = l.heard(talking, r.Spent.Seconds)
		for i := range few.used {
			r.MemoryPerCall += float64(until.used[i].Memory-few.used[i].Memory) / 1024 / float64(max(1, talking-first))
		}
		r.PerCallMinute = r.Spent.CPU / (float64(max(1, talking)) * r.Spent.Seconds / 60)
		return nil
	})
}

// build begins all calls. With the first tenth of them up it looks what is used: the memory
// of a call is what each further one adds, without what the first makes once.
func (c *mediaCmd) build(ctx context.Context, l *load, p *pace, processes []meter.Process) (first int, few watch, err error) {
	tenth := max(1, c.Calls/10)
	if err := l.until(ctx, func(now int64) bool { p.turn(l, now); return l.talking >= tenth || p.left == 0 && l.talking == l.live }); err != nil {
		return 0, few, err
	}
	if few, err = look(processes); err != nil {
		return 0, few, err
	}
	first = l.talking
	return first, few, l.until(ctx, func(now int64) bool { p.turn(l, now); return p.left == 0 && l.talking == l.live })
}

// talk has all talk for a while, and looks before and after what counts.
func (c *mediaCmd) talk(ctx context.Context, l *load, processes []meter.Process) (from, until watch, err error) {
	end := wire.Now() + int64(c.Warm)
	if err := l.until(ctx, func(now int64) bool { return now >= end }); err != nil {
		return from, until, err
	}
	if from, err = look(processes); err != nil {
		return from, until, err
	}
	l.media.measured = window{from.at, from.at + int64(c.Talk)}
	if err := l.until(ctx, func(now int64) bool { return now >= l.media.measured.until }); err != nil {
		return from, until, err
	}
	if until, err = look(processes); err != nil {
		return from, until, err
	}
	// What is on its way may arrive.
	end = wire.Now() + int64(time.Second)
	return from, until, l.until(ctx, func(now int64) bool { return now >= end })
}

// hangUpAll ends all calls, so many in a second.
func (l *load) hangUpAll(ctx context.Context, rate float64) error {
	wait := time.Duration(0)
	for i := range l.calls {
		if c := &l.calls[i]; c.live && c.talks {
			l.after(c, hangUp, wait)
			wait += time.Duration(float64(time.Second) / rate)
		}
	}
	return l.until(ctx, func(int64) bool { return l.live == 0 })
}

// heard is what became of the audio.
func (l *load) heard(calls int, seconds float64) *mediaResult {
	m := &mediaResult{Calls: calls, Seconds: seconds, Others: l.media.other}
	m.ToCallees, m.ToCallers = l.media.flows[callers].tell(), l.media.flows[callees].tell()
	both := new(meter.Delays)
	both.Join(&l.media.flows[callers].delay)
	both.Join(&l.media.flows[callees].delay)
	m.Delay = summary(both)
	m.Loss = 100 * float64(m.ToCallees.Lost+m.ToCallers.Lost) / float64(max(1, m.ToCallees.Sent+m.ToCallers.Sent))
	return m
}

// quiet looks what the system under test uses without a call.
func (l *load) quiet(ctx context.Context, processes []meter.Process, r *result) (watch, error) {
	before, err := look(processes)
	if err != nil || len(processes) == 0 {
		return before, err
	}
	end := wire.Now() + int64(settle)
	if err := l.until(ctx, func(now int64) bool { return now >= end }); err != nil {
		return before, err
	}
	after, err := look(processes)
	s := between(processes, before, after)
	r.Idle = s.CPU / s.Seconds
	for i := range after.used {
		r.IdleMemory += after.used[i].Memory >> 10
	}
	return after, err
}

// run opens the load, has work make its calls and tells what came of it.
func (o *options) run(ctx context.Context, places int, hold time.Duration, work func(*load, *result) error) error {
	if err := o.plan.complete(); err != nil {
		return err
	}
	l, err := openLoad(&o.plan, &o.network, places, o.Patience)
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	runtime.LockOSThread()
	l.hold = hold
	l.start()
	r := &result{Name: o.Name}
	if err := work(l, r); err != nil {
		return err
	}
	r.tell(l)
	if l.media.late.N() > 0 {
		r.GeneratorLate = summary(&l.media.late)
	}
	if r.Doubts, err = l.doubts(o.Late, &r.Spent); err != nil {
		return err
	}
	r.Valid, r.Disturbed = len(r.Doubts) == 0, r.Spent.disturbed()
	return o.print(r)
}
