package media

import (
	"fmt"

	"axgate/media/srtp"
)

// protection is a leg's SRTP with the keys of its stream; the zero protection is plain RTP.
type protection struct {
	sender   *srtp.Sender
	receiver *srtp.Receiver
	before   srtp.Counts // of receivers that are gone
}

// protect applies the keys of a peer's SDP. A new key of ours comes with a new stream, whose roll-over counter no peer can
// mistake. After an error the leg must not go on: there is no way back to plain RTP that the SDP does not say.
func (l *leg) protect(keys srtp.Keys) error {
	p, old := &l.secure, l.stream.Keys
	switch {
	case keys == old:
		return nil
	case !keys.On():
		*p = protection{before: p.counts()}
		return nil
	}
	if p.receiver == nil {
		r, err := srtp.NewReceiver(keys.In)
		if err != nil {
			return fmt.Errorf("protect a media leg: %w", err)
		}
		p.receiver = r
	} else if err := p.receiver.Rekey(keys.In); err != nil {
		return fmt.Errorf("protect a media leg: %w", err)
	}
	if keys.Out != old.Out {
		if l.out.started {
			l.renew()
		}
		s, err := srtp.NewSender(keys.Out, l.out.ssrc)
		if err != nil {
			return fmt.Errorf("protect a media leg: %w", err)
		}
		p.sender = s
	}
	return nil
}

// renew gives the peer another stream in place of the one before.
func (l *leg) renew() {
	l.sayBye()
	l.dialer.abandon()
	l.sentBefore += uint64(l.out.packets)
	clock := l.out.clock
	l.out = newOutStream()
	l.out.clock = clock
	l.reports.said, l.reports.packets = false, 0
}

// counts are the packets refused since the leg began.
func (p *protection) counts() srtp.Counts {
	c := p.before
	if p.receiver != nil {
		n := p.receiver.Counts()
		c.Malformed, c.Forged, c.Replayed, c.Sources = c.Malformed+n.Malformed, c.Forged+n.Forged, c.Replayed+n.Replayed, c.Sources+n.Sources
	}
	return c
}
