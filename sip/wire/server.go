package wire

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"
)

// ServerTx is a request that we answer.
type ServerTx struct {
	Request *sip.Request
	From    Peer

	stack *Stack
	key   string
	tx    *sip.ServerTx
	conn  *remembering

	final atomic.Int32           // the final status that was sent
	tag   atomic.Pointer[string] // of To in the responses to an INVITE; nil: there was none
}

func (s *Stack) newServerTx(key string, req *sip.Request, from Peer) (*ServerTx, error) {
	conn, err := s.connection(from, replyAddr(req, from))
	if err != nil {
		return nil, err
	}
	rc := &remembering{Connection: conn}
	t := &ServerTx{Request: req, From: from, stack: s, key: key, conn: rc, tx: sip.NewServerTx(key, req, rc, quiet)}
	if err := t.tx.Init(); err != nil {
		_, _ = conn.TryClose()
		return nil, fmt.Errorf("start transaction: %w", err)
	}
	s.servers.put(key, t)
	t.tx.OnTerminate(func(string, error) { s.servers.drop(key) })
	return t, nil
}

// Respond sends a response; after a final one the transaction is over. A 2xx
// to an INVITE is repeated by its owner, by calling Repeat until the ACK comes
// (RFC 3261 section 13.3.1.4); a failure is repeated here. In the place of a
// final response that may not leave goes a 500 with nothing in it, so that the
// sender's transaction ends; the error is ErrRefused all the same.
func (t *ServerTx) Respond(res *sip.Response) error {
	err := t.stack.fit(res)
	if err == nil {
		return t.respond(res)
	}
	if res.StatusCode >= 200 {
		empty := Reply(t.Request, sip.StatusInternalServerError, "Server Internal Error")
		if t.stack.fit(empty) != nil {
			t.tx.Terminate()
		} else {
			_ = t.respond(empty) // the refusal is the error that counts
		}
	}
	return fmt.Errorf("respond %d to %s: %w", res.StatusCode, t.Request.Method, err)
}

func (t *ServerTx) respond(res *sip.Response) error {
	if to := res.To(); t.Request.Method == sip.INVITE && to != nil && t.tag.Load() == nil {
		if tag, ok := to.Params.Get("tag"); ok {
			t.tag.Store(&tag)
		}
	}
	if t.Request.Method == sip.INVITE && res.StatusCode >= 200 && res.StatusCode < 300 {
		t.stack.guard.answered(t.Request, t.From, res.StatusCode)
		err := t.conn.WriteMsg(res)
		t.end(answer{raw: t.conn.last(), accepted: true})
		if err != nil {
			return fmt.Errorf("respond %d to INVITE: %w", res.StatusCode, err)
		}
		return nil
	}
	if t.Request.Method == sip.INVITE && t.From.Transport == "UDP" && challenges(res) {
		return t.once(res)
	}
	if res.StatusCode >= 200 {
		t.stack.guard.answered(t.Request, t.From, res.StatusCode)
		t.final.Store(int32(res.StatusCode)) // before it is sent: the ACK may be here at once
	}
	if err := t.tx.Respond(res); err != nil {
		return fmt.Errorf("respond %d to %s: %w", res.StatusCode, t.Request.Method, err)
	}
	if res.StatusCode >= 200 && t.Request.Method != sip.INVITE {
		t.end(answer{raw: t.conn.last()})
	}
	return nil
}

func challenges(res *sip.Response) bool {
	return res.StatusCode == sip.StatusUnauthorized || res.StatusCode == sip.StatusProxyAuthRequired
}

// once answers a challenge to an INVITE without repeating it: its sender is not
// known yet, and may be forged to have us flood somebody. Who did not get it
// repeats the INVITE (RFC 3261 section 26.3.2.4).
func (t *ServerTx) once(res *sip.Response) error {
	t.stack.guard.answered(t.Request, t.From, res.StatusCode)
	err := t.conn.WriteMsg(res)
	t.end(answer{raw: t.conn.last()})
	if err != nil {
		return fmt.Errorf("respond %d to INVITE: %w", res.StatusCode, err)
	}
	return nil
}

// Repeat sends a 2xx to an INVITE once more.
func (t *ServerTx) Repeat(res *sip.Response) error {
	if err := t.stack.fit(res); err != nil {
		return fmt.Errorf("repeat %d to INVITE: %w", res.StatusCode, err)
	}
	if err := t.conn.WriteMsg(res); err != nil {
		return fmt.Errorf("repeat %d to INVITE: %w", res.StatusCode, err)
	}
	return nil
}

func (t *ServerTx) end(a answer) {
	if tag := t.tag.Load(); tag != nil {
		a.tag = *tag
	}
	if t.From.Transport == "UDP" || a.accepted {
		t.stack.late.put(t.key, a)
	}
	t.tx.Terminate()
}

// again takes a message that matched this transaction: a repetition, or the
// ACK to its failure.
func (t *ServerTx) again(req *sip.Request) {
	// The machine repeats its last response. An ACK goes through it as well: a
	// repetition that is under way would start its timer again after the end.
	_ = t.tx.Receive(req)
	if req.IsAck() && t.final.Load() >= 300 {
		t.end(answer{})
	}
}

// cancel answers a CANCEL and tells the owner of its INVITE (RFC 3261 section
// 9.2). The answer has the tag of what was said to the INVITE.
func (s *Stack) cancel(req *sip.Request, from Peer) {
	invite := ""
	if via := req.Via(); via != nil {
		probe := sip.NewRequest(sip.INVITE, req.Recipient)
		probe.AppendHeader(via)
		cseq := *req.CSeq()
		cseq.MethodName = sip.INVITE
		probe.AppendHeader(&cseq)
		if h := req.From(); h != nil {
			probe.AppendHeader(h)
		}
		if h := req.CallID(); h != nil {
			probe.AppendHeader(h)
		}
		invite, _ = sip.ServerTxKeyMake(probe)
	}
	key, _ := sip.ServerTxKeyMake(req)
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
		if tag := target.tag.Load(); tag != nil {
			late.tag = *tag
		}
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
// of it is the sender's own. A To without a tag gets none: dialogs add theirs.
func Reply(req *sip.Request, status int, phrase string) *sip.Response {
	res := sip.NewResponse(status, phrase)
	for i, h := range req.GetHeaders("Via") {
		via := sip.HeaderClone(h)
		if v, ok := via.(*sip.ViaHeader); ok && i == 0 {
			markSource(v, req.Source())
		}
		res.AppendHeader(via)
	}
	if status > 100 && status < 300 && req.To() != nil {
		for _, h := range req.GetHeaders("Record-Route") {
			res.AppendHeader(sip.HeaderClone(h))
		}
	}
	res.AppendHeader(sip.HeaderClone(req.From()))
	res.AppendHeader(sip.HeaderClone(req.To()))
	res.AppendHeader(sip.HeaderClone(req.CallID()))
	res.AppendHeader(sip.HeaderClone(req.CSeq()))
	if to := res.To(); status > 100 && !to.Params.Has("tag") {
		to.Params.Add("tag", sip.GenerateTagN(10))
	}
	res.SetTransport(req.Transport())
	res.SetDestination(req.Source())
	res.SetBody(nil)
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
	port := via.Port
	if port <= 0 || port > 65535 {
		port = sip.DefaultUdpPort
	}
	return netip.AddrPortFrom(from.Addr.Addr(), uint16(port))
}

// remembering keeps the bytes of what was written last, for late repetitions.
type remembering struct {
	sip.Connection
	mu  sync.Mutex
	raw []byte
}

func (r *remembering) WriteMsg(msg sip.Message) error {
	if p, ok := r.Connection.(*udpPeer); ok {
		buf := buffers.Get().(*bytes.Buffer)
		defer buffers.Put(buf)
		buf.Reset()
		msg.StringWrite(buf)
		r.mu.Lock()
		r.raw = append(r.raw[:0], buf.Bytes()...)
		r.mu.Unlock()
		return p.socket.write(buf.Bytes(), p.to)
	}
	return r.Connection.WriteMsg(msg)
}

func (r *remembering) last() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.raw)
}
