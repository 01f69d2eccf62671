package main

import (
	"axgate/bench/load/message"
	"axgate/bench/load/wire"
)

// The states of a leg as its phone sees it.
type state uint8

const (
	idle     state = iota
	inviting       // INVITE sent, nothing heard
	ringing        // something was heard
	answered       // our 200 waits for its ACK
	up
	ending // our BYE waits for its answer
	ended
)

// leg is what a phone knows of a call.
type leg struct {
	state  state
	dialog message.Dialog
	sent   []byte       // what is repeated: INVITE, ACK, BYE or 200
	to     wire.Address // where that goes
	audio  wire.Address // where RTP goes
	event  int          // payload type of telephone-event
	rtp    *stream      // what it sends; nil: nothing
}

// The two sides of calls, and the direction of what they send.
const (
	callers = iota
	callees
	sides
)

var sideNames = [sides]string{"callers", "callees"}

// call is a place for calls, one after the other.
type call struct {
	id    message.ID
	live  bool
	talks bool
	pair  int
	began int64 // when its INVITE went out, in ns
	typed int64 // when its last digit began; 0: none
	legs  [sides]leg
}

// begin makes a call of the next pair.
func (l *load) begin() {
	pair, ok := l.nextPair()
	if !ok || len(l.free) == 0 {
		l.tally.crowded++
		return
	}
	place := l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	l.busy[pair] = int32(place)
	c := &l.calls[place]
	c.id.Turn = (c.id.Turn + 1) & (1<<24 - 1)
	c.live, c.talks, c.pair, c.typed = true, false, pair, 0
	for i := range c.legs {
		c.legs[i].state, c.legs[i].event = idle, 0
	}
	l.tally.begun++
	l.live++
	out := &c.legs[callers]
	l.from, l.to = l.plan.From.append(l.from[:0], pair), l.plan.X.append(l.to[:0], pair/l.plan.PerX)
	out.sent, out.to, out.state = l.sides[callers].agent.Invite(out.sent[:0], c.id, l.from, l.to), l.target, inviting
	c.began = wire.Now()
	l.send(callers, out.sent, &out.to)
	l.repeat(c, callers, inviting)
	l.giveUp(c, inviting)
}

// nextPair is a pair that is not in a call.
func (l *load) nextPair() (int, bool) {
	const tries = 1000
	for range tries {
		pair := l.next
		if l.plan.Random {
			pair = l.random.IntN(l.plan.Pairs)
		} else if l.next += l.plan.Stride; l.next >= l.plan.Pairs {
			l.next = (l.next + 1) % l.plan.Stride % l.plan.Pairs // the ones between, the next time
		}
		if l.busy[pair] < 0 {
			return pair, true
		}
	}
	return 0, false
}

// progress looks whether both sides talk.
func (l *load) progress(c *call) {
	if c.talks || c.legs[callers].state != up || c.legs[callees].state != up {
		return
	}
	c.talks = true
	l.talking++
	l.media.talk(l, c)
	if l.hold >= 0 {
		l.after(c, hangUp, l.hold)
	}
}

// hangUp has the side whose turn it is send BYE.
func (l *load) hangUp(c *call) {
	side := callers
	if l.plan.Hangup == "callee" {
		side = callees
	}
	leg := &c.legs[side]
	if leg.state != up {
		return
	}
	l.media.hush(c)
	l.bye(c, side)
	l.repeat(c, side, ending)
	l.giveUp(c, ending)
}

func (l *load) bye(c *call, side int) {
	leg := &c.legs[side]
	leg.state, leg.to = ending, l.target
	leg.sent = l.sides[side].agent.Bye(leg.sent[:0], c.id, &leg.dialog)
	l.send(side, leg.sent, &leg.to)
}

// over looks whether both sides have ended.
func (l *load) over(c *call) {
	if c.legs[callers].state == ended && c.legs[callees].state == ended {
		l.tally.good++
		l.drop(c)
	}
}

// fail gives a call up.
func (l *load) fail(c *call, why string) {
	l.tally.bad++
	l.tally.why[why]++
	for side := range c.legs {
		if c.legs[side].state == up {
			l.bye(c, side)
		}
	}
	l.drop(c)
}

// drop frees the place; what still comes for the call is a stray.
func (l *load) drop(c *call) {
	l.media.hush(c)
	if c.talks {
		l.talking--
	}
	c.live = false
	l.live--
	l.busy[c.pair] = -1
	l.free = append(l.free, c.id.Place)
	l.lastEnd = wire.Now()
}

// find is the call of an id.
func (l *load) find(id message.ID, ok bool) *call {
	if !ok || int(id.Place) >= len(l.calls) {
		return nil
	}
	if c := &l.calls[id.Place]; c.live && c.id == id {
		return c
	}
	return nil
}
