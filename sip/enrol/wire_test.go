package enrol

import (
	"context"
	"crypto/tls"
	"net/netip"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/certs/certtest"
	"axgate/routing"
	registrars "axgate/sip/registrar"
	"axgate/sip/wire"
)

// patience is how long a test waits for what must come.
const patience = 15 * time.Second

// side is a stack and what it does with requests.
type side struct {
	stack    *wire.Stack
	register func(tx *wire.ServerTx)
}

func (s *side) Accept(wire.Peer) bool               { return true }
func (s *side) Request(tx *wire.ServerTx)           { s.register(tx) }
func (s *side) Cancel(*wire.ServerTx, *sip.Request) {}
func (s *side) Ack(*sip.Request, wire.Peer)         {}
func (s *side) Stray(*sip.Response, wire.Peer)      {}

func newSide(t *testing.T, register func(tx *wire.ServerTx), secure wire.Secure) *side {
	t.Helper()
	cfg := wire.Config{UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", Secure: secure}
	if secure.Server != nil {
		cfg.TLS = "127.0.0.1:0"
	}
	stack, err := wire.Open(cfg, zerolog.Nop())
	require.NoError(t, err)
	s := &side{stack: stack, register: register}
	stack.Serve(s)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	return s
}

// way sends requests to one peer.
type way struct {
	stack *wire.Stack
	to    wire.Peer
}

func (w way) Send(ctx context.Context, req *sip.Request) (*sip.Response, error) {
	by := w.stack.UDPAddr()
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: w.to.Transport, Host: by.Addr().String(), Port: int(by.Port())}
	via.Params.Add("branch", sip.GenerateBranch())
	via.Params.Add("rport", "")
	req.PrependHeader(via)
	type outcome struct {
		res *sip.Response
		err error
	}
	done := make(chan outcome, 1)
	tx := w.stack.Send(req, w.to, func(res *sip.Response, err error) {
		if err != nil || res.StatusCode >= 200 {
			done <- outcome{res, err}
		}
	})
	select {
	case o := <-done:
		return o.res, o.err
	case <-ctx.Done():
		tx.End()
		return nil, ctx.Err()
	}
}

// TestOverTheWire registers with our own registrar over real sockets of each
// transport: with a proof by SHA-256, again with the same nonce, with a stale
// one, and away.
func TestOverTheWire(t *testing.T) {
	ca := certtest.New(t)
	secure := wire.Secure{
		Server: &tls.Config{Certificates: []tls.Certificate{ca.Issue("127.0.0.1").Load(t)}},
		Client: func(wire.Peer) *tls.Config { return &tls.Config{RootCAs: ca.Pool, ServerName: "127.0.0.1"} },
	}
	for _, transport := range []string{"UDP", "TCP", "TLS"} {
		t.Run(transport, func(t *testing.T) { overTheWire(t, transport, secure) })
	}
}

func overTheWire(t *testing.T, transport string, secure wire.Secure) {
	const number = "+8613800000001"
	reg, err := registrars.New(registrars.Config{Plan: routing.ChinaPlan(), Algorithms: []string{"MD5", "SHA-256"}, NonceTime: 10 * time.Minute,
		Accounts: []registrars.Account{{Number: number, Password: "correct horse"}}})
	require.NoError(t, err)
	statuses := make(chan int, 100)
	shift := make(chan time.Duration, 1)
	shift <- 0
	server := newSide(t, func(tx *wire.ServerTx) {
		d := <-shift
		shift <- d
		a := reg.Register(tx.Request, tx.From.Addr, tx.From.Transport, time.Now().Add(d))
		res := wire.Reply(tx.Request, a.Status, a.Phrase)
		for _, h := range a.Headers {
			res.AppendHeader(h)
		}
		statuses <- a.Status
		_ = tx.Respond(res)
	}, secure)
	client := newSide(t, nil, wire.Secure{Client: secure.Client})
	to := wire.Peer{Addr: map[string]netip.AddrPort{"UDP": server.stack.UDPAddr(), "TCP": server.stack.TCPAddr(), "TLS": server.stack.TLSAddr()}[transport], Transport: transport}
	me := client.stack.UDPAddr()
	e, err := started(Config{Domain: "axgate.example", Public: uri("sip:" + number + "@axgate.example"), Contact: sip.Uri{Scheme: "sip", User: "line", Host: me.Addr().String(), Port: int(me.Port())},
		Username: "13800000001", Password: "correct horse", Expires: 20 * time.Minute}, way{client.stack, to}, zerolog.Nop())
	require.NoError(t, err)
	next := func(want ...int) {
		t.Helper()
		for _, w := range want {
			select {
			case s := <-statuses:
				require.Equal(t, w, s)
			case <-time.After(patience):
				t.Fatalf("no answer of %d", w)
			}
		}
	}
	next(401, 200)
	require.Eventually(t, func() bool { return e.Status().State == Registered }, patience, time.Millisecond)
	require.InDelta(t, 20*60, time.Until(e.Status().Until).Seconds(), 20)
	at, ok := reg.Lookup(number, time.Now())
	require.True(t, ok)
	require.Equal(t, "line", at.URI.User)
	require.Equal(t, transport, at.Transport)
	if transport == "UDP" {
		require.Equal(t, me, at.Source)
	}
	e.Renew()
	next(200)
	<-shift
	shift <- 11 * time.Minute
	e.Renew()
	next(401, 200)
	require.NoError(t, e.Close(t.Context()))
	next(200)
	_, ok = reg.Lookup(number, time.Now())
	require.False(t, ok, "taken back")
	require.Eventually(t, func() bool { return client.stack.Transactions() == 0 }, patience, time.Millisecond)
}

// TestNobodyThere: a registrar that cannot be reached is a failure that says so.
func TestNobodyThere(t *testing.T) {
	client := newSide(t, nil, wire.Secure{})
	gone := newSide(t, nil, wire.Secure{})
	to := wire.Peer{Addr: gone.stack.TCPAddr(), Transport: "TCP"}
	require.NoError(t, gone.stack.Close())
	e, err := started(config(), way{client.stack, to}, zerolog.Nop())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return e.Status().State == Failed }, patience, time.Millisecond)
	require.Contains(t, e.Status().Failure, "unreachable")
	_ = e.Close(t.Context())
}
