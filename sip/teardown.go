package sip

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/media"
	"axgate/routing"
	"axgate/sip/identity"
)

// tearDown is the one place where every call ends: both legs are hung up, the
// recording is finished, the ports and marks are given back, and exactly one
// disconnect and one fee event are written.
func (c *call) tearDown(end routing.End) {
	c.over.Store(true)
	close(c.gone)
	c.srv.up.Add(-1)
	c.rec.Ended = c.lostAt(c.now())
	c.forgotten()
	c.rec.StateCode, c.rec.FailReason, c.rec.EndWord = end.StateCode, end.FailReason, end.Word
	c.srv.loops.answered(&c.loop) // before the caller knows that it may dial again
	c.dropInfos()
	c.hangUpCallee(end)
	c.hangUpCaller(end)
	c.stopAlarms()
	stats := c.media.Close()
	c.audio = nil
	c.logAudio(stats)
	c.rec.CallerLeg, c.rec.CalleeLeg = quality(stats[media.Caller]), quality(stats[media.Callee])
	c.srv.router.Release(c.session)
	c.srv.loops.leave(&c.loop)
	if c.counted {
		c.srv.limits.leave(c.from.trunk)
	}
	for _, b := range c.tried {
		c.uncount(b)
	}
	c.stopTape() // it may wait for the disk, for which nothing is held that others need
	line := c.log.Info().Str("end", end.Word).Int("state", end.StateCode).Int("reason", end.FailReason)
	if !c.rec.Answered.IsZero() {
		line = line.Dur("talk", c.rec.Ended.Sub(c.rec.Answered))
	}
	line.Msg("disconnect")
	if c.letGo.Load() { // whoever declared this node dead has written its end
		return
	}
	c.watched(end, stats)
	if c.rec.App == "" || end.Quiet && c.record.seq == 0 {
		return // X is not ours, or nobody was told of the call
	}
	if c.rec.SIPStatus == 0 && c.rec.Answered.IsZero() {
		c.rec.SIPStatus = end.SIP
	}
	fault := end.Word == routing.EndFault.Word && c.rec.Answered.IsZero()
	if fault || end.Word == routing.EndOverload.Word { // section 9: as if nothing had been found
		c.rec.Direction, c.rec.Binding, c.rec.Callee = int(routing.Abnormal), "", ""
	}
	c.conclude()
}

// stopAlarms ends what the legs of a call wait for while it is up.
func (c *call) stopAlarms() {
	for _, l := range c.allLegs() {
		l.stopAlarms()
	}
}

// leave notes that a leg is hung up: of its session nothing is waited for.
func (l *leg) leave() {
	l.gone = true
	l.stopAlarms()
}

func (l *leg) stopAlarms() {
	l.refresh.stop()
	l.expiry.stop()
	l.ours.again.stop()
}

func (c *call) hangUpCallee(end routing.End) {
	for _, b := range c.tried {
		switch {
		case !b.settled:
			c.cancel(b)
		case b.up && !b.gone:
			c.bye(&b.leg, end)
		}
	}
}

// bye ends an answered leg. One whose 2xx is not acknowledged yet is ended
// after the ACK (RFC 3261 section 15).
func (c *call) bye(l *leg, end routing.End) {
	if l.gone {
		return
	}
	if l.unacked.waiting() {
		l.byeDue, l.byeFor = true, end
		return
	}
	l.leave()
	reason := sip.NewHeader("Reason", identity.Reason(end.Cause))
	c.send(l, l.dialog, order{method: sip.BYE, headers: []sip.Header{reason}}, func(*sip.Response, error) (happening, bool) {
		return happening{kind: byeDone, side: l.side}, true
	})
}

// settle stays until nothing of the call is open any more: an ACK that a BYE
// waits for, a BYE that was not answered, an INVITE that was cancelled and may
// yet be answered, and the record, which is written until it is durable.
func (c *call) settle() {
	tick := time.NewTicker(settleStep)
	defer tick.Stop()
	for {
		open := c.settleLegs()
		written := c.settleRecord()
		if !open && written {
			return
		}
		if c.srv.stack.Closed() {
			if !written {
				c.log.Error().Msg("the process ends before the call's record is durable")
			}
			return
		}
		if !open && c.record.done != nil {
			select {
			case err := <-c.record.done:
				c.wrote(err)
				continue
			case <-tick.C:
				continue
			}
		}
		c.next(tick.C)
	}
}

const settleStep = 100 * time.Millisecond

func (c *call) settleLegs() (open bool) {
	for _, l := range c.allLegs() {
		if l.byeDue && !l.gone && !l.unacked.waiting() {
			c.bye(l, l.byeFor)
		}
		open = open || l.unacked.waiting()
	}
	for _, b := range c.tried {
		if b.settled {
			continue
		}
		if time.Now().After(b.until) { // RFC 3261 section 9.1: 64*T1 after the CANCEL
			b.tx.End()
			b.settles()
			continue
		}
		open = true
	}
	return open || c.unanswered > 0
}

func (c *call) allLegs() []*leg {
	legs := []*leg{&c.a.leg}
	for _, b := range c.tried {
		legs = append(legs, &b.leg)
	}
	return legs
}
