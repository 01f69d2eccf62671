package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ServerTx is a request that we answer: the machines of RFC 3261 sections 17.2.1
// and 17.2.2, with one timer for the first 100 and for G and H.
type ServerTx struct {
	Request *sip.Request
	From    Peer

	stack *Stack
	key   string
	link  link

	mu    sync.Mutex
	said  []byte // the last response, for repetitions of the request
	final int    // the final status, once it is sent
	tag   string // of To in the responses to an INVITE; empty: there was none
	timer alarm
	pause time.Duration // until a failure is repeated again
	until time.Time     // its ACK is waited for
	over  bool
}

// trying is when a 100 is sent, if nothing else was: within 200 ms (RFC 3261
// section 17.2.1).
const trying = 200*time.Millisecond - step

func (s *Stack) newServerTx(key string, req *sip.Request, from Peer) (*ServerTx, error) {
	link, err := s.connection(from, replyAddr(req, from))
	if err != nil {
		return nil, err
	}
	t := &ServerTx{Request: req, From: from, stack: s, key: key, link: link}
	s.servers.put(key, t)
	if req.Method == sip.INVITE {
		t.timer.owner = t
		s.wheel.set(&t.timer, trying)
	}
	return t, nil
}

// Respond sends a response; after a final one the transaction is over. A 2xx
// to an INVITE is repeated by its owner, by calling Repeat until the ACK comes
// (RFC 3261 section 13.3.1.4); a failure is repeated here. In the place of a
// final response that may not leave goes a 500 with nothing in it, so that the
// sender's transaction ends; the error is ErrRefused all the same.
func (t *ServerTx) Respond(res *sip.Response) error {
	text := textOf(res)
	defer text.done()
	err := t.stack.fit(res, text)
	if err == nil {
		err = t.respond(res, text)
	} else if res.StatusCode >= 200 {
		empty := Reply(t.Request, sip.StatusInternalServerError, "Server Internal Error")
		instead := textOf(empty)
		defer instead.done()
		if t.stack.fit(empty, instead) != nil {
			t.close()
		} else {
			_ = t.respond(empty, instead) // the refusal is the error that counts
		}
	}
	if err != nil {
		return fmt.Errorf("respond %d to %s: %w", res.StatusCode, t.Request.Method, err)
	}
	return nil
}

func (t *ServerTx) respond(res *sip.Response, text *Text) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.final != 0 {
		return errOver
	}
	t.stack.wheel.stop(&t.timer)
	invite, status := t.Request.Method == sip.INVITE, res.StatusCode
	if to := res.To(); invite && to != nil && t.tag == "" {
		t.tag, _ = to.Params.Get("tag")
	}
	t.said = text.copy()
	if status < 200 {
		return t.leave(t.said)
	}
	t.stack.guard.answered(t.Request, t.From, status)
	t.final = status
	switch {
	case !invite, invite && status < 300:
		t.end(answer{raw: t.said, accepted: invite})
	case t.From.Transport == "UDP" && challenges(res):
		t.end(answer{raw: t.said}) // it is not repeated, see challenges
	}
	if err := t.leave(t.said); err != nil {
		t.finish()
		return err
	}
	if !t.over {
		t.await()
	}
	return nil
}

// leave sends a response, whose bytes stay as they are. If its connection of TCP
// is gone it goes over a new one, to where Via says that its sender listens (RFC
// 3261 section 18.2.2). Strangers are not connected to: they could have us do
// nothing else.
func (t *ServerTx) leave(raw []byte) error {
	err := t.link.write(raw)
	if err == nil || t.From.Transport != "TCP" || t.stack.closing.Load() || !t.stack.guard.off(t.From) {
		return err
	}
	to := Peer{Addr: listensAt(t.Request, t.From), Transport: "TCP"}
	t.stack.wait.Go(func() {
		link, err := t.stack.write(raw, to)
		if err != nil {
			t.stack.drop("response whose sender cannot be reached", to, err)
			return
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.link = link
	})
	return nil
}

var errOver = errors.New("it has its final response")

// challenges tells of a response to an INVITE that is not repeated: its sender
// is not known yet, and may be forged to have us flood somebody. Who did not get
// it repeats the INVITE (RFC 3261 section 26.3.2.4).
func challenges(res *sip.Response) bool {
	return res.StatusCode == sip.StatusUnauthorized || res.StatusCode == sip.StatusProxyAuthRequired
}

// await starts timers G and H: a failure is repeated over UDP until its ACK comes.
func (t *ServerTx) await() {
	t.pause, t.until = sip.T1, time.Now().Add(64*sip.T1)
	if t.From.Transport != "UDP" {
		t.pause = 64 * sip.T1
	}
	t.stack.wheel.set(&t.timer, t.pause)
}

// due says 100 to an INVITE, repeats a failure, or forgets it.
func (t *ServerTx) due() {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch left := time.Until(t.until); {
	case t.over:
	case t.final == 0 && t.said == nil:
		text := textOf(Reply(t.Request, sip.StatusTrying, "Trying"))
		defer text.done()
		t.said = text.copy()
		_ = t.link.write(t.said) // who misses it asks again
	case t.final == 0: // something was said meanwhile
	case left <= 0 || t.link.write(t.said) != nil:
		t.finish()
	default:
		t.pause = min(2*t.pause, sip.T2)
		t.stack.wheel.set(&t.timer, min(t.pause, left))
	}
}

// Repeat sends a 2xx or a reliable provisional response to an INVITE once more.
func (t *ServerTx) Repeat(res *sip.Response) error {
	text := textOf(res)
	defer text.done()
	err := t.stack.fit(res, text)
	if err == nil {
		t.mu.Lock()
		err = t.leave(text.copy())
		t.mu.Unlock()
	}
	if err != nil {
		return fmt.Errorf("repeat %d to INVITE: %w", res.StatusCode, err)
	}
	return nil
}

// end finishes the transaction; late repetitions get the answer.
func (t *ServerTx) end(a answer) {
	if t.From.Transport == "UDP" || a.accepted {
		a.tag = t.tag
		t.stack.late.put(t.key, a)
	}
	t.finish()
}

func (t *ServerTx) finish() {
	t.over = true
	t.stack.wheel.stop(&t.timer)
	t.stack.servers.drop(t.key)
}

func (t *ServerTx) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finish()
}

// Ignore ends the transaction without an answer, as if the request had not come; a
// repetition of it is a new one.
func (t *ServerTx) Ignore() { t.close() }

// Trying says 100 to an INVITE at once, unless something else was said by then
// (RFC 3261 section 8.2.6.1).
func (t *ServerTx) Trying() error {
	res := Reply(t.Request, sip.StatusTrying, "Trying")
	text := textOf(res)
	defer text.done()
	if err := t.stack.fit(res, text); err != nil {
		return fmt.Errorf("respond 100: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.final != 0 || t.said != nil {
		return nil
	}
	t.stack.wheel.stop(&t.timer)
	t.said = text.copy()
	return t.leave(t.said)
}

// again takes a message that matched this transaction: a repetition, or the
// ACK to its failure.
func (t *ServerTx) again(req *sip.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.over:
	case req.Method == sip.ACK:
		if t.final >= 300 {
			t.end(answer{})
		}
	case req.Method == t.Request.Method && t.said != nil:
		_ = t.link.write(t.said) // who misses it asks again
	}
}

// toTag is that of the responses to an INVITE so far.
func (t *ServerTx) toTag() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tag
}

// cancel answers a CANCEL and tells the owner of its INVITE (RFC 3261 section
// 9.2). The answer has the tag of what was said to the INVITE.
func (s *Stack) cancel(key string, req *sip.Request, from Peer) {
	invite, _ := serverKey(req, sip.INVITE)
	tx, err := s.newServerTx(key, req, from)
	if err != nil {
		s.drop("CANCEL whose sender cannot be answered", from, err)
		return
	}
	target, found := s.servers.get(invite)
	found = found && target.From.Addr.Addr() == from.Addr.Addr() // nobody else takes a call back
	var late answer
	if !found {
		var answered bool
		if late, answered = s.late.get(invite); !answered {
			_ = tx.Respond(Reply(req, sip.StatusCallTransactionDoesNotExists, "Call/Transaction Does Not Exist"))
			return
		}
	}
	if found { // before its answer, so that nobody who has that is surprised by a call that goes on
		s.handler.Cancel(target, req)
		late.tag = target.toTag()
	}
	res := Reply(req, sip.StatusOK, "OK")
	if late.tag != "" {
		res.To().Params.Add("tag", late.tag)
	}
	if err := tx.Respond(res); err != nil {
		s.drop("answer to a CANCEL", from, err)
	}
}

// Reply builds a response with what RFC 3261 section 8.2.6 demands of it: all
// of it is the sender's own. A To without a tag gets one; dialogs put theirs in
// its place. It shares header fields with the request: only To and the top Via
// may be changed.
func Reply(req *sip.Request, status int, phrase string) *sip.Response {
	res := sip.NewResponse(status, phrase)
	top := true
	for _, h := range req.Headers() {
		via, ok := h.(*sip.ViaHeader)
		if ok && top {
			top = false
			via = via.Clone()
			markSource(via, req.Source())
		}
		if ok {
			res.AppendHeader(via)
		}
	}
	to := &sip.ToHeader{DisplayName: req.To().DisplayName, Address: req.To().Address, Params: req.To().Params.Clone()}
	if status > 100 && !to.Params.Has("tag") {
		to.Params.Add("tag", sip.GenerateTagN(10))
	}
	if status > 100 && status < 300 {
		for _, h := range req.Headers() {
			if _, ok := h.(*sip.RecordRouteHeader); ok {
				res.AppendHeader(h)
			}
		}
	}
	res.AppendHeader(req.From())
	res.AppendHeader(to)
	res.AppendHeader(req.CallID())
	res.AppendHeader(req.CSeq())
	res.SetTransport(req.Transport())
	res.SetDestination(req.Source())
	length := sip.ContentLengthHeader(0)
	res.AppendHeader(&length)
	return res
}

// markSource writes received and rport (RFC 3261 18.2.1, RFC 3581 section 4).
func markSource(via *sip.ViaHeader, source string) {
	src, err := netip.ParseAddrPort(source)
	if err != nil {
		return
	}
	if v, ok := via.Params.Get("rport"); ok && v == "" {
		via.Params.Add("rport", strconv.Itoa(int(src.Port())))
		via.Params.Add("received", src.Addr().String())
		return
	}
	if strings.Trim(via.Host, "[]") != src.Addr().String() {
		via.Params.Add("received", src.Addr().String())
	}
}

// replyAddr is where the response goes (RFC 3261 18.2.2, RFC 3581 section 4).
func replyAddr(req *sip.Request, from Peer) netip.AddrPort {
	via := req.Via()
	if from.Transport != "UDP" || via == nil {
		return from.Addr
	}
	if via.Params.Has("rport") {
		return from.Addr
	}
	return listensAt(req, from)
}

// listensAt is where a sender is by its Via, on the host that it sent from.
func listensAt(req *sip.Request, from Peer) netip.AddrPort {
	port := req.Via().Port
	if port <= 0 || port > 65535 {
		port = sip.DefaultUdpPort // and of TCP
	}
	return netip.AddrPortFrom(from.Addr.Addr(), uint16(port))
}
