package ledger_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

// crowded is an empty PostgreSQL in which a statement that goes through rows takes them as they lie: the order
// in which rows are locked must not be the plan's.
func crowded(t *testing.T) owing {
	if testing.Short() {
		t.Skip("-short: it wants PostgreSQL")
	}
	cfg := ledgertest.Postgres(t)
	cfg.DSN += " options='-c enable_nestloop=off -c enable_indexscan=off -c enable_bitmapscan=off -c deadlock_timeout=1min'"
	return owing{t, open(t, cfg), cfg, time.Now().UTC().Truncate(time.Microsecond)}
}

// rival is another node within its transaction.
type rival struct {
	owing
	*sql.Tx
}

func (o owing) rival() rival {
	db, err := sql.Open("pgx", o.cfg.DSN)
	require.NoError(o, err)
	o.Cleanup(func() { require.NoError(o, db.Close()) })
	tx, err := db.Begin()
	require.NoError(o, err)
	o.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.Exec("SET LOCAL lock_timeout = '100ms'")
	require.NoError(o, err)
	return rival{o, tx}
}

// locks does something that locks rows, for which it waits for nobody.
func (r rival) locks(statement string, args ...any) {
	r.Helper()
	_, err := r.Exec(statement, args...)
	require.NoError(r, err)
}

const lockEvent = "SELECT 1 FROM events WHERE session = $1 AND seq = $2 FOR UPDATE"

// holdsUp begins work that waits for what the rival has.
func (r rival) holdsUp(work func() error) (done chan error) {
	done = make(chan error, 1)
	go func() { done <- work() }()
	require.Eventually(r, func() (waits bool) {
		select {
		case err := <-done:
			r.Fatalf("nothing held it up: %v", err)
		default:
		}
		require.NoError(r, r.QueryRow("SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Scan(&waits))
		return waits
	}, time.Minute, 10*time.Millisecond)
	return done
}

// letsGo ends what the rival does.
func (r rival) letsGo(done chan error) {
	require.NoError(r, r.Commit())
	require.NoError(r, <-done)
}

// TestClaimsWaitForNobody: what somebody else has locked is his to claim; the others are claimed
// meanwhile, and parked.
func TestClaimsWaitForNobody(t *testing.T) {
	o := crowded(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	claim := func(now time.Time) []string {
		taken, _, err := o.Outbox().Claim(ctx, now, now.Add(time.Minute), func(events.Lane) int { return 1000 })
		require.NoError(t, err)
		names := namesOf(taken)
		slices.Sort(names)
		return names
	}
	for _, session := range []string{"c", "b", "a"} {
		o.owe(session, 1, events.CallOut, events.Alerting, events.Answer)
	}
	first := o.rival()
	first.locks(lockEvent, "a", 1)
	first.locks(lockEvent, "b", 2)
	require.Equal(t, []string{"b 1", "c 1", "c 2", "c 3"}, claim(o.now))
	require.Equal(t, []string{"1m0s", "now", "now"}, o.due("b"), "nothing behind a row that another one has")
	require.NoError(t, first.Rollback())

	o.owe("c", 4, events.Disconnect)
	second := o.rival()
	second.locks(lockEvent, "b", 1)
	require.Equal(t, []string{"a 1", "a 2", "a 3"}, claim(o.now))
	require.Equal(t, []string{"1m0s", "now", "now"}, o.due("b"), "nobody parks behind a row that another one has")
	require.Equal(t, "1m0.000001s", o.due("c")[3], "parked")
	require.NoError(t, second.Rollback())
	require.Empty(t, claim(o.now))
	require.Equal(t, []string{"1m0s", "1m0.000001s", "1m0.000001s"}, o.due("b"))
}

// TestTextsWaitForNobody is the same of texts.
func TestTextsWaitForNobody(t *testing.T) {
	o := crowded(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i, id := range []string{"b", "a"} {
		m := text(id)
		m.Sender = tel(i)
		addText(t, o.Ledger, m)
	}
	o.rival().locks("SELECT 1 FROM messages WHERE id = 'a' FOR UPDATE")
	taken, _, err := o.ClaimTexts(ctx, t0, t0.Add(time.Minute), func(string) int { return 10 })
	require.NoError(t, err)
	require.Len(t, taken, 1)
	require.Equal(t, "b", taken[0].ID)
}

// TestEventsAreLockedInOneOrder: whoever waits for an event has none that comes behind it.
func TestEventsAreLockedInOneOrder(t *testing.T) {
	var taken []events.Claimed
	life := ledger.Life{Node: "n", Incarnation: 1}
	for name, work := range map[string]func(o owing) error{
		"outcomes": func(o owing) error {
			var outcomes []events.Outcome
			for _, c := range taken {
				outcomes = append(outcomes, events.Outcome{Claimed: c, At: o.now, Done: o.now})
			}
			return o.Outbox().Finish(context.Background(), outcomes)
		},
		"replay": func(o owing) error {
			_, err := o.Replay(context.Background(), ledger.ReplayFilter{From: t0.Add(-time.Hour), To: o.now.Add(time.Hour)}, o.now)
			return err
		},
		"claims of a dead node": func(o owing) error {
			_, err := o.FreeClaims(context.Background(), life)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := crowded(t)
			for _, session := range []string{"c", "b", "a"} {
				o.owe(session, 1, events.CallOut, events.Alerting)
			}
			taken = o.claim(o.Outbox().Held(func() ledger.Life { return life }))
			require.Len(t, taken, 6)
			r := o.rival()
			r.locks(lockEvent, "a", 1)
			done := r.holdsUp(func() error { return work(o) })
			r.locks(lockEvent, "b", 1)
			r.locks(lockEvent, "c", 2)
			r.letsGo(done)
		})
	}
}

// TestLettingGoWaitsForNobody: outcomes have rows of all their sessions by then.
func TestLettingGoWaitsForNobody(t *testing.T) {
	o := crowded(t)
	o.owe("a", 1, events.CallOut)
	taken := o.claim(o.Outbox())
	o.owe("a", 2, events.Alerting, events.Answer)
	require.Empty(t, o.claim(o.Outbox()))
	r := o.rival()
	r.locks(lockEvent, "a", 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, o.Outbox().Finish(ctx, []events.Outcome{{Claimed: taken[0], At: o.now, Done: o.now}}))
	require.Equal(t, []string{"never", "1m0.000001s", "now"}, o.due("a"))
}

// TestRecordsAreLockedInOneOrder: a journal may bring what an heir writes at that moment, or brings too.
func TestRecordsAreLockedInOneOrder(t *testing.T) {
	entry := func(session string, kind events.Kind, seq int) events.Entry {
		c := events.Call{Session: session, Node: "n", App: "app", SP: "demo", Mode: "AXB", X: string(x1), In: t0}
		return events.Entry{Call: c, Events: []events.Event{events.NewCallEvent(c, seq, kind, t0, "")}}
	}
	record := func(o owing, entries ...events.Entry) func() error {
		return func() error { _, err := o.Record(context.Background(), entries); return err }
	}
	insert := func(r rival, session string) {
		r.locks(`INSERT INTO events (session, seq, app, kind, at, body, target, due_at, tries, first_at, done_at, failure)
			VALUES ($1, 2, 'app', 'disconnect', 1, '{}', 'status', 0, 0, 0, 0, '')`, session)
	}
	lockCall := func(r rival, session string) { r.locks("UPDATE calls SET closed = closed WHERE session = $1", session) }
	for name, test := range map[string]func(r rival, record func() error){
		"a call before its events": func(r rival, record func() error) {
			lockCall(r, "a")
			done := r.holdsUp(record)
			insert(r, "a")
			r.letsGo(done)
		},
		"events by their calls": func(r rival, record func() error) {
			insert(r, "a")
			done := r.holdsUp(record)
			insert(r, "b")
			r.letsGo(done)
		},
		"calls": func(r rival, record func() error) {
			lockCall(r, "a")
			done := r.holdsUp(record)
			lockCall(r, "b")
			r.letsGo(done)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := crowded(t)
			require.NoError(t, record(o, entry("b", events.CallIn, 1), entry("a", events.CallIn, 1))())
			test(o.rival(), record(o, entry("b", events.Disconnect, 3), entry("a", events.Disconnect, 3)))
			var n int
			db, err := sql.Open("pgx", o.cfg.DSN)
			require.NoError(t, err)
			require.NoError(t, db.QueryRow("SELECT count(*) FROM events WHERE kind = 'disconnect'").Scan(&n))
			require.NoError(t, db.Close())
			require.Equal(t, 2, n, "one for each call")
		})
	}
}

// TestNumbersAreLockedInOneOrder: two tasks may have numbers in common, which lie in any order.
func TestNumbersAreLockedInOneOrder(t *testing.T) {
	o := crowded(t)
	addApp(t, o.Ledger, routing.AXB, nil, x3, x2, x1)
	task := taskOf(t, o.Ledger, ledger.Task{Kind: ledger.TaskSMS, SMS: true}, x3, x1, x2)
	h := held(task, "test")
	_, err := o.TakeTask(t.Context(), h, t0)
	require.NoError(t, err)
	const lock = "SELECT 1 FROM numbers WHERE x = $1 FOR UPDATE"
	r := o.rival()
	r.locks(lock, x1)
	done := r.holdsUp(func() error {
		_, err := o.WorkTask(context.Background(), h, judged, t0)
		return err
	})
	r.locks(lock, x2)
	r.locks(lock, x3)
	r.letsGo(done)
}
