package sdp

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Bounds of what is read.
const (
	maxSDP     = 16 << 10 // bytes
	maxLines   = 32       // m-lines
	maxFormats = 128      // on one m-line
	maxToken   = 64       // bytes of a word that an answer repeats
)

// ParseFor reads the body of a message of a leg. contentType is the value of its
// Content-Type; a multipart body is searched for its SDP part (RFC 5621). With
// Optional or Required audio over SRTP is audio, and whether its keys are usable
// says Common.
//
// Lines may end with CR LF, LF or CR, the last may end with nothing; lines of
// other kinds, in another order, or missing ones besides c= and m= do not
// matter. An error is one of this package's.
func ParseFor(s Security, contentType string, body []byte) (*Remote, error) {
	text, err := find(contentType, body)
	if err != nil {
		return nil, err
	}
	if len(text) > maxSDP {
		return nil, fmt.Errorf("%w: %d bytes are more than %d", ErrMalformed, len(text), maxSDP)
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, fmt.Errorf("%w: it has a zero byte", ErrMalformed)
	}
	rd := reader{session: line{way: way{true, true}}}
	for row := range strings.FieldsFuncSeq(string(text), func(c rune) bool { return c == '\r' || c == '\n' }) {
		if err := rd.row(strings.TrimSpace(row)); err != nil {
			return nil, err
		}
	}
	return rd.remote(s)
}

// reader goes through the rows of a description.
type reader struct {
	begun   bool // there was a v= or an m=
	session line // defaults of the lines: address and direction
	lines   []line
}

func (rd *reader) row(row string) error {
	if len(row) < 2 || row[1] != '=' {
		return nil
	}
	value := strings.TrimSpace(row[2:])
	switch row[0] {
	case 'v':
		rd.begun = true
		if value != "0" {
			return fmt.Errorf("%w: version %.10q is not 0", ErrMalformed, value)
		}
	case 'm':
		rd.begun = true
		return rd.media(value)
	case 'c':
		rd.current().connection(value)
	case 'a':
		if w, ok := wayNamed(strings.ToLower(value)); ok {
			rd.current().way = w
		} else if len(rd.lines) > 0 {
			rd.current().attribute(value)
		}
	}
	return nil
}

// current is the line that a c= or a direction belongs to.
func (rd *reader) current() *line {
	if len(rd.lines) == 0 {
		return &rd.session
	}
	return &rd.lines[len(rd.lines)-1]
}

func (rd *reader) media(value string) error {
	words := strings.Fields(value)
	if len(words) < 3 {
		return fmt.Errorf("%w: m= needs media, port, protocol and formats", ErrMalformed)
	}
	if len(rd.lines) == maxLines {
		return fmt.Errorf("%w: more than %d m-lines", ErrMalformed, maxLines)
	}
	if len(words)-3 > maxFormats {
		return fmt.Errorf("%w: more than %d formats", ErrMalformed, maxFormats)
	}
	first, _, _ := strings.Cut(words[1], "/") // number of ports
	port, ok := number(first, 65535)
	if !ok {
		return fmt.Errorf("%w: port %.10q", ErrMalformed, words[1])
	}
	for _, w := range words[:min(len(words), 4)] {
		if !token(w) {
			return fmt.Errorf("%w: m= has %.20q", ErrMalformed, w)
		}
	}
	l := rd.session
	l.media, l.port, l.proto, l.formats = strings.ToLower(words[0]), uint16(port), words[2], words[3:]
	if l.media == "audio" {
		l.proto = strings.ToUpper(l.proto)
	}
	rd.lines = append(rd.lines, l)
	return nil
}

// connection reads a c= line: network, kind and address, perhaps with a TTL.
func (l *line) connection(value string) {
	words := strings.Fields(value)
	if len(words) == 0 {
		return
	}
	text, _, _ := strings.Cut(words[len(words)-1], "/")
	l.address, l.host = netip.Addr{}, text
	if ip, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		l.address, l.host = ip.Unmap().WithZone(""), ""
	}
}

func (l *line) attribute(value string) {
	key, value, _ := strings.Cut(value, ":")
	value = strings.TrimSpace(value)
	switch strings.ToLower(strings.TrimSpace(key)) {
	case "rtpmap":
		l.rtpmap(value)
	case "ptime":
		l.ptime = milliseconds(value)
	case "maxptime":
		l.maxPTime = milliseconds(value)
	case "fmtp":
		l.fmtp(value)
	case "rtcp":
		l.control(value)
	case "rtcp-mux":
		l.mux = true
	case "crypto":
		if len(l.cryptos) <= maxCryptos {
			l.cryptos = append(l.cryptos, value)
		}
	}
}

// rtpmap reads "8 PCMA/8000/1". A clock that is not said is 8 kHz.
func (l *line) rtpmap(value string) {
	words := strings.Fields(value)
	if len(words) < 2 || len(l.maps) == maxFormats {
		return
	}
	pt, ok := number(words[0], 127)
	if !ok {
		return
	}
	name, rest, _ := strings.Cut(words[1], "/")
	rate, channels, _ := strings.Cut(rest, "/")
	c := Codec{Name: named(name), Clock: clock, Channels: 1}
	if rate != "" {
		c.Clock, _ = number(rate, 1<<20)
	}
	if channels != "" {
		c.Channels, _ = number(channels, 99)
	}
	l.maps = append(l.maps, format{uint8(pt), c})
}

// named is a name in the spelling of its registration, if it is one that we
// can use.
func named(name string) string {
	if k := kindNamed(name); k != nil {
		return k.Name
	}
	for _, other := range []string{telephoneEvent, comfortNoise} {
		if strings.EqualFold(name, other) {
			return other
		}
	}
	return ""
}

// fmtp reads "97 mode=20", of the payload type whatever it says.
func (l *line) fmtp(value string) {
	first, text, _ := strings.Cut(value, " ")
	if pt, ok := number(first, 127); ok && len(l.fmtps) < maxFormats {
		l.fmtps = append(l.fmtps, fmtp{uint8(pt), text})
	}
}

// control reads a=rtcp: a port, perhaps with an address (RFC 3605).
func (l *line) control(value string) {
	words := strings.Fields(value)
	if len(words) == 0 {
		return
	}
	port, ok := number(words[0], 65535)
	if !ok || port == 0 {
		return
	}
	l.rtcpPort = uint16(port)
	if len(words) == 4 {
		if ip, err := netip.ParseAddr(words[3]); err == nil {
			l.rtcp = netip.AddrPortFrom(ip.Unmap().WithZone(""), uint16(port))
		}
	}
}

// remote checks that there is audio to talk about.
func (rd *reader) remote(s Security) (*Remote, error) {
	if !rd.begun {
		return nil, fmt.Errorf("%w: neither v= nor m= in it", ErrMalformed)
	}
	secure, audio := false, false
	for i := range rd.lines {
		l := &rd.lines[i]
		secure = secure || l.secure()
		if !l.usable(s) {
			continue
		}
		l.list()
		switch {
		case audio: // one that can be used is enough
		case l.host != "":
			return nil, fmt.Errorf("%w: connection address %.60q is not an IP address", ErrMalformed, l.host)
		case !l.address.IsValid():
			return nil, fmt.Errorf("%w: no connection address (c=)", ErrMalformed)
		}
		audio = true
	}
	switch {
	case audio:
		return &Remote{lines: rd.lines, security: s}, nil
	case secure && s == Off:
		return nil, ErrSecure
	case secure: // with keys by DTLS
		return nil, ErrSuite
	}
	return nil, ErrNoAudio
}

// number reads plain decimal digits up to a limit.
func number(s string, limit int) (int, bool) {
	if s == "" || len(s) > 9 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n <= limit
}

func milliseconds(s string) int {
	whole, _, _ := strings.Cut(s, ".")
	n, ok := number(whole, 1000)
	if !ok {
		return 0
	}
	return n
}

// token tells whether a word may be repeated in an answer to its own sender:
// one that could be a telephone number may not, whosever it is.
func token(s string) bool {
	digits := 0
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
		if s[i] < '0' || s[i] > '9' {
			digits = 0
		} else if digits++; digits > maxDigits {
			return false
		}
	}
	return s != "" && len(s) <= maxToken
}
