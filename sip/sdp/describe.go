package sdp

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// describe writes the session with these m-lines and makes it the one last
// sent; the version rises if anything changed.
func (s *Session) describe(slots []slot, formats []format, w way) []byte {
	s.slots, s.formats, s.way = slots, formats, w
	d := sdp.SessionDescription{
		Origin:                sdp.Origin{Username: "-", SessionID: s.id, NetworkType: "IN", AddressType: s.family(), UnicastAddress: s.ip.String()},
		SessionName:           "-",
		ConnectionInformation: &sdp.ConnectionInformation{NetworkType: "IN", AddressType: s.family(), Address: &sdp.Address{Address: s.ip.String()}},
		TimeDescriptions:      []sdp.TimeDescription{{}},
	}
	for _, sl := range slots {
		if sl.ours {
			d.MediaDescriptions = append(d.MediaDescriptions, s.audio(sl))
			continue
		}
		d.MediaDescriptions = append(d.MediaDescriptions, &sdp.MediaDescription{
			MediaName: sdp.MediaName{Media: sl.media, Protos: strings.Split(sl.proto, "/"), Formats: []string{sl.format}}})
	}
	if s.body != nil {
		d.Origin.SessionVersion = s.said
		if bytes.Equal(marshal(&d), s.body) {
			return s.body
		}
	}
	s.version++
	d.Origin.SessionVersion = s.version
	s.said, s.body = s.version, marshal(&d)
	return s.body
}

// marshal cannot fail: a description of ours has nothing that pion refuses.
func marshal(d *sdp.SessionDescription) []byte {
	text, _ := d.Marshal()
	return text
}

func (s *Session) family() string {
	if s.ip.Is4() {
		return "IP4"
	}
	return "IP6"
}

// audio is our own m-line.
func (s *Session) audio(sl slot) *sdp.MediaDescription {
	m := &sdp.MediaDescription{MediaName: sdp.MediaName{Media: "audio", Port: sdp.RangedPort{Value: int(s.port)}, Protos: strings.Split(sl.proto, "/")}}
	for _, f := range s.formats {
		pt := strconv.Itoa(int(f.pt))
		m.MediaName.Formats = append(m.MediaName.Formats, pt)
		m.WithValueAttribute("rtpmap", pt+" "+f.codec.rtpmap())
		if f.codec.Params != "" {
			m.WithValueAttribute("fmtp", pt+" "+f.codec.Params)
		}
	}
	m.WithValueAttribute("ptime", strconv.Itoa(s.packetTime()))
	if s.port < 65535 && !s.muxed { // beside an offered a=rtcp-mux it is for peers that have none (RFC 5761 section 5.1.3)
		m.WithValueAttribute("rtcp", strconv.Itoa(int(s.port)+1))
	}
	if s.muxing {
		m.WithPropertyAttribute("rtcp-mux")
	}
	for _, c := range s.cryptos {
		m.WithValueAttribute("crypto", c.String())
	}
	return m.WithPropertyAttribute(s.way.String())
}

// rtpmap is the value of the attribute, without the payload type.
func (c Codec) rtpmap() string {
	text := c.Name + "/" + strconv.Itoa(c.Clock)
	if c.Channels > 1 {
		text += "/" + strconv.Itoa(c.Channels)
	}
	return text
}

// packetTime is the packet duration that we want, in ms.
func (s *Session) packetTime() int {
	if s.pass.PTime == 0 {
		return usualPacket
	}
	return int(s.pass.PTime.Milliseconds())
}

// slotOf is the m-line that answers one of the peer's.
func slotOf(l *line, ours bool) slot {
	sl := slot{ours: ours, media: l.media, proto: l.proto, format: "0"}
	if len(l.formats) > 0 {
		sl.format = l.formats[0]
	}
	return sl
}
