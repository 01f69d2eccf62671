package sip

import "axgate/sip/trunk"

// crossDigit gives a digit of one side to the other, in the way that this one
// has its digits. Telephone-events the media engine sends on by itself; it
// says so. A tone is heard on the other side as it is, unless that has its
// digits in another way for sure.
func (c *call) crossDigit(h happening) {
	to := c.legOf(1 - h.side)
	switch way := to.digits(); {
	case h.crossed:
	case way == trunk.Info, way == trunk.Auto && to.dumb():
		c.sendInfo(to, h.digit, h.length)
	case h.tone && way != trunk.Events:
	default:
		c.media.SendDigit(to.side, h.digit, h.length)
	}
}

// dumb tells whether a leg can be sent no digit with its audio, whose codec is
// passed through, but takes SIP INFO.
func (l *leg) dumb() bool {
	return l.ready && !l.agreed.Codec.Speaks() && l.agreed.SendEventPT == 0 && l.informs
}

// hearTones looks for tones in a talk where they have to become something else
// on the other side.
func (c *call) hearTones() {
	for _, from := range []*leg{&c.a.leg, &c.b.leg} {
		way := c.legOf(1 - from.side).digits()
		c.media.Listen(from.side, from.digits() == trunk.Tones && (way == trunk.Events || way == trunk.Info))
	}
}
