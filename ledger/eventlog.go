package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
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

// EventFilter selects events. Empty fields select all.
type EventFilter struct {
	App     string
	Session string // its events come in their order, those of others newest first
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
	var c conditions
	if f.App != "" {
		c.add("app = ?", f.App)
	}
	if !f.From.IsZero() {
		c.add("at >= ?", micros(f.From))
	}
	if !f.To.IsZero() {
		c.add("at < ?", micros(f.To))
	}
	order := " ORDER BY at DESC, session DESC, seq DESC"
	if f.Session != "" {
		c.add("session = ?", f.Session)
		order = " ORDER BY seq"
	}
	skip := 0
	if f.After != "" {
		var err error
		if skip, err = strconv.Atoi(f.After); err != nil || skip < 0 {
			return EventPage{}, fmt.Errorf("list events: %q is not the end of a page: use the one that came with it", f.After)
		}
	}
	limit := pageSize(f.Limit)
	query := "SELECT session, seq, app, kind, at, body, tries, due_at, done_at, failure FROM events" + c.where() + order +
		fmt.Sprintf(" LIMIT %d OFFSET %d", limit+1, skip)
	list, err := listEvents(scope{ctx: ctx, on: l.reads}, query, c.args...)
	if err != nil {
		return EventPage{}, fmt.Errorf("list events: %w", err)
	}
	page := EventPage{Events: list}
	if len(list) > limit {
		page.Events, page.Next = list[:limit], strconv.Itoa(skip+limit)
	}
	return page, nil
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
