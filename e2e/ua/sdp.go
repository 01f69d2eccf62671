package ua

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Desc is a description of a session, as far as tests look at it.
type Desc struct {
	ID, Version uint64 // of o=
	IP          netip.Addr
	Streams     []Stream // m= lines
}

// Stream is one m= line with what belongs to it.
type Stream struct {
	Kind, Profile string
	Port          int
	IP            netip.Addr
	Formats       []int
	Maps          map[int]string // a=rtpmap, such as PCMA/8000
	Params        map[int]string // a=fmtp
	Ptime         int
	Direction     string
	Lines         []string // all a= lines
}

// Format finds the payload type of an encoding such as telephone-event/8000;
// -1 if it is not listed.
func (s *Stream) Format(encoding string) int {
	for _, f := range s.Formats {
		name := s.Maps[f]
		if name == "" {
			name = static[f]
		}
		if strings.EqualFold(name, encoding) {
			return f
		}
	}
	return -1
}

var static = map[int]string{0: "PCMU/8000", 8: "PCMA/8000", 13: "CN/8000", 18: "G729/8000"}

// ReadSDP reads what the gate sends: lines of RFC 8866 section 5 in their
// order, and none that tells more than it must.
func ReadSDP(body string) (*Desc, error) {
	if !strings.HasSuffix(body, "\r\n") {
		return nil, errors.New("the SDP: the last line does not end")
	}
	d := new(Desc)
	direction := "sendrecv"
	var got []byte
	for line := range strings.SplitSeq(strings.TrimSuffix(body, "\r\n"), "\r\n") {
		if len(line) < 3 || line[1] != '=' {
			return nil, fmt.Errorf("the SDP line %q", line)
		}
		kind, value := line[0], line[2:]
		got = append(got, kind)
		var at *Stream
		if n := len(d.Streams); n > 0 {
			at = &d.Streams[n-1]
		}
		var err error
		switch kind {
		case 'v':
			if value != "0" {
				err = errors.New("version")
			}
		case 'o':
			f := strings.Fields(value)
			if len(f) != 6 || f[0] != "-" || f[3] != "IN" {
				return nil, fmt.Errorf("the SDP line %q", line)
			}
			var wrong error
			d.ID, err = strconv.ParseUint(f[1], 10, 64)
			d.Version, wrong = strconv.ParseUint(f[2], 10, 64)
			err = errors.Join(err, wrong)
		case 's':
			if strings.TrimSpace(value) != "-" && strings.TrimSpace(value) != "" {
				err = errors.New("a name")
			}
		case 'c':
			f := strings.Fields(value)
			ip, wrong := netip.ParseAddr(f[len(f)-1])
			if err = wrong; at != nil {
				at.IP = ip
			} else {
				d.IP = ip
			}
		case 't', 'b':
		case 'm':
			var s Stream
			if s, err = stream(value); err == nil {
				s.IP, s.Direction = d.IP, direction
				d.Streams = append(d.Streams, s)
			}
		case 'a':
			if at == nil {
				if directions[value] {
					direction = value
				}
				break
			}
			err = at.attribute(value)
		default:
			err = errors.New("nobody needs it")
		}
		if err != nil {
			return nil, fmt.Errorf("the SDP line %q: %w", line, err)
		}
	}
	if !strings.HasPrefix(string(got), "vos") || len(d.Streams) == 0 {
		return nil, fmt.Errorf("the SDP lines %q", got)
	}
	return d, nil
}

var directions = map[string]bool{"sendrecv": true, "sendonly": true, "recvonly": true, "inactive": true}

func stream(value string) (Stream, error) {
	f := strings.Fields(value)
	if len(f) < 4 {
		return Stream{}, errors.New("too short")
	}
	port, err := strconv.Atoi(f[1])
	s := Stream{Kind: f[0], Port: port, Profile: f[2], Maps: make(map[int]string), Params: make(map[int]string)}
	for _, format := range f[3:] {
		n, wrong := strconv.Atoi(format)
		if s.Kind == "audio" {
			err = errors.Join(err, wrong)
		}
		s.Formats = append(s.Formats, n)
	}
	return s, err
}

func (s *Stream) attribute(value string) error {
	s.Lines = append(s.Lines, value)
	name, rest, _ := strings.Cut(value, ":")
	format, what, _ := strings.Cut(rest, " ")
	switch {
	case directions[value]:
		s.Direction = value
	case name == "rtpmap", name == "fmtp":
		n, err := strconv.Atoi(format)
		if err != nil || !slices.Contains(s.Formats, n) {
			return errors.New("of no format of its stream")
		}
		if name == "rtpmap" {
			s.Maps[n] = what
		} else {
			s.Params[n] = what
		}
	case name == "ptime":
		var err error
		s.Ptime, err = strconv.Atoi(rest)
		return err
	case name == "tool", name == "candidate", name == "ssrc", name == "ice-ufrag", name == "ice-pwd", name == "curr", name == "des", name == "conf":
		return errors.New("it tells too much")
	}
	return nil
}

// session is what the gate described in a dialog so far.
type session struct {
	desc *Desc
	raw  string
	// refused: the agent refused it, so what comes next may repeat it under a new
	// version.
	refused bool
}

// described reads the SDP of a message, holds it against the one before it (RFC
// 3264 section 8: one id, and a version that rises by one with each change) and
// sends audio where it says.
func (c *Call) described(m *Msg) error {
	if m.Body == "" || !strings.EqualFold(m.Get("Content-Type"), "application/sdp") {
		return nil
	}
	d, err := ReadSDP(m.Body)
	if err != nil {
		return err
	}
	if was := c.session.desc; was != nil {
		same := unversioned(m.Body) == unversioned(c.session.raw)
		if c.session.refused && d.Version == was.Version+1 {
			same = false
		}
		switch {
		case d.ID != was.ID:
			return fmt.Errorf("the SDP: the id of o= was %d", was.ID)
		case same && d.Version != was.Version, !same && d.Version != was.Version+1:
			return fmt.Errorf("the SDP: version %d after %d; before it was\n%s", d.Version, was.Version, c.session.raw)
		}
	}
	c.session.desc, c.session.raw, c.session.refused = d, m.Body, false
	c.agent.Media.follow(d)
	return nil
}

// unversioned is a description without its origin.
func unversioned(body string) string {
	before, rest, _ := strings.Cut(body, "o=")
	_, rest, _ = strings.Cut(rest, "\r\n")
	return before + rest
}

// Gate is the last description of the gate in the dialog; nil if none came.
func (c *Call) Gate() *Desc { return c.session.desc }

// Audio is its audio stream.
func (d *Desc) Audio() *Stream {
	for i := range d.Streams {
		if d.Streams[i].Kind == "audio" {
			return &d.Streams[i]
		}
	}
	return &Stream{}
}

// Formats for Media.SDP.
const (
	PCMA = "8 PCMA/8000"
	PCMU = "0 PCMU/8000"
	G729 = "18 G729/8000"
	Keys = "101 telephone-event/8000 0-16"
)

// Events is a telephone-event of that payload type and clock.
func Events(pt, clock int) string { return fmt.Sprintf("%d telephone-event/%d 0-16", pt, clock) }

// SDP describes the agent's audio: formats such as "8 PCMA/8000" or "101
// telephone-event/8000 0-16" in the order of preference (PCMA, PCMU and
// telephone-event if there are none), lines such as "a=sendonly" to be put
// behind them, and "profile RTP/SAVP". The version rises with each change.
func (m *Media) SDP(with ...string) string {
	var formats, lines []string
	profile := "RTP/AVP"
	for _, w := range with {
		switch {
		case w[0] >= '0' && w[0] <= '9':
			formats = append(formats, w)
		case strings.HasPrefix(w, "profile "):
			profile = strings.TrimPrefix(w, "profile ")
		default:
			lines = append(lines, w)
		}
	}
	if len(formats) == 0 {
		formats = []string{PCMA, PCMU, Keys}
	}
	var b strings.Builder
	ip := m.Host().String()
	fmt.Fprintf(&b, "c=IN IP4 %s\r\nt=0 0\r\nm=audio %d %s", ip, m.Port(), profile)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listed = make(map[uint8]string)
	for _, f := range formats {
		pt, name, _ := strings.Cut(f, " ")
		n, _ := strconv.Atoi(pt)
		m.listed[uint8(n)], _, _ = strings.Cut(name, " ")
		b.WriteString(" " + pt)
	}
	if m.theirs != nil {
		m.agree()
	}
	b.WriteString("\r\n")
	for _, f := range formats {
		pt, name, _ := strings.Cut(f, " ")
		name, param, _ := strings.Cut(name, " ")
		b.WriteString("a=rtpmap:" + pt + " " + name + "\r\n")
		if param != "" {
			b.WriteString("a=fmtp:" + pt + " " + param + "\r\n")
		}
	}
	for _, l := range lines {
		b.WriteString(l + "\r\n")
	}
	if body := b.String(); body != m.described {
		m.described = body
		m.version++
	}
	return fmt.Sprintf("v=0\r\no=- %d %d IN IP4 %s\r\ns=-\r\n", m.id, m.version, ip) + m.described
}

// At is the description with another address: 0.0.0.0 is the old way of hold,
// one that nobody can reach that of a host behind NAT.
func (m *Media) At(ip string) string { return m.SDP("c=IN IP4 " + ip) }

// Loose is the description as some write it: lines end with LF, the last one
// does not, and encodings are in small letters.
func (m *Media) Loose() string {
	body := strings.TrimSuffix(strings.ReplaceAll(m.SDP(), "\r\n", "\n"), "\n")
	return strings.NewReplacer("PCMA", "pcma", "PCMU", "pcmu").Replace(body)
}
