package sms

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"axgate/events"
	"axgate/routing"
	"axgate/sms/parts"
)

// Receive takes a text from a carrier. Without an error it is on the disk, or
// the Receipt says why it was not kept. An error, which is a fault of ours or
// of the carrier, leaves nothing, or nobody knows: it may come again.
func (o *Office) Receive(ctx context.Context, in Incoming) (Receipt, error) {
	if in.Key == "" || len(in.Key) > 64 || len(in.Twin.Mark) > 64 {
		return Receipt{}, fmt.Errorf("take a text of %s: its key has %d characters and its twin's %d: use 1 to 64", in.Source, len(in.Key), len(in.Twin.Mark))
	}
	select {
	case o.desks <- struct{}{}:
		defer func() { <-o.desks }()
	default:
		return Receipt{Outcome: Busy, After: time.Second}, nil
	}
	o.tidy(&in)
	if o.tooLong(&in) {
		return Receipt{Outcome: TooLong}, nil
	}
	if after, ok := o.withinLimits(ctx, &in); !ok {
		return Receipt{Outcome: Limited, After: after}, nil
	}
	r, err := o.take(ctx, &in)
	if errors.Is(err, ErrFull) {
		return Receipt{Outcome: Limited, After: busyFor}, nil
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("take a text to %s: %w", in.X, err)
	}
	return r, nil
}

// busyFor is when it is worth trying again after ErrFull.
const busyFor = 10 * time.Second

// tidy makes of an Incoming what can be stored, and sets what it does not say.
func (o *Office) tidy(in *Incoming) {
	in.Text = strings.ReplaceAll(strings.ToValidUTF8(in.Text, "\uFFFD"), "\x00", "")
	if now := o.cfg.Now(); in.At.IsZero() || in.At.After(now) {
		in.At = now
	}
	// What is no part of several is whole (TS 23.040 9.2.3.24.1).
	if p := in.Part; p != nil && (p.Total < 2 || p.Seq < 1 || p.Seq > p.Total) {
		in.Part = nil
	}
}

func (o *Office) tooLong(in *Incoming) bool {
	const most = 160 * 4 // bytes of a part
	if in.Part != nil {
		return in.Part.Total > o.cfg.MaxParts || len(in.Text) > most
	}
	if len(in.Text) > o.cfg.MaxParts*most {
		return true
	}
	return parts.Count(in.Text) > o.cfg.MaxParts
}

// withinLimits counts a text. What its sender may not write does not use up
// what others may write to X.
func (o *Office) withinLimits(ctx context.Context, in *Incoming) (after time.Duration, ok bool) {
	if in.Sender != "" {
		if after, ok = o.quota.from(ctx, in.Sender, o.cfg.PerSender); !ok {
			return after, false
		}
	}
	return o.quota.to(ctx, in.X, o.cfg.PerX)
}

func (o *Office) bounds() Bounds {
	return Bounds{Waiting: o.cfg.Waiting, Open: o.cfg.Open, Twins: twinFor}
}

// twinFor is how long a text under another key can be the same.
const twinFor = 10 * time.Minute

// take decides about a text, or a part of one, and stores it.
func (o *Office) take(ctx context.Context, in *Incoming) (Receipt, error) {
	t := Text{ID: newID(in.At), Source: in.Source, X: in.X, Sender: in.Sender, Text: in.Text, At: in.At, Split: parts.Count(in.Text)}
	d, err := o.cfg.Rules.DecideMessage(ctx, t.message(o.cfg.Now()))
	switch {
	case err != nil:
		return Receipt{}, err
	case d.UnknownX:
		return Receipt{Outcome: Unknown}, nil
	case d.App == nil:
		return Receipt{}, fmt.Errorf("nobody can be told of it: %s", d.Why)
	}
	t.App, t.SP = d.App.Key, d.App.SP
	if in.Part != nil {
		return o.takePart(ctx, in, &t)
	}
	t.Key, t.Ahead, t.Due = in.Key, true, o.cfg.Now()
	t.learn(&d)
	var evs []events.Event
	if d.Step == routing.DropText {
		t.Refused, t.Due = true, time.Time{}
		evs = append(evs, t.end(d.Result, d.App, o.cfg.Now()))
	}
	before, err := o.cfg.Store.AddText(ctx, &t, in.Twin, o.bounds(), evs...)
	if err != nil {
		return Receipt{}, err
	}
	if before != nil {
		return before.receipt(Repeated), nil
	}
	o.refused(&t)
	o.rouse()
	return t.receipt(Taken), nil
}

// refused tells of a text that the rules did not let pass when it came.
func (o *Office) refused(t *Text) {
	if t.Refused {
		o.cfg.Done(t.Result)
	}
}

// takePart stores a part, and decides about the text if it was the last one.
func (o *Office) takePart(ctx context.Context, in *Incoming, t *Text) (Receipt, error) {
	now := o.cfg.Now()
	t.Text, t.Open, t.Parts, t.Split, t.Due = "", true, in.Part.Total, in.Part.Total, now.Add(o.cfg.Assemble)
	p := NewPart{Part: *in.Part, Key: in.Key, Twin: in.Twin, Text: in.Text, At: in.At}
	r, err := o.cfg.Store.AddPart(ctx, t, p, o.bounds(), now.Add(handover))
	switch {
	case err != nil:
		return Receipt{}, err
	case r.Repeated:
		return r.Text.receipt(Repeated), nil
	case !r.Whole:
		return r.Text.receipt(Taken), nil
	}
	return o.whole(ctx, &r.Text), nil
}

// handover is how long a text that was put together is held until it is decided
// about.
const handover = 10 * time.Second

// whole decides about a text that was put together. It is on the disk: if this
// fails, Run finds it once the lease is over.
func (o *Office) whole(ctx context.Context, t *Text) Receipt {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handover)
	defer cancel()
	t.Split = parts.Count(t.Text)
	d, err := o.cfg.Rules.DecideMessage(ctx, t.message(o.cfg.Now()))
	if err != nil {
		o.cfg.Log.Error().Err(err).Str("text", t.ID).Msg("a text that came in parts cannot be decided about yet")
		return t.receipt(Taken)
	}
	due, evs := o.cfg.Now(), []events.Event(nil)
	switch {
	case d.App == nil || d.App.Key != t.App: // X went to somebody else between its parts; Run tells
	case d.Step == routing.DropText:
		t.learn(&d)
		t.Refused = true
		evs, due = append(evs, t.end(d.Result, d.App, due)), time.Time{}
	default:
		t.learn(&d)
	}
	held, err := o.cfg.Store.SaveText(ctx, t, due, evs...)
	if err != nil || !held {
		o.cfg.Log.Error().Err(err).Str("text", t.ID).Msg("what was decided about a text that came in parts is not stored: it is decided anew")
		t.Refused = false
	}
	o.refused(t)
	o.rouse()
	return t.receipt(Taken)
}

// newID makes an smsIdentifier. Those of one time are near each other in the
// ledger's indexes.
func newID(at time.Time) string {
	const random = 16 // characters of five bits
	return fmt.Sprintf("%011x%s", at.UnixMilli(), rand.Text()[:random])
}
