package phone

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// direction is a media direction attribute (RFC 8866 section 6.7).
type direction string

const (
	sendRecv direction = "sendrecv"
	sendOnly direction = "sendonly"
	recvOnly direction = "recvonly"
	inactive direction = "inactive"
)

// answer is the direction that answers an offered one (RFC 3264 section 6.1),
// if we want to send.
func (d direction) answer() direction {
	switch d {
	case sendOnly:
		return recvOnly
	case recvOnly:
		return sendOnly
	case inactive:
		return inactive
	}
	return sendRecv
}

// remote is what the other side's SDP says.
type remote struct {
	at        netip.AddrPort // port 0 if it refused the audio
	pts       []uint8        // G.711 payload types in its order
	event     uint8          // of telephone-event, 0: none
	direction direction
	held      bool // connection address 0.0.0.0 (RFC 2543)
	crypto    crypto
}

// readSDP finds the audio of a session description.
func readSDP(body []byte) (remote, error) {
	var s sdp.SessionDescription
	if err := s.Unmarshal(body); err != nil {
		return remote{}, fmt.Errorf("SDP: %w", err)
	}
	for _, m := range s.MediaDescriptions {
		if m.MediaName.Media == "audio" {
			return readAudio(&s, m)
		}
	}
	return remote{}, errors.New("SDP: no audio")
}

func readAudio(s *sdp.SessionDescription, m *sdp.MediaDescription) (remote, error) {
	conn := m.ConnectionInformation
	if conn == nil {
		conn = s.ConnectionInformation
	}
	if conn == nil || conn.Address == nil {
		return remote{}, errors.New("SDP: no connection address")
	}
	ip, err := netip.ParseAddr(conn.Address.Address)
	if err != nil {
		return remote{}, fmt.Errorf("SDP: connection address: %w", err)
	}
	r := remote{at: netip.AddrPortFrom(ip, uint16(m.MediaName.Port.Value)), direction: sendRecv, held: ip.IsUnspecified()}
	for _, attributes := range [][]sdp.Attribute{s.Attributes, m.Attributes} {
		for _, a := range attributes {
			switch d := direction(a.Key); d {
			case sendRecv, sendOnly, recvOnly, inactive:
				r.direction = d
			}
			if c, ok := readCrypto(a.Value); ok && a.Key == "crypto" && r.crypto.key == nil {
				r.crypto = c
			}
			if pt, name, ok := strings.Cut(a.Value, " "); ok && a.Key == "rtpmap" && strings.EqualFold(name, "telephone-event/8000") {
				n, _ := strconv.ParseUint(pt, 10, 7)
				r.event = uint8(n)
			}
		}
	}
	for _, f := range m.MediaName.Formats {
		if f == "0" || f == "8" {
			r.pts = append(r.pts, f[0]-'0')
		}
	}
	if len(r.pts) == 0 && r.at.Port() != 0 {
		return remote{}, fmt.Errorf("SDP: formats %v: neither PCMA nor PCMU", m.MediaName.Formats)
	}
	return r, nil
}

// session is our half of an SDP negotiation. It belongs to whoever holds the
// call's lock.
type session struct {
	id, version uint64
	at          netip.AddrPort
	crypto      string // our key; empty: RTP/AVP
	last        string // what was described last, without its version
}

// describe writes our SDP. The version rises by one with each change (RFC 3264
// section 8).
func (s *session) describe(pts []uint8, event uint8, d direction) []byte {
	names := map[uint8]string{0: "PCMU", 8: "PCMA"}
	var list, maps strings.Builder
	for _, pt := range pts {
		fmt.Fprintf(&list, " %d", pt)
		fmt.Fprintf(&maps, "a=rtpmap:%d %s/8000\r\n", pt, names[pt])
	}
	if event != 0 {
		fmt.Fprintf(&list, " %d", event)
		fmt.Fprintf(&maps, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", event, event)
	}
	protocol := "RTP/AVP"
	if s.crypto != "" {
		protocol = "RTP/SAVP"
	}
	rest := fmt.Sprintf("s=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d %s%s\r\n%s%sa=ptime:20\r\na=%s\r\n",
		s.at.Addr(), s.at.Port(), protocol, list.String(), s.crypto, maps.String(), d)
	if rest != s.last {
		s.version++
		s.last = rest
	}
	return fmt.Appendf(nil, "v=0\r\no=- %d %d IN IP4 %s\r\n%s", s.id, s.version, s.at.Addr(), rest)
}

// offer describes all that the phone can do.
func (c *Call) offer(d direction) []byte {
	cfg := &c.phone.cfg
	pts := make([]uint8, len(cfg.Codecs))
	for i, name := range cfg.Codecs {
		pts[i] = payloadTypes[name]
	}
	event := cfg.EventType
	if cfg.NoEvents {
		event = 0
	}
	c.offeredEvent = event
	if c.audio.sealed != nil {
		c.sdp.crypto = c.audio.sealed.line("1")
	}
	return c.sdp.describe(pts, event, d)
}

// acceptAnswer applies the answer to our offer.
func (c *Call) acceptAnswer(body []byte) error {
	r, err := readSDP(body)
	if err != nil {
		return err
	}
	pt, err := c.choose(r)
	if err != nil {
		return err
	}
	if err := c.audio.believe(r.crypto); err != nil {
		return err
	}
	c.remote = r
	c.audio.agree(r.at, pt, r.event, c.offeredEvent, c.silent(r))
	return nil
}

// answerOffer applies an offer and describes the answer to it.
func (c *Call) answerOffer(body []byte) ([]byte, error) {
	r, err := readSDP(body)
	if err != nil {
		return nil, err
	}
	pt, err := c.choose(r)
	if err != nil {
		return nil, err
	}
	event := r.event // an answer repeats the offer's number
	if c.phone.cfg.NoEvents {
		event = 0
	}
	d := r.direction
	if r.held && d == sendRecv {
		d = sendOnly
	}
	if err := c.audio.believe(r.crypto); err != nil {
		return nil, err
	}
	if c.audio.sealed != nil {
		c.sdp.crypto = c.audio.sealed.line(r.crypto.tag)
	}
	c.remote = r
	c.audio.agree(r.at, pt, event, event, c.silent(r))
	return c.sdp.describe([]uint8{pt}, event, d.answer()), nil
}

// choose takes the first codec of the other side that the phone has.
func (c *Call) choose(r remote) (uint8, error) {
	for _, pt := range r.pts {
		if slices.ContainsFunc(c.phone.cfg.Codecs, func(name string) bool { return payloadTypes[name] == pt }) {
			return pt, nil
		}
	}
	return 0, fmt.Errorf("SDP: payload types %v: the phone has %v only", r.pts, c.phone.cfg.Codecs)
}

// silent tells whether nothing may be sent to a peer that says this.
func (c *Call) silent(r remote) bool {
	return r.held || r.at.Port() == 0 || r.direction == sendOnly || r.direction == inactive
}
