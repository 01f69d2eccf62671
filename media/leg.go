package media

import (
	"fmt"
	"net/netip"
	"time"

	"axgate/media/quality"
	"axgate/media/udp"
)

const (
	// maxPayload is the longest audio payload that is forwarded, in bytes: 125 ms of G.711, twice the longest usual packet.
	maxPayload = 1000
	// frameUnit and maxFrame bound the audio packets that the engine makes, in samples: 10 to 60 ms.
	frameUnit = sampleRate / 100
	maxFrame  = 6 * frameUnit
	// noisePT is the payload type of comfort noise (RFC 3389).
	noisePT = 13
	// openingFrames of silence are sent after Point.
	openingFrames = 2
	// audioFlows is how old the last packet sent may be for the stream to count as under way.
	audioFlows = int64(100 * time.Millisecond)
	// keepaliveAfter of sending nothing a frame of silence keeps NATs open and peers content (RFC 6263).
	keepaliveAfter = int64(4 * time.Second)
	// maxClock is that of Opus, in Hz.
	maxClock = 48_000
)

// leg is the media of one side of a call. It is touched by the call's worker only. What every packet needs comes first,
// so that it lies together in the cache.
type leg struct {
	call    *Call
	side    Side
	pointed bool
	heard   bool // since Point
	gone    bool // told, and silent since
	rtp     endpoint
	stream  Stream
	in      quality.Source
	out     outStream
	secure  protection
	// lastValid is the arrival of the newest valid packet, or Point.
	lastValid int64
	keys      keys
	dialer    dialer

	player player
	frame  int // samples per packet made here
	wanted int // samples per packet that the peer asked for; 0: it did not
	packer packer
	due    int64 // deadline of the next packet made here, while ticker is set or being served
	ticker timer

	port    uint16 // 0: no sockets
	control endpoint
	reports reports
	idle    timer
	latch   *latch // from Point until a source is found
	count   counters
	// sentBefore are packets of streams that another took the place of.
	sentBefore uint64
}

// counters are those of Stats that no other part of the leg counts.
type counters struct {
	dropped, foreign, sendErrors, eventsLost uint64
}

func (l *leg) init(c *Call, side Side) {
	l.call, l.side = c, side
	l.rtp.leg, l.control.leg, l.control.control = l, l, true
	l.frame = 2 * frameUnit
	l.out = newOutStream()
	l.ticker = timer{leg: l, kind: tickTimer}
	l.idle = timer{leg: l, kind: idleTimer}
	l.reports.init(l)
}

// complete checks what comes from a peer's SDP and brings addresses into one form.
func (s *Stream) complete(local netip.Addr) error {
	for _, a := range []struct {
		name string
		addr *netip.AddrPort
	}{{"RTP", &s.RTP}, {"RTCP", &s.RTCP}} {
		ip := a.addr.Addr().Unmap().WithZone("")
		switch {
		case !ip.IsValid() || ip.IsUnspecified() || a.addr.Port() == 0:
			*a.addr = netip.AddrPort{}
			continue
		case ip.Is4() != local.Is4():
			return fmt.Errorf("%s address %v is not of the address family of ours, %v", a.name, ip, local)
		case ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			return fmt.Errorf("%s address %v is not that of one host", a.name, ip)
		}
		*a.addr = netip.AddrPortFrom(ip, a.addr.Port())
	}
	if s.Codec > Passed {
		return fmt.Errorf("%v: must be PCMA, PCMU or Passed", s.Codec)
	}
	if s.Clock != 0 && (s.Clock < sampleRate || s.Clock > maxClock || s.Codec != Passed && s.Clock != sampleRate) {
		return fmt.Errorf("clock of %d Hz for %v: must be %d, for a passed codec up to %d", s.Clock, s.Codec, sampleRate, maxClock)
	}
	if s.Clock == 0 {
		s.Clock = sampleRate
	}
	if s.Digits > DigitsElsewhere {
		return fmt.Errorf("digits by way %d: there is none", s.Digits)
	}
	if s.Inactive < 0 && s.Inactive != Never {
		return fmt.Errorf("inactivity limit %v: must not be negative, unless it is Never", s.Inactive)
	}
	for _, pt := range []uint8{s.SendPT, s.RecvPT, s.SendEventPT, s.RecvEventPT} {
		if pt > 127 {
			return fmt.Errorf("payload type %d: must be 0 to 127", pt)
		}
	}
	if s.RecvEventPT != 0 && s.RecvEventPT == s.RecvPT || s.SendEventPT != 0 && s.SendEventPT == s.SendPT {
		return fmt.Errorf("payload type %d stands for both %v and telephone-event", s.RecvPT, s.Codec)
	}
	if s.Keys.On() {
		if err := s.Keys.Check(); err != nil {
			return err
		}
	}
	if s.PTime < 0 {
		return fmt.Errorf("packet duration %v: must not be negative", s.PTime)
	}
	if s.Mux {
		s.RTCP = s.RTP
	}
	if s.RTP.IsValid() && !s.RTCP.IsValid() && s.RTP.Port() < 65535 {
		s.RTCP = netip.AddrPortFrom(s.RTP.Addr(), s.RTP.Port()+1)
	}
	return nil
}

// samples is the length of the packets that the engine makes for the peer.
func (s *Stream) samples() int {
	if s.PTime == 0 {
		return 2 * frameUnit
	}
	return int(min(max((s.PTime+5*time.Millisecond)/(10*time.Millisecond), 1), 6)) * frameUnit
}

// wanted is the length of forwarded packets; 0: they are left as they are.
func (s *Stream) wanted() int {
	if s.PTime == 0 || s.Codec == Passed {
		return 0
	}
	return s.samples()
}

// open takes the leg's sockets over.
func (l *leg) open(rtp, control *udp.Socket, port uint16) {
	l.port, l.rtp.sock, l.control.sock = port, rtp, control
	l.call.worker.take(&l.rtp)
	l.call.worker.take(&l.control)
}

// point applies a peer's SDP; see Call.Point.
func (l *leg) point(s Stream, now int64) {
	w := l.call.worker
	if err := l.protect(s.Keys); err != nil { // Check said that they are good
		w.log.Error().Err(err).Uint16("port", l.port).Msg("a media leg falls silent")
		l.pointed = false
		return
	}
	sameAddress := l.pointed && l.stream.RTP == s.RTP
	before := l.rtp.source
	for _, e := range []*endpoint{&l.rtp, &l.control} {
		if err := e.release(); err != nil {
			w.log.Error().Err(err).Uint16("port", l.port).Msg("a media socket keeps its old peer")
		}
	}
	l.latch = &latch{since: now, signalled: s.RTP, nat: s.NAT, window: int64(w.engine.cfg.LatchWindow)}
	if !sameAddress {
		l.latch.old = before
	}
	// A phone behind a NAT whose address did not change is where it was until it turns up elsewhere.
	if !sameAddress || !s.NAT || !before.IsValid() {
		l.rtp.aim(s.RTP)
		l.control.aim(s.RTCP)
	}
	if s.SendEventPT != l.stream.SendEventPT || s.Digits != l.stream.Digits || s.Codec != l.stream.Codec {
		l.dialer.abandon()
	}
	if s.Codec == Passed {
		l.quiet()
	}
	if s.Codec != l.stream.Codec || s.wanted() != l.wanted {
		l.packer.on, l.out.relay.on = false, false
	}
	l.keys.renegotiated(s.RecvEventPT)
	l.stream, l.frame, l.wanted, l.pointed = s, s.samples(), s.wanted(), true
	l.out.clock = int64(s.Clock)
	l.heard, l.gone, l.lastValid = false, false, now
	l.in.End()
	if s.Receive && s.Send { // on hold a peer need not send, whatever it says
		w.timers.set(&l.idle, now+l.patience())
	} else {
		w.timers.stop(&l.idle)
	}
	l.reports.begin(now)
	if !l.out.started || now-l.out.at > audioFlows {
		l.hush(openingFrames, now)
	}
}

// expect opens the latch window again, and silence counts from now; see Call.Expect.
func (l *leg) expect(now int64) {
	if !l.pointed {
		return
	}
	if !l.rtp.source.IsValid() {
		l.latch.since = now
	}
	l.lastValid = now
	l.awaited(now)
}

// canSend says whether audio may go to the peer, and where is known.
func (l *leg) canSend() bool {
	return l.pointed && l.stream.Send && l.rtp.dest.IsValid()
}

// expired serves a timer.
func (l *leg) expired(kind timerKind, now int64) {
	switch kind {
	case tickTimer:
		l.tick(now)
	case reportTimer:
		l.report(now)
	case idleTimer:
		l.inspect(now)
	}
}

// inspect looks whether the peer has fallen silent. The timer is not moved with every packet; it looks after the fact.
func (l *leg) inspect(now int64) {
	w := l.call.worker
	if due := l.lastValid + l.patience(); due > now {
		w.timers.set(&l.idle, due)
		return
	}
	if l.stream.Inactive == Never {
		w.timers.set(&l.idle, now+l.patience())
		return
	}
	l.gone = true
	l.call.tell(Event{Kind: Gone, Side: l.side})
}

// alive notes a valid packet of the peer.
func (l *leg) alive(now int64) {
	l.lastValid = now
	if !l.heard {
		l.heard = true
		l.call.tell(Event{Kind: Heard, Side: l.side})
	}
	l.awaited(now)
}

// awaited lets a peer that was gone be gone once more, if it stays silent.
func (l *leg) awaited(now int64) {
	if l.gone {
		l.gone = false
		w := l.call.worker
		l.lastValid = now
		w.timers.set(&l.idle, now+l.patience())
	}
}

// patience is after what silence the peer is gone, or looked after again.
func (l *leg) patience() int64 {
	switch {
	case l.stream.Inactive == Never:
		return int64(time.Hour)
	case l.stream.Inactive > 0:
		return int64(l.stream.Inactive)
	}
	return int64(l.call.worker.engine.cfg.Inactive)
}

// transmit sends a packet of the peer's stream whose header is written.
func (l *leg) transmit(b []byte) {
	n := len(b) - headerSize
	if l.secure.sender != nil {
		var err error
		if b, err = l.secure.sender.RTP(l.call.worker.sealed[:0], b); err != nil {
			l.count.sendErrors++
			return
		}
	}
	if l.rtp.send(b) {
		l.out.sent(n)
	}
}

// close ends the leg and gives its ports back.
func (l *leg) close() {
	w := l.call.worker
	w.timers.stop(&l.ticker)
	w.timers.stop(&l.idle)
	w.timers.stop(&l.reports.timer)
	l.pointed = false
	if l.port == 0 {
		return
	}
	w.drop(&l.rtp)
	w.drop(&l.control)
	w.engine.ports.Release(l.port)
	l.port = 0
}
