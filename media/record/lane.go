package record

import "axgate/media/wav"

// lane is where the audio of one side lies in time, in frames from the
// beginning of the recording.
type lane struct {
	begun  bool
	ssrc   uint32
	lastTS uint32 // RTP time of the last packet, and where it was laid
	lastAt int64
	high   int64 // end of what was laid
	gaps   [mostGaps]stretch
	oldest int // of the gaps
	parts  [mostGaps + 1]stretch

	ahead   int64 // of the packets of this round, how far the earliest is ahead of its arrival
	packets int   // in this round
	round   int   // how many it has
}

// mostGaps is how many lost pieces of a lane may still be filled.
const mostGaps = 4

// stretch is a stretch of time.
type stretch struct{ from, to int64 }

func (s stretch) empty() bool { return s.from >= s.to }

const (
	// early and late are how far RTP time may be from arrival before the two are no
	// longer about the same: the sender's clock was set, or stood still. A machine
	// that stands still makes packets less late.
	early, late = wav.Rate, 5 * wav.Rate
	// A lane is moved after some packets, soon at first, since its first ones may
	// have been late, and if it is off by more than drift.
	firstRound, lastRound = 25, 250
	drift                 = wav.Rate * 40 / 1000
)

// place says where a packet of n frames belongs that arrived at now. The sender
// spoke it during the n frames before.
func (l *lane) place(ssrc, ts uint32, now int64, n int) int64 {
	at := l.lastAt + int64(int32(ts-l.lastTS))
	ahead := at + int64(n) - now
	switch {
	case !l.begun || ssrc != l.ssrc:
		// After what the source before has said, unless that ran ahead: sources
		// that change with every packet must not outrun the clock.
		if at = max(now-int64(n), 0); l.high-at < early {
			at = max(at, l.high)
		}
		l.begin(ssrc)
	case ahead > early || ahead < -late:
		at = max(now-int64(n), 0)
		l.begin(ssrc)
	default:
		at -= l.drifted(ahead)
	}
	l.lastTS, l.lastAt = ts, at
	return at
}

func (l *lane) begin(ssrc uint32) {
	l.begun, l.ssrc, l.packets, l.round = true, ssrc, 0, firstRound
}

// drifted says how far the lane is to be moved back. Packets come late by
// chance but never early, so that the earliest of a round tells where the
// sender's clock is.
func (l *lane) drifted(ahead int64) int64 {
	if l.packets == 0 || ahead > l.ahead {
		l.ahead = ahead
	}
	if l.packets++; l.packets < l.round {
		return 0
	}
	l.packets, l.round = 0, min(2*l.round, lastRound)
	if l.ahead > drift || l.ahead < -drift {
		return l.ahead
	}
	return 0
}

// take gives the parts of a stretch where nothing of this side was laid yet,
// and notes that something is now. The result is good until the next call.
func (l *lane) take(from, to int64) []stretch {
	parts := l.parts[:0]
	for i := range l.gaps {
		g := &l.gaps[i]
		p := stretch{max(from, g.from), min(to, g.to)}
		if p.empty() {
			continue
		}
		parts = append(parts, p)
		after := stretch{p.to, g.to}
		g.to = p.from
		if g.empty() {
			*g = after
		} else if !after.empty() {
			l.missing(after)
		}
	}
	if p := (stretch{max(from, l.high), to}); !p.empty() {
		parts = append(parts, p)
		l.missing(stretch{l.high, p.from})
		l.high = to
	}
	return parts
}

// missing notes where packets may still come; the oldest such place is given up.
func (l *lane) missing(s stretch) {
	if s.empty() {
		return
	}
	for i := range l.gaps {
		if l.gaps[i].empty() {
			l.gaps[i] = s
			return
		}
	}
	l.gaps[l.oldest] = s
	l.oldest = (l.oldest + 1) % len(l.gaps)
}
