package sip

import "axgate/events"

// A talk lasts, and most calls that are up are talks: they keep what they need,
// and let go of the messages that they came to be by.

// settles notes that the INVITE has its final response, or will have none.
func (b *calleeLeg) settles() {
	b.settled = true
	b.request, b.tx, b.shows = nil, nil, nil
}

// answers notes that the leg's branch is the one that talks. What another phone
// says later is hung up in a dialog that forks from that.
func (b *calleeLeg) answers() {
	b.settles()
	b.up, b.root = true, b.branch
}

// acknowledge notes that the caller has the answer to its INVITE, which is over then.
func (a *callerLeg) acknowledge() { a.tx, a.progress = nil, nil }

// lighten lets go of what was needed until both legs were answered, and has
// others know what they need to go on with the talk.
func (c *call) lighten() {
	if c.a.ready {
		c.a.offer = nil
	}
	c.record.question = events.Event{}
	if len(c.record.pending) == 0 {
		c.record.pending = nil
	}
	c.changes()
	c.save()
}
