package ledger

import (
	"fmt"
	"time"

	"axgate/events"
)

// Journal makes calls and their events durable. All that is queued while a
// transaction is being written goes into the next one together. Several writes
// of one call are kept in their order.
type Journal struct {
	ledger *Ledger
	wake   chan struct{}

	// The writer's own.
	fresh     bool // the open transaction has events that are due
	receivers receivers
	events    bulk
	calls     bulk
}

func newJournal(l *Ledger) *Journal {
	return &Journal{ledger: l, wake: make(chan struct{}, 1),
		events: newBulk(eventInto, eventOnce, eventWidth, 32), calls: newBulk(callInto, callUpdate, callWidth, 1)}
}

// record is one write: the state of a call with its events, what became of a
// question, or a heartbeat.
type record struct {
	call  events.Call
	evs   []events.Event
	beat  beat
	asked Asked
}

type beat struct {
	node  string
	at    time.Time
	epoch int64
}

// Write queues a call's state, as of its last event, and its events. The
// channel yields one error, nil once both are on the disk. An event that is
// stored already stays as it is, so that a write may be repeated; of a kind
// that a call has only once (disconnect, fee) the first counts. If nothing can
// be queued the error is there at once: ErrJournalFull, ErrClosed.
func (j *Journal) Write(call events.Call, evs ...events.Event) <-chan error {
	patience := noted
	if len(evs) > 0 && evs[len(evs)-1].Kind == events.Fee {
		patience = concluded
	}
	return j.queue(record{call: call, evs: evs}, patience)
}

// How long after the last commit a record may wait for others to be committed
// with it. Receivers are to hear of what happens within 200 ms.
const (
	waitedFor = 20 * time.Millisecond // somebody waits (Hurry)
	concluded = 50 * time.Millisecond // the end of a call: nobody does, but a process that dies would get it wrong
	noted     = 100 * time.Millisecond
)

// Hurry tells that somebody waits for what was written: it is committed at
// once, or, when much is written, with what else comes within 20 ms.
func (j *Journal) Hurry() { j.ledger.writer.queue.hurry(waitedFor) }

// Beat notes that a node is alive and which epoch of the cache it goes by.
func (j *Journal) Beat(node string, at time.Time, epoch int64) <-chan error {
	return j.queue(record{beat: beat{node: node, at: at, epoch: epoch}}, noted)
}

// Wake tells that events were written which may be due for pushing.
func (j *Journal) Wake() <-chan struct{} { return j.wake }

func (j *Journal) queue(r record, patience time.Duration) <-chan error {
	w := &job{rec: r, patience: patience, done: make(chan error, 1)}
	if err := j.ledger.writer.queue.offer(w); err != nil {
		w.done <- fmt.Errorf("write to the journal: %w", err)
	}
	return w.done
}

// commit writes records within the writer's transaction. Of the states of one
// call only the last is written.
func (j *Journal) commit(s scope, recs []record) error {
	evs, calls, err := sweep(recs)
	if err != nil {
		return err
	}
	if err := j.storeEvents(s, evs); err != nil {
		return err
	}
	if err := j.storeCalls(s, calls); err != nil {
		return err
	}
	for i := range recs {
		switch r := &recs[i]; {
		case r.beat.node != "":
			err = storeBeat(s, r.beat)
		case r.asked.Session != "":
			err = storeAsked(s, &r.asked)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// state is what is written of a call.
type state struct {
	call   *events.Call
	seq    int  // of its last event; 0: there is none
	closed bool // its fee event is among them
}

// sweep gathers the events of records, and the last state of each call.
func sweep(recs []record) (evs []*events.Event, calls []state, err error) {
	at := make(map[string]int, len(recs))
	for i := range recs {
		r := &recs[i]
		session := r.call.Session
		if session == "" {
			continue
		}
		k, ok := at[session]
		if !ok {
			k = len(calls)
			at[session], calls = k, append(calls, state{})
		}
		c := &calls[k]
		c.call = &r.call
		for n := range r.evs {
			e := &r.evs[n]
			if e.Session != session {
				return nil, nil, fmt.Errorf("an event of session %q came with the call %q", e.Session, session)
			}
			evs = append(evs, e)
			c.seq, c.closed = max(c.seq, e.Seq), c.closed || e.Kind == events.Fee
		}
	}
	return evs, calls, nil
}

// committed tells the pusher once the events can be read.
func (j *Journal) committed() {
	if j.fresh {
		j.fresh = false
		j.rouse()
	}
}

func (j *Journal) rouse() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func storeBeat(s scope, b beat) error {
	_, err := s.exec(`INSERT INTO nodes (node, alive_at, epoch) VALUES ($1, $2, $3)
		ON CONFLICT (node) DO UPDATE SET alive_at = excluded.alive_at, epoch = excluded.epoch WHERE excluded.alive_at > nodes.alive_at`,
		b.node, micros(b.at), b.epoch)
	if err != nil {
		return fmt.Errorf("note that node %s is alive: %w", b.node, err)
	}
	return nil
}
