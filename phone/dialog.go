package phone

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"
)

// request builds a request of this dialog with the next CSeq (RFC 3261 section
// 12.2.1.1). The caller holds the lock.
func (c *Call) request(method sip.RequestMethod, contentType string, body []byte) *sip.Request {
	c.seq++
	req := c.build(method, c.seq)
	if method == sip.INVITE {
		req.AppendHeader(c.phone.contact())
		req.AppendHeader(sip.NewHeader("Allow", allow))
	}
	if body != nil {
		req.AppendHeader(sip.NewHeader("Content-Type", contentType))
	}
	req.SetBody(body)
	return req
}

// ack builds the ACK of a 2xx. The caller holds the lock.
func (c *Call) ack(seq uint32, body []byte) *sip.Request {
	req := c.build(sip.ACK, seq)
	if body != nil {
		req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	req.SetBody(body)
	return req
}

func (c *Call) build(method sip.RequestMethod, seq uint32) *sip.Request {
	target := *c.target.Clone()
	target.Headers = nil
	req := sip.NewRequest(method, target)
	for i := range c.routes {
		req.AppendHeader(&sip.RouteHeader{Address: *c.routes[i].Clone()})
	}
	hops, id := sip.MaxForwardsHeader(70), sip.CallIDHeader(c.id)
	from := &sip.FromHeader{DisplayName: c.phone.cfg.Display, Address: *c.local.Clone()}
	if !c.out {
		from.DisplayName = ""
	}
	from.Params.Add("tag", c.localTag)
	to := &sip.ToHeader{Address: *c.peer.Clone()}
	if c.peerTag != "" {
		to.Params.Add("tag", c.peerTag)
	}
	appendAll(req, &hops, from, to, &id, &sip.CSeqHeader{SeqNo: seq, MethodName: method}, sip.NewHeader("User-Agent", c.phone.cfg.Agent))
	req.SetDestination(c.next())
	return req
}

// next is where requests of this dialog go.
func (c *Call) next() string {
	hop := c.target
	if len(c.routes) > 0 {
		hop = c.routes[0]
	}
	port := hop.Port
	if port == 0 {
		port = sip.DefaultUdpPort
	}
	hop.Port = port
	return hop.HostPort()
}

// confirm takes the dialog's state from the 2xx to our first INVITE (RFC 3261
// section 12.1.2). The caller holds the lock.
func (c *Call) confirm(res *sip.Response) {
	if to := res.To(); to != nil {
		c.peerTag, _ = to.Params.Get("tag")
	}
	if h := res.Contact(); h != nil {
		c.target = *h.Address.Clone()
	}
	c.routes = nil
	for _, h := range res.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			c.routes = append(c.routes, *rr.Address.Clone())
		}
	}
	slices.Reverse(c.routes)
}

// ask sends a request inside the dialog and waits for its final response.
func (c *Call) ask(ctx context.Context, method sip.RequestMethod, contentType string, body []byte, headers ...sip.Header) (*sip.Response, error) {
	c.mu.Lock()
	req := c.request(method, contentType, body)
	appendAll(req, headers...)
	tx, err := c.phone.send(ctx, req) // under the lock, so that CSeq rises on the wire
	c.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	res, err := final(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	return res, nil
}

func (c *Call) info(ctx context.Context, contentType, body string) error {
	res, err := c.ask(ctx, sip.INFO, contentType, []byte(body))
	if err != nil {
		return err
	}
	if !res.IsSuccess() {
		return fmt.Errorf("INFO: %d %s", res.StatusCode, res.Reason)
	}
	return nil
}

// Hangup ends the call: BYE if it was answered, else CANCEL or a refusal. It
// returns when the other side has confirmed.
func (c *Call) Hangup(ctx context.Context) error { return c.HangupReason(ctx, "Q.850;cause=16") }

// HangupReason is Hangup with a Reason header in the BYE; empty: none.
func (c *Call) HangupReason(ctx context.Context, reason string) error {
	c.mu.Lock()
	up, ended := c.up, c.ended
	c.mu.Unlock()
	switch {
	case ended:
		return nil
	case up:
		return c.bye(ctx, reason, nil)
	case c.out:
		c.giveBack()
		_, err := c.WaitEnd(ctx)
		return err
	}
	return c.Reject(sip.StatusBusyHere, 17)
}

func (c *Call) bye(ctx context.Context, reason string, cause error) error {
	var headers []sip.Header
	if reason != "" {
		headers = append(headers, sip.NewHeader("Reason", reason))
	}
	res, err := c.ask(ctx, sip.BYE, "", nil, headers...)
	c.over(End{By: Local, Reason: reason, Err: cause})
	if err != nil {
		return err
	}
	if !res.IsSuccess() && res.StatusCode != sip.StatusCallTransactionDoesNotExists {
		return fmt.Errorf("BYE: %d %s", res.StatusCode, res.Reason)
	}
	return nil
}

// Hold asks the other side to be silent (re-INVITE with sendonly, RFC 3264
// section 8.4) and returns its direction, which should be recvonly.
func (c *Call) Hold(ctx context.Context) (string, error) { return c.reinvite(ctx, sendOnly) }

// Resume takes the call off hold; the direction should be sendrecv.
func (c *Call) Resume(ctx context.Context) (string, error) { return c.reinvite(ctx, sendRecv) }

func (c *Call) reinvite(ctx context.Context, d direction) (string, error) {
	c.mu.Lock()
	req := c.request(sip.INVITE, "application/sdp", c.offer(d))
	tx, err := c.phone.send(ctx, req)
	c.mu.Unlock()
	if err != nil {
		return "", fmt.Errorf("re-INVITE: %w", err)
	}
	for {
		select {
		case res := <-tx.Responses():
			if res.IsProvisional() {
				continue
			}
			if !res.IsSuccess() {
				return "", fmt.Errorf("re-INVITE: %d %s", res.StatusCode, res.Reason)
			}
			return c.reanswered(req, res)
		case <-tx.Done():
			return "", fmt.Errorf("re-INVITE: %w", tx.Err())
		case <-ctx.Done():
			return "", fmt.Errorf("re-INVITE: %w", ctx.Err())
		}
	}
}

func (c *Call) reanswered(req *sip.Request, res *sip.Response) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := res.Contact(); h != nil {
		c.target = *h.Address.Clone()
	}
	err := c.acceptAnswer(res.Body())
	ack := c.ack(req.CSeq().SeqNo, nil)
	if aim := c.phone.aim(context.Background(), ack); aim == nil {
		_ = c.phone.cli.WriteRequest(ack)
	}
	if err != nil {
		return "", fmt.Errorf("re-INVITE: %w", err)
	}
	return string(c.remote.direction), nil
}

// close ends the call whatever its state, within ctx.
func (c *Call) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	err := c.Hangup(ctx)
	c.over(End{By: Local, Err: err})
}
