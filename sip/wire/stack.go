// Package wire carries SIP messages: sockets, framing and transactions
// (RFC 3261 sections 17 and 18) with sipgo's messages. Its transactions are its
// own, so that messages reach their owner in the order in which they arrived,
// and so that a finished transaction costs a few bytes instead of timers and
// whole messages.
package wire

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"
)

// Peer is a transport address: where a message came from or goes to.
type Peer struct {
	Addr      netip.AddrPort
	Transport string // "UDP", "TCP" or "TLS"
	// Proof names how the other end has to prove itself where we connect to it
	// over TLS (Secure.Client). A connection made with one proof serves no peer
	// with another: at one address there may be hosts of several names.
	Proof string
}

func (p Peer) String() string { return p.Transport + " " + p.Addr.String() }

// Handler is who the messages are for. Its methods are called from the reading
// goroutines, one after the other for each socket, and must not block.
type Handler interface {
	// Accept tells whether anything from this source is read at all.
	Accept(from Peer) bool
	// Request takes over a new server transaction of any method but ACK and CANCEL.
	Request(tx *ServerTx)
	// Cancel tells that cancel came for the INVITE of tx; its answer is 200.
	Cancel(tx *ServerTx, cancel *sip.Request)
	// Ack delivers an ACK that belongs to a 2xx.
	Ack(req *sip.Request, from Peer)
	// Stray delivers a response without a transaction: a repeated 2xx, mostly.
	Stray(res *sip.Response, from Peer)
}

// Config says where to listen. An empty address is not listened on.
type Config struct {
	UDP, TCP       string        // host:port
	TLS            string        // host:port; TLS over TCP
	Secure         Secure        // what TLS needs; the zero value: no connection is made over it
	MaxConnections int           // accepted connections at once, TCP and TLS each; 0: 1,024. Those whom Flood knows have as much again
	MaxPerSource   int           // of these, from one address; 0: 64
	Idle           time.Duration // of a connection without a message; 0: 30 minutes
	KeepAlive      time.Duration // between CRLFs on an idle connection that we made (RFC 5626 section 3.5.1); 0: 100 seconds
	MessageTime    time.Duration // in which a message that began must be whole, and the first come; 0: 10 seconds
	Flood          Flood         // what strangers may cost
	Transactions   int           // requests under way at once that are in no dialog; more get 503; 0: 32,768
	RetryAfter     time.Duration // what these are told, whole seconds; 0: 5 seconds
	// T1 is RFC 3261's estimate of a round trip, of which timers A to M are made.
	// It is the whole process's, so all its stacks have the same; 0: as it is,
	// 500 ms at first.
	T1 time.Duration
	// Check has the last word on every message that leaves, but for what the
	// transactions say themselves: the ACK to a failure and the answer to CANCEL.
	// One that it refuses is not sent; nil: all may leave.
	Check func(msg sip.Message, text *Text) error
	// Lost is told of each connection that ended, of TCP or TLS; it must not
	// block. Nil: nobody is.
	Lost func(Peer)
}

// Stack owns the SIP sockets and the transactions of one process.
type Stack struct {
	cfg     Config
	log     zerolog.Logger
	handler Handler
	udp     *udpSocket
	tcp     *tcpSide // nil: none
	tls     *tcpSide // nil: none
	servers table[*ServerTx]
	clients table[*ClientTx]
	late    lateAnswers
	wheel   wheel
	turns   turns
	guard   *guard

	dropped      atomic.Uint64
	overflow     atomic.Uint64
	overflowSaid atomic.Int64 // when the log was told of it, Unix ns
	seed         maphash.Seed // of tags that nothing is kept of

	wait    sync.WaitGroup
	closing atomic.Bool
	ctx     context.Context // of connections that are being made
	end     context.CancelFunc
}

// Open binds the sockets; no message is read before Serve.
func Open(cfg Config, log zerolog.Logger) (*Stack, error) {
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = 1024
	}
	if cfg.MaxPerSource == 0 {
		cfg.MaxPerSource = 64
	}
	if cfg.Idle == 0 {
		cfg.Idle = 30 * time.Minute
	}
	if cfg.KeepAlive == 0 {
		cfg.KeepAlive = 100 * time.Second
	}
	if cfg.MessageTime == 0 {
		cfg.MessageTime = 10 * time.Second
	}
	if cfg.Transactions == 0 {
		cfg.Transactions = defaultTransactions
	}
	if cfg.RetryAfter == 0 {
		cfg.RetryAfter = defaultRetry
	}
	pace(cfg.T1)
	s := &Stack{cfg: cfg, log: log, guard: newGuard(cfg.Flood), seed: maphash.MakeSeed()}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.servers.init()
	s.clients.init()
	s.late.init(64 * sip.T1)
	if cfg.UDP != "" {
		u, err := openUDP(cfg.UDP)
		if err != nil {
			_ = s.Close()
			return nil, fmt.Errorf("listen for SIP on udp %s: %w", cfg.UDP, err)
		}
		s.udp = u
		if got := u.buffer(); got < socketBuffer {
			log.Info().Int("bytes", got).Int("wanted", socketBuffer).Msg("the kernel bounds the buffer of SIP over UDP: see sysctl net.core.rmem_max")
		}
	}
	if cfg.TCP != "" {
		t, err := openTCP(s)
		if err != nil {
			_ = s.Close()
			return nil, fmt.Errorf("listen for SIP on tcp %s: %w", cfg.TCP, err)
		}
		s.tcp = t
	}
	if cfg.TLS != "" || cfg.Secure.Client != nil {
		t, err := openTLS(s)
		if err != nil {
			_ = s.Close()
			return nil, fmt.Errorf("listen for SIP on tls %s: %w", cfg.TLS, err)
		}
		s.tls = t
	}
	if s.udp == nil && s.tcp == nil && cfg.TLS == "" {
		_ = s.Close()
		return nil, errors.New("no SIP address to listen on: set sip.udp, sip.tcp or sip.tls")
	}
	return s, nil
}

// Serve starts reading; messages go to h until Close.
func (s *Stack) Serve(h Handler) {
	s.handler = h
	if s.udp != nil {
		s.wait.Add(1)
		go func() { defer s.wait.Done(); s.readUDP() }()
	}
	for _, t := range s.streams() {
		if t.listener != nil {
			s.wait.Go(t.serve)
		}
	}
}

// Close closes the sockets and ends every transaction.
func (s *Stack) Close() error {
	if s.closing.Swap(true) {
		s.wait.Wait()
		return nil
	}
	s.end()
	var errs []error
	if s.udp != nil {
		errs = append(errs, s.udp.conn.Close())
	}
	for _, t := range s.streams() {
		errs = append(errs, t.close())
	}
	for _, tx := range s.clients.drain() {
		tx.End()
	}
	s.wait.Wait()
	for _, tx := range s.servers.drain() { // nobody reads any more who would begin one
		tx.close()
	}
	s.wheel.close()
	return errors.Join(errs...)
}

// Closed tells whether Close was called.
func (s *Stack) Closed() bool { return s.closing.Load() }

// Dropped counts what was thrown away unread or unparsed.
func (s *Stack) Dropped() uint64 { return s.dropped.Load() }

// UDPAddr is the bound UDP address; invalid if none.
func (s *Stack) UDPAddr() netip.AddrPort {
	if s.udp == nil {
		return netip.AddrPort{}
	}
	return s.udp.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TCPAddr is the bound TCP address; invalid if none.
func (s *Stack) TCPAddr() netip.AddrPort { return s.tcp.bound() }

// TLSAddr is the bound address of TLS; invalid if none.
func (s *Stack) TLSAddr() netip.AddrPort { return s.tls.bound() }

// Transactions counts the client and server transactions that are alive.
func (s *Stack) Transactions() int { return s.clients.count() + s.servers.count() }

func (s *Stack) receive(msg sip.Message, from Peer) {
	switch m := msg.(type) {
	case *sip.Request:
		s.request(m, from)
	case *sip.Response:
		s.response(m, from)
	}
}

func (s *Stack) request(req *sip.Request, from Peer) {
	req.SetSource(from.Addr.String())
	req.SetTransport(from.Transport)
	key, err := serverKey(req, req.Method)
	if err != nil {
		s.drop("request without a transaction", from, err)
		return
	}
	if tx, ok := s.servers.get(key); ok {
		tx.again(req)
		return
	}
	if a, ok := s.late.get(key); ok {
		switch {
		case req.IsAck() && a.accepted: // an old client reuses the branch for the ACK to a 2xx
			s.handler.Ack(req, from)
		case !req.IsAck() && a.raw != nil && from.Transport == "UDP":
			_ = s.udp.write(a.raw, replyAddr(req, from)) // if it is lost, the sender asks again
		}
		return
	}
	switch req.Method {
	case sip.ACK:
		s.handler.Ack(req, from)
	case sip.CANCEL:
		s.cancel(key, req, from)
	default:
		if s.crowded(key, req, from) {
			return
		}
		tx, err := s.newServerTx(key, req, from)
		if err != nil {
			s.drop("request whose sender cannot be answered", from, err)
			return
		}
		s.handler.Request(tx)
	}
}

func (s *Stack) response(res *sip.Response, from Peer) {
	res.SetSource(from.Addr.String())
	res.SetTransport(from.Transport)
	key, err := clientKey(res)
	if err != nil {
		s.drop("response without a transaction", from, err)
		return
	}
	if tx, ok := s.clients.get(key); ok {
		tx.receive(res)
		return
	}
	if ack, ok := s.late.get(key); ok && res.StatusCode >= 300 {
		if from.Transport == "UDP" {
			_ = s.udp.write(ack.raw, from.Addr)
		}
		return
	}
	s.handler.Stray(res, from)
}

func (s *Stack) drop(what string, from Peer, err error) {
	s.dropped.Add(1)
	s.log.Debug().Str("from", from.String()).Err(err).Msg("dropped a " + what)
}
