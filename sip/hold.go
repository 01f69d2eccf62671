package sip

import (
	"axgate/media"
	"axgate/media/tone"
	"axgate/routing"
	"axgate/sip/trunk"
)

// soothing is what one on hold hears of us.
type soothing struct {
	on   bool
	play uint64 // the prompt that plays; at its end the tone or prompt begins anew
}

// hold is what becomes of it when the leg's peer puts the other on hold.
func (l *leg) hold() trunk.Hold {
	if l.trunk == nil {
		return trunk.Hold{}
	}
	return l.trunk.Hold
}

// carryHold brings one leg of a talk to what the other's peer has said last of the
// direction: told of a hold, soothed while it lasts, and as before after it.
func (c *call) carryHold(l *leg) {
	if !c.talking || c.over.Load() {
		return
	}
	other := c.legOf(1 - l.side)
	held := l.ready && l.agreed.Held
	relay := l.hold().Relay
	other.ours.way = stops{from: held && relay && !l.agreed.Receive, to: held && relay}
	c.pursue(other)
	c.soothe(other, held && !relay && l.hold().Tone != trunk.TonesOff)
}

// soothe begins or ends what one on hold hears of us.
func (c *call) soothe(l *leg, on bool) {
	switch s := &l.soothing; {
	case on && !s.on:
		s.on = true
		c.lull(l)
	case !on && s.on:
		*s = soothing{}
		c.media.Quiet(l.side)
	}
}

// lull plays the tone or prompt for one on hold from its beginning.
func (c *call) lull(l *leg) {
	if by := c.legOf(1 - l.side).hold(); by.Tone != trunk.TonesOn {
		if name, clip, ok := c.srv.prompts.Clip(c.d.App, by.Tone, routing.SceneNone); ok && len(clip) > 0 {
			l.soothing.play = c.media.Play(l.side, media.Clip{Name: name, ALaw: clip})
			return
		}
	}
	l.soothing.play = 0
	c.media.Tone(l.side, tone.Held())
}

// interrupts has what is played to a leg give way to a prompt, and come back
// after it.
func (l *leg) interrupts(prompt uint64) {
	if l.soothing.on {
		l.soothing.play = prompt
	}
}

// lulled goes on with what one on hold hears, after a prompt has ended.
func (c *call) lulled(side media.Side, prompt uint64) {
	if l := c.legOf(side); l != nil && l.soothing.on && l.soothing.play == prompt {
		c.lull(l)
	}
}
