package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/events"
	"axgate/media"
	"axgate/media/tone"
	"axgate/routing"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
)

// waiting is what the caller hears until the callee answers: the pre-call
// prompt to its end, then the callee's own early media, then ring-back
// (section 3, step 4).
type waiting struct {
	due     *media.Clip // the pre-call prompt, until it can be heard
	prompt  uint64      // that which plays; 0: none
	rung    bool        // the callee's side rings
	early   bool        // the callee's early media can be heard
	offered bool        // its SDP came before the answer
	overdue bool        // but no audio in time
	mute    bool        // it was said that no ring-back can be made
	open    bool        // the callee's early media is let through
	timer   *time.Timer
}

func (w *waiting) ringbackDue() <-chan time.Time {
	if w.timer == nil {
		return nil
	}
	return w.timer.C
}

func (w *waiting) promptEnded(id uint64) {
	if id == w.prompt {
		w.prompt = 0
	}
}

// deserted notes that the phone whose SDP counted rings no more.
func (w *waiting) deserted(another bool) {
	w.early = false
	if another {
		return
	}
	w.offered, w.overdue = false, false
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}

// startWaiting begins the pre-call prompt, if there is one.
func (c *call) startWaiting() {
	c.waiting = waiting{}
	_, clip, ok := c.srv.prompts.Clip(c.d.App, c.d.Prompt, c.d.Scene)
	if !ok {
		return
	}
	c.waiting.due = &media.Clip{Name: c.d.Prompt, ALaw: clip}
	c.earlyMedia()
	c.comfort()
}

// stopWaiting makes room for what comes next on the caller's leg.
func (c *call) stopWaiting() {
	if c.waiting.timer != nil {
		c.waiting.timer.Stop()
	}
	c.waiting = waiting{}
	if c.a.ready {
		c.media.Quiet(media.Caller)
	}
}

// rang takes a provisional response of the callee's side.
func (c *call) rang(b *calleeLeg, res *sip.Response) {
	sdp := false
	if len(res.Body()) > 0 {
		if err := c.acceptSDP(b, res); err != nil {
			c.log.Info().Err(err).Int("status", res.StatusCode).Msg("the callee's early SDP")
		} else if sdp = true; !c.waiting.offered {
			c.waiting.offered = true
			c.waiting.timer = time.NewTimer(c.ringbackWait(b))
		}
	}
	if res.StatusCode == sip.StatusRinging {
		c.waiting.rung = true
	}
	if c.rec.Alerting.IsZero() && (res.StatusCode == sip.StatusRinging || res.StatusCode == sip.StatusSessionInProgress) {
		c.alerted()
	}
	c.relay(res, sdp)
	c.comfort()
}

// alerted notes that the callee's phone rings.
func (c *call) alerted() {
	c.rec.Alerting = c.now()
	c.log.Info().Msg("alerting")
	c.note(events.Alerting, "")
	if c.d.Rings() {
		c.tell("write the callback record", c.srv.router.Rang)
	}
}

// comfort gives the caller what is due now.
func (c *call) comfort() {
	w := &c.waiting
	early := w.early && c.mayHear()
	switch {
	case !c.a.ready:
		return
	case w.due != nil:
		w.prompt, w.due = c.media.Play(media.Caller, *w.due), nil
		return
	case w.prompt != 0 && !(early && c.b.beginnings().CutPrompt):
		return
	case early:
		w.prompt, w.open = 0, true
		c.media.Quiet(media.Caller)
		c.media.Connect(true, false)
		return
	case w.open:
		w.open = false
		c.media.Connect(false, false)
	}
	if (w.rung || w.overdue) && (!w.offered || w.overdue) {
		if !c.a.agreed.Codec.Speaks() && !w.mute {
			w.mute = true
			c.log.Info().Str("codec", c.a.agreed.Codec.Name).Msg("no ring-back: the caller's codec is passed through")
		}
		c.media.Tone(media.Caller, tone.Ringback())
	}
}

// acceptSDP applies the callee's description: the answer to our offer.
func (c *call) acceptSDP(b *calleeLeg, res *sip.Response) error {
	body := string(res.Body())
	if b.moved || b.ready && body == b.theirs { // said before
		return c.sameSDP(b)
	}
	remote, err := sdp.ParseFor(b.security, contentType(res), res.Body())
	if err != nil {
		return err
	}
	agreed, err := b.sdp.Accept(remote)
	if err != nil {
		return err
	}
	if c.a.ready && !matches(c.a.agreed.Codec, agreed.Codec) {
		return errMismatch
	}
	b.theirs = body
	if b.pointed == b.branch && agreed == b.agreed {
		return nil
	}
	return c.point(&b.leg, agreed)
}

// point applies an agreed session to a leg's media.
func (c *call) point(l *leg, g sdp.Agreed) error {
	if err := c.media.Point(l.side, c.stream(l, g)); err != nil {
		return err
	}
	if l.digits() == trunk.Info { // its telephone-events do not count
		c.media.Cross(l.side, false)
	}
	l.agreed, l.ready, l.pointed = g, true, l.branch
	c.changes()
	return nil
}

// behindNAT tells whether a leg's media may come from anywhere until latched.
func (c *call) behindNAT(l *leg) bool {
	if l.side == media.Caller {
		return c.from.trunk == nil || c.from.trunk.NATMedia
	}
	return c.b == nil || c.b.route.trunk == nil || c.b.route.trunk.NATMedia
}

// announce plays a prompt to the caller, answered or not, to its end, and
// tells whether the caller is still there.
func (c *call) announce(file string, scene routing.Scene) bool {
	name, clip, ok := c.srv.prompts.Clip(c.d.App, file, scene)
	if (!ok && scene != routing.SceneBusy) || !c.audience(ok) {
		return true
	}
	if !c.a.agreed.Codec.Speaks() {
		c.log.Info().Str("prompt", name).Msg("not announced: the caller's codec is passed through")
		return true
	}
	var id uint64
	limit := time.NewTimer(c.srv.cfg.PromptCap)
	defer limit.Stop()
	if ok {
		c.log.Info().Str("prompt", name).Msg("announce")
		id = c.media.Play(media.Caller, media.Clip{Name: name, ALaw: clip})
	} else {
		limit.Reset(busyToneTime)
		c.media.Tone(media.Caller, tone.Busy())
	}
	for {
		h := c.next(limit.C)
		switch {
		case h.kind == played && h.play == id, h.kind == timeUp:
			return true
		case h.kind == left && h.side == media.Caller, h.kind == lost, h.kind == ordered:
			return false
		}
	}
}

// busyToneTime is how long a caller without a busy prompt hears the tone.
const busyToneTime = 3 * time.Second
