package main

import (
	"time"

	"axgate/bench/load/meter"
	"axgate/bench/load/wire"
)

// burst is how many packets share a system call: few, for the time of each is
// taken to be between those before and after the call.
const burst = 8

// endless is how many packets those say who talk until their call ends.
const endless = -1

// media is the audio of all calls. In a signalling load each side says no more than a
// few packets, and who types digits sends until they are typed.
type media struct {
	says     int // packets that each side of a call that is up sends
	turned   int64
	streams  [slots][]*stream
	spare    []*stream
	late     meter.Delays
	measured window
	flows    [sides]flow // by the side that sends
	said     int         // packets of audio that were sent
	other    int         // packets that were not ours
}

// window is the time in which packets count; both zero: never yet.
type window struct{ from, until int64 }

func (w *window) has(at int64) bool { return at >= w.from && at < w.until }

// flow is what became of the packets of a side.
type flow struct {
	sent, came, twice int
	delay             meter.Delays
}

// talk has both sides send.
func (m *media) talk(l *load, c *call) {
	if m.says == 0 {
		m.hush(c)
		return
	}
	for side := range c.legs {
		m.start(c, side, m.says)
	}
}

// start has a side send so many packets from now on.
func (m *media) start(c *call, side, packets int) {
	leg := &c.legs[side]
	if leg.rtp != nil {
		leg.rtp.left = packets
		return
	}
	if n := len(m.spare); n > 0 {
		leg.rtp, m.spare = m.spare[n-1], m.spare[:n-1]
	} else {
		leg.rtp = new(stream)
	}
	s := leg.rtp
	s.begin(c.id, side, leg.audio, packets)
	m.streams[s.slot] = append(m.streams[s.slot], s)
}

// dial has the caller type the digits.
func (m *media) dial(l *load, c *call) {
	leg := &c.legs[callers]
	if leg.event == 0 || leg.rtp == nil {
		l.fail(c, "200 without telephone-event")
		return
	}
	k := &leg.rtp.digits
	k.event, k.n = leg.event, len(l.plan.typed(k.digits[:0], c.pair))
}

// hush ends the streams of a call.
func (m *media) hush(c *call) {
	for side := range c.legs {
		c.legs[side].fallSilent()
	}
}

// fallSilent ends what a leg sends.
func (leg *leg) fallSilent() {
	if leg.rtp != nil {
		leg.rtp.live = false
		leg.rtp = nil
	}
}

// turn sends what is due by now.
func (m *media) turn(l *load, now int64) {
	for ms := now / int64(time.Millisecond); m.turned < ms; {
		m.turned++
		m.send(l, &m.streams[m.turned%slots], m.turned*int64(time.Millisecond))
	}
}

// send sends a packet of each stream of a slot, and forgets those that ended.
func (m *media) send(l *load, list *[]*stream, due int64) {
	alive := (*list)[:0]
	for _, s := range *list {
		if !s.live {
			m.spare = append(m.spare, s)
			continue
		}
		alive = append(alive, s)
	}
	clear((*list)[len(alive):])
	*list = alive
	for side := range sides {
		var group [burst]*stream
		n := 0
		for _, s := range alive {
			if s.side != side {
				continue
			}
			if s.digits.typing() {
				l.dialOn(&l.calls[s.id.Place], s)
				continue
			}
			group[n] = s
			if n++; n == burst {
				m.flush(l, side, group[:], due)
				n = 0
			}
		}
		m.flush(l, side, group[:n], due)
	}
}

// flush sends a packet of each.
func (m *media) flush(l *load, side int, group []*stream, due int64) {
	if len(group) == 0 {
		return
	}
	socket := l.sides[side].rtp
	for _, s := range group {
		socket.Queue(s.audio(), &s.to)
	}
	before := wire.Now()
	l.tally.refusedSends += socket.Flush()
	m.said += len(group)
	step := (wire.Now() - before) / int64(len(group))
	for i, s := range group {
		at := before + step*int64(i)
		s.times[s.number%kept] = at
		s.packet[1] = 8
		s.number++
		if m.measured.has(at) {
			m.flows[side].sent++
			m.late.Add(time.Duration(at - due))
		}
		if s.number%reportEvery == reportEvery/2 {
			_ = l.sides[side].rtcp.Send(s.report[:], &s.toRTCP)
		}
		if s.left--; s.left == 0 {
			l.calls[s.id.Place].legs[side].fallSilent()
		}
	}
}

// came is a packet that a side hears.
func (m *media) came(l *load, side int, packet []byte, at int64) {
	id, from, number, ok := readMark(packet)
	if !ok || from == side {
		m.other++
		return
	}
	c := l.find(id, true)
	if c == nil {
		return
	}
	s := c.legs[from].rtp
	if s == nil || s.number-number-1 >= kept { // it has ended, or that is long ago
		return
	}
	sent := s.times[number%kept]
	if !m.measured.has(sent) {
		return
	}
	f := &m.flows[from]
	if s.came[number%kept] {
		f.twice++
		return
	}
	s.came[number%kept] = true
	f.came++
	f.delay.Add(time.Duration(at - sent))
}
