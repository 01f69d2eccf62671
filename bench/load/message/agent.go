package message

import (
	"fmt"
	"net/netip"
	"strconv"
)

// ID names a call in what is written about it: the place that it has among the
// calls of a load, and how often the place was taken before.
type ID struct{ Place, Turn uint32 }

// idLength is that of an id as it is written.
const idLength = 12

func (id ID) append(b []byte) []byte { return hex24(hex24(b, id.Place), id.Turn) }

// tag appends the tag of the side that is called: the id, and something that
// tells it from that of the caller.
func (id ID) tag(b []byte) []byte { return append(id.append(append(b, ";tag="...)), 'c') }

// hex24 appends 24 bits as six digits.
func hex24(b []byte, n uint32) []byte {
	const digits = "0123456789abcdef"
	for shift := 20; shift >= 0; shift -= 4 {
		b = append(b, digits[n>>shift&15])
	}
	return b
}

// ReadID reads the id at the beginning of a tag or a Call-ID of ours.
func ReadID(text []byte) (ID, bool) {
	if len(text) < idLength {
		return ID{}, false
	}
	var n [2]uint32
	for i, c := range text[:idLength] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			return ID{}, false
		}
		n[i/6] = n[i/6]<<4 | uint32(c)
	}
	return ID{n[0], n[1]}, true
}

// Agent is one side of all calls: it writes the messages that the side sends.
type Agent struct {
	at, host string // host:port and host
	target   string // whom its requests go to
	run      string // tells the calls of one run from those of others
	media    string // session description behind its origin
}

// NewAgent makes a side at an address, with RTP at another one.
func NewAgent(at, rtp, target netip.AddrPort, run uint32) *Agent {
	return &Agent{
		at: at.String(), host: at.Addr().String(), target: target.String(), run: fmt.Sprintf("%08x", run),
		media: fmt.Sprintf(" 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP 8", rtp.Addr(), rtp.Addr(), rtp.Port()),
	}
}

// description appends a session description: PCMA of 20 ms, and events of a
// payload type unless that is 0.
func (a *Agent) description(b []byte, id ID, event int) []byte {
	b = append(b, "v=0\r\no=- "...)
	b = strconv.AppendUint(b, uint64(id.Place)<<24|uint64(id.Turn), 10)
	b = append(b, a.media...)
	if event > 0 {
		b = strconv.AppendUint(append(b, ' '), uint64(event), 10)
	}
	b = append(b, "\r\na=rtpmap:8 PCMA/8000\r\n"...)
	if event > 0 {
		b = strconv.AppendUint(append(b, "a=rtpmap:"...), uint64(event), 10)
		b = append(b, " telephone-event/8000\r\n"...)
		b = strconv.AppendUint(append(b, "a=fmtp:"...), uint64(event), 10)
		b = append(b, " 0-15\r\n"...)
	}
	return append(b, "a=ptime:20\r\na=sendrecv\r\n"...)
}

// body appends what stands behind the other fields of a message with a session
// description.
func (a *Agent) body(b []byte, id ID, event int) []byte {
	b = append(b, "Content-Type: application/sdp\r\nContent-Length: "...)
	at := len(b)
	b = append(b, "   \r\n\r\n"...) // room for three digits; the blanks before them are white space of the field
	from := len(b)
	b = a.description(b, id, event)
	n := len(b) - from
	for i := at + 2; i >= at && n > 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return b
}

const noBody = "Content-Length: 0\r\n\r\n"

// via appends the first lines of a request: kind tells those of a call apart.
func (a *Agent) via(b []byte, id ID, kind string) []byte {
	b = append(append(append(b, "Via: SIP/2.0/UDP "...), a.at...), ";branch=z9hG4bK"...)
	b = append(append(id.append(b), kind...), a.run...)
	return append(b, ";rport\r\nMax-Forwards: 70\r\n"...)
}

// event is the payload type of telephone-event in our offers.
const event = 101

// Invite appends the INVITE of a call from a number to another one.
func (a *Agent) Invite(b []byte, id ID, from, to []byte) []byte {
	b = append(append(append(b, "INVITE sip:"...), to...), '@')
	b = append(append(b, a.target...), " SIP/2.0\r\n"...)
	b = a.via(b, id, "i")
	b = a.parties(b, id, from, to)
	b = append(b, "1 INVITE\r\n"...)
	b = a.contact(b)
	b = append(b, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"...)
	return a.body(b, id, event)
}

// parties appends From, To without a tag, Call-ID and the name of CSeq.
func (a *Agent) parties(b []byte, id ID, from, to []byte) []byte {
	b = append(append(append(append(b, "From: <sip:"...), from...), '@'), a.host...)
	b = id.append(append(b, ">;tag="...))
	b = append(append(append(append(b, "\r\nTo: <sip:"...), to...), '@'), a.target...)
	b = id.append(append(b, ">\r\nCall-ID: "...))
	b = append(append(append(append(b, '-'), a.run...), '@'), a.host...)
	return append(b, "\r\nCSeq: "...)
}

func (a *Agent) contact(b []byte) []byte {
	return append(append(append(b, "Contact: <sip:load@"...), a.at...), ">\r\n"...)
}

// AckRefusal appends the ACK to a response that ends an INVITE without a
// dialog (RFC 3261 section 17.1.1.3).
func (a *Agent) AckRefusal(b []byte, id ID, r *Message) []byte {
	b = append(append(append(b, "ACK "...), inBrackets(r.To)...), " SIP/2.0\r\n"...) // To has the URI of the INVITE
	b = a.via(b, id, "i")
	return append(appendParties(b, r.From, r.To, r.CallID, 1, "ACK"), noBody...)
}

func appendParties(b, from, to, callID []byte, cseq int, method string) []byte {
	b = append(append(b, "From: "...), from...)
	b = append(append(b, "\r\nTo: "...), to...)
	b = append(append(b, "\r\nCall-ID: "...), callID...)
	b = strconv.AppendInt(append(b, "\r\nCSeq: "...), int64(cseq), 10)
	return append(append(append(b, ' '), method...), "\r\n"...)
}

// Respond appends a response: status is its code and phrase. To gets the tag of
// id if it has none, and the response a session description if event is not
// below 0.
func (a *Agent) Respond(b []byte, r *Message, status string, id ID, event int) []byte {
	b = append(append(append(b, "SIP/2.0 "...), status...), "\r\n"...)
	for _, via := range r.vias[:r.nVias] {
		b = append(append(append(b, "Via: "...), via...), "\r\n"...)
	}
	for _, route := range r.routes[:r.nRoute] {
		b = append(append(append(b, "Record-Route: "...), route...), "\r\n"...)
	}
	b = append(append(append(b, "From: "...), r.From...), "\r\nTo: "...)
	b = append(b, r.To...)
	if r.ToTag() == nil {
		b = id.tag(b)
	}
	b = append(append(append(b, "\r\nCall-ID: "...), r.CallID...), "\r\nCSeq: "...)
	b = append(append(strconv.AppendInt(b, int64(r.CSeq), 10), ' '), r.Method...)
	b = append(b, "\r\n"...)
	if string(r.Method) == "INVITE" {
		b = a.contact(b)
	}
	if event < 0 {
		return append(b, noBody...)
	}
	return a.body(b, id, event)
}
