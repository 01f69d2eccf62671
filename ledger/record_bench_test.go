package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
)

// BenchmarkCallsInPostgres stores what recorded calls that are answered write into a
// PostgreSQL that waits for its disk: four nodes carry their journals, each time what comes
// in a tenth of a second at 250 calls a second, and each step of a call is in another
// transaction. An operation is one of those. With pushes each event is claimed, and stored as
// taken, by some of the nodes for all. It tells the rows that stay of a call, how often
// rows are written, what they take with indexes, what goes into the WAL, and the CPU time of
// the server: the costs of the ledger in docs/performance.md.
//
//	go test ./ledger -run - -bench CallsInPostgres -benchtime 2s
func BenchmarkCallsInPostgres(b *testing.B) {
	server, err := pgtest.Start("fsync=on")
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, server.Stop()) })
	for _, how := range []struct {
		name    string
		pushing int // nodes that push
	}{{"unpushed", 0}, {"pushed by one", 1}, {"pushed by two", 2}, {"pushed by each", carriers}} {
		b.Run(how.name, func(b *testing.B) { storeCalls(b, server, how.pushing) })
	}
}

const (
	carriers = 4
	group    = 25 // calls of a node that begin in a tenth of a second
)

func storeCalls(b *testing.B, server *pgtest.Server, pushing int) {
	cfg := ledger.Config{Driver: ledger.Postgres, DSN: server.Database(b)}
	database, err := sql.Open("pgx", cfg.DSN)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, database.Close()) })
	first := fleet(b, cfg, "first", pushing)
	addApp(b, first[0].ledger, "AXB", func(a *ledger.App) {
		if pushing > 0 {
			a.StatusURL, a.FeeURL = "http://app.example.net/status", "http://app.example.net/fee"
		}
	})
	run(b, first, 2*carriers)
	end(b, first)
	// Of tables that are empty, and of which it has no statistics, PostgreSQL reads each row.
	for _, command := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		_, err = database.Exec(command)
		require.NoError(b, err)
	}
	nodes := fleet(b, cfg, "node", pushing)
	before, cpu := look(b, database), spent(b, server)
	b.ResetTimer()
	run(b, nodes, b.N)
	b.StopTimer()
	used := spent(b, server) - cpu
	end(b, nodes)
	after, calls := look(b, database), float64(b.N*group)
	require.EqualValues(b, calls, after.calls-before.calls)
	require.Zero(b, after.due)
	for unit, sum := range map[string]int64{"rows/call": after.rows - before.rows, "writes/call": after.writes - before.writes,
		"bytes/call": after.bytes - before.bytes, "wal-bytes/call": after.wal - before.wal, "server-µs/call": used.Microseconds()} {
		b.ReportMetric(float64(sum)/calls, unit)
	}
	b.ReportMetric(calls/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64(after.rows-before.rows)/b.Elapsed().Seconds(), "rows/s")
}

// fleet are nodes of which some push.
func fleet(b *testing.B, cfg ledger.Config, name string, pushing int) (nodes []*carrying) {
	for i := range carriers {
		l, err := ledger.Open(b.Context(), cfg)
		require.NoError(b, err)
		n := &carrying{ledger: l, outbox: l.Outbox(), node: fmt.Sprint(name, i), app: "appAXB", pushes: i < pushing}
		ledgertest.Alive(b, l, n.node, time.Now()) // its calls are its own: none is looked at
		nodes = append(nodes, n)
	}
	return nodes
}

// run has nodes carry so many groups of calls, and push.
func run(b *testing.B, nodes []*carrying, groups int) {
	var left atomic.Int64
	left.Store(int64(groups))
	var all sync.WaitGroup
	for _, n := range nodes {
		all.Go(func() {
			if err := n.run(b.Context(), &left); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	require.NoError(b, nodes[0].push(b.Context())) // what others wrote last
}

// end ends nodes, whose sessions tell what they wrote.
func end(b *testing.B, nodes []*carrying) {
	for _, n := range nodes {
		require.NoError(b, n.ledger.Close())
	}
}

func spent(b *testing.B, server *pgtest.Server) time.Duration {
	used, err := server.CPU()
	require.NoError(b, err)
	return used
}

// carrying is a node that carries its journal.
type carrying struct {
	ledger *ledger.Ledger
	outbox *ledger.Outbox
	node   string
	app    string
	pushes bool
	begun  int
	up     [][]events.Call // that have rung, talked and so on, the last group first
}

// run takes turns as long as any are left, and ends what it has begun.
func (n *carrying) run(ctx context.Context, left *atomic.Int64) error {
	for more := true; more || len(n.up) > 0; {
		var calls []events.Call
		if more = left.Add(-1) >= 0; more {
			calls = n.calls()
		}
		if err := n.turn(ctx, calls); err != nil {
			return err
		}
	}
	return n.push(ctx)
}

// calls are those that come in.
func (n *carrying) calls() []events.Call {
	list := make([]events.Call, group)
	now := time.Now()
	for i := range list {
		n.begun++
		pair := rand.IntN(1_000_000)
		list[i] = events.Call{
			Session: fmt.Sprintf("%d_%d_%d_%s@%s.example.net", now.Unix(), n.begun, rand.Uint32(), now.UTC().Format("20060102150405"), n.node), ICID: uuid.NewString(),
			Node: n.node, Host: n.node + ".example.net", App: n.app, SP: "demo", Mode: "AXB", X: fmt.Sprintf("+8617010%06d", pair/1000), Caller: fmt.Sprintf("+86138%08d", pair), Callee: fmt.Sprintf("+86139%08d", pair),
			Binding: uuid.NewString(), AreaCode: "0755", In: now, Why: "AXB: the caller is A of the binding", CallerTrunk: "network", CalleeTrunk: "network", Incarnation: 1,
		}
	}
	return list
}

// turn is a transaction of the journal: calls come in, and each group that is up takes
// its next step.
func (n *carrying) turn(ctx context.Context, calls []events.Call) error {
	n.up = append([][]events.Call{calls}, n.up...)
	var list []events.Entry
	for at, group := range n.up {
		for i := range group {
			list = append(list, steps[at](&group[i], time.Now())...)
		}
	}
	if n.up = n.up[:min(len(n.up), len(steps)-1)]; calls == nil && !slices.ContainsFunc(n.up, func(g []events.Call) bool { return g != nil }) {
		n.up = nil
	}
	if len(list) == 0 {
		return nil
	}
	refused, err := n.ledger.Record(ctx, list)
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("refused: %v", refused)
	}
	if err != nil {
		return err
	}
	return n.push(ctx)
}

// steps are what a recorded call writes, one transaction after the other.
var steps = []func(c *events.Call, now time.Time) []events.Entry{
	func(c *events.Call, now time.Time) []events.Entry {
		in := told(c, 1, events.CallIn, now)
		c.Out = now
		return []events.Entry{in, told(c, 2, events.CallOut, now)}
	},
	func(c *events.Call, now time.Time) []events.Entry {
		c.Alerting = now
		return []events.Entry{told(c, 3, events.Alerting, now)}
	},
	func(c *events.Call, now time.Time) []events.Entry {
		c.Answered = now
		answer := told(c, 4, events.Answer, now)
		c.RecordWanted, c.Recording, c.RecordFile = true, now, fmt.Sprintf("%s%011d.wav", now.UTC().Format("060102150405"), rand.Uint64N(1e11))
		return []events.Entry{answer, {Call: *c}}
	},
	func(c *events.Call, now time.Time) []events.Entry {
		c.Ended, c.EndWord, c.ReleasedBy, c.RecordBytes = now, "released", 1, 480_044
		c.CallerLeg = events.Quality{Received: 3000, JitterMS: 1.5, MOS: 4.3}
		c.CalleeLeg = c.CallerLeg
		end := told(c, 5, events.Disconnect, now)
		end.Events = append(end.Events, events.NewFee(*c, 6))
		return []events.Entry{end}
	},
}

func told(c *events.Call, seq int, kind events.Kind, now time.Time) events.Entry {
	return events.Entry{Call: *c, Events: []events.Event{events.NewCallEvent(*c, seq, kind, now, "")}}
}

// push takes what is due as the pusher does, whose receivers take it at once.
func (n *carrying) push(ctx context.Context) error {
	for n.pushes {
		now := time.Now()
		taken, _, err := n.outbox.Claim(ctx, now, now.Add(time.Minute), func(events.Lane) int { return 200 })
		if err != nil || len(taken) == 0 {
			return err
		}
		outcomes, done := make([]events.Outcome, len(taken)), time.Now()
		for i, c := range taken {
			outcomes[i] = events.Outcome{Claimed: c, At: done, Done: done}
		}
		if err := n.outbox.Finish(ctx, outcomes); err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond) // as the pusher does between its rounds
	}
	return nil
}

// stored is what the database has.
type stored struct{ calls, due, rows, writes, bytes, wal int64 }

func look(b *testing.B, database *sql.DB) (s stored) {
	require.NoError(b, database.QueryRow(`SELECT
		(SELECT count(*) FROM calls WHERE closed), (SELECT count(*) FROM events WHERE due_at > 0), (SELECT count(*) FROM calls) + (SELECT count(*) FROM events),
		(SELECT sum(n_tup_ins + n_tup_upd) FROM pg_stat_user_tables WHERE relname IN ('calls', 'events')),
		pg_total_relation_size('calls') + pg_total_relation_size('events'), pg_current_wal_lsn() - '0/0'`).Scan(&s.calls, &s.due, &s.rows, &s.writes, &s.bytes, &s.wal))
	return s
}
