package phone

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Message is one SIP message as it was on the wire.
type Message struct {
	At        time.Time
	Sent      bool // by this phone; else received
	Transport string
	Peer      netip.AddrPort
	Raw       []byte
}

// StartLine is the request or status line.
func (m Message) StartLine() string {
	line, _, _ := bytes.Cut(m.Raw, []byte("\r\n"))
	return string(line)
}

// Header gives the value of the first header of that name in any case, or "".
// Compact forms are not expanded.
func (m Message) Header(name string) string {
	head, _, _ := bytes.Cut(m.Raw, []byte("\r\n\r\n"))
	for _, line := range strings.Split(string(head), "\r\n")[1:] {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// maxMessages bounds what a phone remembers; the oldest are forgotten.
const maxMessages = 10_000

// trace remembers the messages of one phone.
type trace struct {
	mu       sync.Mutex
	messages []Message
}

func (t *trace) add(sent bool, transport string, peer net.Addr, raw []byte) {
	if len(bytes.Trim(raw, "\r\n\x00")) == 0 { // keep-alive
		return
	}
	m := Message{At: time.Now(), Sent: sent, Transport: transport, Peer: addrPort(peer), Raw: bytes.Clone(raw)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.messages) == maxMessages {
		t.messages = t.messages[1:]
	}
	t.messages = append(t.messages, m)
}

func (t *trace) all() []Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Message(nil), t.messages...)
}

func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	case *net.TCPAddr:
		ap := a.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	return netip.AddrPort{}
}

// packets is a UDP socket whose datagrams are traced.
type packets struct {
	net.PacketConn
	trace  *trace
	once   sync.Once
	served chan struct{} // closed once the SIP stack reads it, and so has it in its table
}

func (p *packets) ReadFrom(b []byte) (int, net.Addr, error) {
	p.once.Do(func() { close(p.served) })
	n, from, err := p.PacketConn.ReadFrom(b)
	if err == nil {
		p.trace.add(false, "udp", from, b[:n])
	}
	return n, from, err
}

func (p *packets) WriteTo(b []byte, to net.Addr) (int, error) {
	n, err := p.PacketConn.WriteTo(b, to)
	if err == nil {
		p.trace.add(true, "udp", to, b[:n])
	}
	return n, err
}

// hub is the phone's TCP side: a listener that also hands out the connections
// that the phone opened itself, so that all of them are traced.
type hub struct {
	net.Listener
	trace  *trace
	ready  chan *stream // connections that Accept has yet to give out
	closed chan struct{}
	wait   sync.WaitGroup

	given *stream // by the last Accept; belongs to the accepting goroutine

	mu      sync.Mutex
	streams map[string]*stream // live ones by remote address
}

func newHub(l net.Listener, t *trace) *hub {
	h := &hub{Listener: l, trace: t, ready: make(chan *stream), closed: make(chan struct{}), streams: make(map[string]*stream)}
	h.wait.Add(1)
	go h.listen()
	return h
}

func (h *hub) listen() {
	defer h.wait.Done()
	for {
		c, err := h.Listener.Accept()
		if err != nil {
			return
		}
		s := h.wrap(c)
		select {
		case h.ready <- s:
		case <-h.closed:
			_ = s.Close()
			return
		}
	}
}

// Accept gives the SIP stack the next connection. Being called again, it knows
// that the stack has put the one before into its table.
func (h *hub) Accept() (net.Conn, error) {
	if h.given != nil {
		close(h.given.known)
		h.given = nil
	}
	select {
	case h.given = <-h.ready:
		return h.given, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// connect makes sure that there is a connection to a peer and that the SIP
// stack knows it.
func (h *hub) connect(ctx context.Context, peer, from string) error {
	h.mu.Lock()
	_, ok := h.streams[peer]
	h.mu.Unlock()
	if ok {
		return nil
	}
	local, err := netip.ParseAddr(from)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", peer, err)
	}
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))}
	c, err := d.DialContext(ctx, "tcp", peer)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", peer, err)
	}
	s := h.wrap(c)
	select {
	case h.ready <- s:
	case <-h.closed:
		_ = s.Close()
		return net.ErrClosed
	}
	select {
	case <-s.known:
		return nil
	case <-h.closed:
		return net.ErrClosed
	}
}

func (h *hub) wrap(c net.Conn) *stream {
	s := &stream{Conn: c, hub: h, known: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams[c.RemoteAddr().String()] = s
	return s
}

// Close ends the listener and every connection.
func (h *hub) Close() error {
	h.mu.Lock()
	select {
	case <-h.closed:
		h.mu.Unlock()
		return nil
	default:
	}
	close(h.closed)
	live := make([]*stream, 0, len(h.streams))
	for _, s := range h.streams {
		live = append(live, s)
	}
	h.mu.Unlock()
	err := h.Listener.Close()
	for _, s := range live {
		_ = s.Close()
	}
	h.wait.Wait()
	return err
}

// stream is a TCP connection whose messages are traced.
type stream struct {
	net.Conn
	hub    *hub
	known  chan struct{}
	unread []byte // the beginning of a message; belongs to the reading goroutine
}

func (s *stream) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	if err == nil {
		s.hub.trace.add(true, "tcp", s.RemoteAddr(), b[:n])
	}
	return n, err
}

func (s *stream) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.unread = append(s.unread, b[:n]...)
	for {
		size := framed(s.unread)
		if size == 0 || size > len(s.unread) {
			break
		}
		s.hub.trace.add(false, "tcp", s.RemoteAddr(), s.unread[:size])
		s.unread = s.unread[size:]
	}
	if len(s.unread) > 1<<16 { // not SIP
		s.unread = nil
	}
	return n, err
}

func (s *stream) Close() error {
	s.hub.mu.Lock()
	if key := s.RemoteAddr().String(); s.hub.streams[key] == s {
		delete(s.hub.streams, key)
	}
	s.hub.mu.Unlock()
	return s.Conn.Close()
}

// framed is the size of the message at the beginning of b by its
// Content-Length, 0 while its header is not complete (RFC 3261 section 18.3).
func framed(b []byte) int {
	lead := len(b) - len(bytes.TrimLeft(b, "\r\n"))
	head, _, ok := bytes.Cut(b[lead:], []byte("\r\n\r\n"))
	if !ok {
		return 0
	}
	size := lead + len(head) + 4
	for _, line := range bytes.Split(head, []byte("\r\n")) {
		k, v, _ := bytes.Cut(line, []byte(":"))
		name := strings.ToLower(string(bytes.TrimSpace(k)))
		if name == "content-length" || name == "l" {
			if n, err := strconv.Atoi(string(bytes.TrimSpace(v))); err == nil && n > 0 {
				size += n
			}
			break
		}
	}
	return size
}
