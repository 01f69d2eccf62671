package sip

import (
	"context"
	"time"

	"axgate/events"
	"axgate/media"
	"axgate/routing"
)

// verdict is what came of a question to the app's server.
type verdict struct {
	decision routing.Decision
	err      error
}

// ask has the app's server say what becomes of the call (X mode). The caller
// waits meanwhile as for any callee who is far away, and may give up.
func (c *call) ask() (routing.End, bool) {
	// The app's server is told of no call that our own books might not have.
	if err := c.recorded(); err != nil {
		c.log.Error().Err(err).Msg("ask the app's server")
		return endNotRecorded, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	question, d := c.record.question, c.d
	c.srv.wait.Go(func() {
		answer, err := c.srv.router.Ask(ctx, c.q, d, question)
		c.inbox.owe(input{what: inVerdict, leg: &c.a.leg, verdict: &verdict{answer, err}})
	})
	for {
		switch h := c.next(); {
		case h.kind == judged:
			return c.follow(h.verdict)
		case h.kind == left && h.side == media.Caller, h.kind == lost:
			return c.callerLeft(h), false
		case h.kind == ordered:
			return *h.end, false
		}
	}
}

// follow does what the app's server said, as far as the rules let it.
func (c *call) follow(v *verdict) (routing.End, bool) {
	if v.err != nil {
		c.log.Error().Err(v.err).Msg("decide by the answer of the app's server")
		c.announce("", routing.SceneFault)
		return faultOf(v.err), false
	}
	c.adopt(v.decision)
	if c.d.Step != routing.Dial {
		return c.refuse(), false
	}
	return routing.End{}, true
}

// called writes the callin event: a question if the app's server is to be
// asked about the call.
func (c *call) called(asked bool) error {
	if !asked {
		return c.emit(events.CallIn, "")
	}
	k := &c.record
	k.seq++
	k.question = events.NewQuestion(c.rec, k.seq, time.Now())
	return c.keep(k.question)
}
