package media

import (
	"net/netip"
	"time"

	"axgate/media/law"
	"axgate/media/quality"
)

// received handles a datagram of the leg's RTP socket. b is the worker's buffer; the header is written anew in place when
// the packet is forwarded.
func (l *leg) received(b []byte, from netip.AddrPort, now int64) {
	if l.stream.Mux && multiplexed(b) {
		l.controlReceived(b, from, now)
		return
	}
	if l.secure.receiver != nil && l.pointed {
		plain, err := l.secure.receiver.RTP(b)
		if err != nil {
			return // it is counted there
		}
		b = plain
	}
	p, ok := parse(b)
	if !ok || !l.pointed || !l.stream.Receive || !l.expected(p) {
		l.count.dropped++
		return
	}
	if !l.rtp.source.IsValid() {
		if !l.latch.admit(from, p, now) {
			l.count.foreign++
			return
		}
		l.follow(from)
	}
	ext, verdict := l.in.Packet(p.ssrc, p.seq)
	if verdict == quality.Stray {
		l.count.dropped++
		return
	}
	if verdict == quality.Restart || p.pt != l.stream.RecvPT {
		// Audio goes on elsewhere in the peer's sequence; the number of a packet not forwarded must not look like a loss.
		l.call.legs[l.side.other()].out.relay.on = false
	}
	l.alive(now)
	switch p.pt {
	case l.stream.RecvPT:
		l.in.Audio(uint32(ticks(now, l.out.clock)), p.ts)
		l.audio(p, b, ext, verdict, now)
	case noisePT: // the other side hears the pause as it is
		l.keys.pause()
	default:
		l.key(p, b[p.start:p.end], now)
	}
}

// expected says whether a packet is of a kind that was negotiated, and of a possible size.
func (l *leg) expected(p packet) bool {
	n := p.end - p.start
	switch {
	case p.pt == l.stream.RecvPT:
		return n > 0 && (n <= maxPayload || l.stream.Codec == Passed)
	case p.pt == noisePT:
		return true
	}
	return p.pt == l.stream.RecvEventPT && p.pt != 0 && n >= 4
}

// follow latches the leg to a source. A peer behind a NAT is sent to where it sends from; any other to where its SDP says.
func (l *leg) follow(from netip.AddrPort) {
	l.rtp.latch(from)
	l.latch = nil
	if !l.stream.NAT && l.rtp.dest.IsValid() {
		return
	}
	l.rtp.aim(from)
	if from.Addr() != l.stream.RTP.Addr() && from.Port() < 65535 {
		l.control.aim(netip.AddrPortFrom(from.Addr(), from.Port()+1)) // until RTCP tells better
	}
}

// audio gives a packet of the peer's audio to those who want it: the other leg, the recording, the tone detector.
func (l *leg) audio(p packet, b []byte, ext int64, verdict quality.Verdict, now int64) {
	c := l.call
	other := &c.legs[l.side.other()]
	l.keys.receiver.Audio()
	if l.keyDown(now) {
		return // what is heard beside a telephone-event is the beginning of the same key's tone
	}
	forward := c.connect[other.side] && other.canSend()
	if !forward {
		other.out.relay.on = false // what one on hold is not sent must not look like a loss afterwards
	}
	if l.stream.Codec == Passed || other.stream.Codec == Passed {
		if forward {
			l.pass(other, p, b, ext, now)
		}
		return
	}
	record := c.rec != nil && c.connect[Caller] && c.connect[Callee]
	detect := l.keys.detecting() && verdict != quality.Late
	if !forward && !record && !detect {
		return
	}
	payload := b[p.start:p.end]
	converted := c.worker.law[:headerSize+len(payload)]
	alaw := payload
	if l.stream.Codec == PCMU {
		alaw = converted[headerSize:]
		law.ToA(alaw, payload)
	}
	if record {
		c.rec.Write(int(l.side), p.ssrc, p.ts, c.worker.base.Add(time.Duration(now)), alaw)
	}
	if detect {
		l.detect(p.ts, ext, alaw, verdict == quality.Restart, now)
	}
	if !forward {
		return
	}
	if other.stream.Codec == l.stream.Codec {
		converted = b[p.start-headerSize : p.end]
	} else if other.stream.Codec == PCMU {
		law.ToMu(converted[headerSize:], payload)
	}
	other.forward(p, converted, ext, now)
}

// pass sends a packet of a codec that the engine does not know to the other side as it is.
func (l *leg) pass(other *leg, p packet, b []byte, ext, now int64) {
	if other.stream.Codec != l.stream.Codec || other.out.clock != l.out.clock {
		l.count.dropped++ // nobody could play it; who pointed the legs is about to hang up, or to point anew
		return
	}
	other.relay(p, b[p.start-headerSize:p.end], int(other.out.clock/50), ext, now)
}

// forward sends the other side's audio to this one: at once if it comes in packets of the size that this peer wants, else
// in such packets. b has room for the header before the payload.
func (l *leg) forward(p packet, b []byte, ext, now int64) {
	n := len(b) - headerSize
	if l.packer.on = l.packer.on && l.out.relay.on; l.packer.on || l.wanted != 0 && n != l.wanted {
		l.repack(p, b[headerSize:], ext, now)
		return
	}
	l.relay(p, b, n, ext, now)
}

// relay sends a packet of the other side to this one at once. n is what it lasts, in units of the clock.
func (l *leg) relay(p packet, b []byte, n int, ext, now int64) {
	if l.dialer.sounding || l.player.kind == playClip {
		return
	}
	seq, ts, first, ok := l.out.forward(ext, p.ts, n, now)
	if !ok {
		l.count.dropped++
		return
	}
	l.player.kind = playNothing
	putHeader(b, l.stream.SendPT, p.marker || first, seq, ts, l.out.ssrc)
	l.transmit(b)
}
