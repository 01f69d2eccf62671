package wire

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// once are the header fields that a message has at most once (RFC 3261
// section 7.3.1), as bits.
var once = map[string]uint{"call-id": 1, "cseq": 2, "from": 4, "to": 8, "max-forwards": 16, "content-length": 32, "content-type": 64}

// common are the header fields that nearly every message has: with one of each
// in the same piece of memory.
type common struct {
	via     sip.ViaHeader
	from    sip.FromHeader
	to      sip.ToHeader
	contact sip.ContactHeader
	cseq    sip.CSeqHeader
	callID  sip.CallIDHeader
	content sip.ContentTypeHeader
	length  sip.ContentLengthHeader
	hops    sip.MaxForwardsHeader
	vias    int
	moved   int
}

// readFields reads the values of all header fields into a message. Those that
// dialogs and routes are made of are checked (RFC 4475 section 3.1.2), all
// others are the reader's.
func (h *head) readFields(msg sip.Message) error {
	var seen uint
	c := new(common)
	for _, l := range h.lines {
		bit := once[l.name]
		if seen&bit != 0 {
			return bad("Repeated " + l.name)
		}
		seen |= bit
		if err := l.read(c, msg); err != nil {
			return err
		}
	}
	return nil
}

func (l line) read(c *common, msg sip.Message) error {
	var field sip.Header
	var err error
	switch l.name {
	case "via":
		return l.readVias(c, msg)
	case "contact":
		return l.readContacts(c, msg)
	case "route", "record-route":
		return l.readRoutes(msg)
	case "from":
		field, err = &c.from, l.readParty(&c.from.DisplayName, &c.from.Address, &c.from.Params)
	case "to":
		field, err = &c.to, l.readParty(&c.to.DisplayName, &c.to.Address, &c.to.Params)
	case "cseq":
		field, err = &c.cseq, l.readCSeq(&c.cseq)
	case "call-id":
		if l.value == "" || strings.ContainsAny(l.value, blanks) {
			return bad("Bad Call-ID")
		}
		c.callID, field = sip.CallIDHeader(l.value), &c.callID
	case "max-forwards": // more than 255 is taken as that
		n, ok := number(l.value, 1<<32-1)
		if !ok {
			return bad("Bad Max-Forwards")
		}
		c.hops, field = sip.MaxForwardsHeader(n), &c.hops
	case "content-length":
		n, ok := number(l.value, maxDatagram)
		if !ok {
			return bad("Bad Content-Length")
		}
		c.length, field = sip.ContentLengthHeader(n), &c.length
	case "content-type":
		if l.value == "" {
			return bad("Bad Content-Type")
		}
		c.content, field = sip.ContentTypeHeader(l.value), &c.content
	default:
		field = sip.NewHeader(l.name, l.value)
	}
	if err != nil {
		return err
	}
	msg.AppendHeader(field)
	return nil
}

func (l line) readVias(c *common, msg sip.Message) error {
	for s := l.value; ; {
		via := &c.via
		if c.vias++; c.vias > 1 {
			via = new(sip.ViaHeader)
		}
		rest, err := readVia(s, via)
		if err != nil {
			return err
		}
		msg.AppendHeader(via)
		if rest == "" {
			return nil
		}
		s = rest[1:]
	}
}

func (l line) readContacts(c *common, msg sip.Message) error {
	for s := l.value; ; {
		contact := &c.contact
		if c.moved++; c.moved > 1 {
			contact = new(sip.ContactHeader)
		}
		name, rest, err := readAddress(s, &contact.Address, &contact.Params)
		if err != nil || contact.Address.Wildcard && l.value != "*" { // a star means something only alone
			return bad("Bad contact")
		}
		contact.DisplayName = name
		msg.AppendHeader(contact)
		if rest == "" {
			return nil
		}
		s = rest[1:]
	}
}

// readRoutes reads addresses of which sipgo keeps no parameters but the URI's.
func (l line) readRoutes(msg sip.Message) error {
	for s := l.value; ; {
		var uri sip.Uri
		var params sip.HeaderParams
		_, rest, err := readAddress(s, &uri, &params)
		if err != nil || uri.Wildcard {
			return bad("Bad " + l.name)
		}
		if l.name == "route" {
			msg.AppendHeader(&sip.RouteHeader{Address: uri})
		} else {
			msg.AppendHeader(&sip.RecordRouteHeader{Address: uri})
		}
		if rest == "" {
			return nil
		}
		s = rest[1:]
	}
}

func (l line) readParty(name *string, uri *sip.Uri, params *sip.HeaderParams) (err error) {
	rest := ""
	if *name, rest, err = readAddress(l.value, uri, params); err != nil || rest != "" || uri.Wildcard {
		return bad("Bad " + l.name)
	}
	return nil
}

func (l line) readCSeq(c *sip.CSeqHeader) error {
	seq, method, _ := strings.Cut(l.value, " ")
	if method = strings.Trim(method, blanks); strings.IndexByte(seq, '\t') >= 0 {
		seq, method, _ = strings.Cut(strings.Join(strings.Fields(l.value), " "), " ")
	}
	n, ok := number(seq, 1<<31-1)
	if !ok || !isToken(method) {
		return bad("Bad CSeq")
	}
	c.SeqNo, c.MethodName = uint32(n), sip.RequestMethod(method)
	return nil
}

// number reads a number of at most most, leading zeros allowed.
func number(s string, most uint64) (uint64, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= most
}
