package ledger

import (
	"fmt"
	"time"

	"axgate/events"
	"axgate/routing"
)

// tellStatus writes, in the transaction that changes X from was to n, the push
// that the app which had X is owed if it sees another status by it, or another
// reason. For an app that loses X to another one it is deleted. X was locked by
// lockNumber: its version is the event's place among those of X.
func tellStatus(s scope, was, n *Number, at time.Time) error {
	before, after := shownStatus(was), shownStatus(n)
	if n.App != was.App {
		after = events.NumberStatus{Status: events.NumberUnavailable, Cause: events.CauseDeleted}
	}
	if before == after {
		return nil
	}
	e := events.NewNumberEvent(was.App, int(n.Version), string(n.X), after, at)
	_, err := s.exec(`INSERT INTO events (session, seq, app, kind, at, body, target, due_at, tries, first_at, done_at, failure)
		SELECT $1, $2, key, $3, $4, $5, $6, $7, 0, 0, 0, '' FROM apps WHERE key = $8 AND push_numbers`,
		e.Session, int64(e.Seq), string(e.Kind), micros(at), string(e.Body), string(e.Kind.Target()), max(1, micros(at)), e.App)
	if err != nil {
		return fmt.Errorf("store the push of its status: %w", err)
	}
	return nil
}

// shownStatus is the status of X as customers know it (callbacks section 5).
func shownStatus(n *Number) events.NumberStatus {
	switch n.Status {
	case routing.StatusNormal:
		return events.NumberStatus{Status: events.NumberNormal}
	case routing.StatusPaused:
		return events.NumberStatus{Status: events.NumberSuspended}
	case routing.StatusFrozen:
		return events.NumberStatus{Status: events.NumberBindFrozen}
	case routing.StatusReturned:
		return events.NumberStatus{Status: events.NumberUnavailable, Cause: events.CauseDeleted}
	case routing.StatusTransfer:
		return events.NumberStatus{Status: events.NumberUnavailable, Cause: events.CauseStopped}
	}
	status := events.NumberStatus{Status: events.NumberUnavailable}
	if events.NumberCause(n.Cause) {
		status.Cause = n.Cause
	}
	return status
}
