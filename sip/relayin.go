package sip

import (
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/routing"
	"axgate/sip/identity"
	"axgate/sip/wire"
	"axgate/sms"
	"axgate/sms/parts"
	"axgate/sms/rp"
)

// relayed takes a MESSAGE of the 3GPP relay layer (TS 24.341): a text, which is
// answered with 202 once it is on the disk and then with a report in a MESSAGE
// of its own, or the report on a text of ours.
func (s *Server) relayed(tx *wire.ServerTx, who origin) {
	req := tx.Request
	if refused := checkCoding(req); refused != nil {
		s.reply(tx, refused.status, refused.phrase, refused.headers...)
		return
	}
	m, err := rp.Parse(req.Body())
	var fault *rp.Fault
	switch m := m.(type) {
	case rp.Ack, rp.Error:
		s.reports.take(who.trunk, m, tags(req, "In-Reply-To"))
		s.reply(tx, sip.StatusAccepted, phrase(sip.StatusAccepted))
		return
	case rp.Data:
		if s.draining.Load() {
			s.reply(tx, sip.StatusServiceUnavailable, phrase(sip.StatusServiceUnavailable), s.retryAfter())
			return
		}
		s.relayedData(tx, who, m)
		return
	case rp.Memory: // nothing waits here for a phone with room
		s.reply(tx, sip.StatusAccepted, phrase(sip.StatusAccepted))
		s.report(tx, who, m.Refuse())
		return
	}
	if errors.As(err, &fault) {
		if refusal, ok := fault.Answer(); ok {
			s.reply(tx, sip.StatusAccepted, phrase(sip.StatusAccepted))
			s.report(tx, who, refusal)
			return
		}
	}
	s.reply(tx, sip.StatusBadRequest, "Bad RP Message")
}

// errUnknownX is why a text is not for us.
var errUnknownX = errors.New("no X")

// relayedData takes a text of the relay layer.
func (s *Server) relayedData(tx *wire.ServerTx, who origin, d rp.Data) {
	in, content, err := s.readRelayed(tx, who, d)
	switch {
	case errors.Is(err, errUnknownX) && d.From == rp.Network: // its address is that of the MESSAGE
		s.reply(tx, sip.StatusNotFound, phrase(sip.StatusNotFound))
		return
	case errors.Is(err, errUnknownX):
		s.refuseRelayed(tx, who, d.RefuseFor(rp.UnassignedNumber))
		return
	case err != nil:
		s.refuseRelayed(tx, who, d.Refuse(err, time.Now()))
		return
	case content.Binary:
		s.refuseRelayed(tx, who, d.RefuseFor(refusal(d, rp.NotImplemented)))
		return
	case content.Silent, content.Text == "" && content.Part == nil: // to be acknowledged and dropped
		s.reply(tx, sip.StatusAccepted, phrase(sip.StatusAccepted))
		s.report(tx, who, d.Ack(time.Now()))
		return
	}
	in.Text = content.Text
	if p := content.Part; p != nil && p.Total > 1 {
		in.Part = &sms.Part{Ref: p.Ref, Seq: p.Seq, Total: p.Total}
	} else {
		in.Text = parts.Join([]string{content.Text}) // the only part of one is whole
	}
	s.handOver(tx, in, func(receipt sms.Receipt) (*answer, func()) {
		var m rp.Message
		switch {
		case receipt.Outcome == sms.Taken, receipt.Outcome == sms.Repeated:
			m = d.Ack(time.Now())
		case receipt.Outcome == sms.Unknown && d.From == rp.Phone:
			m = d.RefuseFor(rp.UnassignedNumber)
		case receipt.Outcome == sms.Refused, receipt.Outcome == sms.TooLong:
			m = d.RefuseFor(refusal(d, rp.Rejected))
		default:
			return nil, nil
		}
		return &answer{status: sip.StatusAccepted, phrase: phrase(sip.StatusAccepted)}, func() { s.report(tx, who, m) }
	})
}

// refusal is the cause to tell: a network may say more than a phone (TS 24.011
// tables 8.4).
func refusal(d rp.Data, cause rp.Cause) rp.Cause {
	if d.From == rp.Network {
		return rp.Unspecified
	}
	return cause
}

func (s *Server) refuseRelayed(tx *wire.ServerTx, who origin, m rp.Error) {
	s.reply(tx, sip.StatusAccepted, phrase(sip.StatusAccepted))
	s.report(tx, who, m)
}

// readRelayed reads from whom and for which X a text of the relay layer is. A
// network names the sender in the text, and X where it sends it; with a phone
// it is the other way round.
func (s *Server) readRelayed(tx *wire.ServerTx, who origin, d rp.Data) (sms.Incoming, rp.Content, error) {
	in := s.incoming(tx, who)
	var ok bool
	if d.From == rp.Phone {
		t, err := rp.ParseSubmit(d.TPDU)
		if err != nil {
			return in, t.Content, err
		}
		if in.X, ok = s.dialledX(who, t.Destination.Dialled()); !ok {
			return in, t.Content, errUnknownX
		}
		in.Twin = sms.Twin{Mark: twin(in, t.Content, t.MR), New: !t.RejectDuplicates}
		return in, t.Content, nil
	}
	if who.trunk == nil { // a phone is no network, whatever it says
		return in, rp.Content{}, &rp.Fault{Cause: rp.WrongState}
	}
	t, err := rp.ParseDeliver(d.TPDU)
	if err != nil {
		return in, t.Content, err
	}
	if in.X, ok = s.relayedX(tx.Request, who); !ok {
		return in, t.Content, errUnknownX
	}
	in.Sender, _ = s.cfg.Plan.ReadNumber(t.Originator.Dialled()) // a name is nobody's number
	if !t.At.IsZero() {
		in.Twin.Mark = twin(in, t.Content, t.At.Unix())
	}
	return in, t.Content, nil
}

// relayedX is the X that a network has a text for.
func (s *Server) relayedX(req *sip.Request, who origin) (routing.X, bool) {
	for _, number := range identity.Called(req) {
		if x, ok := s.dialledX(who, number); ok {
			return x, true
		}
	}
	return "", false
}

// twin is the same for a text that its network sends again in another MESSAGE.
// mark is what it keeps then: the service centre's time stamp, or the phone's
// reference, which some phones never count up: theirs are repetitions only if
// they say so (TP-RD, TS 23.040 9.2.3.25).
func twin(in sms.Incoming, c rp.Content, mark any) string {
	var part rp.Part
	if c.Part != nil {
		part = *c.Part
	}
	return digestOf("twin", in.Sender, in.X, mark, part.Ref, part.Seq, part.Total, c.Text)
}
