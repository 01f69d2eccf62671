package wire

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// parse makes a message of bytes, in one pass over them: sipgo's parser takes
// much that is refused (RFC 4475 section 3.1.2), and not all that is legal. With
// an error the head is what a refusal is made of. whole tells that data ends
// where the message does, as in a stream.
func (s *Stack) parse(data []byte, whole bool, from Peer) (sip.Message, *head, error) {
	h, body, err := readHead(data)
	if err != nil {
		return nil, h, err
	}
	if s.guard.scanner(h, from) {
		return nil, h, errScanner
	}
	msg, err := h.readStart()
	if err != nil {
		return nil, h, err
	}
	if err := h.readFields(msg); err != nil {
		return nil, h, err
	}
	if n := msg.ContentLength(); n != nil && !whole {
		if int(*n) > len(body) {
			return nil, h, bad("Content-Length Beyond Datagram")
		}
		body = body[:*n] // RFC 3261 section 18.3: what follows is thrown away
	}
	if len(body) > 0 {
		msg.SetBody(bytes.Clone(body))
	}
	if req, ok := msg.(*sip.Request); ok {
		return msg, h, check(req)
	}
	return msg, h, checkResponse(msg.(*sip.Response))
}

var errScanner = errors.New("a scanner")

// take handles one message of a peer. It tells whether that was well formed.
func (s *Stack) take(data []byte, whole bool, from Peer) bool {
	msg, h, err := s.parse(data, whole, from)
	defer h.done()
	if err == nil {
		s.receive(msg, from)
		return true
	}
	s.drop("message that cannot be parsed", from, err)
	s.guard.refused(from, 1)
	if errors.Is(err, errScanner) {
		return false
	}
	if raw := refusal(h, err, from); raw != nil {
		s.answer(raw, h, from)
	}
	return false
}

// refusal is a stateless answer to a request that is not understood: with
// what RFC 3261 section 8.2.6.2 has copied, as far as it is there and as it
// came. It is never longer than the request by more than a line.
func refusal(h *head, cause error, from Peer) []byte {
	method, _, ok := strings.Cut(h.start, " ")
	if n, _ := h.count("via"); n == 0 || !ok || !isToken(method) || method == "ACK" {
		return nil // a response, an ACK, or no SIP at all
	}
	status, phrase := sip.StatusBadRequest, "Bad Request"
	var b *badMessage
	if errors.As(cause, &b) {
		status, phrase = b.status, b.phrase
	}
	var out strings.Builder
	fmt.Fprintf(&out, "SIP/2.0 %d %s\r\n", status, phrase)
	top := true
	for _, l := range h.lines {
		switch l.name {
		case "via":
			value := l.value
			if top {
				value, top = marked(value, from.Addr), false
			}
			out.WriteString("Via: " + value + "\r\n")
		case "from", "to", "call-id", "cseq":
			value := l.value
			if l.name == "to" && !strings.Contains(value, "tag") && strings.Count(value, `"`)%2 == 0 {
				value += ";tag=" + sip.GenerateTagN(10)
			}
			out.WriteString(answerNames[l.name] + ": " + value + "\r\n")
		}
	}
	out.WriteString("Content-Length: 0\r\n\r\n")
	return []byte(out.String())
}

var answerNames = map[string]string{"from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}

// marked is a Via value with received and rport, if it is one that can be read.
func marked(value string, from netip.AddrPort) string {
	var via sip.ViaHeader
	rest, err := readVia(value, &via)
	if err != nil {
		return value
	}
	if via.Params.Has("rport") {
		via.Params.Add("rport", strconv.Itoa(int(from.Port())))
	}
	via.Params.Add("received", from.Addr().String())
	return via.Value() + rest
}

// answer sends a refusal to where Via says, or back if that cannot be read.
func (s *Stack) answer(raw []byte, h *head, from Peer) {
	if from.Transport != "UDP" {
		if c := s.stream(from.Transport).find(from); c != nil {
			_ = c.write(raw)
		}
		return
	}
	to := from.Addr
	_, value := h.count("via")
	via := new(sip.ViaHeader)
	if _, err := readVia(value, via); err == nil {
		probe := sip.NewRequest(sip.OPTIONS, sip.Uri{})
		probe.AppendHeader(via)
		to = replyAddr(probe, from)
	}
	_ = s.udp.write(raw, to) // stateless: the sender repeats what it misses
}

// misframed refuses a message in a stream whose end cannot be found.
func (s *Stack) misframed(data []byte, err error, from Peer) {
	s.drop("message without an end", from, err)
	s.guard.refused(from, 1)
	h, _, _ := readHead(data)
	defer h.done()
	if raw := refusal(h, err, from); raw != nil {
		s.answer(raw, h, from)
	}
}
