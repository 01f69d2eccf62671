package sip

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"axgate/routing"
	"axgate/sip/trunk"
	"axgate/sms"
	"axgate/sms/rp"
)

// reportTime is how long the report on a text is waited for (TS 24.011 10.1:
// timer TR1M has 35 s to 45 s).
const reportTime = 35 * time.Second

// relayCarrier sends texts as 3GPP networks do (TS 24.341).
type relayCarrier struct {
	srv   *Server
	trunk *trunk.Trunk
}

var _ sms.Carrier = (*relayCarrier)(nil)

// Name implements sms.Carrier.
func (c *relayCarrier) Name() string { return c.trunk.Name }

// Reaches implements sms.Carrier.
func (c *relayCarrier) Reaches(n routing.Number) bool { return c.trunk.Serves(n) }

// Pieces implements sms.Carrier: each is a segment.
func (c *relayCarrier) Pieces(text string) int {
	contents, err := rp.Split(text, 0, false)
	if err != nil {
		return 1 // Send tells
	}
	return len(contents)
}

// Send implements sms.Carrier. A text is sent when its report says so.
func (c *relayCarrier) Send(ctx context.Context, o sms.Outgoing) error {
	x, err := c.trunk.Shown(&c.srv.cfg.Plan, o.X)
	if err != nil {
		return &sms.Failure{Reason: err.Error()}
	}
	l := c.letter(o, x)
	seed, _ := hex.DecodeString(l.id) // it is ours
	mr, report, ok := c.srv.reports.enter(c.trunk, seed[0], l.callID(), c.peer())
	if !ok {
		return &sms.Failure{Reason: c.Name() + " has all the texts that it can report on", Temporary: true}
	}
	defer c.srv.reports.leave(c.trunk, mr)
	if l.body, err = c.body(o, x, mr, seed); err != nil {
		return &sms.Failure{Reason: fmt.Sprintf("%s: write the text: %v", c.Name(), err)}
	}
	limit := time.NewTimer(c.srv.cfg.reportTime)
	defer limit.Stop()
	err = c.srv.send(ctx, l)
	select {
	case m := <-report: // whatever its MESSAGE was answered, it has come
		return c.judge(o, m)
	default:
	}
	if err != nil {
		return err
	}
	select {
	case m := <-report:
		return c.judge(o, m)
	case <-limit.C:
		return fmt.Errorf("send a text by %s: no report in %v", c.Name(), c.srv.cfg.reportTime)
	case <-ctx.Done():
		return fmt.Errorf("send a text by %s: wait for the report: %w", c.Name(), ctx.Err())
	}
}

// judge tells what a report says.
func (c *relayCarrier) judge(o sms.Outgoing, m rp.Message) error {
	e, failed := m.(rp.Error)
	if !failed || e.Arrived() && o.Try > 0 {
		return nil
	}
	return &sms.Failure{Reason: fmt.Sprintf("%s reported %s", c.Name(), e.Cause), Temporary: e.Temporary()}
}

// peer is the side that the trunk is of.
func (c *relayCarrier) peer() rp.Side {
	if c.trunk.Texts.Role == trunk.Network {
		return rp.Phone
	}
	return rp.Network
}

// letter is the MESSAGE of one segment without its body: from X to the service
// centre, or from that, which is ours, to the phone. x is X as it is shown.
func (c *relayCarrier) letter(o sms.Outgoing, x string) letter {
	s, t := c.srv, c.trunk
	center := t.Texts.PSI
	if center == "" {
		center = t.Texts.Center
	}
	to, shown := center, x
	if t.Texts.Role == trunk.Network {
		to, shown = t.Callee(&s.cfg.Plan, o.Receiver), center
	}
	r := s.trunkRoute(t, to)
	return letter{id: digestOf(c.Name(), o.ID, o.Piece), round: o.Fails, tried: o.Try > 0, route: r, from: s.from(r, shown), contentType: type3GPP, headers: s.asserted(r, shown)}
}

// body is RP-DATA with the segment. What it is numbered with comes from the
// text, so that whoever gets it again can tell.
func (c *relayCarrier) body(o sms.Outgoing, x string, mr byte, seed []byte) ([]byte, error) {
	id, err := hex.DecodeString(digestOf(o.ID))
	if err != nil {
		return nil, err
	}
	contents, err := rp.Split(o.Text, int(binary.BigEndian.Uint16(id)), false)
	if err != nil {
		return nil, err
	}
	if o.Piece < 0 || o.Piece >= len(contents) {
		return nil, fmt.Errorf("there is no segment %d of %d", o.Piece, len(contents))
	}
	plan, t := &c.srv.cfg.Plan, c.trunk
	center := rp.Number(t.Texts.Center)
	if t.Texts.Role == trunk.Network {
		tpdu, err := rp.Deliver{Originator: rp.Number(x), At: o.At.UTC(), More: o.Piece+1 < len(contents), Content: contents[o.Piece]}.Marshal()
		if err != nil {
			return nil, err
		}
		return rp.Data{From: rp.Network, MR: mr, Originator: center, TPDU: tpdu}.Marshal()
	}
	tpdu, err := rp.Submit{MR: seed[1], Destination: rp.Number(t.Callee(plan, o.Receiver)), RejectDuplicates: o.Try > 0, Content: contents[o.Piece]}.Marshal()
	if err != nil {
		return nil, err
	}
	return rp.Data{From: rp.Phone, MR: mr, Destination: center, TPDU: tpdu}.Marshal()
}
