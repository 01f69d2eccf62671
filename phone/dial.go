package phone

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Option changes one outgoing call, or text.
type Option func(*dialling)

type dialling struct {
	from    string
	headers []sip.Header
	offer   bool
}

// From calls, or writes, with another number than the phone's own, as a trunk does.
func From(number string) Option { return func(d *dialling) { d.from = number } }

// WithHeader adds a header to the INVITE or MESSAGE.
func WithHeader(name, value string) Option {
	return func(d *dialling) { d.headers = append(d.headers, sip.NewHeader(name, value)) }
}

// WithoutOffer sends the INVITE without SDP: the other side offers.
func WithoutOffer() Option { return func(d *dialling) { d.offer = false } }

// Dial calls a number through the phone's server and returns once the INVITE
// went out. The call is cancelled if ctx ends before it is answered.
func (p *Phone) Dial(ctx context.Context, number string, options ...Option) (*Call, error) {
	d := dialling{from: p.cfg.Number, offer: true}
	for _, o := range options {
		o(&d)
	}
	c, err := newCall(p, true, token())
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", number, err)
	}
	c.local = sip.Uri{Scheme: "sip", User: d.from, Host: p.cfg.Domain}
	c.peer = sip.Uri{Scheme: "sip", User: number, Host: p.cfg.Domain}
	server, port, _ := sip.ParseAddr(p.cfg.Server)
	c.target = sip.Uri{Scheme: "sip", User: number, Host: server, Port: port}
	if !p.add(c) {
		c.audio.close()
		return nil, fmt.Errorf("call %s: the phone is closed", number)
	}
	c.mu.Lock()
	var body []byte
	if d.offer {
		body = c.offer(sendRecv)
	}
	req := c.request(sip.INVITE, "application/sdp", body)
	c.invite = req
	c.mu.Unlock()
	appendAll(req, d.headers...)
	tx, err := p.send(ctx, req)
	if err != nil {
		c.over(End{By: Local, Err: err})
		return nil, fmt.Errorf("call %s: %w", number, err)
	}
	if !p.begin(func() { c.follow(ctx, tx, req) }) {
		c.over(End{By: Local, Err: errEnded})
		return nil, fmt.Errorf("call %s: the phone is closed", number)
	}
	return c, nil
}

// follow takes the responses to the INVITE until the final one.
func (c *Call) follow(ctx context.Context, tx sip.ClientTransaction, req *sip.Request) {
	life := ctx.Done()
	cancel := c.cancel
	heard, cancelled, proved := false, false, false
	takeBack := func() {
		if heard && cancelled {
			c.sendCancel(req)
		}
	}
	for {
		select {
		case <-life:
			life = nil
			c.giveBack()
		case <-cancel:
			cancel, cancelled = nil, true
			takeBack()
		case <-tx.Done():
			c.over(End{By: Remote, Err: fmt.Errorf("INVITE: %w", tx.Err())})
			return
		case res := <-tx.Responses():
			switch {
			case res.IsProvisional():
				first := !heard
				heard = true
				if first {
					takeBack()
				}
				c.provisional(res)
			case res.IsSuccess():
				c.accepted(tx, req, res, cancelled)
				return
			case challenge(res) && !proved && !cancelled:
				proved, heard = true, false
				next, again, err := c.again(ctx, req, res)
				if err != nil {
					c.refused(res, err)
					return
				}
				tx, req = next, again
			default:
				c.refused(res, nil)
				return
			}
		}
	}
}

// again repeats the INVITE with credentials.
func (c *Call) again(ctx context.Context, req *sip.Request, res *sip.Response) (sip.ClientTransaction, *sip.Request, error) {
	proof, err := c.phone.prove(req, res)
	if err != nil {
		return nil, nil, err
	}
	again := req.Clone()
	again.RemoveHeader("Via")
	c.mu.Lock()
	c.seq++
	again.CSeq().SeqNo = c.seq
	c.invite = again
	c.mu.Unlock()
	again.AppendHeader(proof)
	tx, err := c.phone.send(ctx, again)
	return tx, again, err
}

func (c *Call) provisional(res *sip.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(res.Body()) > 0 {
		_ = c.acceptAnswer(res.Body()) // early media that makes no sense is not heard
	}
	c.status(res)
}

// accepted confirms the dialog, acknowledges and starts to talk.
func (c *Call) accepted(tx sip.ClientTransaction, req *sip.Request, res *sip.Response, cancelled bool) {
	c.mu.Lock()
	c.confirm(res)
	var body []byte
	var err error
	switch {
	case len(req.Body()) == 0: // the 2xx has the offer
		body, err = c.answerOffer(res.Body())
	case len(res.Body()) > 0:
		err = c.acceptAnswer(res.Body())
	case !c.remote.at.IsValid():
		err = errors.New("2xx without SDP")
	}
	ack := c.ack(req.CSeq().SeqNo, body)
	c.mu.Unlock()
	var sending sync.Mutex
	send := func() {
		sending.Lock()
		defer sending.Unlock()
		if c.phone.aim(context.Background(), ack) == nil {
			_ = c.phone.cli.WriteRequest(ack)
		}
	}
	tx.OnRetransmission(func(*sip.Response) { send() })
	send()
	c.mu.Lock()
	c.status(res)
	c.mu.Unlock()
	if err != nil || cancelled { // the 2xx crossed our CANCEL
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		_ = c.bye(ctx, "", err)
	}
}

func (c *Call) refused(res *sip.Response, err error) {
	c.mu.Lock()
	c.status(res)
	by := Remote
	if c.giveUp && res.StatusCode == sip.StatusRequestTerminated {
		by = Local
	}
	c.mu.Unlock()
	c.over(End{By: by, Status: res.StatusCode, Phrase: res.Reason, Reason: reasonOf(res), Err: err})
}

// Cancel takes back a call that is not answered yet; Hangup does so too. The
// call ends when the other side confirms.
func (c *Call) Cancel() { c.giveBack() }

func (c *Call) giveBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.giveUp && !c.up {
		c.giveUp = true
		close(c.cancel)
	}
}

// sendCancel sends the CANCEL of an INVITE that had a provisional response
// (RFC 3261 section 9.1).
func (c *Call) sendCancel(invite *sip.Request) {
	req := sip.NewRequest(sip.CANCEL, *invite.Recipient.Clone())
	hops := sip.MaxForwardsHeader(70)
	appendAll(req, invite.Via().Clone())
	sip.CopyHeaders("Route", invite, req)
	appendAll(req, &hops, sip.HeaderClone(invite.From()), sip.HeaderClone(invite.To()), sip.HeaderClone(invite.CallID()),
		&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL}, sip.NewHeader("Reason", "Q.850;cause=16"))
	req.SetBody(nil)
	ctx, stop := context.WithTimeout(c.phone.stop, 5*time.Second)
	tx, err := c.phone.send(ctx, req)
	if err != nil {
		stop()
		return // the INVITE's own transaction will tell
	}
	c.phone.wait.Go(func() {
		defer stop()
		_, _ = final(ctx, tx)
	})
}
