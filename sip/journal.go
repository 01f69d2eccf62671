package sip

import (
	"errors"
	"fmt"
	"time"

	"axgate/events"
)

// recordKeeper follows what of a call's record is durable.
type recordKeeper struct {
	seq      int
	question events.Event   // what the app's server is asked
	pending  []write        // under way
	missing  []events.Event // could not be written so far
	last     []events.Event // what the end owes, until it is durable
	done     <-chan error   // its write
	again    time.Time      // when it is repeated
	patience time.Duration
}

// write is an event on its way into the journal.
type write struct {
	event events.Event
	done  <-chan error
}

// emit writes an event, and the call's state with it, to the journal. An error
// tells at once that the journal takes nothing.
func (c *call) emit(kind events.Kind, digits string) error {
	c.record.seq++
	return c.keep(events.NewCallEvent(c.rec, c.record.seq, kind, c.now(), digits))
}

// keep writes an event with the call's state.
func (c *call) keep(ev events.Event) error {
	k := &c.record
	done := c.srv.journal.Write(c.rec, ev)
	select {
	case err := <-done:
		if err != nil {
			k.missing = append(k.missing, ev)
		}
		return err
	default:
		k.pending = append(k.pending, write{ev, done})
		return nil
	}
}

// note does emit for an event that nothing waits for: what could not be
// written is written with the next that must be.
func (c *call) note(kind events.Kind, digits string) {
	if err := c.emit(kind, digits); err != nil {
		c.log.Error().Err(err).Str("event", string(kind)).Msg("write to the journal")
	}
}

// errSlow tells of a journal that takes what it is given, but not in time.
var errSlow = errors.New("the journal is too slow")

// recorded waits until all that was emitted so far is durable. What failed is
// tried once more.
func (c *call) recorded() error {
	k := &c.record
	limit := time.NewTimer(c.srv.cfg.patience)
	defer limit.Stop()
	if len(k.pending) > 0 {
		c.srv.journal.Hurry()
	}
	for len(k.pending) > 0 {
		select {
		case err := <-k.pending[0].done:
			if err != nil {
				k.missing = append(k.missing, k.pending[0].event)
			}
			k.pending = k.pending[1:]
		case <-limit.C:
			return fmt.Errorf("write the call's record: %w", errSlow)
		}
	}
	if len(k.missing) == 0 {
		return nil
	}
	again := c.srv.journal.Write(c.rec, k.missing...)
	c.srv.journal.Hurry()
	select {
	case err := <-again:
		if err != nil {
			return fmt.Errorf("write the call's record: %w", err)
		}
		k.missing = nil
		return nil
	case <-limit.C:
		return fmt.Errorf("write the call's record: %w", errSlow)
	}
}

// conclude writes the one disconnect and the one fee event of a call, with
// whatever else is not known to be durable: a repeated write changes nothing.
func (c *call) conclude() {
	k := &c.record
	k.last = k.missing
	for _, w := range k.pending {
		select {
		case err := <-w.done:
			if err == nil {
				continue
			}
		default:
		}
		k.last = append(k.last, w.event)
	}
	k.last = append(k.last, events.NewCallEvent(c.rec, k.seq+1, events.Disconnect, c.rec.Ended, ""), events.NewFee(c.rec, k.seq+2))
	k.missing, k.pending = nil, nil
	k.done = c.srv.journal.Write(c.rec, k.last...)
}

// settleRecord tells whether the end of the call is durable; a write that
// failed is repeated when its time has come.
func (c *call) settleRecord() bool {
	k := &c.record
	switch {
	case k.last == nil:
		return true
	case k.done == nil && time.Now().Before(k.again):
		return false
	case k.done == nil:
		k.done = c.srv.journal.Write(c.rec, k.last...)
	}
	select {
	case err := <-k.done:
		c.wrote(err)
	default:
	}
	return k.last == nil
}

// wrote notes what became of the last write.
func (c *call) wrote(err error) {
	k := &c.record
	k.done = nil
	if err == nil {
		k.last = nil
		return
	}
	k.patience = min(max(2*k.patience, time.Second), 30*time.Second)
	k.again = time.Now().Add(k.patience)
	c.log.Error().Err(err).Dur("again_in", k.patience).Msg("the end of the call is not recorded yet")
}
