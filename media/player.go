package media

import (
	"time"

	"axgate/media/law"
	"axgate/media/tone"
)

// playKind is what the engine itself plays to a leg.
type playKind uint8

const (
	playNothing playKind = iota
	playSilence          // for player.left packets
	playTone             // until something replaces it
	playClip             // to its end
)

// catchUp bounds what a late tick makes up for by sending several packets at once. If it is later still it goes on from
// now, and the stream's clock shows a pause.
const catchUp = int64(100 * time.Millisecond)

// tickGrid divides the duration of every packet that is made here.
const tickGrid = int64(frameUnit * sampleTime)

// player makes audio packets for a leg at its packet duration.
type player struct {
	kind playKind
	left int
	tone tone.Pattern
	clip []byte
	id   uint64
	pos  int // samples played
}

func (p *player) on() bool { return p.kind == playTone || p.kind == playClip }

// play begins a clip; see Call.Play.
func (l *leg) play(clip Clip, id uint64, now int64) {
	l.quiet()
	l.player = player{kind: playClip, clip: clip.ALaw, id: id}
	if len(clip.ALaw) == 0 || l.stream.Codec == Passed {
		l.quiet()
		return
	}
	l.tickFrom(now)
}

// sound begins a tone; see Call.Tone.
func (l *leg) sound(p tone.Pattern, now int64) {
	l.quiet()
	if l.stream.Codec == Passed {
		return
	}
	l.player = player{kind: playTone, tone: p}
	l.tickFrom(now)
}

// hush sends a few packets of silence unless something plays.
func (l *leg) hush(packets int, now int64) {
	if l.player.on() || l.stream.Codec == Passed {
		return
	}
	l.player = player{kind: playSilence, left: packets}
	l.tickFrom(now)
}

// quiet ends what plays.
func (l *leg) quiet() {
	id, clip := l.player.id, l.player.kind == playClip
	l.player = player{}
	if clip {
		l.call.tell(Event{Kind: PlayDone, Side: l.side, Play: id})
	}
}

// tickFrom starts the ticks at now, unless they run: then the next one is at most a packet away and keeps its time. Their
// deadlines lie on a grid that all legs share, so that the worker wakes once for all: the first is up to tickGrid ago.
func (l *leg) tickFrom(now int64) {
	if l.ticker.at != 0 {
		return
	}
	l.due = now - now%tickGrid
	l.tick(now)
}

// tick sends what is due. Deadlines follow from each other, not from when they were served, so that they do not drift.
func (l *leg) tick(now int64) {
	if now-l.due > catchUp {
		l.due = now - now%tickGrid
	}
	for l.due <= now {
		step := l.produce(l.due)
		if step == 0 {
			return
		}
		l.due += step
	}
	l.call.worker.timers.set(&l.ticker, l.due)
}

// produce makes the packet of one deadline and says how long until the next; 0: nothing more to make.
func (l *leg) produce(at int64) int64 {
	if d := &l.dialer; d.count > 0 {
		switch {
		case d.sounding || at >= d.resume:
			l.press(at)
			return pressStep
		case l.player.kind == playNothing:
			return d.resume - at
		}
	}
	if l.player.kind == playNothing {
		return 0
	}
	l.playFrame(at)
	return int64(l.frame) * sampleTime
}

// playFrame sends one packet of what plays. A peer on hold, or not found yet, misses it.
func (l *leg) playFrame(at int64) {
	b := l.call.worker.own[:headerSize+l.frame]
	audio := b[headerSize:]
	p := &l.player
	switch p.kind {
	case playTone:
		p.tone.Frame(audio, p.pos)
	case playClip:
		fill(audio[copy(audio, p.clip[min(p.pos, len(p.clip)):]):])
	default:
		fill(audio)
	}
	p.pos += l.frame
	l.sendAudio(b, at)
	switch {
	case p.kind == playClip && p.pos >= len(p.clip):
		l.quiet()
	case p.kind == playSilence:
		if p.left--; p.left <= 0 {
			p.kind = playNothing
		}
	}
}

// sendAudio sends A-law audio made here: b has room for the header before it.
func (l *leg) sendAudio(b []byte, at int64) {
	if !l.canSend() {
		return
	}
	audio := b[headerSize:]
	if l.stream.Codec == PCMU {
		law.ToMu(audio, audio)
	}
	seq, ts, marker := l.out.own(len(audio), at)
	putHeader(b, l.stream.SendPT, marker, seq, ts, l.out.ssrc)
	l.transmit(b)
}

func fill(audio []byte) {
	for i := range audio {
		audio[i] = law.SilenceA
	}
}
