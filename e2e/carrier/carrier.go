// Package carrier is a network that exchanges texts with axgate over a trunk:
// MESSAGE over UDP, with nothing between the test and the wire. It answers as
// it is told, or not at all, and keeps every request, repetitions too.
package carrier

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Request is a MESSAGE that came.
type Request struct {
	At   time.Time
	From netip.AddrPort
	Raw  string
}

// Header gives the value of the first header of that name, or "".
func (r Request) Header(name string) string { return header(r.Raw, name) }

// Body is what is behind the headers.
func (r Request) Body() string {
	_, body, _ := strings.Cut(r.Raw, "\r\n\r\n")
	return body
}

// To is the user part of the request's address.
func (r Request) To() string { return user(r.Raw) }

// Sender is the user part of From.
func (r Request) Sender() string { return user(r.Header("From")) }

// Identity is what tells a repetition (RFC 3261 section 17.2.3): the branch,
// with Call-ID and CSeq.
func (r Request) Identity() string {
	_, branch, _ := strings.Cut(r.Header("Via"), "branch=")
	branch, _, _ = strings.Cut(branch, ";")
	return branch + " " + r.Header("Call-ID") + " " + r.Header("CSeq")
}

func header(raw, name string) string {
	head, _, _ := strings.Cut(raw, "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n")[1:] {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func user(uri string) string {
	_, rest, _ := strings.Cut(uri, "sip:")
	name, _, _ := strings.Cut(rest, "@")
	return name
}

// Network is an open peer. It is safe for use by several goroutines.
type Network struct {
	conn  *net.UDPConn
	close func() error
	done  chan struct{}

	mu       sync.Mutex
	answer   func(Request) int
	requests []Request
	waiting  map[string]chan int // final statuses, by branch
	changed  chan struct{}       // closed and made anew by each request
}

// Open listens on an address. Requests are answered 202 until Answer says
// otherwise.
func Open(at netip.AddrPort) (*Network, error) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("open a network for texts: %w", err)
	}
	n := &Network{conn: conn, close: sync.OnceValue(conn.Close), done: make(chan struct{}), answer: func(Request) int { return 202 },
		waiting: make(map[string]chan int), changed: make(chan struct{})}
	go n.read()
	return n, nil
}

// Close ends it, once however often it is called.
func (n *Network) Close() error {
	err := n.close()
	<-n.done
	return err
}

// Answer lets a function choose the status of each answer, 0 for none.
func (n *Network) Answer(f func(Request) int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = f
}

// Requests are all that came so far.
func (n *Network) Requests() []Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.requests)
}

// Once are the requests so far that fit, each once however often it came.
func (n *Network) Once(fits func(Request) bool) []Request {
	var all []Request
	seen := make(map[string]bool)
	for _, r := range n.Requests() {
		if !seen[r.Identity()] && fits(r) {
			seen[r.Identity()] = true
			all = append(all, r)
		}
	}
	return all
}

// Wait waits until count requests that fit have come, repetitions not counted.
func (n *Network) Wait(ctx context.Context, count int, fits func(Request) bool) ([]Request, error) {
	for {
		n.mu.Lock()
		changed := n.changed
		n.mu.Unlock()
		all := n.Once(fits)
		if len(all) >= count {
			return all, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return all, fmt.Errorf("wait for %d texts: %w; so far %q", count, ctx.Err(), n.Requests())
		}
	}
}

func (n *Network) read() {
	defer close(n.done)
	buf := make([]byte, 65536)
	for {
		size, from, err := n.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		raw := string(buf[:size])
		if status, ok := strings.CutPrefix(raw, "SIP/2.0 "); ok {
			n.responded(raw, status)
			continue
		}
		if strings.HasPrefix(raw, "MESSAGE ") {
			n.received(Request{At: time.Now(), From: from, Raw: raw})
		}
	}
}

// responded hands a final status to whoever sent the request.
func (n *Network) responded(raw, status string) {
	code, _ := strconv.Atoi(status[:min(3, len(status))])
	if code < 200 {
		return
	}
	_, branch, _ := strings.Cut(header(raw, "Via"), "branch=")
	branch, _, _ = strings.Cut(branch, ";")
	n.mu.Lock()
	defer n.mu.Unlock()
	if wait, ok := n.waiting[branch]; ok {
		select {
		case wait <- code:
		default:
		}
	}
}

func (n *Network) received(r Request) {
	n.mu.Lock()
	n.requests = append(n.requests, r)
	close(n.changed)
	n.changed = make(chan struct{})
	answer := n.answer
	n.mu.Unlock()
	status := answer(r)
	if status == 0 {
		return
	}
	text := fmt.Sprintf("SIP/2.0 %d Answer\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=network\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
		status, r.Header("Via"), r.Header("From"), r.Header("To"), r.Header("Call-ID"), r.Header("CSeq"))
	_, _ = n.conn.WriteToUDPAddrPort([]byte(text), r.From) // it is repeated if it is lost
}

// Message is a MESSAGE to send. Empty identifying fields are filled in by New.
type Message struct {
	From, To            string // user parts
	CallID, Tag, Branch string
	CSeq                int
	Type                string // empty: text/plain;charset=UTF-8
	Headers             []string
	Body                []byte
}

// New is a message with names of its own. Sent again as it is, it is a
// repetition.
func New(from, to string, body []byte) Message {
	return Message{From: from, To: to, CallID: rand.Text(), Tag: rand.Text(), Branch: "z9hG4bK" + rand.Text(), CSeq: 1, Body: body}
}

// errSilent tells that there was no answer.
var errSilent = errors.New("no answer")

// Send sends a message to axgate, repeats it every 500 ms, and gives the final
// status of the answer.
func (n *Network) Send(ctx context.Context, to netip.AddrPort, m Message) (int, error) {
	wait := make(chan int, 1)
	n.mu.Lock()
	n.waiting[m.Branch] = wait
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		delete(n.waiting, m.Branch)
		n.mu.Unlock()
	}()
	for {
		if _, err := n.conn.WriteToUDPAddrPort(n.request(to, m), to); err != nil {
			return 0, fmt.Errorf("send a text: %w", err)
		}
		select {
		case status := <-wait:
			return status, nil
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return 0, fmt.Errorf("send a text to %s: %w: %w", m.To, errSilent, ctx.Err())
		}
	}
}

func (n *Network) request(to netip.AddrPort, m Message) []byte {
	me, kind := n.conn.LocalAddr().String(), m.Type
	if kind == "" {
		kind = "text/plain;charset=UTF-8"
	}
	head := fmt.Sprintf("MESSAGE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>\r\n"+
		"Call-ID: %s\r\nCSeq: %d MESSAGE\r\n", m.To, to, me, m.Branch, m.From, me, m.Tag, m.To, to, m.CallID, m.CSeq)
	for _, h := range m.Headers {
		head += h + "\r\n"
	}
	head += fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n\r\n", kind, len(m.Body))
	return append([]byte(head), m.Body...)
}
