package ledger

import (
	"encoding/json"
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
	fresh  bool // the writer's: the open transaction has new events
}

func newJournal(l *Ledger) *Journal {
	return &Journal{ledger: l, wake: make(chan struct{}, 1)}
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
	return j.queue(record{call: call, evs: evs})
}

// Beat notes that a node is alive and which epoch of the cache it goes by.
func (j *Journal) Beat(node string, at time.Time, epoch int64) <-chan error {
	return j.queue(record{beat: beat{node: node, at: at, epoch: epoch}})
}

// Wake tells that events were written which may be due for pushing.
func (j *Journal) Wake() <-chan struct{} { return j.wake }

func (j *Journal) queue(r record) <-chan error {
	w := &job{rec: r, done: make(chan error, 1)}
	if err := j.ledger.queue.offer(w); err != nil {
		w.done <- fmt.Errorf("write to the journal: %w", err)
	}
	return w.done
}

// commit writes records within the writer's transaction. Of the states of one
// call only the last is written.
func (j *Journal) commit(s scope, recs []record) error {
	last := make(map[string]int, len(recs))
	seq := make(map[string]int, len(recs))
	closed := make(map[string]bool)
	for i, r := range recs {
		if r.beat.node != "" {
			if err := storeBeat(s, r.beat); err != nil {
				return err
			}
			continue
		}
		if r.asked.Session != "" {
			if err := storeAsked(s, &r.asked); err != nil {
				return err
			}
			continue
		}
		session := r.call.Session
		last[session] = i
		for k := range r.evs {
			e := &r.evs[k]
			if e.Session != session {
				return fmt.Errorf("an event of session %q came with the call %q", e.Session, session)
			}
			if err := storeEvent(s, e); err != nil {
				return err
			}
			seq[session] = max(seq[session], e.Seq)
			closed[session] = closed[session] || e.Kind == events.Fee
			j.fresh = true
		}
	}
	for i, r := range recs {
		if at, ok := last[r.call.Session]; !ok || at != i {
			continue
		}
		if err := storeCall(s, &r.call, seq[r.call.Session], closed[r.call.Session]); err != nil {
			return err
		}
	}
	return nil
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

func storeEvent(s scope, e *events.Event) error {
	target, due := e.Target(), max(1, micros(e.At))
	if target == events.Asked {
		due = 0
	}
	_, err := s.exec(`INSERT INTO events (session, seq, app, kind, at, body, target, due_at, tries, first_at, done_at, failure)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, '') ON CONFLICT DO NOTHING`,
		e.Session, int64(e.Seq), e.App, string(e.Kind), micros(e.At), string(e.Body), string(target), due)
	if err != nil {
		return fmt.Errorf("store event %d of %s: %w", e.Seq, e.Session, err)
	}
	return nil
}

// qualities is the form of both legs' quality.
type qualities struct {
	Caller events.Quality `json:"caller"`
	Callee events.Quality `json:"callee"`
}

// storeCall writes the state of a call, unless a later one stands or its fee
// event has been written: what was billed does not change.
func storeCall(s scope, c *events.Call, seq int, closed bool) error {
	quality := ""
	if !c.Ended.IsZero() {
		q, err := json.Marshal(qualities{c.CallerLeg, c.CalleeLeg})
		if err != nil {
			return fmt.Errorf("the quality of %s: %w", c.Session, err)
		}
		quality = string(q)
	}
	_, err := s.exec(callUpsert,
		c.Session, c.ICID, c.Node, c.Host, c.App, c.SP, c.Mode, c.X, c.Caller, c.AreaCode, micros(c.In),
		int64(seq), closed, c.Callee, c.Binding, c.Extension, c.UserData, int64(c.Direction),
		micros(c.Out), micros(c.Alerting), micros(c.Answered), micros(c.Ended), micros(c.Recording),
		int64(c.StateCode), int64(c.FailReason), int64(c.UnswReason), int64(c.SIPStatus), int64(c.ReleasedBy), c.EndWord,
		c.RecordWanted, c.RecordFile, c.RecordBytes, quality, c.Why, c.Shown, int64(c.ReleaseCause), int64(c.ReleaseStatus), c.ChargingID, c.CallerTrunk, c.CalleeTrunk)
	if err != nil {
		return fmt.Errorf("store call %s: %w", c.Session, err)
	}
	return nil
}

// What a call is from its beginning is written once only, which spares its
// indexes. A state without events of its own (seq 0) belongs to the last.
const callUpsert = `INSERT INTO calls (session, icid, node, host, app, sp, mode, x, caller, area, in_at,
	seq, closed, callee, binding, ext, user_data, direction,
	out_at, alerting_at, answered_at, ended_at, recording_at,
	state_code, fail_reason, unsw_reason, sip_status, released_by, end_word,
	record_wanted, record_file, record_bytes, quality, why, shown, release_cause, release_status, charging_id, caller_trunk, callee_trunk)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40)
	ON CONFLICT (session) DO UPDATE SET
	seq = CASE WHEN excluded.seq > calls.seq THEN excluded.seq ELSE calls.seq END, closed = calls.closed OR excluded.closed,
	callee = excluded.callee, binding = excluded.binding, ext = excluded.ext, user_data = excluded.user_data, direction = excluded.direction,
	out_at = excluded.out_at, alerting_at = excluded.alerting_at, answered_at = excluded.answered_at, ended_at = excluded.ended_at, recording_at = excluded.recording_at,
	state_code = excluded.state_code, fail_reason = excluded.fail_reason, unsw_reason = excluded.unsw_reason, sip_status = excluded.sip_status,
	released_by = excluded.released_by, end_word = excluded.end_word,
	record_wanted = excluded.record_wanted, record_file = excluded.record_file, record_bytes = excluded.record_bytes, quality = excluded.quality, why = excluded.why, shown = excluded.shown,
	release_cause = excluded.release_cause, release_status = excluded.release_status, callee_trunk = excluded.callee_trunk
	WHERE NOT calls.closed AND (excluded.seq >= calls.seq OR excluded.seq = 0)`
