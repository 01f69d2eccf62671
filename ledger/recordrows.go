package ledger

import (
	"encoding/json"
	"fmt"
	"math/bits"

	"axgate/events"
)

// bulk inserts many rows by few statements.
type bulk struct {
	into, tail string // what comes before and after the rows, behind INSERT
	width      int
	most       int            // rows of a statement, with SQLite
	texts      map[int]string // by the number of rows
}

// insert inserts the rows of args. A server, each statement of which is a
// journey, gets them as they come, SQLite in powers of two, for it compiles a
// text for each number of them.
func (b *bulk) insert(s scope, args []any) error {
	const most = 64
	for n := len(args) / b.width; n > 0; n = len(args) / b.width {
		if n = min(n, most); s.stmts != nil {
			n = min(b.most, 1<<(bits.Len(uint(n))-1))
		}
		if _, err := s.exec(b.text(n, s.stmts != nil), args[:n*b.width]...); err != nil {
			return err
		}
		args = args[n*b.width:]
	}
	return nil
}

// text is the statement for so many rows. With SQLite one that fails may leave
// rows behind: what it would need to undo them alone, copies of all pages that
// it changes, costs more than the rest.
func (b *bulk) text(rows int, mayFail bool) string {
	if text, ok := b.texts[rows]; ok {
		return text
	}
	verb := "INSERT "
	if mayFail {
		verb = "INSERT OR FAIL "
	}
	b.texts[rows] = verb + b.into + places(rows, b.width) + b.tail
	return b.texts[rows]
}

func newBulk(into, tail string, width, most int) bulk {
	return bulk{into: into, tail: tail, width: width, most: most, texts: map[int]string{}}
}

const (
	eventInto  = `INTO events (session, seq, app, kind, at, body, target, due_at, tries, first_at, done_at, failure) VALUES `
	eventOnce  = ` ON CONFLICT DO NOTHING`
	eventWidth = 12
)

// storeEvents writes events of calls; those that nobody is to be told of are
// not due. It tells whether any is.
func (r *records) storeEvents(s scope, evs []*events.Event) (fresh bool, err error) {
	if len(evs) == 0 {
		return false, nil
	}
	if err := r.receivers.read(s); err != nil {
		return false, err
	}
	args, now := make([]any, 0, len(evs)*eventWidth), micros(r.now())
	for _, e := range evs {
		due := min(dueAt(e), max(1, now)) // the clock of who wrote it may be ahead
		if due > 0 && r.receivers.deaf[events.Lane{App: e.App, Target: e.Target()}] {
			due = 0
		}
		fresh = fresh || due > 0
		args = appendEvent(args, e, due)
	}
	if err := r.events.insert(s, args); err != nil {
		return false, fmt.Errorf("store %d events, %d of %s the first: %w", len(evs), evs[0].Seq, evs[0].Session, err)
	}
	return fresh, nil
}

// storeEvent writes an event that is due.
func storeEvent(s scope, e *events.Event) error {
	_, err := s.exec(eventText, appendEvent(nil, e, dueAt(e))...)
	if err != nil {
		return fmt.Errorf("store event %d of %s: %w", e.Seq, e.Session, err)
	}
	return nil
}

var eventText = "INSERT " + eventInto + places(1, eventWidth) + eventOnce

func dueAt(e *events.Event) int64 {
	if e.Target() == events.Asked {
		return 0
	}
	return max(1, micros(e.At))
}

func appendEvent(args []any, e *events.Event, due int64) []any {
	return append(args, e.Session, int64(e.Seq), e.App, string(e.Kind), micros(e.At), string(e.Body), string(e.Target()), due, int64(0), int64(0), int64(0), "")
}

// qualities is the form of both legs' quality, and of how whole the recording is.
type qualities struct {
	Caller events.Quality `json:"caller"`
	Callee events.Quality `json:"callee"`
	GapMS  int64          `json:"record_gap_ms,omitempty"` // of the recording
}

func (r *records) storeCalls(s scope, calls []state) error {
	if len(calls) == 0 {
		return nil
	}
	args := make([]any, 0, len(calls)*callWidth)
	for _, c := range calls {
		var err error
		if args, err = appendCall(args, c); err != nil {
			return err
		}
	}
	if err := r.calls.insert(s, args); err != nil {
		return fmt.Errorf("store %d calls, %s the first: %w", len(calls), calls[0].call.Session, err)
	}
	return nil
}

// storeCall writes the state of a call, unless a later one stands, its fee event has
// been written - what was billed does not change - or another life has the call.
func storeCall(s scope, c *events.Call, seq int, closed bool) error {
	args, err := appendCall(nil, state{c, seq, closed})
	if err != nil {
		return err
	}
	if _, err = s.exec(callText, args...); err != nil {
		return fmt.Errorf("store call %s: %w", c.Session, err)
	}
	return nil
}

func appendCall(args []any, st state) ([]any, error) {
	c, quality := st.call, ""
	if !c.Ended.IsZero() {
		q, err := json.Marshal(qualities{c.CallerLeg, c.CalleeLeg, c.RecordGap.Milliseconds()})
		if err != nil {
			return nil, fmt.Errorf("the quality of %s: %w", c.Session, err)
		}
		quality = string(q)
	}
	return append(args, c.Session, c.ICID, c.Node, c.Host, c.App, c.SP, c.Mode, c.X, c.Caller, c.AreaCode, micros(c.In),
		int64(st.seq), st.closed, c.Callee, c.Binding, c.Extension, c.UserData, int64(c.Direction),
		micros(c.Out), micros(c.Alerting), micros(c.Answered), micros(c.Ended), micros(c.Recording),
		int64(c.StateCode), int64(c.FailReason), int64(c.UnswReason), int64(c.SIPStatus), int64(c.ReleasedBy), c.EndWord,
		c.RecordWanted, c.RecordFile, c.RecordBytes, quality, c.Why, c.Shown, int64(c.ReleaseCause), int64(c.ReleaseStatus), c.ChargingID, c.CallerTrunk, c.CalleeTrunk, c.Incarnation), nil
}

const callWidth = 41

var callText = "INSERT " + callInto + places(1, callWidth) + callUpdate

// What a call is from its beginning is written once only, which spares its
// indexes. A state without events of its own (seq 0) belongs to the last.
const (
	callInto = `INTO calls (session, icid, node, host, app, sp, mode, x, caller, area, in_at,
	seq, closed, callee, binding, ext, user_data, direction,
	out_at, alerting_at, answered_at, ended_at, recording_at,
	state_code, fail_reason, unsw_reason, sip_status, released_by, end_word,
	record_wanted, record_file, record_bytes, quality, why, shown, release_cause, release_status, charging_id, caller_trunk, callee_trunk, incarnation)
	VALUES `
	callUpdate = ` ON CONFLICT (session) DO UPDATE SET
	seq = CASE WHEN excluded.seq > calls.seq THEN excluded.seq ELSE calls.seq END, closed = calls.closed OR excluded.closed,
	callee = excluded.callee, binding = excluded.binding, ext = excluded.ext, user_data = excluded.user_data, direction = excluded.direction,
	out_at = excluded.out_at, alerting_at = excluded.alerting_at, answered_at = excluded.answered_at, ended_at = excluded.ended_at, recording_at = excluded.recording_at,
	state_code = excluded.state_code, fail_reason = excluded.fail_reason, unsw_reason = excluded.unsw_reason, sip_status = excluded.sip_status,
	released_by = excluded.released_by, end_word = excluded.end_word,
	record_wanted = excluded.record_wanted, record_file = excluded.record_file, record_bytes = excluded.record_bytes, quality = excluded.quality, why = excluded.why, shown = excluded.shown,
	release_cause = excluded.release_cause, release_status = excluded.release_status, callee_trunk = excluded.callee_trunk
	WHERE NOT calls.closed AND calls.node = excluded.node AND calls.incarnation = excluded.incarnation AND (excluded.seq >= calls.seq OR excluded.seq = 0)`
)
