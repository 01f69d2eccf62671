package message

import (
	"bytes"
	"net/netip"
)

// Session is what a session description says about audio.
type Session struct {
	Audio netip.AddrPort // where RTP goes; not valid: there is none
	Event int            // payload type of telephone-event (RFC 4733); 0: none
}

// Session reads the body (RFC 4566) of a message. The addresses of IPv6 are not
// understood.
func (m *Message) Session() Session {
	var s Session
	var host netip.Addr
	port := 0
	for rest := m.Body; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		if value, ok := bytes.CutPrefix(line, []byte("c=IN IP4 ")); ok && (port > 0 || !host.IsValid()) {
			host = ip4(value)
		}
		if value, ok := bytes.CutPrefix(line, []byte("m=audio ")); ok {
			port = Number(value)
		}
		if value, ok := bytes.CutPrefix(line, []byte("a=rtpmap:")); ok && bytes.Contains(value, []byte(" telephone-event/8000")) {
			s.Event = Number(value)
		}
	}
	if host.IsValid() && port > 0 && port < 1<<16 {
		s.Audio = netip.AddrPortFrom(host, uint16(port))
	}
	return s
}

func ip4(text []byte) netip.Addr {
	var a [4]byte
	for i := range a {
		part, rest, more := bytes.Cut(text, []byte("."))
		n := Number(part)
		if n > 255 || len(part) == 0 || more != (i < 3) {
			return netip.Addr{}
		}
		a[i], text = byte(n), rest
	}
	return netip.AddrFrom4(a)
}
