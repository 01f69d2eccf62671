package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// stream is a peer made of a bare connection.
type stream struct {
	t *testing.T
	c net.Conn
}

func newStream(t *testing.T, s *Stack) *stream {
	t.Helper()
	c, err := net.Dial("tcp", s.TCPAddr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &stream{t, c}
}

func (s *stream) send(text string) {
	_, _ = io.WriteString(s.c, text) // it may be closed already: then what is read tells
}

// until reads until the text holds what is expected, or the connection ends.
func (s *stream) until(what string) string {
	s.t.Helper()
	require.NoError(s.t, s.c.SetReadDeadline(time.Now().Add(15*time.Second)))
	var all strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(all.String(), what) {
		n, err := s.c.Read(buf)
		all.Write(buf[:n])
		require.NoError(s.t, err, "read so far: %q", all.String())
	}
	return all.String()
}

// end reads until the peer closes.
func (s *stream) end() string {
	s.t.Helper()
	require.NoError(s.t, s.c.SetReadDeadline(time.Now().Add(15*time.Second)))
	all, err := io.ReadAll(s.c)
	require.NoError(s.t, err)
	return string(all)
}

func option(n int, length string) string {
	return fmt.Sprintf("OPTIONS sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/TCP h.example.com;branch=z9hG4bK%d\r\nFrom: <sip:f@example.com>;tag=f\r\n"+
		"To: <sip:a@example.com>\r\nCall-ID: c%d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n%s\r\n", n, n, length)
}

const empty = "Content-Length: 0\r\n"

func openWith(t *testing.T, cfg Config) *Stack {
	t.Helper()
	h := newCollector()
	h.onReq = func(tx *ServerTx) { _ = tx.Respond(Reply(tx.Request, 200, "OK")) }
	cfg.UDP, cfg.TCP = "127.0.0.1:0", "127.0.0.1:0"
	s, err := Open(cfg, zerolog.Nop())
	require.NoError(t, err)
	s.Serve(h)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestStreamOfBytes(t *testing.T) {
	p := newStream(t, openWith(t, Config{}))
	for _, b := range []byte(option(1, empty)) {
		p.send(string(b))
	}
	require.Contains(t, p.until("Call-ID: c1\r\n"), "SIP/2.0 200 OK")
}

func TestStreamOfManyMessages(t *testing.T) {
	p := newStream(t, openWith(t, Config{}))
	var all strings.Builder
	for i := range 50 {
		all.WriteString(option(i, "Content-Length: 7\r\n") + "\r\n\r\nabc\r\n")
	}
	p.send(all.String())
	got := p.until("Call-ID: c49\r\n")
	require.Equal(t, 50, strings.Count(got, "SIP/2.0 200 OK"))
	require.NotContains(t, got, "\r\n\r\n\r\n", "a body that looks like a keep-alive is none")
}

func TestStreamKeepAlive(t *testing.T) {
	p := newStream(t, openWith(t, Config{}))
	p.send("\r\n\r\n")
	require.Equal(t, "\r\n", p.until("\r\n"), "RFC 5626 section 3.5.1")
	p.send("\r\n" + option(1, empty))
	p.until("Call-ID: c1\r\n")
}

func TestStreamOutOfStep(t *testing.T) {
	s := openWith(t, Config{})
	for name, length := range map[string]string{
		"missing": "", "negative": "Content-Length: -1\r\n", "huge": "Content-Length: 4294967296\r\n", "two": empty + "l: 0\r\n", "words": "l: many\r\n",
	} {
		p := newStream(t, s)
		p.send(option(1, length) + option(2, empty))
		got := p.end()
		require.True(t, strings.HasPrefix(got, "SIP/2.0 400 "), "%s: %q", name, got)
		require.Equal(t, 1, strings.Count(got, "SIP/2.0 "), name)
	}
	p := newStream(t, s)
	p.send("OPTIONS sip:a@example.com SIP/2.0\r\n" + strings.Repeat("X: y\r\n", 20000))
	require.NotContains(t, p.end(), "200")
}

func TestBadMessageInStreamLeavesItInStep(t *testing.T) {
	p := newStream(t, openWith(t, Config{}))
	p.send(strings.Replace(option(1, empty), "tag=f", "", 1) + option(2, empty))
	got := p.until("Call-ID: c2\r\n")
	require.True(t, strings.HasPrefix(got, "SIP/2.0 400 "), got)
	require.Contains(t, got, "SIP/2.0 200 OK")
}

// TestSlowStream has a peer that never finishes what it began closed, however
// often it sends a little.
func TestSlowStream(t *testing.T) {
	s := openWith(t, Config{MessageTime: 300 * time.Millisecond})
	silent, slow := newStream(t, s), newStream(t, s)
	slow.send(option(1, empty))
	slow.until("Call-ID: c1\r\n")
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, b := range []byte(option(2, empty)) {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				slow.send(string(b))
			}
		}
	}()
	require.NoError(t, slow.c.SetReadDeadline(time.Now().Add(15*time.Second)))
	_, err := slow.c.Read(make([]byte, 1))
	var timeout net.Error
	require.Error(t, err)
	require.False(t, errors.As(err, &timeout) && timeout.Timeout())
	close(stop)
	<-done
	require.Empty(t, silent.end(), "who says nothing at all")
}

func TestIdleStream(t *testing.T) {
	p := newStream(t, openWith(t, Config{Idle: 200 * time.Millisecond}))
	p.send(option(1, empty))
	p.until("Call-ID: c1\r\n")
	p.end()
}

func TestConnectionsOfOneSource(t *testing.T) {
	s := openWith(t, Config{MaxPerSource: 2, MessageTime: time.Hour})
	first, second, third := newStream(t, s), newStream(t, s), newStream(t, s)
	for i, p := range []*stream{first, second} {
		p.send(option(i, empty))
		p.until(fmt.Sprintf("Call-ID: c%d\r\n", i))
	}
	_ = third.c.SetReadDeadline(time.Now().Add(15 * time.Second))
	_, err := third.c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, first.c.Close())
	require.Eventually(t, func() bool { // its place is free again
		c, err := net.Dial("tcp", s.TCPAddr().String())
		if err != nil {
			return false
		}
		defer func() { _ = c.Close() }()
		_, _ = io.WriteString(c, option(9, empty))
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, _ := c.Read(make([]byte, 4096))
		return n > 0
	}, 15*time.Second, 10*time.Millisecond)
}

// TestFramerHoldsWhatCame has no memory taken for what a peer only announces.
func TestFramerHoldsWhatCame(t *testing.T) {
	var f framer
	f.feed([]byte(option(1, fmt.Sprintf("Content-Length: %d\r\n", maxDatagram))))
	msg, err := f.next()
	require.NoError(t, err)
	require.Nil(t, msg)
	require.Less(t, cap(f.buf), 2048)
}
