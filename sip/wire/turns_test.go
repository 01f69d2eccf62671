package wire

import (
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
)

// TestRequestsLeaveInOrder: over a connection as over UDP, also while it is
// being made.
func TestRequestsLeaveInOrder(t *testing.T) {
	h := newCollector()
	h.onReq = func(tx *ServerTx) { _ = tx.Respond(Reply(tx.Request, 200, "OK")) }
	asking, answering := open(t, newCollector()), open(t, h)
	const most = 200
	done := make(chan error, most)
	var want []string
	for n := 1; n <= most; n++ {
		req := invite(asking, fmt.Sprint("order", n))
		req.Method, req.Via().Transport = sip.INFO, "TCP"
		req.CSeq().MethodName, req.CSeq().SeqNo = sip.INFO, uint32(n)
		asking.Send(req, Peer{Addr: answering.TCPAddr(), Transport: "TCP"}, func(_ *sip.Response, err error) { done <- err })
		want = append(want, fmt.Sprint("INFO ", n))
	}
	for range most {
		require.NoError(t, <-done)
	}
	require.Equal(t, want, h.got)
	require.Eventually(t, func() bool {
		asking.turns.mu.Lock()
		defer asking.turns.mu.Unlock()
		return len(asking.turns.last) == 0
	}, 15*time.Second, time.Millisecond, "nothing is left of those that are through")
}

// TestAckWaitsForItsTurn behind what was sent before it.
func TestAckWaitsForItsTurn(t *testing.T) {
	h := newCollector()
	asking, answering := open(t, newCollector()), open(t, h)
	to := Peer{Addr: answering.TCPAddr(), Transport: "TCP"}
	_, left := asking.turns.take(to)
	ack := invite(asking, "ack")
	ack.Method, ack.CSeq().MethodName, ack.Via().Transport = sip.ACK, sip.ACK, "TCP"
	written := make(chan error, 1)
	go func() { written <- asking.Write(ack, to) }()
	require.Eventually(t, func() bool {
		asking.turns.mu.Lock()
		defer asking.turns.mu.Unlock()
		return len(asking.turns.last) == 1
	}, 15*time.Second, time.Millisecond)
	require.Nil(t, asking.tcp.find(to), "not even a connection is made")
	left()
	require.NoError(t, <-written)
	<-h.acks
}

// TestEndedWhileConnecting: what was given up does not leave once the
// connection stands, for nobody would take it back.
func TestEndedWhileConnecting(t *testing.T) {
	ca := certtest.New(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	to := Peer{Addr: l.Addr().(*net.TCPAddr).AddrPort(), Transport: "TLS"}
	s, _ := openTLSWith(t, ca.Issue("127.0.0.1"), func(c *Config) {
		c.Secure.Client = trusting(to.Addr, &tls.Config{ServerName: "sbc.example", RootCAs: ca.Pool})
	})
	over := s.Send(invite(s, "over"), to, func(*sip.Response, error) { t.Error("it was ended") })
	raw, err := l.Accept()
	require.NoError(t, err)
	over.End()
	s.Send(invite(s, "next"), to, func(*sip.Response, error) {})
	c := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{ca.Issue("sbc.example").Load(t)}})
	defer func() { _ = c.Close() }()
	require.NoError(t, c.SetDeadline(time.Now().Add(15*time.Second)))
	p := &stream{t, c}
	require.NotContains(t, p.until("\r\n\r\n"), "z9hG4bKover")
	require.Eventually(t, func() bool { return s.Transactions() == 1 }, 15*time.Second, time.Millisecond)
}
