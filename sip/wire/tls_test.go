package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/certs"
	"axgate/certs/certtest"
)

// diary is a log that can be read.
type diary struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all.Write(p)
}

func (d *diary) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all.String()
}

func (d *diary) says(t testing.TB, words ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, line := range strings.Split(d.text(), "\n") {
			all := true
			for _, w := range words {
				all = all && strings.Contains(line, w)
			}
			if all {
				return true
			}
		}
		return false
	}, 15*time.Second, 5*time.Millisecond, "%q in %s", words, d.text())
}

// openTLSWith opens a stack that listens with a pair and answers 200.
func openTLSWith(t *testing.T, p certtest.Pair, change func(*Config)) (*Stack, *diary) {
	t.Helper()
	log := &diary{}
	files, err := certs.OpenPair("SIP", p.Cert, p.Key, zerolog.New(log))
	require.NoError(t, err)
	cfg := Config{UDP: "127.0.0.1:0", TLS: "127.0.0.1:0", Secure: Secure{Server: &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.Server}}}
	if change != nil {
		change(&cfg)
	}
	h := newCollector()
	h.onReq = func(tx *ServerTx) { _ = tx.Respond(Reply(tx.Request, 200, "OK")) }
	s, err := Open(cfg, zerolog.New(log))
	require.NoError(t, err)
	s.Serve(h)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, log
}

// newSecure connects to a stack as a peer that trusts an authority.
func newSecure(t *testing.T, s *Stack, cfg *tls.Config) (*stream, *tls.Conn) {
	t.Helper()
	c, err := tls.Dial("tcp", s.TLSAddr().String(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &stream{t, c}, c
}

// switchboard is a host that we connect to over TLS: it answers 200 to all.
type switchboard struct {
	addr  netip.AddrPort
	taken chan *tls.Conn
}

func newSwitchboard(t *testing.T, cfg *tls.Config) *switchboard {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	require.NoError(t, err)
	b := &switchboard{addr: l.Addr().(*net.TCPAddr).AddrPort(), taken: make(chan *tls.Conn, 100)}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { b.serve(c.(*tls.Conn)) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		for len(b.taken) > 0 {
			_ = (<-b.taken).Close()
		}
		wait.Wait()
	})
	return b
}

func (b *switchboard) serve(c *tls.Conn) {
	defer func() { _ = c.Close() }()
	if c.Handshake() != nil {
		return
	}
	b.taken <- c
	var f framer
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		f.feed(buf[:n])
		for {
			msg, err := f.next()
			if err != nil || msg == nil {
				break
			}
			m, err := sip.ParseMessage(msg)
			if req, ok := m.(*sip.Request); err == nil && ok && !req.IsAck() {
				_, _ = io.WriteString(c, Reply(req, 200, "OK").String())
			}
		}
	}
}

// trusting is a Secure.Client that has one host prove itself.
func trusting(addr netip.AddrPort, cfg *tls.Config) func(Peer) *tls.Config {
	return func(to Peer) *tls.Config {
		if to.Addr != addr {
			return nil
		}
		return cfg
	}
}

// ask sends a request over TLS and tells its status, or why there is none.
func ask(t *testing.T, s *Stack, to netip.AddrPort, branch string) (int, error) {
	t.Helper()
	type result struct {
		status int
		err    error
	}
	got := make(chan result, 1)
	req := invite(s, branch)
	req.Method = sip.OPTIONS
	req.CSeq().MethodName = sip.OPTIONS
	req.Via().Transport = "TLS"
	s.Send(req, Peer{Addr: to, Transport: "TLS"}, func(res *sip.Response, err error) {
		if err != nil {
			got <- result{0, err}
			return
		}
		got <- result{res.StatusCode, nil}
	})
	select {
	case r := <-got:
		return r.status, r.err
	case <-time.After(20 * time.Second): // less than the 32 s of timer F
		t.Fatal("no answer and no error")
		return 0, nil
	}
}

func TestOverTLS(t *testing.T) {
	ca := certtest.New(t)
	s, _ := openTLSWith(t, ca.Issue("127.0.0.1"), nil)
	p, c := newSecure(t, s, &tls.Config{RootCAs: ca.Pool})
	require.GreaterOrEqual(t, c.ConnectionState().Version, uint16(tls.VersionTLS12))
	msg := strings.Replace(option(1, empty), "SIP/2.0/TCP", "SIP/2.0/TLS", 1)
	for _, part := range []string{msg[:40], msg[40:200], msg[200:]} {
		p.send(part)
	}
	got := p.until("Call-ID: c1\r\n")
	require.Contains(t, got, "SIP/2.0 200 OK")
	require.Contains(t, got, "Via: SIP/2.0/TLS h.example.com")
	p.send("\r\n\r\n")
	p.until("\r\n")
	p.send(option(2, "Content-Length: -1\r\n"))
	require.Contains(t, p.end(), "SIP/2.0 400 ", "a refusal is read before the end")
}

// TestRequestsTakeTheConnectionOfThePeer has us call back who connected to us
// (RFC 5923), and nobody whose certificate is not known.
func TestRequestsTakeTheConnectionOfThePeer(t *testing.T) {
	ca := certtest.New(t)
	s, _ := openTLSWith(t, ca.Issue("127.0.0.1"), nil)
	p, c := newSecure(t, s, &tls.Config{RootCAs: ca.Pool})
	p.send(option(1, empty))
	p.until("Call-ID: c1\r\n")
	at := c.LocalAddr().(*net.TCPAddr).AddrPort()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		req := p.until("\r\n\r\n")
		m, err := sip.ParseMessage([]byte(req))
		if err == nil {
			p.send(Reply(m.(*sip.Request), 200, "OK").String())
		}
	}()
	status, err := ask(t, s, at, "back")
	require.NoError(t, err)
	require.Equal(t, 200, status)
	<-answered
	require.NoError(t, c.Close())
	require.Eventually(t, func() bool { return s.tls.find(Peer{Addr: at, Transport: "TLS"}) == nil }, 15*time.Second, time.Millisecond)
	_, err = ask(t, s, at, "gone")
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorIs(t, err, errNoTrust)
}

func TestSilentAndPlainPeersOfTLS(t *testing.T) {
	ca := certtest.New(t)
	s, log := openTLSWith(t, ca.Issue("127.0.0.1"), func(c *Config) { c.MessageTime = 300 * time.Millisecond })
	silent, err := net.Dial("tcp", s.TLSAddr().String())
	require.NoError(t, err)
	defer func() { _ = silent.Close() }()
	require.NoError(t, silent.SetReadDeadline(time.Now().Add(15*time.Second)))
	_, err = silent.Read(make([]byte, 1))
	var timeout net.Error
	require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "who does not shake hands is let go")
	plain, err := net.Dial("tcp", s.TLSAddr().String())
	require.NoError(t, err)
	defer func() { _ = plain.Close() }()
	_, err = io.WriteString(plain, option(1, empty))
	require.NoError(t, err)
	require.NoError(t, plain.SetReadDeadline(time.Now().Add(15*time.Second)))
	said, _ := io.ReadAll(plain)
	require.NotContains(t, string(said), "SIP/2.0")
	log.says(t, `"level":"warn"`, "no TLS connection", "first record does not look like a TLS handshake")
	require.Eventually(t, func() bool {
		s.tls.mu.Lock()
		defer s.tls.mu.Unlock()
		return s.tls.taken == 0 && len(s.tls.source) == 0
	}, 15*time.Second, time.Millisecond)
	_, err = tls.Dial("tcp", s.TLSAddr().String(), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	require.Error(t, err, "older than TLS 1.2 (RFC 8996)")
}

// TestClientCertificates: with authorities for clients, only who has a
// certificate of theirs gets in.
func TestClientCertificates(t *testing.T) {
	ca, others := certtest.New(t), certtest.New(t)
	s, log := openTLSWith(t, ca.Issue("127.0.0.1"), func(c *Config) {
		c.Secure.Server.ClientAuth, c.Secure.Server.ClientCAs = tls.RequireAndVerifyClientCert, ca.Pool
	})
	for name, c := range map[string]struct {
		certs []tls.Certificate
		says  string
	}{
		"none":              {nil, "client didn't provide a certificate"},
		"another authority": {[]tls.Certificate{others.Issue("peer").Load(t)}, "certificate"},
		"over":              {[]tls.Certificate{ca.IssueFor(-time.Hour, "peer").Load(t)}, "expired"},
	} {
		conn, err := tls.Dial("tcp", s.TLSAddr().String(), &tls.Config{RootCAs: ca.Pool, Certificates: c.certs, MaxVersion: tls.VersionTLS13})
		if err == nil { // TLS 1.3 tells after the handshake
			_, _ = io.WriteString(conn, option(1, empty))
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(15*time.Second)))
			var said []byte
			said, err = io.ReadAll(conn)
			require.Empty(t, said, name)
			_ = conn.Close()
		}
		require.Error(t, err, name)
		log.says(t, `"level":"warn"`, "no TLS connection", "TLS 127.0.0.1:", c.says)
	}
	p, _ := newSecure(t, s, &tls.Config{RootCAs: ca.Pool, Certificates: []tls.Certificate{ca.Issue("peer").Load(t)}})
	p.send(option(1, empty))
	p.until("Call-ID: c1\r\n")
}

// TestNewCertificate: connections that are open stay, new ones see the new
// certificate.
func TestNewCertificate(t *testing.T) {
	ca := certtest.New(t)
	files, second := ca.Issue("127.0.0.1"), ca.Issue("127.0.0.1")
	s, _ := openTLSWith(t, files, nil)
	p, c := newSecure(t, s, &tls.Config{RootCAs: ca.Pool})
	p.send(option(1, empty))
	p.until("Call-ID: c1\r\n")
	second.Put(t, files)
	require.Eventually(t, func() bool {
		fresh, err := tls.Dial("tcp", s.TLSAddr().String(), &tls.Config{RootCAs: ca.Pool})
		if err != nil {
			return false
		}
		defer func() { _ = fresh.Close() }()
		return fresh.ConnectionState().PeerCertificates[0].SerialNumber.Int64() == second.Serial
	}, 15*time.Second, 50*time.Millisecond)
	require.Equal(t, files.Serial, c.ConnectionState().PeerCertificates[0].SerialNumber.Int64())
	p.send(option(2, empty))
	p.until("Call-ID: c2\r\n")
}

func TestRequestsOverTLS(t *testing.T) {
	ca := certtest.New(t)
	board := newSwitchboard(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue("sbc.example").Load(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool})
	mine := ca.Issue("us.example")
	s, _ := openTLSWith(t, mine, func(c *Config) {
		c.Secure.Client = trusting(board.addr, &tls.Config{ServerName: "sbc.example", RootCAs: ca.Pool, Certificates: []tls.Certificate{mine.Load(t)}})
	})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			status, err := ask(t, s, board.addr, sip.GenerateBranch())
			if err != nil || status != 200 {
				t.Errorf("%d %v", status, err)
			}
		})
	}
	all.Wait()
	require.Len(t, board.taken, 1, "they shared one connection")
	first := <-board.taken
	require.Equal(t, mine.Serial, first.ConnectionState().PeerCertificates[0].SerialNumber.Int64())
	require.NoError(t, first.Close())
	require.Eventually(t, func() bool { return s.tls.find(Peer{Addr: board.addr, Transport: "TLS"}) == nil }, 15*time.Second, time.Millisecond)
	status, err := ask(t, s, board.addr, "again")
	require.NoError(t, err, "a connection that ended is made anew")
	require.Equal(t, 200, status)
}

// TestHostsThatCannotProveThemselves are not talked to, and each time a line
// says why.
func TestHostsThatCannotProveThemselves(t *testing.T) {
	ca, others := certtest.New(t), certtest.New(t)
	good := ca.Issue("us.example").Load(t)
	for name, c := range map[string]struct {
		host *tls.Config
		says string
	}{
		"another name":      {&tls.Config{Certificates: []tls.Certificate{ca.Issue("evil.example").Load(t)}}, "certificate is valid for evil.example, not sbc.example"},
		"another authority": {&tls.Config{Certificates: []tls.Certificate{others.Issue("sbc.example").Load(t)}}, "certificate signed by unknown authority"},
		"over":              {&tls.Config{Certificates: []tls.Certificate{ca.IssueFor(-time.Hour, "sbc.example").Load(t)}}, "expired"},
		"an old TLS":        {&tls.Config{Certificates: []tls.Certificate{ca.Issue("sbc.example").Load(t)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "protocol version"},
		"it refuses us, 1.2": {&tls.Config{Certificates: []tls.Certificate{ca.Issue("sbc.example").Load(t)}, ClientAuth: tls.RequireAndVerifyClientCert,
			ClientCAs: others.Pool, MaxVersion: tls.VersionTLS12}, "remote error: tls: "},
		"it refuses us, 1.3": {&tls.Config{Certificates: []tls.Certificate{ca.Issue("sbc.example").Load(t)}, ClientAuth: tls.RequireAndVerifyClientCert,
			ClientCAs: others.Pool}, "remote error: tls: "},
	} {
		t.Run(name, func(t *testing.T) {
			board := newSwitchboard(t, c.host)
			s, log := openTLSWith(t, ca.Issue("127.0.0.1"), func(cfg *Config) {
				cfg.Secure.Client = trusting(board.addr, &tls.Config{ServerName: "sbc.example", RootCAs: ca.Pool, Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS12})
			})
			_, err := ask(t, s, board.addr, "x")
			require.ErrorIs(t, err, ErrUnreachable)
			require.NotContains(t, err.Error(), "13800000002")
			log.says(t, `"level":"warn"`, "no TLS connection", board.addr.String(), c.says)
			require.Eventually(t, func() bool { return s.Transactions() == 0 }, 15*time.Second, time.Millisecond)
		})
	}
}

// TestPauseAfterFailures: an address that cannot be connected to is let be for
// a while, which grows to a bound, and is used again once it is there.
func TestPauseAfterFailures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	require.NoError(t, l.Close())
	to := Peer{Addr: addr, Transport: "TCP"}
	s := openWith(t, Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	_, err = s.tcp.dial(ctx, to)
	require.ErrorContains(t, err, "refused")
	_, err = s.tcp.dial(ctx, to)
	require.ErrorContains(t, err, "not tried again yet")
	for range 20 {
		s.tcp.mu.Lock()
		s.tcp.failed(endOf(to), s.tcp.dials[endOf(to)].pause, err)
		s.tcp.mu.Unlock()
	}
	require.Equal(t, longestPause, s.tcp.dials[endOf(to)].pause)
	l, err = net.Listen("tcp", addr.String())
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	var c *tcpConn
	require.Eventually(t, func() bool { c, err = s.tcp.dial(ctx, to); return err == nil }, 15*time.Second, 20*time.Millisecond)
	again, err := s.tcp.dial(ctx, to)
	require.NoError(t, err)
	require.Same(t, c, again)
	require.Equal(t, longestPause, s.tcp.dials[endOf(to)].pause, "it has not said anything yet")
	far, err := l.Accept()
	require.NoError(t, err)
	defer func() { _ = far.Close() }()
	_, err = io.WriteString(far, option(1, empty))
	require.NoError(t, err)
	require.Eventually(t, func() bool { s.tcp.mu.Lock(); defer s.tcp.mu.Unlock(); return s.tcp.dials[endOf(to)] == nil }, 15*time.Second, time.Millisecond)
}

// TestPausesAreBounded: no number of addresses takes more memory.
func TestPausesAreBounded(t *testing.T) {
	side := newSide(&Stack{}, "TCP", nil)
	for i := range 3 * maxPauses {
		side.failed(end{addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 5060)}, 0, io.EOF)
	}
	require.LessOrEqual(t, len(side.dials), maxPauses)
}

// TestUnsentRequestIsNotQuoted: what could not be sent names whom we call.
func TestUnsentRequestIsNotQuoted(t *testing.T) {
	s := open(t, newCollector())
	req := invite(s, "x")
	req.SetBody(make([]byte, 70_000)) // more than a datagram takes
	failed := make(chan error, 1)
	s.Send(req, Peer{Addr: s.UDPAddr(), Transport: "UDP"}, func(_ *sip.Response, err error) { failed <- err })
	err := <-failed
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, "message too long")
	require.NotContains(t, err.Error(), "13800000002")
}

func TestNoTLSWithoutCertificate(t *testing.T) {
	_, err := Open(Config{TLS: "127.0.0.1:0"}, zerolog.Nop())
	require.ErrorContains(t, err, "no certificate")
	_, err = Open(Config{Secure: Secure{Client: func(Peer) *tls.Config { return &tls.Config{RootCAs: x509.NewCertPool()} }}}, zerolog.Nop())
	require.ErrorContains(t, err, "no SIP address to listen on")
}

// TestOneProofOneConnection: a connection that was made with the proof of one
// host serves no peer that has to prove itself as another, at the same address.
func TestOneProofOneConnection(t *testing.T) {
	ca := certtest.New(t)
	board := newSwitchboard(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue("one.example").Load(t)}})
	s, _ := openTLSWith(t, ca.Issue("127.0.0.1"), func(c *Config) {
		c.Secure.Client = func(to Peer) *tls.Config {
			if to.Proof == "" {
				return nil
			}
			return &tls.Config{ServerName: to.Proof, RootCAs: ca.Pool}
		}
	})
	try := func(proof string) error {
		failed := make(chan error, 1)
		s.Send(invite(s, sip.GenerateBranch()), Peer{Addr: board.addr, Transport: "TLS", Proof: proof}, func(res *sip.Response, err error) {
			if err != nil || res.StatusCode >= 200 {
				failed <- err
			}
		})
		return <-failed
	}
	require.NoError(t, try("one.example"))
	require.ErrorContains(t, try("two.example"), "certificate is valid for one.example, not two.example")
	require.ErrorIs(t, try(""), errNoTrust)
	require.NoError(t, try("one.example"))
	require.Len(t, board.taken, 1)
}
