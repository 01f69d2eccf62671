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
		l.in.Audio(uint32(now/sampleTime), p.ts)
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
		return n > 0 && n <= maxPayload
	case p.pt == noisePT:
		return true
	}
	return p.pt == l.stream.RecvEventPT && p.pt != 0 && n >= 4
}

// follow latches the leg to a source. A peer behind a NAT is sent to where it sends from; any other to where its SDP says.
func (l *leg) follow(from netip.AddrPort) {
	l.rtp.latch(from)
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

// forward sends the other side's audio to this one at once: b has room for the header before the payload.
func (l *leg) forward(p packet, b []byte, ext, now int64) {
	if l.dialer.sounding || l.player.kind == playClip {
		return
	}
	n := len(b) - headerSize
	seq, ts, first, ok := l.out.forward(ext, p.ts, n, now)
	if !ok {
		l.count.dropped++
		return
	}
	l.player.kind = playNothing
	putHeader(b, l.stream.SendPT, p.marker || first, seq, ts, l.out.ssrc)
	l.transmit(b)
}
