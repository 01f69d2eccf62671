package events

import (
	"context"
	"strings"
	"time"
)

// mostFees is how many fee records one message holds (section 3).
const mostFees = 50

// batches divides what was claimed into what one delivery takes: the events of
// one session, all those of numbers, or one message of fee records. Records that were refused
// together go in ever smaller messages, so that one that the receiver cannot
// read does not keep it from all others for ever.
func batches(taken []Claimed) [][]Claimed {
	type key struct {
		lane    Lane
		session string
		tries   int
	}
	var all [][]Claimed
	open := map[key]int{}
	for _, c := range taken {
		k, most := key{lane: c.Lane(), session: c.Session}, len(taken)
		switch k.lane.Target {
		case ToFee:
			k.session, k.tries = "", c.Tries
			most = max(1, mostFees>>(2*min(c.Tries, 8)))
		case ToNumber:
			k.session = ""
		}
		i, ok := open[k]
		if !ok || len(all[i]) >= most {
			i = len(all)
			open[k] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], c)
	}
	return all
}

// pushSession pushes events of one session in their order. One that fails holds
// back those behind it.
func (p *Pusher) pushSession(ctx context.Context, r *Receiver, events []Claimed, e *ended) {
	for i, c := range events {
		start := p.cfg.Now()
		if ctx.Err() != nil || !p.cfg.Holds() || start.Add(p.cfg.Timeout).After(c.Lease) {
			p.giveBack(events[i:], start)
			return
		}
		address := r.Address(c.Kind.Target())
		if address == "" {
			p.drop(c, noAddress)
			continue
		}
		body, err := message(&c.Event, r)
		if err != nil {
			p.drop(c, err.Error())
			continue
		}
		err = p.post(context.WithoutCancel(ctx), address, r, c.App, body)
		due := p.report(c, start, err, e)
		if !due.IsZero() {
			p.giveBack(events[i+1:], due)
			return
		}
	}
}

// pushFees pushes fee records in one message.
func (p *Pusher) pushFees(ctx context.Context, r *Receiver, events []Claimed, e *ended) {
	start := p.cfg.Now()
	if ctx.Err() != nil || !p.cfg.Holds() || start.Add(p.cfg.Timeout).After(events[0].Lease) {
		p.giveBack(events, start)
		return
	}
	var sound []Claimed
	var records []feeInfo
	for _, c := range events {
		record, err := feeRecord(&c.Event, r, &p.cfg)
		switch {
		case r.Fee == "":
			p.drop(c, noAddress)
		case err != nil:
			p.drop(c, err.Error())
		default:
			sound, records = append(sound, c), append(records, record)
		}
	}
	if len(sound) == 0 {
		return
	}
	err := p.post(context.WithoutCancel(ctx), r.Fee, r, sound[0].App, feeMessage(records))
	for _, c := range sound {
		p.report(c, start, err, e)
	}
}

const noAddress = "not pushed: the app has no address for it"

// report tells the outcome of an attempt that began at start, and when there
// will be another one; zero: there will be none.
func (p *Pusher) report(c Claimed, start time.Time, err error, e *ended) time.Time {
	o := Outcome{Claimed: c, At: p.cfg.Now()}
	o.Tries++
	if o.First.IsZero() {
		o.First = start
	}
	if err == nil {
		e.took = true
		o.Done, o.Failure = o.At, ""
		p.cfg.Pushed(Pushed{&c.Event, PushTaken, o.Tries, start, o.At, ""})
		p.outcomes <- o
		return time.Time{}
	}
	e.failure = err.Error()
	o.Failure = bounded(e.failure)
	o.Due = p.next(&o)
	result := PushFailed
	if o.Due.IsZero() {
		result = PushGivenUp
		p.cfg.Log.Error().Str("app", c.App).Str("session", c.Session).Str("event", string(c.Kind)).Int("tries", o.Tries).Str("failure", o.Failure).
			Msg("the event is given up: replay it once the receiver is well")
	}
	p.cfg.Pushed(Pushed{&c.Event, result, o.Tries, start, o.At, o.Failure})
	p.outcomes <- o
	return o.Due
}

// next is when a failed event is pushed again. Steps that passed while nobody
// pushed are not made up for all at once.
func (p *Pusher) next(o *Outcome) time.Time {
	if o.Tries > len(p.cfg.Retries) {
		return time.Time{}
	}
	due := o.First.Add(p.cfg.Retries[o.Tries-1])
	if soonest := o.At.Add(p.cfg.Retries[0]); o.Tries > 1 && due.Before(o.At) {
		return soonest
	}
	return due
}

// drop ends an event without an attempt.
func (p *Pusher) drop(c Claimed, why string) {
	c.Failure = bounded(why)
	now := p.cfg.Now()
	p.cfg.Pushed(Pushed{&c.Event, PushDropped, c.Tries, now, now, c.Failure})
	p.outcomes <- Outcome{Claimed: c, At: now}
}

// giveBack lets go of events that were not tried.
func (p *Pusher) giveBack(events []Claimed, due time.Time) {
	now := p.cfg.Now()
	for _, c := range events {
		p.outcomes <- Outcome{Claimed: c, At: now, Due: due}
	}
}

// bounded keeps a reason short enough for a table, and free of bytes that are no
// text to PostgreSQL: it would refuse the whole batch.
func bounded(s string) string {
	const most = 200
	s = strings.ReplaceAll(s, "\x00", "")
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// mostOutcomes is how many outcomes may wait, and are stored together.
const mostOutcomes = 1024

// store writes outcomes, all that wait together, until there will be no more.
func (p *Pusher) store(ctx context.Context) {
	for first := range p.outcomes {
		batch := append(make([]Outcome, 0, len(p.outcomes)+1), first)
		for len(batch) < mostOutcomes && len(p.outcomes) > 0 {
			o, ok := <-p.outcomes
			if !ok {
				break
			}
			batch = append(batch, o)
		}
		p.finish(ctx, batch)
		select {
		case p.again <- struct{}{}:
		default:
		}
	}
}

// finish stores outcomes, and tries until it can, fewer at once after a try that took too
// long. Once ctx has ended it tries once more: what is not stored then is pushed again after
// its lease.
func (p *Pusher) finish(ctx context.Context, batch []Outcome) {
	// To connect to a database that is half a second away, and to write to it, takes five.
	const patience, limit = time.Second, 10 * time.Second
	for failed := false; len(batch) > 0; {
		last := ctx.Err() != nil
		part := batch[:min(p.together, len(batch))]
		try, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		err := p.outbox.Finish(try, part)
		late := try.Err() != nil
		cancel()
		if err == nil {
			batch = batch[len(part):]
			continue
		}
		if !failed || last {
			p.cfg.Log.Error().Err(err).Int("events", len(batch)).Bool("given_up", last).Msg("the outcomes of pushes cannot be stored")
		}
		if failed = true; last {
			return
		}
		if late {
			p.together = max(1, len(part)/2)
		}
		select {
		case <-time.After(patience):
		case <-ctx.Done():
		}
	}
	p.together = min(2*p.together, mostOutcomes)
}
