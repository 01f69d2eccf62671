package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"axgate/events"
)

// CallFilter selects calls. Empty fields select all.
type CallFilter struct {
	App     string
	SP      string // account
	Session string
	Number  string // X, caller or callee, in global form
	X       string
	Caller  string
	Callee  string
	Binding string // subscriptionId
	End     string // how they ended: an EndWord
	Trunk   string // of either leg
	Code    *int   // ulFailReason
	From    time.Time
	To      time.Time // calls that came in before it
	Open    bool      // only calls whose fee event is not written yet
	Talked  *bool     // whether they were answered
	After   string    // the Next of the page before
	Limit   int       // of a page; 0: 50, at most 1,000
}

// CallPage is a page of calls, the newest first.
type CallPage struct {
	Calls []events.Call
	Next  string // After of the next page; empty: this is the last
}

const callColumns = `session, icid, node, host, app, sp, mode, x, caller, area, in_at, seq, callee, binding, ext, user_data, direction,
	out_at, alerting_at, answered_at, ended_at, recording_at, state_code, fail_reason, unsw_reason, sip_status, released_by, end_word,
	record_wanted, record_file, record_bytes, quality, why, shown, release_cause, release_status, charging_id, caller_trunk, callee_trunk, incarnation`

// readCall also tells the number of the last event that the row knows of.
func readCall(r row) (c events.Call, seq int, err error) {
	var in, out, alerting, answered, ended, recording int64
	var quality string
	err = r.Scan(&c.Session, &c.ICID, &c.Node, &c.Host, &c.App, &c.SP, &c.Mode, &c.X, &c.Caller, &c.AreaCode, &in, &seq, &c.Callee, &c.Binding, &c.Extension, &c.UserData, &c.Direction,
		&out, &alerting, &answered, &ended, &recording, &c.StateCode, &c.FailReason, &c.UnswReason, &c.SIPStatus, &c.ReleasedBy, &c.EndWord,
		&c.RecordWanted, &c.RecordFile, &c.RecordBytes, &quality, &c.Why, &c.Shown, &c.ReleaseCause, &c.ReleaseStatus, &c.ChargingID, &c.CallerTrunk, &c.CalleeTrunk, &c.Incarnation)
	if err != nil {
		return c, seq, fmt.Errorf("read a call: %w", err)
	}
	c.In, c.Out, c.Alerting, c.Answered, c.Ended, c.Recording = instant(in), instant(out), instant(alerting), instant(answered), instant(ended), instant(recording)
	if quality != "" {
		var q qualities
		if err := json.Unmarshal([]byte(quality), &q); err != nil {
			return c, seq, fmt.Errorf("the quality of %s: %w", c.Session, err)
		}
		c.CallerLeg, c.CalleeLeg, c.RecordGap = q.Caller, q.Callee, time.Duration(q.GapMS)*time.Millisecond
	}
	return c, seq, nil
}

// conditions collects the terms of a WHERE with their arguments.
type conditions struct {
	terms []string
	args  []any
}

// add takes a term in which every ? is the argument.
func (c *conditions) add(term string, arg any) {
	c.args = append(c.args, arg)
	c.terms = append(c.terms, strings.ReplaceAll(term, "?", fmt.Sprintf("$%d", len(c.args))))
}

func (c *conditions) where() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}

// pageSize keeps a limit within bounds.
func pageSize(limit int) int {
	const usual, most = 50, 1000
	if limit <= 0 {
		return usual
	}
	return min(limit, most)
}

// Calls lists calls, the newest first.
func (l *Ledger) Calls(ctx context.Context, f CallFilter) (CallPage, error) {
	var c conditions
	for _, by := range []struct{ column, value string }{{"app", f.App}, {"sp", f.SP}, {"session", f.Session}, {"x", f.X}, {"caller", f.Caller}, {"binding", f.Binding}, {"end_word", f.End}} {
		if by.value != "" {
			c.add(by.column+" = ?", by.value)
		}
	}
	if f.Callee != "" { // as its partial index has it
		c.add("callee = ? AND callee <> ''", f.Callee)
	}
	if f.Trunk != "" {
		c.add("(caller_trunk = ? OR callee_trunk = ?)", f.Trunk)
	}
	if f.Code != nil {
		c.add("fail_reason = ? AND closed", int64(*f.Code))
	}
	if f.Talked != nil {
		c.add("(answered_at > 0) = ?", *f.Talked)
	}
	if !f.From.IsZero() {
		c.add("in_at >= ?", micros(f.From))
	}
	if !f.To.IsZero() {
		c.add("in_at < ?", micros(f.To))
	}
	if f.Open {
		c.terms = append(c.terms, "NOT closed")
	}
	if f.After != "" {
		at, session, err := readCursor(f.After)
		if err != nil {
			return CallPage{}, fmt.Errorf("list calls: %w", err)
		}
		c.add("in_at <= ?", at)
		c.args = append(c.args, session)
		c.terms = append(c.terms, fmt.Sprintf("(in_at < $%d OR session < $%d)", len(c.args)-1, len(c.args)))
	}
	limit := pageSize(f.Limit)
	page := CallPage{}
	err := l.eachCall(ctx, f.Number, &c, limit+1, func(call events.Call) { page.Calls = append(page.Calls, call) })
	if err != nil {
		return CallPage{}, fmt.Errorf("list calls: %w", err)
	}
	if len(page.Calls) > limit {
		page.Calls = page.Calls[:limit]
		last := page.Calls[limit-1]
		page.Next = cursor(micros(last.In), last.Session)
	}
	return page, nil
}

// eachCall runs the query. A number is looked for in three columns, each with
// its own index, and the three answers are merged.
func (l *Ledger) eachCall(ctx context.Context, number string, c *conditions, limit int, each func(events.Call)) (err error) {
	const newest = " ORDER BY in_at DESC, session DESC LIMIT "
	query := "SELECT " + callColumns + " FROM calls" + c.where() + newest + fmt.Sprint(limit)
	if number != "" {
		var parts []string
		base := *c
		for _, term := range []string{"x = ?", "caller = ?", "callee = ? AND callee <> ''"} {
			part := conditions{terms: append([]string(nil), base.terms...), args: c.args}
			part.add(term, number)
			c.args = part.args
			parts = append(parts, "SELECT * FROM (SELECT "+callColumns+" FROM calls"+part.where()+newest+fmt.Sprint(limit)+") AS found")
		}
		query = "SELECT " + callColumns + " FROM (" + strings.Join(parts, " UNION ") + ") AS merged" + newest + fmt.Sprint(limit)
	}
	rows, err := l.reads.QueryContext(ctx, query, c.args...)
	if err != nil {
		return err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		call, _, err := readCall(rows)
		if err != nil {
			return err
		}
		each(call)
	}
	return nil
}

// A cursor names the last row of a page.
func cursor(at int64, key string) string { return fmt.Sprintf("%d_%s", at, key) }

func readCursor(s string) (at int64, key string, err error) {
	before, after, ok := strings.Cut(s, "_")
	if ok {
		_, err = fmt.Sscanf(before, "%d", &at)
	}
	if !ok || err != nil || after == "" {
		return 0, "", &CursorError{s}
	}
	return at, after, nil
}
