//go:build e2e

package chaos

import (
	"fmt"
	"strings"
	"time"

	"axgate/e2e/verdict"
)

// What is wrong is told by one of these words, and what it is about.
const (
	callFailed   = "a call failed"
	putThrough   = "what is unbound was put through"
	noAnswer     = "what is unbound got no answer"
	recordLost   = "a record is lost"
	badDuration  = "a duration is wrong"
	falseRecord  = "a record of a call that nobody had"
	recordHalf   = "a record is not whole"
	unknownTold  = "the customer heard of a call that nobody knows"
	toldAgain    = "the customer heard of the same more than once"
	wrongRoute   = "a wrong route"
	numberShown  = "the caller's number is shown"
	leftUp       = "a leg was left up"
	bindGone     = "a bind that was acknowledged is gone"
	unbindUndone = "an unbind that was acknowledged is undone"
	halfDone     = "bound, and nobody was told"
	noTraffic    = "the traffic stood still"
)

func (a *account) say(what, format string, args ...any) {
	a.wrong = append(a.wrong, what+": "+fmt.Sprintf(format, args...))
}

// judge fills in what was wrong, and the verdicts.
func (a *account) judge() {
	match(a.calls, a.rows, a.shift)
	a.judgeLegs()
	a.judgeRecords()
	a.judgeRepeats()
	a.judgeBindings()
	a.judgeTraffic()
	from := time.Time{} // calls before the first fault may be up when it begins
	for i, p := range a.played {
		until := time.Now()
		if i+1 < len(a.played) {
			until = a.played[i+1].from
		}
		a.verdicts = append(a.verdicts, a.judgeFault(p, from, until))
		from = until
	}
}

// judgeFault is about the calls of a while, in which a fault was.
func (a *account) judgeFault(p *played, from, until time.Time) verdict.Row {
	v := verdict.Row{Fault: p.name, Remark: p.remark}
	since := p.mended
	if p.heals {
		since = p.from
	}
	last := since
	for _, c := range a.calls {
		if c.sent.Before(from) || !c.sent.Before(until) {
			continue
		}
		excused := a.concerns(c) != nil
		if !c.bound {
			a.judgeRefused(p, c, excused)
			continue
		}
		if failed := c.status != 200 || c.cut; !excused || !failed {
			v.Offered++
			if failed {
				v.Failed++
				a.say(callFailed, "%s: %v", p.name, c)
				if c.sent.After(last) {
					last = c.sent
				}
			}
		}
		if !a.accounted(p, c) {
			v.Lost++
		}
	}
	for _, r := range a.refused {
		if end := r.at.Add(r.took); !r.at.Before(p.from) && end.Before(until) && end.After(last) {
			last = end
		}
	}
	v.Normal = last.Sub(since).Seconds()
	return v
}

// judgeRefused is about a call by a pair that is not bound.
func (a *account) judgeRefused(p *played, c *call, excused bool) {
	switch {
	case c.status == 200:
		a.say(putThrough, "%s: %v", p.name, c)
	case c.status == 0 && !excused:
		a.say(noAnswer, "%s: %v", p.name, c)
	}
}

// judgeTraffic looks whether each node was called all the time while something was
// broken: by callers who wait for nobody.
func (a *account) judgeTraffic() {
	const pause = 5 * time.Second // of a machine that is busy
	first, last := a.played[0].from, a.played[len(a.played)-1].mended
	for i, name := range a.nodes {
		before := first
		look := func(at time.Time) {
			if gap := at.Sub(before); gap > pause {
				a.say(noTraffic, "nobody called %s for %v after %v", name, gap, before)
			}
			if at.After(before) {
				before = at
			}
		}
		for _, c := range a.calls {
			if c.traffic && c.node == i && c.sent.Before(last) {
				look(c.sent)
			}
		}
		look(last)
	}
}

// concerns finds the fault that a call may fail by: which began before it or while it
// may have been up.
func (a *account) concerns(c *call) *played {
	for _, p := range a.played {
		if p.excuses != nil && c.sent.After(p.from.Add(-longest)) && p.excuses(p, c) {
			return p
		}
	}
	return nil
}

// longest is how long a call of the traffic takes at most.
const longest = 9 * time.Second

// accounted tells whether an answered call has its one record, of which the customer
// heard.
func (a *account) accounted(p *played, c *call) bool {
	switch {
	case c.answered.IsZero(), c.row == nil && a.diedUntold(c):
		return true
	case c.row == nil:
		var near []string
		for _, r := range a.rows {
			if r.caller == c.caller && r.x == c.x && r.call == nil {
				near = append(near, r.String())
			}
		}
		a.say(recordLost, "%s: none of %v; of its pair, without a call: %s", p.name, c, strings.Join(near, "; "))
		return false
	case !c.row.right() || !a.told[c.row.session].all():
		a.say(recordLost, "%s: not whole (customer told: %v): %v: %v", p.name, a.told[c.row.session].all(), c, c.row)
		return false
	}
	talk, billed := c.ended.Sub(c.answered), c.row.ended.Sub(c.row.answered)
	by := a.concerns(c)
	short := billed < talk && by != nil && by.cuts && c.ended.After(by.from.Add(-moment))
	long := billed > c.ended.Sub(a.pickedUp(c))+time.Second
	if !c.ended.IsZero() && !short && (long || billed < talk-time.Second) {
		a.say(badDuration, "%s: billed %v, talked %v: %v: %v", p.name, billed, talk, c, c.row)
	}
	return true
}

// pickedUp is when the callee's phone answered a call, from when on it costs money: the caller
// hears of it once the record is on the disk, which may be slow.
func (a *account) pickedUp(c *call) time.Time {
	at := c.answered
	for _, l := range a.legs {
		if l.node == c.node && l.x == c.x && l.callee == c.row.callee && l.answered.After(c.sent) && l.answered.Before(at) {
			at = l.answered
		}
	}
	return at
}

// moment is how long what happens to a call may be known to its node alone: it copies its journal 50
// times a second, and the caller sees it a little earlier or later.
const moment = 50 * time.Millisecond

// diedUntold tells whether a call was answered in the last moment before its node stood still
// or died, so that nobody else can know of the answer (decision 39), and is recorded as one that
// was not answered.
func (a *account) diedUntold(c *call) bool {
	by := a.concerns(c)
	if by == nil || !by.cuts || c.answered.Before(by.from.Add(-moment)) || c.answered.After(by.mended) {
		return false
	}
	for _, r := range a.rows {
		if r.call == nil && r.caller == c.caller && r.x == c.x && r.answered.IsZero() && r.in.Sub(c.sent).Abs() < time.Second && r.right() && a.told[r.session].all() {
			r.call = c
			return true
		}
	}
	return false
}

// judgeLegs looks at every call that the network got.
func (a *account) judgeLegs() {
	for _, l := range a.legs {
		if !a.model.reached(l.x, l.callee) {
			a.say(wrongRoute, "%s was called from %s:\n%s", l.callee, l.x, l.text)
			continue
		}
		if caller := a.model.callee(l.x, l.callee); strings.Contains(l.text, strings.TrimPrefix(caller, "+86")) {
			a.say(numberShown, "%s", l.text)
		}
		if !l.answered.IsZero() && !l.over && !a.cutOff(l) {
			a.say(leftUp, "%s from %s of node %d at %v", l.callee, l.x, l.node, l.at)
		}
	}
}

// cutOff tells whether a node died, or stood still, while it had a leg.
func (a *account) cutOff(l *leg) bool {
	for _, p := range a.played {
		if p.cuts && p.node == l.node && l.at.After(p.from.Add(-longest)) && l.at.Before(p.mended.Add(back)) {
			return true
		}
	}
	return false
}

// judgeRecords looks at what the ledger has of all calls, and what the customer heard.
func (a *account) judgeRecords() {
	known := map[string]bool{}
	for _, r := range a.rows {
		known[r.session] = true
		if !r.right() || !a.told[r.session].all() {
			a.say(recordHalf, "customer told: %v: %v", a.told[r.session].all(), r)
		}
		if r.callee != "" && a.model.callee(r.x, r.caller) != r.callee {
			a.say(wrongRoute, "by its record: %v", r)
		}
		if !r.answered.IsZero() && r.call == nil && !a.unheard(r) {
			a.say(falseRecord, "%v", r)
		}
	}
	for session := range a.told {
		if !known[session] {
			a.say(unknownTold, "%s", session)
		}
	}
}

// unheard tells whether a record is that of a call of which its caller did not hear the
// answer any more, because of a fault of its node.
func (a *account) unheard(r *row) bool {
	for _, c := range a.calls {
		if c.caller == r.caller && c.x == r.x && c.answered.IsZero() && r.in.Add(-a.shift(r)).Sub(c.sent).Abs() < longest && a.concerns(c) != nil {
			return true
		}
	}
	return false
}

// judgeBindings holds what is bound in the end against what customers were told.
func (a *account) judgeBindings() {
	bound, expected := map[string]*pair{}, map[pair]bool{}
	for _, b := range a.bound {
		bound[b.id] = b.pair
	}
	for _, b := range a.kept {
		if got := bound[b.id]; got == nil || *got != *b.pair {
			a.say(bindGone, "%s of %v", b.id, *b.pair)
		}
		delete(bound, b.id)
	}
	for _, b := range a.gone {
		if bound[b.id] != nil {
			a.say(unbindUndone, "%s of %v", b.id, *b.pair)
		}
		delete(bound, b.id)
	}
	for _, p := range a.model.pairs {
		expected[*p] = true
	}
	for id, p := range bound {
		if !expected[*p] {
			a.say(halfDone, "%s of %v", id, *p)
		}
		delete(expected, *p)
	}
	for p := range expected {
		a.say(bindGone, "%v, of the traffic", p)
	}
}

// shift tells how far the clock of the node was ahead that wrote a record.
func (a *account) shift(r *row) time.Duration {
	at := r.answered
	if at.IsZero() {
		at = r.in
	}
	for _, p := range a.played {
		if p.clockAhead != 0 && r.node == a.nodes[p.node] && at.Add(-p.clockAhead).Sub(p.mended).Abs() < p.clockAhead.Abs()/2 {
			return p.clockAhead
		}
	}
	return 0
}
