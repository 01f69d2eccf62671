package sip

import (
	"context"
	"time"

	"axgate/events"
	"axgate/media"
	"axgate/routing"
)

// join connects the two: the caller is answered, both hear the record hint if
// the call is recorded, then audio flows (section 3, step 5).
func (c *call) join() (routing.End, bool) {
	if end, left := c.leftMeanwhile(); left { // a CANCEL that crossed the answer
		return end, false
	}
	if c.b.gone && c.a.reliable.holds() { // its BYE came right behind its answer
		end, _ := c.overEarly(happening{kind: left, side: media.Callee})
		return end, false
	}
	if end, ok := c.certain(); !ok {
		return end, false
	}
	c.rec.Answered = c.now()
	c.srv.loops.answered(&c.loop)
	c.stopWaiting()
	c.media.Connect(false, false)
	c.note(events.Answer, "")
	if err := c.recorded(); err != nil { // from here on the call costs money: its record comes first
		c.log.Error().Err(err).Msg("answer the caller")
		return faultOf(err), false
	}
	if !c.holds() { // the process stood still meanwhile, and others have the call
		return endLetGo, false
	}
	c.log.Info().Msg("answer")
	c.used()
	if err := c.answerCaller(); err != nil {
		c.log.Error().Err(err).Msg("answer the caller")
		return endOf(err), false
	}
	if c.b.gone { // the callee hung up while this was done
		c.rec.ReleasedBy = 1 + int(media.Callee)
		return c.talkEnded(), false
	}
	if c.d.Record {
		if end, ok := c.audible(); !ok {
			return end, false
		}
		if end, ok := c.hint(); !ok {
			return end, false
		}
		c.startTape()
	}
	c.media.Connect(true, true)
	c.hearTones()
	c.talking = true
	c.carryHold(&c.a.leg) // one may have been put on hold meanwhile
	c.carryHold(&c.b.leg)
	return routing.End{}, true
}

// used tells the router of the answer. It waits for the ledger only where a
// temporary callee is used up; else no goroutine is worth it.
func (c *call) used() {
	if c.d.Temporary {
		c.tell("use up the temporary callee", c.srv.router.Answered)
		return
	}
	if err := c.srv.router.Answered(context.Background(), c.q, c.d); err != nil {
		c.log.Error().Err(err).Msg("count the answer")
	}
}

// audible waits until the caller's leg has SDP: without an offer in its INVITE
// that comes with the ACK.
func (c *call) audible() (routing.End, bool) {
	for !c.a.ready {
		if end, over := c.overBy(c.next()); over {
			return end, false
		}
	}
	return routing.End{}, true
}

// hint plays the record hint to both sides before anything is recorded.
func (c *call) hint() (routing.End, bool) {
	name, clip, ok := c.srv.prompts.Clip(c.d.App, c.d.Hint, routing.SceneRecordHint)
	if !ok {
		return routing.End{}, true
	}
	c.log.Info().Str("prompt", name).Msg("record hint")
	playing := map[uint64]bool{
		c.media.Play(media.Caller, media.Clip{Name: name, ALaw: clip}): true,
		c.media.Play(media.Callee, media.Clip{Name: name, ALaw: clip}): true,
	}
	limit := time.NewTimer(media.Clip{ALaw: clip}.Duration() + time.Second)
	defer limit.Stop()
	for len(playing) > 0 {
		h := c.next(limit.C)
		if h.kind == timeUp {
			break
		}
		if h.kind == played {
			delete(playing, h.play)
			continue
		}
		if end, over := c.overBy(h); over {
			return end, false
		}
	}
	return routing.End{}, true
}

// talk waits for the end of the talk, and keeps its limits.
func (c *call) talk() routing.End {
	c.lighten()
	limits := c.talkLimits()
	defer limits.stop()
	due := limits.due()
	for {
		if end := c.during(c.wait(&due)); end != nil {
			return *end
		}
	}
}

// talkLimits are the times at which a talk ends, and at which both are told that it
// soon will; nil: there is none.
type talkLimits struct{ end, warning *time.Timer }

func (c *call) talkLimits() (l talkLimits) {
	if c.d.MaxMinutes <= 0 {
		return l
	}
	whole := time.Duration(c.d.MaxMinutes) * c.srv.cfg.minute
	l.end = time.NewTimer(c.rec.Answered.Add(whole).Sub(c.now()))
	if c.d.LastMinute != "" {
		l.warning = time.NewTimer(c.rec.Answered.Add(whole - c.srv.cfg.minute).Sub(c.now()))
	}
	return l
}

func (l talkLimits) due() (due [3]<-chan time.Time) {
	for i, t := range []*time.Timer{l.end, l.warning} {
		if t != nil {
			due[i] = t.C
		}
	}
	return due
}

func (l talkLimits) stop() {
	for _, t := range []*time.Timer{l.end, l.warning} {
		if t != nil {
			t.Stop()
		}
	}
}

// during deals with what happens in a talk, and tells how it ends, if it does.
func (c *call) during(w wake) *routing.End {
	h, ok := c.woken(w)
	if !ok {
		return nil
	}
	switch {
	case h.kind == timeUp && h.timer == 0:
		return &routing.EndMaxDuration
	case h.kind == timeUp:
		c.warn()
	case h.kind == digit:
		c.crossDigit(h)
	}
	if end, over := c.overBy(h); over {
		return &end
	}
	return nil
}

// overBy tells whether a happening ends a talk, and how.
func (c *call) overBy(h happening) (routing.End, bool) {
	switch h.kind {
	case left:
		c.rec.ReleasedBy = 1 + int(h.side)
		return c.talkEnded(), true
	case lost:
		return routing.EndCallerGone, true
	case silent:
		if h.side == media.Callee {
			return routing.EndCalleeGone, true
		}
		return routing.EndCallerGone, true
	case ordered:
		return *h.end, true
	}
	return routing.End{}, false
}

// warn plays the last-minute prompt to both sides; the talk goes on after it.
func (c *call) warn() {
	name, clip, ok := c.srv.prompts.Clip(c.d.App, c.d.LastMinute, routing.SceneNone)
	if !ok {
		return
	}
	c.log.Info().Str("prompt", name).Msg("last minute")
	c.a.interrupts(c.media.Play(media.Caller, media.Clip{Name: name, ALaw: clip}))
	c.b.interrupts(c.media.Play(media.Callee, media.Clip{Name: name, ALaw: clip}))
}
