package sms

import (
	"context"
	"errors"
	"fmt"
	"time"

	"axgate/routing"
)

// outcome is how a carrier did with a text.
type outcome int

const (
	arrived  outcome = iota
	lost             // somebody else has the text
	hopeless         // no other try will help
	failed           // and no piece went out by it in this try
	doubtful         // pieces may have gone out: the text stays with the carrier
	halted           // the office ends
	full             // too much is under way by the carrier
)

// send takes the text to its receiver over the first carrier that can.
func (w *worker) send(t *Text, d *routing.MessageDecision) {
	list := w.route(t)
	if len(list) == 0 {
		w.again(t, d.App, routing.TextNotSent, "no carrier reaches the receiver")
		return
	}
	phone, v := "to "+string(t.Receiver), unclear
	switch w.gates.enter(w.stopped, phone, ofPhone) {
	case failing:
		w.again(t, d.App, routing.TextNotSent, "the receiver does not answer at the moment")
		return
	case crowded:
		w.giveBack(t, w.cfg.Now().Add(soon))
		return
	}
	defer func() { w.gates.leave(phone, ofPhone, v) }()
	stays, failure := t.Carrier != "", ""
	for _, c := range list {
		o, why := w.attempt(t, d, c, &v)
		if why != "" {
			failure = c.Name() + ": " + why
			t.Failure = bounded(failure)
		}
		switch o {
		case lost:
			return
		case arrived:
			t.Failure = ""
			w.finish(t, routing.TextSent, d.App)
			return
		case hopeless:
			w.finish(t, t.unsent(routing.TextNotSent), d.App)
			return
		case halted:
			w.giveBack(t, w.cfg.Now())
			return
		case full:
			w.giveBack(t, w.cfg.Now().Add(soon))
			return
		case doubtful:
			w.again(t, d.App, routing.TextNotSent, failure)
			return
		case failed:
			if !stays {
				t.Carrier = ""
			}
		}
	}
	w.again(t, d.App, routing.TextNotSent, failure)
}

// route lists the carriers that may have the text, in their order.
func (w *worker) route(t *Text) (list []Carrier) {
	for _, c := range w.carriers {
		if t.Carrier == c.Name() || t.Carrier == "" && c.Reaches(t.Receiver) {
			list = append(list, c)
		}
	}
	return list
}

// attempt sends what is left of the text over a carrier. v is what was found.
func (w *worker) attempt(t *Text, d *routing.MessageDecision, c Carrier, v *verdict) (outcome, string) {
	for _, g := range gatesOf(t, c) {
		switch w.gates.enter(w.stopped, g.name, g.bound) {
		case failing:
			return failed, "it does not answer at the moment"
		case crowded:
			return full, ""
		}
		defer func() { w.gates.leave(g.name, g.bound, *v) }()
	}
	pieces := max(1, c.Pieces(d.Text))
	if t.Sent > 0 && pieces != t.Pieces {
		return hopeless, fmt.Sprintf("it had %d pieces and has %d now: what is sent already cannot be told", t.Pieces, pieces)
	}
	before, try := t.Carrier, t.Tries
	t.Carrier, t.Pieces = c.Name(), pieces
	t.Tries++
	if !w.save(t, w.cfg.Now().Add(w.cfg.Lease)) { // whoever has the text after a crash knows that this began
		return lost, ""
	}
	for t.Sent < pieces {
		if w.stopped.Err() != nil {
			if t.Sent == 0 {
				t.Carrier = before
			}
			return halted, ""
		}
		start := time.Now()
		err := w.piece(t, d, c, try)
		if errors.Is(err, errLost) {
			return lost, ""
		}
		if err != nil {
			if *v = unclear; time.Since(start) > slow {
				*v = ill
			}
			return w.judge(t, err)
		}
		*v = well
		t.Sent, t.Fails = t.Sent+1, 0
		if t.Sent < pieces && !w.save(t, w.cfg.Now().Add(w.cfg.Lease)) {
			return lost, ""
		}
	}
	return arrived, ""
}

// slow is how long a failure takes that holds others up.
const slow = 2 * time.Second

// passing is a gate on a text's way.
type passing struct {
	name string
	bound
}

// gatesOf are those to a carrier. Phones are carriers of their own: what one of
// them does says nothing of the others.
func gatesOf(t *Text, c Carrier) []passing {
	const phones = "phone"
	if c.Name() == phones {
		return nil
	}
	return []passing{{"by " + c.Name(), ofCarrier}, {"app " + t.App + " by " + c.Name(), ofSharing}}
}

// piece sends the next one.
func (w *worker) piece(t *Text, d *routing.MessageDecision, c Carrier, try int) error {
	o := Outgoing{ID: t.ID, X: t.X, Receiver: t.Receiver, Text: d.Text, Piece: t.Sent, Pieces: t.Pieces, Try: try, Fails: t.Fails, At: t.At}
	return w.hold(t, w.cfg.Send, func(ctx context.Context) error { return c.Send(ctx, o) })
}

// judge tells what follows from a failure.
func (w *worker) judge(t *Text, err error) (outcome, string) {
	f, ok := errors.AsType[*Failure](err)
	switch {
	case w.sending.Err() != nil:
		return halted, "it was ended with the node"
	case !ok:
		return doubtful, "it is not known whether it was sent"
	case !f.Temporary:
		return hopeless, f.Reason
	case t.Sent > 0:
		return doubtful, f.Reason
	}
	return failed, f.Reason
}
