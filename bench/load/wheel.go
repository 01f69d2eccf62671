package main

import (
	"time"

	"axgate/bench/load/message"
	"axgate/bench/load/wire"
)

// What is due at an instant of a call.
type due uint8

const (
	repeat   due = iota // send once more what was not answered
	patience            // give the call up
	hangUp
	dial // begin to type digits
)

// entry is something that is due, unless the call has gone on by then.
type entry struct {
	id   message.ID
	what due
	side uint8
	in   state         // repeat: of the side then; patience: ending, or not
	wait time.Duration // repeat: how long it was waited for
	at   int64
}

// wheel has a place for each millisecond of about a minute; what is due later
// comes by more than once.
type wheel struct {
	places [1 << 16][]entry
	turned int64 // the millisecond up to which it has turned
}

func (w *wheel) add(e entry) {
	ms := max(e.at/int64(time.Millisecond), w.turned+1)
	ms = min(ms, w.turned+int64(len(w.places))-1)
	at := &w.places[ms&int64(len(w.places)-1)]
	*at = append(*at, e)
}

// turn hands over what is due by now.
func (w *wheel) turn(now int64, do func(entry)) {
	for ms := now / int64(time.Millisecond); w.turned < ms; {
		w.turned++
		at := &w.places[w.turned&int64(len(w.places)-1)]
		list := *at
		*at = nil
		for _, e := range list {
			if e.at/int64(time.Millisecond) > w.turned {
				w.add(e)
				continue
			}
			do(e)
		}
		if *at == nil {
			*at = list[:0]
		}
	}
}

func (l *load) after(c *call, what due, wait time.Duration) {
	l.wheel.add(entry{id: c.id, what: what, at: wire.Now() + int64(wait)})
}

// giveUp has a call that stands still given up.
func (l *load) giveUp(c *call, with state) {
	l.wheel.add(entry{id: c.id, what: patience, in: with, at: wire.Now() + int64(l.patience)})
}

// T1 and T2 of RFC 3261.
const (
	t1 = 500 * time.Millisecond
	t2 = 4 * time.Second
)

// repeat sends what a side has sent once more, as long as its state is this.
func (l *load) repeat(c *call, side int, in state) {
	l.wheel.add(entry{id: c.id, what: repeat, side: uint8(side), in: in, wait: t1, at: wire.Now() + int64(t1)})
}

func (l *load) happen(e entry) {
	c := l.find(e.id, true)
	if c == nil {
		return
	}
	switch e.what {
	case repeat:
		l.repeated(c, e)
	case patience:
		l.impatient(c, e.in)
	case hangUp:
		l.hangUp(c)
	case dial:
		l.media.dial(l, c)
	}
}

func (l *load) repeated(c *call, e entry) {
	leg := &c.legs[e.side]
	if leg.state != e.in {
		return
	}
	l.tally.ours++
	l.send(int(e.side), leg.sent, &leg.to)
	e.wait *= 2
	if e.in != inviting { // RFC 3261 sections 17.1.2.2, 13.3.1.4
		e.wait = min(e.wait, t2)
	}
	e.at = wire.Now() + int64(e.wait)
	l.wheel.add(e)
}

// impatient gives a call up that stands still: with BYE, or before the talk.
func (l *load) impatient(c *call, with state) {
	in, out := c.legs[callees].state, c.legs[callers].state
	switch {
	case with == ending:
		l.fail(c, "no end after BYE")
	case c.talks:
	case out == inviting:
		l.fail(c, "no answer to INVITE")
	case in == idle:
		l.fail(c, "the callee was not reached")
	case in == answered:
		l.fail(c, "no ACK for the callee")
	default:
		l.fail(c, "no 200 for the caller")
	}
}
