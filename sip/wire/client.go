package wire

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ErrNoAnswer is why a request failed that nobody answered in time (timers B
// and F); ErrUnreachable, that it could not be sent. ErrRefused is why a message
// may not be sent: Config.Check refused it.
var (
	ErrNoAnswer    = errors.New("no answer")
	ErrUnreachable = errors.New("unreachable")
	ErrRefused     = errors.New("not fit to be sent")
)

var errEnded = errors.New("ended before it was sent")

// fit tells whether a message may leave.
func (s *Stack) fit(msg sip.Message) error {
	if s.cfg.Check == nil {
		return nil
	}
	if err := s.cfg.Check(msg); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

const connectTime = 5 * time.Second

// sendError is why bytes could not be sent.
type sendError struct {
	bytes int
	to    netip.AddrPort
	cause error
}

func (e *sendError) Error() string {
	return fmt.Sprintf("send %d bytes to %s: %v", e.bytes, e.to, e.cause)
}
func (e *sendError) Unwrap() error { return e.cause }

// ClientTx is a request that we sent.
type ClientTx struct {
	Request *sip.Request
	To      Peer

	stack *Stack
	key   string
	tx    atomic.Pointer[sip.ClientTx]
	conn  *remembering
	told  func(*sip.Response, error)
	mu    sync.Mutex  // one response at a time
	ended atomic.Bool // the last was told, or nobody wants to hear
}

// Send starts a client transaction. told is called with each response, in the
// goroutine that read it and in its order among all that was read there, or
// once with an error that is ErrNoAnswer, ErrUnreachable or ErrRefused; it must not block
// and is not called after a final response or End. Requests to one peer leave
// in the order of Send. The ACK to a failure is sent here, the ACK to a 2xx by
// the dialog.
func (s *Stack) Send(req *sip.Request, to Peer, told func(*sip.Response, error)) *ClientTx {
	req.SetTransport(to.Transport)
	t := &ClientTx{Request: req, To: to, stack: s, told: told}
	s.wait.Add(1)
	if err := s.fit(req); err != nil {
		go func() { defer s.wait.Done(); t.fail(fmt.Errorf("send %s: %w", req.Method, err)) }()
		return t
	}
	if to.Transport == "UDP" {
		if err := t.start(context.Background()); err != nil {
			go func() { defer s.wait.Done(); t.fail(err) }()
			return t
		}
		go func() { defer s.wait.Done(); t.pump() }()
		return t
	}
	before, left := s.turns.take(to)
	go func() {
		defer s.wait.Done()
		err := t.depart(before)
		left()
		if err != nil {
			t.fail(err)
			return
		}
		t.pump()
	}()
	return t
}

// depart starts a transaction over a connection when its turn has come.
func (t *ClientTx) depart(before <-chan struct{}) error {
	if before != nil {
		<-before
	}
	ctx, cancel := context.WithTimeout(t.stack.ctx, connectTime)
	defer cancel()
	return t.start(ctx)
}

func (t *ClientTx) start(ctx context.Context) error {
	key, err := sip.ClientTxKeyMake(t.Request)
	if err != nil {
		return fmt.Errorf("send %s: %w", t.Request.Method, err)
	}
	conn, err := t.stack.dial(ctx, t.To)
	if err != nil {
		return fmt.Errorf("send %s to %s: %w: %w", t.Request.Method, t.To, ErrUnreachable, err)
	}
	t.key = key
	t.conn = &remembering{Connection: conn}
	tx := sip.NewClientTx(key, t.Request, t.conn, quiet)
	t.tx.Store(tx)
	t.stack.clients.put(key, t)
	tx.OnTerminate(func(string, error) { t.stack.clients.drop(key) })
	if t.ended.Load() { // while the connection was made: nobody would take back what leaves now
		tx.Terminate()
		return errEnded
	}
	if err := tx.Init(); err != nil {
		tx.Terminate()
		if unsent := new(sendError); errors.As(err, &unsent) { // sipgo's words quote the request
			err = unsent
		}
		return fmt.Errorf("send %s to %s: %w: %w", t.Request.Method, t.To, ErrUnreachable, err)
	}
	if t.stack.closing.Load() || t.ended.Load() {
		tx.Terminate()
	}
	return nil
}

// pump empties the machine's channel, and tells when it gives up.
func (t *ClientTx) pump() {
	tx := t.tx.Load()
	for {
		select {
		case <-tx.Responses(): // receive tells of them
		case <-tx.Done():
			err := tx.Err()
			if errors.Is(err, sip.ErrTransactionTimeout) {
				t.fail(fmt.Errorf("%s to %s: %w", t.Request.Method, t.To, ErrNoAnswer))
			} else {
				t.fail(fmt.Errorf("%s to %s: %w: %w", t.Request.Method, t.To, ErrUnreachable, err))
			}
			return
		}
	}
}

// receive takes a response in the reading goroutine and tells of it there, so
// that it keeps its place before the messages behind it. The machine is ended
// as soon as it has dealt with a final one: its timers would keep it for 32 s.
func (t *ClientTx) receive(res *sip.Response) {
	t.mu.Lock() // over TCP two connections may bring responses at once
	defer t.mu.Unlock()
	tx := t.tx.Load()
	first := res.StatusCode >= 200 && !t.ended.Swap(true) // before the machine ends, which over TCP it does at once: pump would take it for a failure
	tx.Receive(res)
	if res.StatusCode < 200 {
		if !t.ended.Load() {
			t.told(res, nil)
		}
		return
	}
	if res.StatusCode >= 300 && t.Request.Method == sip.INVITE && t.To.Transport == "UDP" {
		t.stack.late.put(t.key, answer{raw: t.conn.last()}) // the ACK, for late repetitions
	}
	tx.Terminate()
	if first {
		t.told(res, nil)
	}
}

func (t *ClientTx) fail(err error) {
	if !t.ended.Swap(true) {
		t.told(nil, err)
	}
}

// End stops waiting: nothing more is told, nothing is repeated, and what has
// not left yet does not.
func (t *ClientTx) End() {
	t.ended.Store(true)
	if tx := t.tx.Load(); tx != nil {
		tx.Terminate()
	}
}

// Write sends a request outside a transaction, the ACK to a 2xx, behind those
// of Send that wait for a connection.
func (s *Stack) Write(req *sip.Request, to Peer) error {
	req.SetTransport(to.Transport)
	if err := s.fit(req); err != nil {
		return fmt.Errorf("send %s: %w", req.Method, err)
	}
	ctx, cancel := context.WithTimeout(s.ctx, connectTime)
	defer cancel()
	if to.Transport != "UDP" {
		before, left := s.turns.take(to)
		defer left()
		if before != nil {
			select {
			case <-before:
			case <-ctx.Done():
			}
		}
	}
	conn, err := s.dial(ctx, to)
	if err != nil {
		return fmt.Errorf("send %s to %s: %w: %w", req.Method, to, ErrUnreachable, err)
	}
	defer func() { _, _ = conn.TryClose() }()
	if err := conn.WriteMsg(req); err != nil {
		return fmt.Errorf("send %s to %s: %w: %w", req.Method, to, ErrUnreachable, err)
	}
	return nil
}
