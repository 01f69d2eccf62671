package main

import (
	"strconv"
	"time"

	"axgate/bench/load/message"
	"axgate/bench/load/wire"
)

// receive reads a datagram of a side.
func (l *load) receive(side int, datagram []byte, from *wire.Address, at int64) {
	m := &l.message
	if !m.Parse(datagram) {
		l.tally.strays++
		return
	}
	l.tally.received++
	l.reaction.Add(time.Duration(wire.Now() - at))
	switch {
	case m.Status != 0:
		l.response(side, m, at)
	case m.Is("ACK"):
		l.acknowledged(side, m)
	case m.Is("INVITE") && m.ToTag() == nil && side == callees:
		l.invited(m, from, at)
	case m.Is("BYE"):
		l.byeCame(side, m, from)
	default:
		event := -1
		if m.Is("INVITE") || m.Is("UPDATE") && len(m.Body) > 0 {
			event = m.Session().Event
		}
		l.respond(side, m, "200 OK", l.owner(m), event, from)
	}
}

// owner is the id in the tag of To, which is ours in a request within a dialog.
func (l *load) owner(m *message.Message) message.ID {
	id, _ := message.ReadID(m.ToTag())
	return id
}

func (l *load) response(side int, m *message.Message, at int64) {
	text := m.CallID // the callers' dialogs have Call-IDs of ours, the callees' tags
	if side == callees {
		text = m.FromTag()
	}
	id, ok := message.ReadID(text)
	c := l.find(id, ok)
	switch {
	case m.Answers("INVITE") && m.Status >= 300:
		l.refused(c, id, m)
	case c == nil:
		l.tally.strays++
	case m.Answers("INVITE") && m.Status < 200:
		if leg := &c.legs[side]; leg.state == inviting {
			leg.state = ringing
		}
	case m.Answers("INVITE"):
		l.accepted(c, m, at)
	case m.Answers("BYE") && m.Status >= 200:
		leg := &c.legs[side]
		if leg.state != ending {
			return
		}
		leg.state = ended
		if m.Status >= 300 {
			l.fail(c, "BYE: "+strconv.Itoa(m.Status))
			return
		}
		l.over(c)
	}
}

// refused acknowledges a refusal, which is repeated until then.
func (l *load) refused(c *call, id message.ID, m *message.Message) {
	l.scratch = l.sides[callers].agent.AckRefusal(l.scratch[:0], id, m)
	l.send(callers, l.scratch, &l.target)
	if c == nil {
		l.tally.theirs++
		return
	}
	if s := c.legs[callers].state; s == inviting || s == ringing {
		l.fail(c, strconv.Itoa(m.Status))
	}
}

// accepted is the caller's 200.
func (l *load) accepted(c *call, m *message.Message, at int64) {
	leg := &c.legs[callers]
	if leg.state != inviting && leg.state != ringing {
		l.tally.theirs++
		if leg.state == up { // else the BYE says it too
			l.send(callers, leg.sent, &leg.to)
		}
		return
	}
	l.answer.Add(time.Duration(at - c.began))
	s := m.Session()
	if !s.Audio.IsValid() {
		l.fail(c, "200 without audio")
		return
	}
	leg.dialog.Called(m)
	leg.audio, leg.event, leg.state = wire.To(s.Audio), s.Event, up
	leg.sent = l.sides[callers].agent.Ack(leg.sent[:0], c.id, &leg.dialog)
	l.send(callers, leg.sent, &leg.to)
	if l.plan.Digits > 0 {
		l.after(c, dial, l.plan.Think)
		l.media.start(c, callers, endless) // in place of whoever will be heard
	}
	l.progress(c)
}

// invited is the INVITE that reaches the callee, who answers at once.
func (l *load) invited(m *message.Message, from *wire.Address, at int64) {
	pair, ok := l.plan.To.index(m.User())
	if !ok || pair >= len(l.busy) || l.busy[pair] < 0 {
		l.tally.strays++
		l.respond(callees, m, "404 Not Found", message.ID{}, -1, from)
		return
	}
	c := &l.calls[l.busy[pair]]
	leg := &c.legs[callees]
	if leg.state != idle {
		if string(leg.dialog.CallID()) != string(m.CallID) {
			l.tally.strays++
			l.respond(callees, m, "486 Busy Here", message.ID{}, -1, from)
			return
		}
		l.tally.theirs++
		if leg.state == answered {
			l.send(callees, leg.sent, &leg.to)
		}
		return
	}
	l.postDial.Add(time.Duration(at - c.began))
	if c.typed > 0 {
		l.afterDigits.Add(time.Duration(at - c.typed))
	}
	s := m.Session()
	if !s.Audio.IsValid() {
		l.respond(callees, m, "488 Not Acceptable Here", c.id, -1, from)
		l.fail(c, "INVITE without audio")
		return
	}
	leg.dialog.Taken(m, c.id)
	leg.audio, leg.event, leg.to, leg.state = wire.To(s.Audio), s.Event, *from, answered
	l.respond(callees, m, "180 Ringing", c.id, -1, from)
	leg.sent = l.sides[callees].agent.Respond(leg.sent[:0], m, "200 OK", c.id, s.Event)
	l.send(callees, leg.sent, &leg.to)
	l.repeat(c, callees, answered)
}

func (l *load) acknowledged(side int, m *message.Message) {
	id, ok := message.ReadID(m.ToTag())
	c := l.find(id, ok)
	if c == nil || side == callers {
		return
	}
	if leg := &c.legs[callees]; leg.state == answered {
		leg.state = up
		l.progress(c)
	}
}

func (l *load) byeCame(side int, m *message.Message, from *wire.Address) {
	id, ok := message.ReadID(m.ToTag())
	l.respond(side, m, "200 OK", id, -1, from)
	c := l.find(id, ok)
	if c == nil {
		l.tally.theirs++
		return
	}
	leg, other := &c.legs[side], &c.legs[1-side]
	switch {
	case leg.state == ended:
		l.tally.theirs++
	case other.state == ending || other.state == ended:
		leg.state = ended
		l.over(c)
	default:
		leg.state = ended
		l.fail(c, "hung up on the "+sideNames[side]+"' side")
	}
}

// respond answers what needs no repetition.
func (l *load) respond(side int, m *message.Message, status string, id message.ID, event int, to *wire.Address) {
	l.scratch = l.sides[side].agent.Respond(l.scratch[:0], m, status, id, event)
	l.send(side, l.scratch, to)
}

func (l *load) send(side int, text []byte, to *wire.Address) {
	l.tally.sent++
	if l.sides[side].sip.Send(text, to) != nil {
		l.tally.refusedSends++
	}
}
