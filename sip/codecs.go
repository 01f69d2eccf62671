package sip

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"axgate/media"
	"axgate/routing"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// errMismatch is audio that the two legs cannot exchange: one has a codec
// passed through that the other has not.
var errMismatch = errors.New("the legs have no codec in common")

// endNoMedia is a call whose legs agree on no codec, or on no protection.
var endNoMedia = routing.End{Word: "no_common_codec", StateCode: routing.EndTrunk.StateCode, FailReason: routing.EndTrunk.FailReason, SIP: 488, Cause: 88}

// noMedia tells whether an error is about what audio can be, not about how it
// was said.
func noMedia(err error) bool {
	return slices.ContainsFunc([]error{errMismatch, sdp.ErrNoCodec, sdp.ErrPlain, sdp.ErrSuite, sdp.ErrCrypto, sdp.ErrSecure},
		func(e error) bool { return errors.Is(err, e) })
}

// passing is what a callee is offered beside G.711: codecs that the caller
// offered, where nothing has to be heard or played in the talk. A caller who
// has its answer already has G.711, or the one codec in it
// (docs/decisions/0017-audio.md). An error is errMismatch.
func (c *call) passing(r route) (sdp.Passing, error) {
	if c.a.offer == nil || c.a.ready && c.a.agreed.Codec.Speaks() {
		return sdp.Passing{}, nil
	}
	p := sdp.Passing{PTime: c.a.offer.PTime(), Alone: c.a.ready || c.a.offer.Common(c.codecs(c.from)) != nil}
	if c.mayPass(r) {
		p.Codecs = c.a.offer.Passable(c.codecs(c.from))
		if c.a.ready {
			p.Codecs = []sdp.Codec{c.a.agreed.Codec}
		}
		p.Codecs = slices.DeleteFunc(p.Codecs, func(k sdp.Codec) bool { return !c.allowed(r, k.Name) })
	}
	switch {
	case len(p.Codecs) > 0:
		return p, nil
	case p.Alone:
		return p, fmt.Errorf("call %s: %w", r.name, errMismatch)
	}
	return sdp.Passing{}, nil
}

// mayPass tells whether the talk needs neither prompts nor a recording, nor
// tones heard or made: of a codec that is passed through nobody here knows what
// is in it.
func (c *call) mayPass(r route) bool {
	tones := r.trunk != nil && r.trunk.DTMF == trunk.Tones || c.a.digits() == trunk.Tones
	warned := c.d.LastMinute != "" && c.d.MaxMinutes > 0
	return !c.d.Record && !warned && !tones
}

func (c *call) allowed(r route, name string) bool {
	return slices.ContainsFunc(c.codecs(origin{trunk: r.trunk}), func(n string) bool { return strings.EqualFold(n, name) })
}

// taken is what a caller is answered with: what the callee has, if that is
// passed through.
func (c *call) taken() sdp.Passing {
	if c.b == nil || !c.b.ready || c.b.agreed.Codec.Speaks() {
		return sdp.Passing{}
	}
	return sdp.Passing{Codecs: []sdp.Codec{c.b.agreed.Codec}, PTime: c.b.agreed.PTime}
}

// matches tells whether audio can go from one leg to the other: both speak
// G.711, in whatever law, or both have the same codec.
func matches(a, b sdp.Codec) bool {
	if a.Speaks() || b.Speaks() {
		return a.Speaks() && b.Speaks()
	}
	return a.Fits(b)
}

// stream is an agreed session as the media engine takes it.
func (c *call) stream(l *leg, g sdp.Agreed) media.Stream {
	s := media.Stream{RTP: g.RTP, RTCP: g.RTCP, SendPT: g.SendPT, RecvPT: g.RecvPT, SendEventPT: g.SendEventPT, RecvEventPT: g.RecvEventPT,
		PTime: g.PTime, Send: g.Send, Receive: g.Receive, NAT: c.behindNAT(l), Keys: g.Keys, Mux: g.Mux}
	switch {
	case !g.Codec.Speaks():
		s.Codec, s.Clock = media.Passed, uint32(g.Codec.Clock)
	case g.Codec.Name == "PCMU":
		s.Codec = media.PCMU
	}
	switch l.digits() {
	case trunk.Tones:
		s.Digits = media.DigitsTones
	case trunk.Info:
		s.Digits = media.DigitsElsewhere
	}
	if l.trunk != nil {
		s.Inactive = l.trunk.Media.Timeout
		if l.trunk.Media.Patient {
			s.Inactive = media.Never
		}
	}
	return s
}

// newSession is the SDP of a leg whose audio arrives at a port of ours.
func (c *call) newSession(l *leg, port uint16) *sdp.Session {
	s := sdp.NewSession(c.srv.cfg.MediaIP, port, c.codecs(origin{trunk: l.trunk}))
	s.Secure(l.security)
	if l.trunk != nil {
		s.Multiplex(l.trunk.Media.Mux)
	}
	return s
}
