package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"axgate/events"
)

// Record stores what journals carry: the states of calls and their events, in
// one transaction. An event that is stored already stays as it is; of a kind
// that a call has only once (disconnect, fee) the first counts; a state is
// stored unless a later one stands or the fee event does. So entries may be
// recorded again. Of a call that another life has taken over only events are added that
// were missing, no end and no state (ErrNotIts). refused tells, by their index, of
// entries that the ledger can never take, or not whole; all others are stored. An error
// means that nothing may have been.
func (l *Ledger) Record(ctx context.Context, entries []events.Entry) (refused map[int]error, err error) {
	refused, err = l.record(ctx, entries)
	if err == nil || !unfit(err) {
		return refused, err
	}
	refused = map[int]error{}
	for i := range entries {
		part, err := l.record(ctx, entries[i:i+1])
		if unfit(err) {
			refused[i] = err
		} else if err != nil {
			return nil, err
		} else if part[0] != nil {
			refused[i] = part[0]
		}
	}
	return refused, nil
}

func (l *Ledger) record(ctx context.Context, entries []events.Entry) (refused map[int]error, err error) {
	select {
	case l.recording <- struct{}{}:
	case <-ctx.Done(): // another one may wait for a session that hangs
		return nil, fmt.Errorf("record calls: %w", ctx.Err())
	}
	defer func() { <-l.recording }()
	fresh := false
	err = l.change(ctx, func(s scope) error {
		lost, err := l.takenOver(s, entries)
		if err != nil {
			return err
		}
		var rest []events.Entry
		refused, rest = withoutEnds(entries, lost)
		fresh, err = l.records.store(s, rest)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("record calls: %w", err)
	}
	if fresh {
		l.rouse()
	}
	return refused, nil
}

// unfit tells whether the database refused what it was given, rather than
// being unable to take anything.
func unfit(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		class := pg.Code[:min(2, len(pg.Code))]
		return class == "22" || class == "23" || class == "54" // what a value is, what constraints say, what is too long
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
			return true
		}
	}
	return errors.Is(err, errUnfit)
}

// errUnfit tells of an entry that says nothing that can be stored.
var errUnfit = errors.New("the entry is no record of a call")

// records writes entries within a transaction.
type records struct {
	now       func() time.Time // by the ledger's clock
	receivers receivers
	events    bulk
	calls     bulk
}

func newRecords(now func() time.Time) records {
	return records{now: now, events: newBulk(eventInto, eventOnce, eventWidth, 32), calls: newBulk(callInto, callUpdate, callWidth, 1)}
}

// store tells whether events are due. Of the states of one call only the last
// is written.
func (r *records) store(s scope, entries []events.Entry) (fresh bool, err error) {
	evs, calls, err := sweep(entries)
	if err != nil {
		return false, err
	}
	// As whoever closes a call does: the call first. An end may come twice at once, by a journal and by an heir.
	if err := r.storeCalls(s, calls); err != nil {
		return false, err
	}
	if fresh, err = r.storeEvents(s, evs); err != nil {
		return false, err
	}
	for i := range entries {
		if a := entries[i].Asked; a != nil {
			if err := storeAsked(s, a); err != nil {
				return false, err
			}
		}
	}
	return fresh, nil
}

// state is what is written of a call.
type state struct {
	call   *events.Call
	seq    int  // of its last event; 0: there is none
	closed bool // its fee event is among them
}

// sweep gathers the events of entries, and the last state of each call, by their sessions: all lock
// them in one order.
func sweep(entries []events.Entry) (evs []*events.Event, calls []state, err error) {
	at := make(map[string]int, len(entries))
	for i := range entries {
		e := &entries[i]
		session := e.Call.Session
		if session == "" {
			if e.Asked == nil {
				return nil, nil, fmt.Errorf("%w: it has no session", errUnfit)
			}
			continue
		}
		k, ok := at[session]
		if !ok {
			k = len(calls)
			at[session], calls = k, append(calls, state{})
		}
		c := &calls[k]
		c.call = &e.Call
		for n := range e.Events {
			ev := &e.Events[n]
			if ev.Session != session {
				return nil, nil, fmt.Errorf("%w: an event of session %q came with the call %q", errUnfit, ev.Session, session)
			}
			evs = append(evs, ev)
			c.seq, c.closed = max(c.seq, ev.Seq), c.closed || ev.Kind == events.Fee
		}
	}
	slices.SortStableFunc(evs, func(a, b *events.Event) int { return cmp.Compare(a.Session, b.Session) })
	slices.SortFunc(calls, func(a, b state) int { return cmp.Compare(a.call.Session, b.call.Session) })
	return evs, calls, nil
}
