package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/routing"
)

// happening is one thing that the story of a call may react to.
//
// It and the inputs that it comes from are small: copies of them stand in the
// frames of a call that waits for its answer, or lie in its inbox.
type happening struct {
	kind    happens
	side    media.Side
	timer   int8 // timeUp: which
	digit   byte
	info    bool          // it came by SIP INFO
	tone    bool          // it came as a tone
	crossed bool          // the media engine sends it on to the other side
	res     *sip.Response // ringing, answered, refused; refused without one: nobody answered
	err     error
	length  time.Duration
	play    uint64
	end     *routing.End
	verdict *verdict
}

type happens uint8

const (
	timeUp    happens = iota
	left              // a side hung up, or took its INVITE back
	ringing           // a provisional response of the callee
	answered          // its 2xx
	refused           // its failure, or none at all
	unheard           // its server has said nothing so far
	digit             // a key was pressed
	played            // a prompt came to its end
	heard             // audio from a side for the first time
	silent            // a side's audio is gone
	lost              // the caller never acknowledged our 2xx, or not with an answer to our offer
	byeDone           // our BYE was answered, or never will be
	described         // the caller's SDP came late, with an ACK or PRACK, or it has ours for certain
	ordered           // somebody ordered the end
	judged            // the app's server was asked, and there is a decision
)

// next waits for something that concerns the story. What does not - a
// re-INVITE, a repeated message, an OPTIONS - is dealt with on the way. There
// are at most three timers, and each may be nil.
func (c *call) next(timers ...<-chan time.Time) happening {
	var due [3]<-chan time.Time
	copy(due[:], timers)
	for {
		if h, ok := c.woken(c.wait(&due)); ok {
			return h
		}
	}
}

// wake is what ended a wait.
type wake struct {
	by    waker
	audio media.Event  // byMedia
	end   *routing.End // byOrder
}

type waker uint8

const (
	byInput waker = iota
	byMedia
	byMediaEnd
	byCallerUnacked // it is time to repeat a 2xx or a reliable response
	byCallerReliable
	byCalleeUnacked
	byOrder
	byTimer // the first of the timers; the others follow
)

// wait waits. A call that talks is in it nearly all the time: its frame, and those of
// its callers, are what a stack has to hold as long as the talk lasts.
func (c *call) wait(due *[3]<-chan time.Time) wake {
	select {
	case <-c.inbox.wake:
		return wake{by: byInput}
	case ev, open := <-c.audio:
		if !open {
			return wake{by: byMediaEnd}
		}
		return wake{by: byMedia, audio: ev}
	case <-c.a.unacked.due():
		return wake{by: byCallerUnacked}
	case <-c.a.reliable.due():
		return wake{by: byCallerReliable}
	case <-c.calleeUnacked():
		return wake{by: byCalleeUnacked}
	case end := <-c.orders:
		return wake{by: byOrder, end: end}
	case <-due[0]:
		return wake{by: byTimer}
	case <-due[1]:
		return wake{by: byTimer + 1}
	case <-due[2]:
		return wake{by: byTimer + 2}
	}
}

// woken deals with what ended a wait; it returns what the story has to know of it.
func (c *call) woken(w wake) (happening, bool) {
	switch w.by {
	case byInput:
		if !c.over.Load() && !c.holds() {
			return happening{kind: ordered, end: &endLetGo}, true
		}
		in, ok := c.inbox.next()
		if !ok {
			return happening{}, false
		}
		h, ok := c.take(in)
		c.save()
		return h, ok
	case byMedia:
		if !c.over.Load() && !c.holds() {
			return happening{kind: ordered, end: &endLetGo}, true
		}
		return c.fromMedia(w.audio)
	case byMediaEnd:
		return happening{kind: ordered, end: &routing.EndFault}, true
	case byCallerUnacked:
		return happening{kind: lost}, !c.a.repeatAnswer()
	case byCallerReliable:
		return happening{kind: lost}, !c.a.provideAgain()
	case byCalleeUnacked:
		return happening{kind: left, side: media.Callee}, !c.b.repeatAnswer()
	case byOrder:
		return happening{kind: ordered, end: w.end}, true
	}
	return happening{kind: timeUp, timer: int8(w.by - byTimer)}, true
}

func (c *call) calleeUnacked() <-chan time.Time {
	if c.b == nil {
		return nil
	}
	return c.b.unacked.due()
}

// legOf is the leg of a side; nil: there is none yet.
func (c *call) legOf(side media.Side) *leg {
	switch {
	case side == media.Caller:
		return &c.a.leg
	case c.b == nil:
		return nil
	}
	return &c.b.leg
}

func (c *call) fromMedia(ev media.Event) (happening, bool) {
	h := happening{side: ev.Side, digit: ev.Digit, play: ev.Play, tone: ev.Tone, crossed: ev.Crossed}
	switch ev.Kind {
	case media.Digit:
		h.kind = digit
		if l := c.legOf(ev.Side); l == nil || !c.keysBy(l, byAudio) {
			return h, false
		}
	case media.PlayDone:
		h.kind = played
		c.lulled(ev.Side, ev.Play)
	case media.Heard:
		h.kind = heard
	case media.Gone:
		if l := c.legOf(ev.Side); l == nil || l.agreed.Held { // who holds need not send, whatever its SDP says
			return h, false
		}
		h.kind = silent
	default:
		return h, false
	}
	return h, true
}

// take deals with one message; it returns what the story has to know of it.
func (c *call) take(in input) (happening, bool) {
	switch in.what {
	case inRequest:
		return c.serve(in.leg, in.tx)
	case inCancel:
		if in.leg == &c.a.leg && !c.a.up {
			c.a.cancelled = true
			c.gaveUp(in.req)
			return happening{kind: left, side: media.Caller}, true
		}
	case inAck:
		if !in.leg.acknowledged(in.req) {
			c.srv.strays.Add(1)
			break
		}
		if in.leg == &c.a.leg {
			c.a.acknowledge()
		}
		h, ok := c.lateAnswer(in.leg, in.req)
		c.pursue(in.leg)
		return h, ok
	case inResponse, inFailed:
		return c.fromCallee(in)
	case inOutcome:
		return c.outcome(in)
	case inAlarm:
		return in.alarm.rings(in.turn)
	case inVerdict:
		return happening{kind: judged, verdict: in.verdict}, true
	case inStray:
		c.strayed(in.leg, in.res)
	}
	return happening{}, false
}
