package media

import (
	"time"

	"axgate/media/quality"
	"axgate/media/srtp"
)

// Stats describes the media of one leg over the call.
type Stats struct {
	Received uint64  // valid RTP packets from the peer
	Lost     uint64  // packets missing from the peer's sequence (RFC 3550 A.3)
	Late     uint64  // packets that came behind newer ones, or twice
	JitterMS float64 // interarrival jitter of what the peer sent, in ms (RFC 3550 A.8)
	MOS      float64 // estimated quality of what the peer sent, 1 bad to 4.5 best (ITU-T G.107); 0: nothing received
	Sent     uint64  // RTP packets sent to the peer

	RoundTripMS    float64 // to the peer and back, in ms, by RTCP; 0: unknown
	RemoteLost     uint64  // of what we sent, as the peer reports
	RemoteJitterMS float64 // of what we sent, in ms, as the peer reports
	PeerBye        bool    // the peer said goodbye by RTCP

	Foreign    uint64      // datagrams from sources that are not the peer
	Dropped    uint64      // datagrams that were no valid packet of the session, came on hold, or too late
	SendErrors uint64      // packets that the kernel refused
	Secure     bool        // the leg was protected (SRTP) at its end
	Refused    srtp.Counts // packets that did not authenticate, or came twice

	EventsLost uint64 // events that did not fit into Call.Events
}

func (l *leg) stats() Stats {
	s := Stats{
		Received:       l.in.Received(),
		Lost:           l.in.Lost(),
		Late:           l.in.Late(),
		JitterMS:       l.in.Jitter() * 1000 / float64(l.out.clock),
		Sent:           l.sentBefore + uint64(l.out.packets),
		Secure:         l.stream.Keys.On(),
		Refused:        l.secure.counts(),
		RoundTripMS:    float64(l.reports.roundTrip) / float64(time.Millisecond),
		RemoteLost:     uint64(l.reports.lost),
		RemoteJitterMS: float64(l.reports.jitter) * 1000 / float64(l.out.clock),
		PeerBye:        l.reports.bye,
		Foreign:        l.count.foreign,
		Dropped:        l.count.dropped,
		SendErrors:     l.count.sendErrors,
		EventsLost:     l.count.eventsLost,
	}
	if s.Received > 0 {
		loss := float64(s.Lost) / float64(s.Received+s.Lost)
		jitter := time.Duration(l.in.Jitter() / float64(l.out.clock) * float64(time.Second))
		s.MOS = quality.MOS(loss, jitter, l.reports.roundTrip)
	}
	return s
}
