package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// parse makes a message of bytes: checked, then read by sipgo. With an error
// the head is what a refusal is made of; nil if there is nothing to answer.
// whole tells that data ends where the message does, as in a stream.
func (s *Stack) parse(data []byte, whole bool, from Peer) (sip.Message, *head, error) {
	h, body, err := readHead(data)
	if err != nil {
		return nil, h, err
	}
	if s.guard.scanner(h, from) {
		return nil, h, errScanner
	}
	if err := h.verify(); err != nil {
		return nil, h, err
	}
	if _, length := h.count("content-length"); length != "" && !whole {
		n, _ := strconv.Atoi(length) // verify saw that it is a number
		if n > len(body) {
			return nil, h, bad("Content-Length Beyond Datagram")
		}
		body = body[:n] // RFC 3261 section 18.3: what follows is thrown away
	}
	msg, err := s.parser.ParseSIP(h.bytes(body))
	if err != nil {
		return nil, h, bad("Bad Message") // its words may quote the message
	}
	for _, h := range msg.GetHeaders("Via") {
		if v, ok := h.(*sip.ViaHeader); ok && strings.Contains(v.Host, ":") {
			v.Host = "[" + v.Host + "]" // sipgo takes the brackets away and does not write them
		}
	}
	unquoteRepeated(msg)
	switch m := msg.(type) {
	case *sip.Request:
		method, _, _ := strings.Cut(h.start, " ")
		m.Method = sip.RequestMethod(method) // methods are told apart by case
		return m, h, check(m)
	case *sip.Response:
		return m, h, checkResponse(m)
	}
	return nil, h, bad("Bad Message")
}

var errScanner = errors.New("a scanner")

// take handles one message of a peer. It tells whether that was well formed.
func (s *Stack) take(data []byte, whole bool, from Peer) bool {
	msg, h, err := s.parse(data, whole, from)
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
	all := values(line{"via", value})
	if verifyVia(all[:1]) != nil {
		return value
	}
	first := all[0]
	if i := strings.Index(first+";", ";rport;"); i >= 0 {
		first = first[:i] + ";rport=" + strconv.Itoa(int(from.Port())) + first[i+len(";rport"):]
	}
	all[0] = first + ";received=" + from.Addr().String()
	return strings.Join(all, ",")
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
	if _, via := h.count("via"); verifyVia(values(line{"via", via})[:1]) == nil {
		probe := sip.NewRequest(sip.OPTIONS, sip.Uri{})
		if msg, err := s.parser.ParseSIP([]byte("OPTIONS sip:a SIP/2.0\r\nVia: " + via + "\r\n\r\n")); err == nil {
			probe = msg.(*sip.Request)
		}
		to = replyAddr(probe, from)
	}
	_ = s.udp.write(raw, to) // stateless: the sender repeats what it misses
}

// misframed refuses a message in a stream whose end cannot be found.
func (s *Stack) misframed(data []byte, err error, from Peer) {
	s.drop("message without an end", from, err)
	s.guard.refused(from, 1)
	h, _, _ := readHead(data)
	if raw := refusal(h, err, from); raw != nil {
		s.answer(raw, h, from)
	}
}
