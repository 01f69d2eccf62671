package media

// packer cuts the other side's G.711 into packets of the size that a peer asked for (RFC 8866 section 6.4, RFC 3551
// section 4.2). A packet leaves when its last sample is there. Every sample keeps its place in time: before a hole in the
// audio what is there leaves as a shorter packet, and packets that were lost leave a hole in the sequence.
type packer struct {
	on   bool            // audio passes here; it ends with the mapping of outStream.relay
	buf  *[maxFrame]byte // nil until something is cut
	held int             // samples in buf
	ts   uint32          // of the first of them, in the other side's time; without any, of the next one expected
	ext  int64           // extended sequence number of the newest packet that was taken
	mark bool            // the next packet begins a talk-spurt
}

// lostTail is how long a hole in the audio may be for what came before it to be worth sending after it, in samples: 200 ms.
const lostTail = sampleRate / 5

// repack takes a packet of the other side's audio, already in this peer's law, and sends what is full.
func (l *leg) repack(p packet, audio []byte, ext, now int64) {
	if l.dialer.sounding || l.player.kind == playClip {
		return
	}
	k, o := &l.packer, &l.out
	if k.on && o.relay.on && abs(int64(int32(p.ts-o.relay.inTS))-ticks(now-o.relay.at, o.clock)) > clockJump*o.clock && ext > k.ext {
		o.relay.on = false
	}
	if !k.on || !o.relay.on {
		l.startPacker(p, ext, now)
	}
	if ext <= k.ext { // its place was given up
		l.count.dropped++
		return
	}
	l.player.kind = playNothing
	if hole := int32(p.ts - k.ts - uint32(k.held)); hole != 0 {
		l.skip(p, hole, int(ext-k.ext)-1)
	}
	k.ext, k.mark = ext, k.mark || p.marker
	o.relay.inTS, o.relay.at = p.ts, now
	for len(audio) > 0 {
		n := copy(k.buf[k.held:l.wanted], audio)
		audio = audio[n:]
		if k.held += n; k.held == l.wanted {
			l.ship()
		}
	}
}

// startPacker begins with this packet: where packets were relayed before, in the same time and sequence, else with the
// wall clock.
func (l *leg) startPacker(p packet, ext, now int64) {
	k, o := &l.packer, &l.out
	*k = packer{on: true, ts: p.ts, ext: ext - 1, buf: k.buf}
	if k.buf == nil {
		k.buf = new([maxFrame]byte)
	}
	if o.relay.on {
		if after := int16(uint16(ext) + o.relay.seq - (o.seq - 1)); after > 0 {
			o.seq += uint16(after - 1) // lost on the way
		} else {
			k.ext = ext - int64(after) // an old packet
		}
		return
	}
	ts, _ := o.position(now)
	o.relay = relayClock{on: true, ts: ts - p.ts, inTS: p.ts, at: now}
	k.mark = true
}

// skip deals with a hole before a packet: what is held leaves as it is, unless it is too old, and lost packets leave a
// hole in the sequence, at least of one.
func (l *leg) skip(p packet, hole int32, lost int) {
	k := &l.packer
	if k.held > 0 && hole < lostTail {
		l.ship()
	}
	k.held, k.ts = 0, p.ts
	if hole <= 0 || lost == 0 {
		k.mark = true // a pause, or time that runs back
		return
	}
	l.out.seq += uint16(max(1, (int(hole)+l.wanted/2)/l.wanted))
}

// ship sends what is held.
func (l *leg) ship() {
	k, o := &l.packer, &l.out
	b := l.call.worker.own[:headerSize+k.held]
	copy(b[headerSize:], k.buf[:k.held])
	ts := k.ts + o.relay.ts
	putHeader(b, l.stream.SendPT, k.mark, o.seq, ts, o.ssrc)
	o.seq++
	o.ts, o.at, o.samples, o.started = ts, o.relay.at+int64(int32(k.ts-o.relay.inTS))*sampleTime, uint32(k.held), true
	k.ts, k.held, k.mark = k.ts+uint32(k.held), 0, false
	l.transmit(b)
}
