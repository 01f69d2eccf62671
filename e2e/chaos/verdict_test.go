//go:build e2e

package chaos

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// verdict is a line of the table.
type verdict struct {
	fault           string
	offered, failed int // calls that should go through
	lost            int // records
	normal          float64
	remark          string
}

var (
	verdictsMu sync.Mutex
	verdicts   []verdict
)

// table is what the suite prints in the end.
func table() string {
	verdictsMu.Lock()
	defer verdictsMu.Unlock()
	if len(verdicts) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-58s %13s %12s %12s %17s\n", "fault", "calls offered", "calls failed", "records lost", "seconds to normal")
	for _, v := range verdicts {
		fmt.Fprintf(&b, "%-58s %13d %12d %12d %17.1f  %s\n", v.fault, v.offered, v.failed, v.lost, v.normal, v.remark)
	}
	return b.String()
}

// judge holds everything that happened against the model, once traffic has ended and
// all is mended again.
func (w *world) judge(all []*played) {
	w.t.Helper()
	w.played = all
	calls := append(w.offered(), w.clerks.calls...)
	slices.SortFunc(calls, func(a, b *call) int { return a.sent.Compare(b.sent) })
	rows := w.recorded(calls)
	w.ledger = rows
	match(calls, rows, w.shifted(all))
	told := w.told()
	w.judgeRoutes(rows)
	w.judgeRecords(rows, told)
	for i, p := range all {
		until := time.Now()
		if i+1 < len(all) {
			until = all[i+1].from
		}
		w.judgeFault(p, until, calls, told)
	}
	assert.Empty(w.t, w.clerks.wrong, "customers")
	if !slices.ContainsFunc(all, func(p *played) bool { return p.clockAhead != 0 }) { // their pushes are signed with the time
		assert.Empty(w.t, w.customer.Wrong(), "pushes")
	}
}

// judgeFault is about the calls from a fault's beginning to the next one.
func (w *world) judgeFault(p *played, until time.Time, calls []*call, told map[string]bool) {
	w.t.Helper()
	v := verdict{fault: p.name, remark: p.remark}
	since := p.mended
	if p.heals {
		since = p.from
	}
	last := since
	for _, c := range calls {
		if c.sent.Before(p.from) || !c.sent.Before(until) {
			continue
		}
		if !c.bound {
			assert.NotEqual(w.t, 200, c.status, "%s: what was unbound was put through: %v", p.name, c)
			continue
		}
		excused := w.concerns(c) != nil
		if failed := c.status != 200 || c.cut; !excused || !failed {
			v.offered++
			if failed {
				v.failed++
				w.t.Logf("%s: failed: %v", p.name, c)
				if c.sent.After(last) {
					last = c.sent
				}
			}
		}
		v.lost += w.lost(p, c, told)
	}
	for _, r := range w.clerks.refused {
		if end := r.at.Add(r.took); !r.at.Before(p.from) && end.Before(until) && end.After(last) {
			last = end
		}
	}
	v.normal = last.Sub(since).Seconds()
	assert.Zero(w.t, v.lost, "%s: records lost", p.name)
	assert.LessOrEqual(w.t, v.failed, p.mayFail, "%s: calls failed", p.name)
	verdictsMu.Lock()
	defer verdictsMu.Unlock()
	verdicts = append(verdicts, v)
}

// concerns finds the fault that a call may fail by: which began before it or while it
// may have been up.
func (w *world) concerns(c *call) *played {
	const longest = 9 * time.Second
	for _, p := range w.played {
		if p.excuses != nil && c.sent.After(p.from.Add(-longest)) && p.excuses(p, c) {
			return p
		}
	}
	return nil
}

// lost counts the record of an answered call that is missing or not right.
func (w *world) lost(p *played, c *call, told map[string]bool) int {
	w.t.Helper()
	switch {
	case c.answered.IsZero():
		return 0
	case c.row == nil:
		w.t.Logf("%s: no record: %v", p.name, c)
		for _, r := range w.ledger {
			if r.caller == c.caller && r.x == c.x && r.call == nil {
				w.t.Logf("but this one: %v", r)
			}
		}
		return 1
	case !c.row.right() || !told[c.row.session]:
		w.t.Logf("%s: the record is not whole (customer told: %v): %v: %v", p.name, told[c.row.session], c, c.row)
		return 1
	}
	talk, billed := c.ended.Sub(c.answered), c.row.ended.Sub(c.row.answered)
	short := billed < talk && w.concerns(c) != nil && w.concerns(c).cuts
	if !c.ended.IsZero() && !short && (talk-billed).Abs() > time.Second {
		assert.Failf(w.t, "duration", "%s: billed %v, talked %v: %v: %v", p.name, billed, talk, c, c.row)
	}
	return 0
}

// judgeRoutes looks at every INVITE that the network got, and every record.
func (w *world) judgeRoutes(rows []*row) {
	w.t.Helper()
	messages, err := w.network.Messages()
	require.NoError(w.t, err)
	for _, m := range messages {
		if m.Sent || !strings.HasPrefix(m.Text, "INVITE ") {
			continue
		}
		shown, callee := user(m.Header("From")), user(m.StartLine())
		if !w.model.reached(shown, callee) {
			assert.Failf(w.t, "wrong route", "%s was called from %s:\n%s", callee, shown, m.Text)
			continue
		}
		caller := w.model.callee(shown, callee)
		assert.NotContains(w.t, m.Text, strings.TrimPrefix(caller, "+86"), "the caller's number is shown")
	}
	for _, r := range rows {
		if r.callee != "" {
			assert.Equal(w.t, w.model.callee(r.x, r.caller), r.callee, "wrong route: %v", r)
		}
	}
}

// judgeRecords looks at what the ledger has of all calls, those that no caller knows
// of included.
func (w *world) judgeRecords(rows []*row, told map[string]bool) {
	w.t.Helper()
	known := map[string]bool{}
	for _, r := range rows {
		known[r.session] = true
		assert.True(w.t, r.right() && told[r.session], "not whole (customer told: %v): %v", told[r.session], r)
	}
	for session := range told {
		assert.True(w.t, known[session], "the customer was told of %s, which nobody knows", session)
	}
}

// shifted tells how far the clock of the node was ahead that wrote a record.
func (w *world) shifted(all []*played) func(*row) time.Duration {
	return func(r *row) time.Duration {
		for _, p := range all {
			if p.clockAhead != 0 && r.node == w.nodes[p.node].cfg.Node && time.Until(r.answered.Add(-p.clockAhead)).Abs() < 30*time.Minute {
				return p.clockAhead
			}
		}
		return 0
	}
}
