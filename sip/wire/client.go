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
func (s *Stack) fit(msg sip.Message, text *Text) error {
	if s.cfg.Check == nil {
		return nil
	}
	if err := s.cfg.Check(msg, text); err != nil {
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

// ClientTx is a request that we sent: the machines of RFC 3261 sections 17.1.1
// and 17.1.2, with one timer for A and B, or E and F.
type ClientTx struct {
	Request *sip.Request
	To      Peer

	stack *Stack
	key   string
	link  link
	told  func(*sip.Response, error)
	turn  sync.Mutex  // one response at a time
	ended atomic.Bool // the last was told, or nobody wants to hear

	mu    sync.Mutex // of what follows; never held while told runs
	raw   []byte     // the request
	timer alarm
	pause time.Duration // until it is repeated again
	until time.Time     // it is waited for
	heard bool          // there was a provisional response
	over  bool          // nothing leaves any more
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
	t.timer.owner = t
	text := textOf(req)
	defer text.done()
	err := s.fit(req, text)
	if err != nil {
		err = fmt.Errorf("send %s: %w", req.Method, err)
	} else {
		t.raw = text.copy()
	}
	if err == nil && to.Transport != "UDP" {
		before, left := s.turns.take(to)
		s.wait.Go(func() {
			err := t.depart(before)
			left()
			if err != nil {
				t.fail(err)
			}
		})
		return t
	}
	if err == nil {
		err = t.start(s.ctx)
	}
	if err != nil { // its sender does not know the transaction yet
		s.wait.Go(func() { t.fail(err) })
	}
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
	key, err := clientKey(t.Request)
	if err != nil {
		return fmt.Errorf("send %s: %w", t.Request.Method, err)
	}
	if t.link, err = t.stack.dial(ctx, t.To); err != nil {
		return fmt.Errorf("send %s to %s: %w: %w", t.Request.Method, t.To, ErrUnreachable, err)
	}
	raw, begun := t.begin(key)
	if !begun { // while the connection was made: nobody would take back what leaves now
		return fmt.Errorf("send %s to %s: %w: %w", t.Request.Method, t.To, ErrUnreachable, errEnded)
	}
	if err := t.link.write(raw); err != nil {
		return fmt.Errorf("send %s to %s: %w: %w", t.Request.Method, t.To, ErrUnreachable, err)
	}
	t.await()
	return nil
}

// begin has answers find the transaction, before it leaves: they may be here at once.
func (t *ClientTx) begin(key string) (raw []byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.stack.closing.Load() {
		return nil, false
	}
	t.key = key
	t.stack.clients.put(key, t)
	return t.raw, true
}

// await starts timers A and B, or E and F.
func (t *ClientTx) await() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.heard && t.Request.Method == sip.INVITE {
		return
	}
	t.pause, t.until = sip.T1, time.Now().Add(64*sip.T1)
	switch {
	case t.To.Transport != "UDP":
		t.pause, t.raw = 64*sip.T1, nil
	case t.heard:
		t.pause = sip.T2
	}
	t.stack.wheel.set(&t.timer, t.pause)
}

// due repeats the request, or gives it up.
func (t *ClientTx) due() {
	if err := t.repeat(); err != nil {
		t.fail(err)
	}
}

func (t *ClientTx) repeat() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.heard && t.Request.Method == sip.INVITE {
		return nil
	}
	left := time.Until(t.until)
	if left <= 0 {
		return fmt.Errorf("%s to %s: %w", t.Request.Method, t.To, ErrNoAnswer)
	}
	if err := t.link.write(t.raw); err != nil {
		return fmt.Errorf("%s to %s: %w: %w", t.Request.Method, t.To, ErrUnreachable, err)
	}
	t.pause *= 2
	if t.Request.Method != sip.INVITE {
		t.pause = min(t.pause, sip.T2)
	}
	t.stack.wheel.set(&t.timer, min(t.pause, left))
	return nil
}

// receive takes a response in the reading goroutine and tells of it there, so
// that it keeps its place before the messages behind it.
func (t *ClientTx) receive(res *sip.Response) {
	t.turn.Lock() // over TCP two connections may bring responses at once
	defer t.turn.Unlock()
	if res.StatusCode < 200 {
		t.progress()
		if !t.ended.Load() {
			t.told(res, nil)
		}
		return
	}
	first := !t.ended.Swap(true)
	if t.end() && res.StatusCode >= 300 && t.Request.Method == sip.INVITE {
		t.acknowledge(res)
	}
	if first {
		t.told(res, nil)
	}
}

// progress has an INVITE that was heard of be repeated no more, and waited for
// as long as its sender likes; other requests are repeated less often.
func (t *ClientTx) progress() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard, t.pause = true, sip.T2
	if t.Request.Method == sip.INVITE {
		t.stack.wheel.stop(&t.timer)
	}
}

// acknowledge sends the ACK to a failure of an INVITE, and keeps it for late
// repetitions of that (RFC 3261 section 17.1.1.3).
func (t *ClientTx) acknowledge(res *sip.Response) {
	text := textOf(ackTo(t.Request, res))
	defer text.done()
	if t.To.Transport == "UDP" {
		t.stack.late.put(t.key, answer{raw: text.copy()})
	}
	_ = t.link.write(text.raw) // if it is lost, the failure comes again
}

// ackTo builds the ACK to a failure: what must be in it and nothing else.
func ackTo(invite *sip.Request, res *sip.Response) *sip.Request {
	ack := sip.NewRequest(sip.ACK, invite.Recipient)
	ack.AppendHeader(invite.Via())
	for _, h := range invite.GetHeaders("Route") {
		ack.AppendHeader(h)
	}
	hops := sip.MaxForwardsHeader(70)
	ack.AppendHeader(&hops)
	ack.AppendHeader(invite.From())
	ack.AppendHeader(res.To())
	ack.AppendHeader(invite.CallID())
	ack.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.ACK})
	ack.SetBody(nil)
	return ack
}

func (t *ClientTx) fail(err error) {
	t.end()
	if !t.ended.Swap(true) {
		t.told(nil, err)
	}
}

// End stops waiting: nothing more is told, nothing is repeated, and what has
// not left yet does not.
func (t *ClientTx) End() {
	t.ended.Store(true)
	t.end()
}

// end tells whether it was not over already.
func (t *ClientTx) end() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.finish()
}

func (t *ClientTx) finish() bool {
	if t.over {
		return false
	}
	t.over, t.raw = true, nil
	t.stack.wheel.stop(&t.timer)
	if t.key != "" {
		t.stack.clients.drop(t.key)
	}
	return true
}

// Write sends a request outside a transaction, the ACK to a 2xx, behind those
// of Send that wait for a connection.
func (s *Stack) Write(req *sip.Request, to Peer) error {
	req.SetTransport(to.Transport)
	text := textOf(req)
	defer text.done()
	if err := s.fit(req, text); err != nil {
		return fmt.Errorf("send %s: %w", req.Method, err)
	}
	if _, err := s.write(text.raw, to); err != nil {
		return fmt.Errorf("send %s to %s: %w: %w", req.Method, to, ErrUnreachable, err)
	}
	return nil
}

// write sends bytes outside a transaction, and tells what they were written to.
func (s *Stack) write(raw []byte, to Peer) (link, error) {
	ctx := s.ctx
	if to.Transport != "UDP" {
		within, cancel := context.WithTimeout(ctx, connectTime)
		defer cancel()
		before, left := s.turns.take(to)
		defer left()
		if before != nil {
			select {
			case <-before:
			case <-within.Done():
			}
		}
		ctx = within
	}
	link, err := s.dial(ctx, to)
	if err != nil {
		return nil, err
	}
	return link, link.write(raw)
}
