package media

import (
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

const (
	// reportInterval is the mean time between two RTCP reports (RFC 3550 section 6.2), before it is randomised.
	reportInterval = float64(5 * time.Second)
	// compensation is e - 3/2: randomised timers would otherwise be too slow (RFC 3550 section 6.3.1).
	compensation = 1.21828
	// maxReports is how many RTCP datagrams of a peer are read in a second.
	maxReports = 20
	// ntpEpoch is the beginning of Unix time in seconds of NTP.
	ntpEpoch = 2_208_988_800
	// maxRoundTrip is the longest round trip that is believed.
	maxRoundTrip = 10 * time.Second
)

// reports is what a leg says and hears by RTCP. Both legs of a call have names of their own here (RFC 7022), so that
// neither peer learns anything of the other.
type reports struct {
	timer   timer
	cname   string
	said    bool   // a report was sent, so that a BYE is due
	packets uint32 // sent at the last report

	lastSR   uint32 // the middle of the NTP time of the peer's last sender report
	lastSRAt int64

	roundTrip time.Duration // 0: unknown
	lost      uint32        // of what we sent, as the peer says
	jitter    uint32        // of what we sent, in samples, as the peer says
	bye       bool          // the peer said goodbye

	second int64 // rate limit: which second, and how many datagrams in it
	read   int
}

func (r *reports) init(l *leg) {
	r.timer = timer{leg: l, kind: reportTimer}
	r.cname = rand.Text()
}

// begin schedules the first report; RFC 3550 section 6.2 halves its interval.
func (r *reports) begin(now int64) {
	if r.timer.at == 0 {
		r.schedule(now, reportInterval/2)
	}
}

func (r *reports) schedule(now int64, interval float64) {
	wait := interval * (0.5 + mathrand.Float64()) / compensation
	r.timer.leg.call.worker.timers.set(&r.timer, now+int64(wait))
}

// report sends a report, and a frame of silence if the leg has been sent nothing for a while.
func (l *leg) report(now int64) {
	l.reports.schedule(now, reportInterval)
	l.sayReport(now)
	if l.canSend() && !l.player.on() && now-l.out.at > keepaliveAfter {
		l.hush(1, now)
	}
}

// sayReport sends a compound packet of SR or RR and SDES, and what is given besides.
func (l *leg) sayReport(now int64, more ...rtcp.Packet) {
	way := l.reporting()
	if !way.dest.IsValid() || way.sock == nil {
		return
	}
	r := &l.reports
	var blocks []rtcp.ReceptionReport
	if seen, ok := l.in.Report(); ok {
		block := rtcp.ReceptionReport{SSRC: seen.SSRC, FractionLost: seen.Fraction, TotalLost: seen.TotalLost,
			LastSequenceNumber: seen.Highest, Jitter: seen.Jitter}
		if r.lastSRAt != 0 {
			block.LastSenderReport = r.lastSR
			block.Delay = uint32(uint64(now-r.lastSRAt) << 16 / uint64(time.Second))
		}
		blocks = append(blocks, block)
	}
	var first rtcp.Packet = &rtcp.ReceiverReport{SSRC: l.out.ssrc, Reports: blocks}
	if l.out.packets != r.packets {
		first = &rtcp.SenderReport{SSRC: l.out.ssrc, NTPTime: ntp(time.Now()), RTPTime: l.out.ts + uint32(ticks(now-l.out.at, l.out.clock)),
			PacketCount: l.out.packets, OctetCount: l.out.octets, Reports: blocks}
	}
	r.packets = l.out.packets
	packets := append([]rtcp.Packet{first, rtcp.NewCNAMESourceDescription(l.out.ssrc, r.cname)}, more...)
	b, err := rtcp.Marshal(packets)
	if err != nil {
		l.call.worker.log.Error().Err(err).Msg("write an RTCP report")
		return
	}
	if l.secure.sender != nil {
		if b, err = l.secure.sender.RTCP(l.call.worker.sealed[:0], b); err != nil {
			l.count.sendErrors++
			return
		}
	}
	if way.send(b) {
		r.said = true
	}
}

// reporting is the endpoint that RTCP goes over.
func (l *leg) reporting() *endpoint {
	if l.stream.Mux {
		return &l.rtp
	}
	return &l.control
}

// multiplexed says whether a datagram on RTP's port is RTCP (RFC 5761 section 4).
func multiplexed(b []byte) bool { return len(b) > 1 && b[1] >= 192 && b[1] <= 223 }

// sayBye ends the stream towards the peer; who never sent anything must not say BYE (RFC 3550 section 6.3.7).
func (l *leg) sayBye() {
	if l.reports.said || l.out.packets > 0 {
		l.sayReport(l.call.worker.now(), &rtcp.Goodbye{Sources: []uint32{l.out.ssrc}})
	}
}

// ntp is a time as a 64-bit NTP timestamp.
func ntp(t time.Time) uint64 {
	return uint64(t.Unix()+ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// controlReceived handles a datagram of RTCP.
func (l *leg) controlReceived(b []byte, from netip.AddrPort, now int64) {
	r := &l.reports
	if second := now / int64(time.Second); second != r.second {
		r.second, r.read = second, 0
	}
	if r.read++; r.read > maxReports || !l.pointed {
		l.count.dropped++
		return
	}
	way := l.reporting()
	if !way.source.IsValid() && !l.controlFrom(from) {
		l.count.foreign++
		return
	}
	if l.secure.receiver != nil {
		plain, err := l.secure.receiver.RTCP(b)
		if err != nil {
			return // it is counted there
		}
		b = plain
	}
	if !compound(b) {
		l.count.dropped++
		return
	}
	if !l.stream.Mux && !l.control.source.IsValid() {
		l.control.latch(from)
		if l.stream.NAT || !l.control.dest.IsValid() {
			l.control.aim(from)
		}
	}
	for len(b) > 0 {
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		l.controlPacket(b[:size], now)
		b = b[size:]
	}
}

// controlFrom says whether RTCP may come from this source: the host that RTP comes from, or before any came the one that
// was signalled.
func (l *leg) controlFrom(from netip.AddrPort) bool {
	if l.rtp.source.IsValid() {
		return from.Addr() == l.rtp.source.Addr()
	}
	return from == l.stream.RTCP || !l.stream.NAT && from.Addr() == l.stream.RTP.Addr()
}

// compound checks the outside of a compound packet (RFC 3550 A.2): it begins with a report, every part is of version 2,
// and the lengths add up.
func compound(b []byte) bool {
	if len(b) < 8 || b[0]&0x20 != 0 || b[1] != byte(rtcp.TypeSenderReport) && b[1] != byte(rtcp.TypeReceiverReport) {
		return false
	}
	for len(b) > 0 {
		if len(b) < 4 || b[0]>>6 != 2 {
			return false
		}
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if size > len(b) || b[0]&0x20 != 0 && size < len(b) {
			return false
		}
		b = b[size:]
	}
	return true
}

// controlPacket reads one part of a compound packet. Only kinds of bounded size are parsed; SDES and the rest say nothing
// that is needed.
func (l *leg) controlPacket(b []byte, now int64) {
	switch rtcp.PacketType(b[1]) {
	case rtcp.TypeSenderReport:
		sr := &l.call.worker.sent
		sr.Reports = sr.Reports[:0]
		if sr.Unmarshal(b) == nil {
			l.reports.lastSR, l.reports.lastSRAt = uint32(sr.NTPTime>>16), now
			l.readBlocks(sr.Reports)
		}
	case rtcp.TypeReceiverReport:
		rr := &l.call.worker.received
		rr.Reports = rr.Reports[:0]
		if rr.Unmarshal(b) == nil {
			l.readBlocks(rr.Reports)
		}
	case rtcp.TypeGoodbye:
		var bye rtcp.Goodbye
		if bye.Unmarshal(b) == nil {
			l.reports.bye = true
		}
	}
}

// readBlocks takes what the peer says about our stream.
func (l *leg) readBlocks(blocks []rtcp.ReceptionReport) {
	r := &l.reports
	for _, block := range blocks {
		if block.SSRC != l.out.ssrc {
			continue
		}
		r.jitter = block.Jitter
		if r.lost = block.TotalLost; r.lost >= 1<<23 {
			r.lost = 0 // a negative number of 24 bits: duplicates
		}
		if block.LastSenderReport == 0 {
			continue
		}
		// In units of 1/65536 s (RFC 3550 section 6.4.1, figure 2).
		trip := uint32(ntp(time.Now())>>16) - block.LastSenderReport - block.Delay
		if d := time.Duration(uint64(trip) * uint64(time.Second) >> 16); d <= maxRoundTrip {
			r.roundTrip = d
		}
	}
}
