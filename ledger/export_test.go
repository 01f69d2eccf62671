package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"time"

	"axgate/events"
	"axgate/routing"
)

// PickQueries are the texts of a search for an X, the one for overdue bindings
// last, with values in place of the parameters.
func PickQueries(at Place, b *routing.Binding) []string {
	p := newPick(b.App, at, b)
	var all []string
	for _, query := range []string{p.text(sides[0]), p.text(sides[1]), p.overdueText()} {
		for i, arg := range append(append(p.args[:2:2], int64(lots/2)), p.args[3:]...) {
			value := fmt.Sprint(arg)
			if text, ok := arg.(string); ok {
				value = "'" + text + "'"
			}
			query = strings.ReplaceAll(query, fmt.Sprintf("$%d", i+1), value)
		}
		all = append(all, query)
	}
	return all
}

// TextQueries are the texts of what is asked about texts all the time, each with
// the index that SQLite has to go by.
func TextQueries() map[string]string {
	all := map[string]string{nextTexting: "messages_due (app>", textsDue: "messages_due (app=", waitingTexts: "messages_waiting (x=", openTexts: "messages_open (x=", lockParts: "messages_open (x=",
		takeRows.texts[1]: "sqlite_autoindex_messages_1 (id=?)"}
	no := false
	for index, f := range map[string]MessageFilter{
		"messages_by_time": {}, "messages_not_done": {Done: &no}, "messages_by_app (app=": {App: "a"}, "messages_by_account (sp=": {SP: "a"}, "messages_by_x (x=": {X: "a"},
		"messages_by_sender (sender=": {Sender: "a"}, "messages_by_receiver (receiver=": {Receiver: "a"},
	} {
		c, err := f.conditions()
		if err != nil {
			panic(err)
		}
		all[f.query(&c, 50)] = index
	}
	return all
}

// OutboxQueries are texts of the outbox, each with the index that SQLite has to go by.
func OutboxQueries() map[string]string {
	const key = "sqlite_autoindex_events_1 (session=? AND seq"
	return map[string]string{
		DueLanes: "events_due (app=? AND target>?)", moveRows.texts[1]: key + "=?)", lockRows.texts[1]: key + "=?)", settleRows.texts[1]: key + "=?)", letGoRows.texts[1]: key + ">?)",
		replayRows.texts[1]: key + "=?)", freeRows.texts[0]: "events_due",
	}
}

// DueLanes asks which lanes have something due.
const DueLanes = dueLanes

// DropQueries are the texts that look for what is too old, each with the index
// that SQLite has to go by.
func DropQueries() map[string]string {
	return map[string]string{
		dropCalls: "calls_by_app (app=", dropTexts: "messages_by_app (app=", dropEvents: "events_by_app (app=", dropBindings: "bindings_ended_of_app (app=",
		keptRecordings: "calls_recorded (app=", storedGone: "calls_stored_gone (record_gone_at>", goneFiles: "calls_files_gone (node=",
		storedElsewhere: "calls_stored_gone", leaveElsewhere: "calls_stored_gone (record_gone_at>",
	}
}

// DumpedTables are those of a dump.
func DumpedTables() []string { return tables }

// HoldRecord is Record that stops within its transaction, after it has read whose the
// calls are, until held returns.
func HoldRecord(ctx context.Context, l *Ledger, entries []events.Entry, held func()) error {
	return l.change(ctx, func(s scope) error {
		if _, err := l.takenOver(s, entries); err != nil {
			return err
		}
		held()
		_, err := l.records.store(s, entries)
		return err
	})
}

// OpenPostgres opens connections as a ledger does, whose server may be silent for so long.
func OpenPostgres(dsn string, answerTime time.Duration) (*sql.DB, error) {
	return connector{dsn, ackTime, answerTime}.open()
}

// Pools are those of a ledger in PostgreSQL.
func Pools(l *Ledger) []*sql.DB { return []*sql.DB{l.writes, l.reads, l.nodes} }

// Socket is what a connection of a pool goes by.
func Socket(c net.Conn) net.Conn { return c.(*link).Conn }

// ErrLost tells that the other end of a connection is gone.
var ErrLost = errLost
