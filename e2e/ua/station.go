package ua

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Config is where a station is and whom it talks to.
type Config struct {
	Name      string
	Transport string         // UDP, TCP or TLS
	At        netip.AddrPort // its own address; port 0: any
	Gate      netip.AddrPort // where its requests go
	Dials     bool           // TCP and TLS: it connects to the gate; else it waits for the gate
	Cert      *tls.Certificate
	CA        *x509.CertPool // of the gate's certificate
}

// Station is a host that speaks SIP: one address, and the agents that live
// there. A message is of the agent whose Call-ID it has; a request of no call
// is for the agent of the number it names, else for the only agent there is.
type Station struct {
	t    testing.TB
	cfg  Config
	addr netip.AddrPort
	udp  *net.UDPConn
	ln   net.Listener
	done sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  []*conn
	calls  map[string]*Agent // by Call-ID
	lines  map[string]*Agent // by number
	only   *Agent
	got    [][]byte // every datagram, and all that came over each connection, as it came
	bad    []string
	mute   bool
	away   func(*Msg) int // what answers requests that are nobody's
	strays []*Msg
}

// conn is one connection of TCP or TLS, or the socket of UDP.
type conn struct {
	stream net.Conn
	local  netip.AddrPort
	send   sync.Mutex
	ended  bool
}

// Open opens a station; it is closed at the end of the test.
func Open(t testing.TB, cfg Config) *Station {
	t.Helper()
	s := &Station{t: t, cfg: cfg, calls: make(map[string]*Agent), lines: make(map[string]*Agent), away: func(m *Msg) int {
		switch {
		case m.Kind == OPTIONS, m.Kind == REGISTER:
			return 200
		case param(m.Get("To"), "tag") != "" || m.Kind == CANCEL:
			return 481
		}
		return 404
	}}
	require.NoError(t, s.open())
	t.Cleanup(s.Close)
	return s
}

func (s *Station) open() error {
	var err error
	switch {
	case s.cfg.Transport == "UDP":
		if s.udp, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(s.cfg.At)); err != nil {
			return err
		}
		s.addr = s.udp.LocalAddr().(*net.UDPAddr).AddrPort()
		s.done.Go(s.readUDP)
		return nil
	case s.cfg.Dials:
		return s.Dial()
	}
	if s.ln, err = net.Listen("tcp", s.cfg.At.String()); err != nil {
		return err
	}
	s.addr = s.ln.Addr().(*net.TCPAddr).AddrPort()
	if s.cfg.Transport == "TLS" {
		s.ln = tls.NewListener(s.ln, &tls.Config{Certificates: []tls.Certificate{*s.cfg.Cert}, MinVersion: tls.VersionTLS12})
	}
	s.done.Go(s.accept)
	return nil
}

// Dial connects to the gate anew; requests go over the last connection.
func (s *Station) Dial() error {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: s.cfg.At.Addr().AsSlice()}, Timeout: patience}
	c, err := d.Dial("tcp", s.cfg.Gate.String())
	if err != nil {
		return err
	}
	local := c.LocalAddr().(*net.TCPAddr).AddrPort()
	if s.cfg.Transport == "TLS" {
		cfg := &tls.Config{RootCAs: s.cfg.CA, MinVersion: tls.VersionTLS12, ServerName: s.cfg.Gate.Addr().String()}
		if s.cfg.Cert != nil {
			cfg.Certificates = []tls.Certificate{*s.cfg.Cert}
		}
		secure := tls.Client(c, cfg)
		if err := secure.Handshake(); err != nil {
			return errors.Join(err, c.Close())
		}
		c = secure
	}
	s.addr = local
	s.add(&conn{stream: c, local: local})
	return nil
}

func (s *Station) accept() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.add(&conn{stream: c, local: s.addr})
	}
}

func (s *Station) add(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.stream.Close()
		return
	}
	s.conns = append(s.conns, c)
	s.done.Go(func() { s.readStream(c) })
}

// Hang ends all connections of the station.
func (s *Station) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.stream.Close()
	}
}

// Ended tells whether the gate has closed the last connection.
func (s *Station) Ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) > 0 && s.conns[len(s.conns)-1].ended
}

// Close ends the station: from now on nobody answers there.
func (s *Station) Close() {
	s.mu.Lock()
	s.closed = true
	conns := s.conns
	s.mu.Unlock()
	if s.udp != nil {
		_ = s.udp.Close()
	}
	if s.ln != nil {
		_ = s.ln.Close()
	}
	for _, c := range conns {
		_ = c.stream.Close()
	}
	s.done.Wait()
}

// Reopen opens a closed station at the same address.
func (s *Station) Reopen() error {
	s.mu.Lock()
	s.closed, s.conns = false, nil
	s.mu.Unlock()
	s.cfg.At = s.addr
	return s.open()
}

// Mute makes the station take everything and answer nothing by itself, or
// answer again.
func (s *Station) Mute(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute = on
}

// Nobody says what answers requests that are for none of the agents: a status,
// 0 for nothing. Without it that is 200 to OPTIONS and REGISTER, 481
// inside a dialog and 404 to the rest.
func (s *Station) Nobody(answer func(*Msg) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = answer
}

// Addr is where the station is; with Dials, the address of its connection.
func (s *Station) Addr() netip.AddrPort { return s.addr }

// Got is everything that was sent to the station: each datagram, and for each
// connection all that came over it.
func (s *Station) Got() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// Strays are the messages that were for none of the agents.
func (s *Station) Strays() []*Msg {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.strays)
}

// Bad tells what came that is no SIP as it must be.
func (s *Station) Bad() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.bad)
}

func (s *Station) readUDP() {
	buf := make([]byte, 65536)
	for {
		n, from, err := s.udp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // what we sent reached nobody
		}
		raw := slices.Clone(buf[:n])
		s.mu.Lock()
		s.got = append(s.got, raw)
		s.mu.Unlock()
		s.take(raw, from, nil)
	}
}

func (s *Station) readStream(c *conn) {
	from := c.stream.RemoteAddr().(*net.TCPAddr).AddrPort()
	s.mu.Lock()
	at := len(s.got)
	s.got = append(s.got, nil)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		c.ended = true
		s.mu.Unlock()
	}()
	var rest []byte
	buf := make([]byte, 16384)
	for {
		n, err := c.stream.Read(buf)
		if n > 0 {
			s.mu.Lock()
			s.got[at] = append(s.got[at], buf[:n]...)
			s.mu.Unlock()
			rest = append(rest, buf[:n]...)
		}
		for {
			raw, more, wrong := frame(rest)
			if wrong != nil {
				s.wrong("%v in %q", wrong, rest)
				return
			}
			if raw == nil {
				break
			}
			s.take(slices.Clone(raw), from, c)
			rest = more
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && len(rest) > 0 {
				s.wrong("the connection ended with %v inside a message", err)
			}
			return
		}
	}
}

// frame takes the first message off a stream; nil if it is not whole yet.
func frame(stream []byte) (raw, rest []byte, err error) {
	for len(stream) >= 2 && stream[0] == '\r' && stream[1] == '\n' { // keep-alive, RFC 5626 section 3.5.1
		stream = stream[2:]
	}
	text := string(stream)
	end := strings.Index(text, "\r\n\r\n")
	if end < 0 {
		return nil, stream, nil
	}
	length := -1
	for line := range strings.SplitSeq(text[:end], "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && (strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "l")) {
			if _, err := fmt.Sscan(value, &length); err != nil {
				return nil, nil, fmt.Errorf("the Content-Length %q", value)
			}
		}
	}
	if length < 0 {
		return nil, nil, errors.New("a message without Content-Length")
	}
	whole := end + 4 + length
	if len(stream) < whole {
		return nil, stream, nil
	}
	return stream[:whole], stream[whole:], nil
}

func (s *Station) wrong(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad = append(s.bad, fmt.Sprintf(format, args...))
}

// take gives a message to its agent.
func (s *Station) take(raw []byte, from netip.AddrPort, c *conn) {
	if len(strings.TrimSpace(string(raw))) == 0 { // keep-alive
		return
	}
	m, err := parse(raw)
	if err != nil {
		s.wrong("%v in %q", err, raw)
		return
	}
	m.At, m.From, m.conn = time.Now(), from, c
	s.mu.Lock()
	a := s.whose(m)
	away, mute := s.away, s.mute
	if a == nil {
		s.strays = append(s.strays, m)
	}
	s.mu.Unlock()
	if a != nil {
		a.take(m)
		return
	}
	if status := away(m); m.request() && m.Kind != ACK && status != 0 && !mute {
		_ = s.write(plainReply(m, status, "tag-of-nobody"), c, from)
	}
}

func (s *Station) whose(m *Msg) *Agent {
	id := m.Get("Call-ID")
	if a := s.calls[id]; a != nil {
		return a
	}
	if !m.request() {
		return nil
	}
	a := s.lines[Digits(User(m.URI))]
	if a == nil && m.Kind != OPTIONS {
		a = s.only
	}
	if a != nil {
		s.calls[id] = a
	}
	return a
}

// Digits are the last eleven digits of a number, by which Chinese mobile
// numbers are known in any spelling.
func Digits(number string) string {
	var digits []byte
	for i := range len(number) {
		if c := number[i]; c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	return string(digits[max(0, len(digits)-11):])
}

// write sends bytes to where a message came from: over its connection, else to
// its address.
func (s *Station) write(text string, c *conn, to netip.AddrPort) error {
	if s.udp != nil {
		_, err := s.udp.WriteToUDPAddrPort([]byte(text), to)
		return err
	}
	if c == nil {
		s.mu.Lock()
		if n := len(s.conns); n > 0 {
			c = s.conns[n-1]
		}
		s.mu.Unlock()
	}
	if c == nil {
		return errors.New("no connection")
	}
	c.send.Lock()
	defer c.send.Unlock()
	_, err := io.WriteString(c.stream, text)
	return err
}

// pieces sends bytes as segments of that length, each after a pause.
func (s *Station) pieces(text string, c *conn, length int, pause time.Duration) error {
	if c == nil {
		s.mu.Lock()
		c = s.conns[len(s.conns)-1]
		s.mu.Unlock()
	}
	c.send.Lock()
	defer c.send.Unlock()
	for part := range slices.Chunk([]byte(text), length) {
		if _, err := c.stream.Write(part); err != nil {
			return err
		}
		time.Sleep(pause)
	}
	return nil
}

// plainReply answers a request that no agent takes.
func plainReply(m *Msg, status int, tag string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Station\r\n", status)
	for _, v := range m.All("Via") {
		fmt.Fprintf(&b, "Via: %s\r\n", v)
	}
	to := m.Get("To")
	if param(to, "tag") == "" {
		to += ";tag=" + tag
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n", m.Get("From"), to, m.Get("Call-ID"), m.Get("CSeq"))
	return b.String()
}

// Unline ends an agent's line: what comes for its number or its calls from now
// on is for nobody.
func (s *Station) Unline(a *Agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.only == a {
		s.only = nil
	}
	for number, other := range s.lines {
		if other == a {
			delete(s.lines, number)
		}
	}
	for id, other := range s.calls {
		if other == a {
			delete(s.calls, id)
		}
	}
}
