package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"axgate/events"
)

// LoggedEvent is an event with what became of its push.
type LoggedEvent struct {
	events.Event
	Tries   int       // attempts to push it that ended
	Due     time.Time // when it is pushed next; zero: there is nothing more to do
	Done    time.Time // when the receiver took it; zero: it has not
	Failure string    // of the last attempt, or why it is not pushed
}

// PushState is what became of an event's push.
type PushState string

// The states of a push.
const (
	PushDue     PushState = "due"     // it is owed, perhaps after failures
	PushTaken   PushState = "taken"   // the receiver took it
	PushFailed  PushState = "failed"  // given up
	PushNowhere PushState = "nowhere" // the app had no address for it
)

var pushTerms = map[PushState]string{
	PushDue:     "due_at > 0",
	PushTaken:   "done_at > 0 AND due_at = 0",
	PushFailed:  "due_at = 0 AND done_at = 0 AND failure <> ''",
	PushNowhere: "due_at = 0 AND done_at = 0 AND failure = ''",
}

// Push tells the state of the push.
func (e *LoggedEvent) Push() PushState {
	switch {
	case !e.Due.IsZero():
		return PushDue
	case !e.Done.IsZero():
		return PushTaken
	case e.Failure != "":
		return PushFailed
	}
	return PushNowhere
}

// EventFilter selects events. Empty fields select all.
type EventFilter struct {
	App     string
	SP      string // account
	Session string // its events come in their order, those of others newest first
	Number  string // X, caller or callee of their call, or sender or receiver of their text, in global form
	Kind    events.Kind
	Push    PushState
	From    time.Time
	To      time.Time // events before it
	After   string    // the Next of the page before
	Limit   int       // of a page; 0: 50, at most 1,000
}

// EventPage is a page of events.
type EventPage struct {
	Events []LoggedEvent
	Next   string // After of the next page; empty: this is the last
}

// Events lists the event log.
func (l *Ledger) Events(ctx context.Context, f EventFilter) (EventPage, error) {
	c, err := f.conditions()
	if err != nil {
		return EventPage{}, fmt.Errorf("list events: %w", err)
	}
	order := " ORDER BY at DESC, session DESC, seq DESC"
	if f.Session != "" {
		order = " ORDER BY seq"
	}
	limit := pageSize(f.Limit)
	query := "SELECT session, seq, app, kind, at, body, tries, due_at, done_at, failure FROM events" + c.where() + order +
		fmt.Sprintf(" LIMIT %d", limit+1)
	list, err := listEvents(scope{ctx: ctx, on: l.reads}, query, c.args...)
	if err != nil {
		return EventPage{}, fmt.Errorf("list events: %w", err)
	}
	page := EventPage{Events: list}
	if len(list) > limit {
		last := &list[limit-1]
		page.Events, page.Next = list[:limit], cursor(micros(last.At), fmt.Sprintf("%d_%s", last.Seq, last.Session))
	}
	return page, nil
}

// conditions are the terms of a filter.
func (f *EventFilter) conditions() (c conditions, err error) {
	for _, by := range []struct{ term, value string }{
		{"app = ?", f.App}, {"app IN (SELECT key FROM apps WHERE sp = ?)", f.SP}, {"kind = ?", string(f.Kind)}, {"session = ?", f.Session},
		{"session IN (SELECT session FROM calls WHERE x = ? UNION SELECT session FROM calls WHERE caller = ? UNION SELECT session FROM calls WHERE callee = ? AND callee <> ''" +
			" UNION SELECT id FROM messages WHERE x = ? UNION SELECT id FROM messages WHERE sender = ? UNION SELECT id FROM messages WHERE receiver = ? AND receiver <> '')", f.Number},
	} {
		if by.value != "" {
			c.add(by.term, by.value)
		}
	}
	if term, ok := pushTerms[f.Push]; ok {
		c.terms = append(c.terms, term)
	}
	if !f.From.IsZero() {
		c.add("at >= ?", micros(f.From))
	}
	if !f.To.IsZero() {
		c.add("at < ?", micros(f.To))
	}
	if f.After == "" {
		return c, nil
	}
	at, rest, err := readCursor(f.After)
	seq, session, ok := strings.Cut(rest, "_")
	n, notNumber := strconv.Atoi(seq)
	if err != nil || !ok || notNumber != nil {
		return c, &CursorError{f.After}
	}
	if f.Session != "" {
		c.add("seq > ?", int64(n))
		return c, nil
	}
	c.args = append(c.args, at, session, int64(n))
	c.terms = append(c.terms, fmt.Sprintf("(at, session, seq) < ($%d, $%d, $%d)", len(c.args)-2, len(c.args)-1, len(c.args)))
	return c, nil
}

func listEvents(s scope, query string, args ...any) (list []LoggedEvent, err error) {
	rows, err := s.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var e LoggedEvent
		var at, due, done int64
		var body string
		if err := rows.Scan(&e.Session, &e.Seq, &e.App, &e.Kind, &at, &body, &e.Tries, &due, &done, &e.Failure); err != nil {
			return nil, fmt.Errorf("read an event: %w", err)
		}
		e.At, e.Due, e.Done, e.Body = instant(at), instant(due), instant(done), json.RawMessage(body)
		list = append(list, e)
	}
	return list, nil
}
