package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"axgate/events"
)

// ErrNotIts tells of an end that a node brings for a call which another one, or a later
// life of it, has taken over: that one writes it.
var ErrNotIts = events.ErrNotIts

// had is a call as one that a life had.
type had struct {
	session string
	by      Life
}

// takenOver are those among the calls of entries that another life has than the one
// that the entry is of. A life that goes on has all its calls still, which one
// look tells: only of others each call is looked at.
func (l *Ledger) takenOver(s scope, entries []events.Entry) (lost map[had]bool, err error) {
	goesOn := map[Life]bool{}
	for i := range entries {
		c := &entries[i].Call
		if c.Session == "" {
			continue
		}
		life := Life{c.Node, c.Incarnation}
		on, known := goesOn[life]
		if !known {
			if on, err = l.goesOn(s, life); err != nil {
				return nil, err
			}
			goesOn[life] = on
		}
		call := had{c.Session, life}
		if on || lost[call] {
			continue
		}
		has, found, err := ownerOf(s, c.Session)
		if err != nil {
			return nil, err
		}
		if found && has != life {
			if lost == nil {
				lost = map[had]bool{}
			}
			lost[call] = true
		}
	}
	return lost, nil
}

// goesOn tells whether a life is not over, and keeps others from ending it before the
// transaction does, or, of one that is over, from taking over its calls meanwhile.
func (l *Ledger) goesOn(s scope, life Life) (bool, error) {
	query := `SELECT ended_at FROM node_lives WHERE node = $1 AND incarnation = $2`
	var ended int64
	dest := []any{&ended}
	if l.driver == Postgres { // by the same journey: each Record makes it
		query = `SELECT ended_at, ` + noLonger + ` FROM node_lives WHERE node = $1 AND incarnation = $2 FOR SHARE`
		dest = append(dest, new(string))
	}
	err := s.scan(query, one(life.Node, life.Incarnation), dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read whether %s goes on: %w", life, err)
	}
	return ended == 0, nil
}

func ownerOf(s scope, session string) (life Life, found bool, err error) {
	err = s.scan(`SELECT node, incarnation FROM calls WHERE session = $1`, one(session), &life.Node, &life.Incarnation)
	if errors.Is(err, sql.ErrNoRows) {
		return Life{}, false, nil
	}
	if err != nil {
		return Life{}, false, fmt.Errorf("read whose call %s is: %w", session, err)
	}
	return life, true, nil
}

// withoutEnds leaves out the ends of calls that others have, and tells of their entries.
func withoutEnds(entries []events.Entry, lost map[had]bool) (refused map[int]error, rest []events.Entry) {
	if len(lost) == 0 {
		return nil, entries
	}
	refused, rest = map[int]error{}, slices.Clone(entries)
	for i := range rest {
		e := &rest[i]
		if !lost[had{e.Call.Session, Life{e.Call.Node, e.Call.Incarnation}}] {
			continue
		}
		ends := func(ev events.Event) bool { return ev.Kind == events.Disconnect || ev.Kind == events.Fee }
		if slices.ContainsFunc(e.Events, ends) {
			e.Events = slices.DeleteFunc(slices.Clone(e.Events), ends)
			refused[i] = ErrNotIts
		}
	}
	return refused, rest
}

// Kept is a call of a dead node as that node had kept it for others.
type Kept struct {
	Call events.Call
	Seq  int // of its last event
}

// TakeOver makes calls of a life that is over those of heir, also such as the dead
// node could not bring to the ledger any more. It tells which it has now, with
// the number after which its own events of the call begin; others were over already,
// or are somebody else's.
func (l *Ledger) TakeOver(ctx context.Context, dead, heir Life, calls []Kept) (taken map[string]int, err error) {
	err = l.change(ctx, func(s scope) error {
		taken = map[string]int{}
		if err := l.limit(s, noLonger); err != nil {
			return err
		}
		query := `SELECT ended_at FROM node_lives WHERE node = $1 AND incarnation = $2`
		if l.driver == Postgres { // what the dead one brings meanwhile waits
			query += ` FOR UPDATE`
		}
		var ended int64
		if err := s.scan(query, one(dead.Node, dead.Incarnation), &ended); err != nil {
			return fmt.Errorf("read whether %s is over: %w", dead, err)
		}
		if ended == 0 {
			return fmt.Errorf("%s is not over", dead)
		}
		if on, err := l.goesOn(s, heir); err != nil || !on {
			return errors.Join(err, ErrDeclaredDead)
		}
		for _, k := range calls {
			seq, ok, err := takeCall(s, dead, heir, k)
			if err != nil {
				return fmt.Errorf("call %s: %w", k.Call.Session, err)
			}
			if ok {
				taken[k.Call.Session] = seq
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("take over calls of %s: %w", dead, err)
	}
	return taken, nil
}

// CloseTaken ends a call that a life has taken over from a dead one, and that it cannot go on
// with: as if nobody had taken it. One that is not its, or is over, stays: that is not closed.
func (l *Ledger) CloseTaken(ctx context.Context, session string, heir Life, d Dead, repaired Repaired) (c events.Call, closed bool, err error) {
	d.Life = heir
	c, closed, err = l.closeCall(ctx, session, d, false, repaired)
	if err != nil {
		err = fmt.Errorf("close call %s, which %s took over: %w", session, heir, err)
	}
	return c, closed, err
}

// takeCall takes one call over; not ok: it is over, or somebody else's.
func takeCall(s scope, dead, heir Life, k Kept) (seq int, ok bool, err error) {
	var stored int64
	err = s.scan(`UPDATE calls SET node = $1, incarnation = $2 WHERE session = $3 AND node = $4 AND incarnation <= $5 AND NOT closed RETURNING seq`,
		one(heir.Node, heir.Incarnation, k.Call.Session, dead.Node, dead.Incarnation), &stored)
	c := k.Call
	c.Node, c.Incarnation = heir.Node, heir.Incarnation
	switch {
	case errors.Is(err, sql.ErrNoRows):
		owner, found, err := ownerOf(s, c.Session)
		if err != nil || found && owner != heir {
			return 0, false, err
		}
		if found { // taken before, by a transaction whose answer was lost
			var closed bool
			err = s.scan(`SELECT seq, closed FROM calls WHERE session = $1`, one(c.Session), &stored, &closed)
			return max(int(stored), k.Seq) + heirSeq, err == nil && !closed, err
		}
	case err != nil:
		return 0, false, err
	}
	if err := storeCall(s, &c, k.Seq, false); err != nil {
		return 0, false, err
	}
	return max(int(stored), k.Seq) + heirSeq, true, nil
}
