// Package sip is the B2BUA: it takes calls to X numbers from trunks and
// registered phones, asks the router who is meant, calls that party showing X,
// and bridges the two. Each call is one goroutine (call.go) that owns its
// state; this file has what they share: the sockets, the table of legs, and
// the way in and out.
package sip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/rs/zerolog"

	"axgate/media"
	"axgate/routing"
	"axgate/sip/identity"
	"axgate/sip/resolve"
	"axgate/sip/wire"
)

// Server is the B2BUA of one process.
type Server struct {
	cfg     Config
	extra   []identity.Header // constant headers of trunks
	log     zerolog.Logger
	stack   *wire.Stack
	engine  *media.Engine
	router  Router
	journal Journal
	prompts Prompts
	records Recorder

	mu      sync.Mutex
	legs    map[legKey]*leg    // by Call-ID and our tag
	invites map[inviteKey]*leg // calling legs of dialogs that came in, by what a CANCEL repeats
	calls   map[string]*call   // by sessionId
	idle    chan struct{}      // closed when draining and the last call is gone

	provers   provers
	named     namedTrunks // trunks without a fixed address
	lines     lines       // our registrations with trunks
	limits    limits
	loops     loops
	resolver  *resolve.Resolver // of the trunks' names
	health    health
	overload  overload
	desk      desk    // of the texts that come in
	textRests limits  // which trunks asked for a rest from texts; calls have their own
	reports   reports // of 3GPP texts that were sent
	fence     fence
	parked    parked
	between   between
	draining  atomic.Bool  // for good: the process ends
	drained   atomic.Bool  // until it is told otherwise
	up        atomic.Int64 // calls that are not over
	count     atomic.Uint64
	strays    atomic.Uint64
	boot      uint32
	tending   context.Context // until the ways are no longer looked after
	endTend   context.CancelFunc
	wait      sync.WaitGroup
}

type legKey struct{ callID, localTag string }

// inviteKey names an INVITE whatever way it took (RFC 3261 section 8.2.2.2).
type inviteKey struct {
	callID, fromTag string
	cseq            uint32
}

func inviteKeyOf(req *sip.Request) inviteKey {
	tag, _ := req.From().Params.Get("tag")
	return inviteKey{req.CallID().Value(), tag, req.CSeq().SeqNo}
}

var _ wire.Handler = (*Server)(nil)

// Open binds the SIP sockets. Calls come in after Serve.
func Open(cfg Config, engine *media.Engine, router Router, journal Journal, prompts Prompts, records Recorder, log zerolog.Logger) (*Server, error) {
	cfg.defaults()
	secure, err := cfg.secure(log)
	if err != nil {
		return nil, err
	}
	provers, err := newProvers(cfg.Trunks)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: log, engine: engine, router: router, journal: journal, prompts: prompts, records: records, extra: cfg.Trunks.ExtraHeaders(),
		legs: make(map[legKey]*leg), invites: make(map[inviteKey]*leg), calls: make(map[string]*call), provers: provers, boot: rand.Uint32()}
	s.fence.holds, s.fence.stands = cfg.Holds, cfg.Talks == nil
	if err := s.openNamed(); err != nil {
		return nil, err
	}
	cfg.Flood.Known, cfg.Flood.Spared = s.known, s.watched
	s.stack, err = wire.Open(wire.Config{UDP: cfg.UDP, TCP: cfg.TCP, TLS: cfg.TLS.Listen, Secure: secure, Flood: cfg.Flood, RetryAfter: cfg.RetryAfter, T1: cfg.T1, Check: s.fit, Lost: s.lost}, log)
	if err != nil {
		return nil, err
	}
	s.cfg.advertise(s.stack)
	if err := s.openWays(); err != nil {
		return nil, errors.Join(err, s.stack.Close())
	}
	if err := s.openLines(); err != nil {
		s.endWays()
		s.resolver.Close()
		return nil, errors.Join(err, s.stack.Close())
	}
	return s, nil
}

// Serve starts taking calls.
func (s *Server) Serve() {
	s.stack.Serve(s)
	s.tendWays()
	if s.cfg.Holds != nil {
		s.wait.Go(func() { s.watchLives(s.tending) })
	}
	s.startLines()
}

// UDPAddr is the bound UDP address.
func (s *Server) UDPAddr() netip.AddrPort { return s.stack.UDPAddr() }

// TCPAddr is the bound TCP address.
func (s *Server) TCPAddr() netip.AddrPort { return s.stack.TCPAddr() }

// TLSAddr is the bound address of TLS; invalid if it is off.
func (s *Server) TLSAddr() netip.AddrPort { return s.stack.TLSAddr() }

// Calls counts the calls that are up.
func (s *Server) Calls() int { return int(s.up.Load()) }

// Strays counts the messages that came when nobody waited for them and were
// ignored: an ACK without its 2xx, a provisional response after the final one,
// a 2xx that came again.
func (s *Server) Strays() uint64 { return s.strays.Load() }

// Stop hangs a call up by order (section 9: ended by stop call). It tells
// whether there was such a call.
func (s *Server) Stop(session string) bool {
	s.mu.Lock()
	c := s.calls[session]
	s.mu.Unlock()
	if c == nil {
		return false
	}
	return c.order(routing.EndStopped)
}

// Shutdown refuses new calls with 503, lets running calls end by themselves
// until ctx is done, then ends them and closes the sockets.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.draining.Swap(true) {
		s.idle = make(chan struct{})
		if len(s.calls) == 0 {
			close(s.idle)
		}
	}
	idle := s.idle
	s.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
		s.mu.Lock()
		for _, c := range s.calls {
			c.order(routing.EndNodeDied)
		}
		s.mu.Unlock()
		select {
		case <-idle:
		case <-time.After(10 * time.Second): // a peer that answers nothing
		}
	}
	s.closeLines()
	s.endWays()
	s.parked.close()
	s.desk.close() // their senders are answered
	err := s.stack.Close()
	s.wait.Wait()
	s.resolver.Close()
	if err != nil {
		return fmt.Errorf("close SIP sockets: %w", err)
	}
	return nil
}

// Request gives a request to the call it belongs to, or to the door.
func (s *Server) Request(tx *wire.ServerTx) {
	req := tx.Request
	if req.Method != sip.OPTIONS && s.watched(tx.From) && !s.serves(tx.From) { // who may only watch
		tx.Ignore()
		return
	}
	tag, _ := req.To().Params.Get("tag")
	if tag == "" {
		if !s.outdated(tx) {
			s.door(tx)
		}
		return
	}
	l := s.leg(req.CallID().Value(), tag)
	switch {
	case l == nil && s.park(tx):
	case l == nil:
		s.noDialog(tx)
	case !s.sameSide(l, tx.From):
		s.reply(tx, sip.StatusForbidden, "Forbidden")
	default:
		switch l.inbox.post(input{what: inRequest, leg: l, tx: tx}) {
		case full:
			s.reply(tx, sip.StatusServiceUnavailable, "Too Many Requests In This Dialog")
		case over:
			s.noDialog(tx)
		}
	}
}

func (s *Server) noDialog(tx *wire.ServerTx) {
	if s.hushes(tx) {
		return
	}
	s.reply(tx, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist")
}

// Cancel gives a CANCEL to the call of its INVITE; 200 was answered already.
func (s *Server) Cancel(tx *wire.ServerTx, cancel *sip.Request) {
	s.mu.Lock()
	l := s.invites[inviteKeyOf(tx.Request)]
	s.mu.Unlock()
	if l != nil { // a re-INVITE is answered at once: there is nothing to take back
		l.inbox.post(input{what: inCancel, leg: l, req: cancel})
	}
}

// Ack gives the ACK of a 2xx to its leg.
func (s *Server) Ack(req *sip.Request, from wire.Peer) {
	tag, _ := req.To().Params.Get("tag")
	l := s.leg(req.CallID().Value(), tag)
	if l == nil || !s.sameSide(l, from) {
		s.strays.Add(1)
		return
	}
	l.inbox.post(input{what: inAck, leg: l, req: req})
}

// Stray gives a response without a transaction to the leg whose INVITE it
// answers: a repeated 2xx or one of another fork.
func (s *Server) Stray(res *sip.Response, _ wire.Peer) {
	tag, _ := res.From().Params.Get("tag")
	l := s.leg(res.CallID().Value(), tag)
	if l == nil || res.CSeq().MethodName != sip.INVITE || res.StatusCode < 200 || res.StatusCode > 299 {
		s.strays.Add(1)
		return
	}
	l.inbox.post(input{what: inStray, leg: l, res: res})
}

// sameSide tells whether a message in a dialog comes from where the dialog's
// peer is: the host that it began with, or another of the same trunk.
func (s *Server) sameSide(l *leg, from wire.Peer) bool {
	if from.Addr.Addr() == l.host {
		return true
	}
	t, ok := s.cfg.Trunks.From(from.Addr, from.Transport)
	return ok && t == l.trunk || s.cfg.Trunks.CalledAt(l.trunk, from.Addr.Addr())
}

func (s *Server) leg(callID, localTag string) *leg {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.legs[legKey{callID, localTag}]
}

func (s *Server) addLeg(l *leg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.legs[legKey{l.dialog.CallID, l.dialog.LocalTag()}] = l
}

// reply answers a request that no call takes.
func (s *Server) reply(tx *wire.ServerTx, status int, phrase string, headers ...sip.Header) {
	res := wire.Reply(tx.Request, status, phrase)
	for _, h := range headers {
		res.AppendHeader(h)
	}
	if err := tx.Respond(res); err != nil {
		s.log.Debug().Err(err).Str("to", tx.From.String()).Msg("could not answer")
	}
}

// start runs the call of an INVITE that passed the door, as one of this life; false:
// the server began to drain meanwhile, or the life is over.
func (s *Server) start(c *call, tx *wire.ServerTx) bool {
	s.mu.Lock()
	if s.draining.Load() || s.unsure() {
		s.mu.Unlock()
		return false
	}
	c.rec.Incarnation = s.cfg.Incarnation()
	s.legs[legKey{c.a.dialog.CallID, c.a.dialog.LocalTag()}] = &c.a.leg
	s.invites[c.a.invite] = &c.a.leg
	s.calls[c.session] = c
	s.up.Add(1)
	s.overload.arriving.Add(1)
	s.wait.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.wait.Done()
		defer s.forget(c)
		c.run()
	}()
	if err := tx.Trying(); err != nil { // meanwhile the call is on its way
		s.log.Info().Err(err).Str("session", c.session).Msg("100 to the caller")
	}
	return true
}

// forget takes a finished call out of the tables.
func (s *Server) forget(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.legs, legKey{c.a.dialog.CallID, c.a.dialog.LocalTag()})
	delete(s.invites, c.a.invite)
	for _, b := range c.tried {
		delete(s.legs, legKey{b.dialog.CallID, b.dialog.LocalTag()})
	}
	delete(s.calls, c.session)
	if s.idle != nil && len(s.calls) == 0 {
		select {
		case <-s.idle:
		default:
			close(s.idle)
		}
	}
}

// session makes a sessionId in the cloud service's form.
func (s *Server) session(now time.Time) string {
	return fmt.Sprintf("%d_%d_%d_%s@%s", s.boot, s.count.Add(1), rand.Uint32(), now.UTC().Format("20060102150405"), s.cfg.Host)
}
