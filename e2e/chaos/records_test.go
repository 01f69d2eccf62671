//go:build e2e

package chaos

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
)

// row is what the ledger has of a call.
type row struct {
	session, node       string
	x, caller, callee   string
	in, answered, ended time.Time // by the node's clock; zero: it was not
	closed              bool
	disconnects, fees   int // events in the ledger
	owed                int // of these, not yet pushed
	call                *call
}

func (r *row) String() string {
	return fmt.Sprintf("%s of %s: %s to %s reached %s, in %v answered %v ended %v closed %v, %d disconnects, %d fees, %d owed",
		r.session, r.node, r.caller, r.x, r.callee, r.in.Format("15:04:05.000"), r.answered.Format("15:04:05.000"), r.ended.Format("15:04:05.000"), r.closed, r.disconnects, r.fees, r.owed)
}

// right tells whether the record is whole: one disconnect and one fee event.
func (r *row) right() bool { return r.closed && r.disconnects == 1 && r.fees == 1 }

// rows reads all calls from the ledger, past the proxy.
func (w *world) rows(ctx context.Context) ([]*row, error) {
	db, err := sql.Open("pgx", w.dsn)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT c.session, c.node, c.x, c.caller, c.callee, c.in_at, c.answered_at, c.ended_at, c.closed,
		COUNT(*) FILTER (WHERE e.kind = 'disconnect'), COUNT(*) FILTER (WHERE e.kind = 'fee'), COUNT(*) FILTER (WHERE e.done_at = 0)
		FROM calls c LEFT JOIN events e ON e.session = c.session GROUP BY c.session ORDER BY c.in_at`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []*row
	for rows.Next() {
		r := &row{}
		var in, answered, ended int64
		if err := rows.Scan(&r.session, &r.node, &r.x, &r.caller, &r.callee, &in, &answered, &ended, &r.closed, &r.disconnects, &r.fees, &r.owed); err != nil {
			return nil, err
		}
		r.in, r.answered, r.ended = instant(in), instant(answered), instant(ended)
		all = append(all, r)
	}
	return all, rows.Err()
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us)
}

// recorded waits until the ledger has every call that is over, closed, and the
// customer has heard of each of them; after a while it gives what there is.
func (w *world) recorded(calls []*call) []*row {
	w.t.Helper()
	answered := 0
	for _, c := range calls {
		if !c.answered.IsZero() {
			answered++
		}
	}
	var all []*row
	for until := time.Now().Add(w.settling()); ; time.Sleep(500 * time.Millisecond) {
		var err error
		all, err = w.rows(w.t.Context())
		require.NoError(w.t, err)
		talks, open := 0, 0
		for _, r := range all {
			if !r.answered.IsZero() {
				talks++
			}
			if !r.right() || r.owed > 0 {
				open++
			}
		}
		if open == 0 && talks >= answered {
			return all
		}
		if time.Now().After(until) {
			return all
		}
	}
}

// settling is how long records and pushes may take after the last fault.
func (w *world) settling() time.Duration { return 75 * time.Second } // the first push is repeated after a minute

// match gives each answered call its record: of the same caller and X, answered at
// the same time. Clocks that were shifted are told by shift.
func match(calls []*call, rows []*row, shift func(*row) time.Duration) {
	by := map[[2]string][]*row{}
	for _, r := range rows {
		if !r.answered.IsZero() {
			key := [2]string{r.caller, r.x}
			by[key] = append(by[key], r)
		}
	}
	for _, c := range calls {
		if c.answered.IsZero() {
			continue
		}
		best, far := (*row)(nil), 5*time.Second
		for _, r := range by[[2]string{c.caller, c.x}] {
			if away := r.answered.Add(-shift(r)).Sub(c.answered).Abs(); r.call == nil && away < far {
				best, far = r, away
			}
		}
		if best != nil {
			best.call, c.row = c, best
		}
	}
}
