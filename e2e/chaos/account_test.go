//go:build e2e

package chaos

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"axgate/e2e/sipp"
	"axgate/e2e/verdict"
)

// account is all that is known of what happened in a world, once all is mended and
// the traffic has ended.
type account struct {
	model   *model
	nodes   []string // their names
	played  []*played
	calls   []*call // in the order in which they were offered
	rows    []*row
	told    map[string]heard // by session
	legs    []*leg
	refused []refusal
	kept    []binding // acknowledged, and not taken back
	gone    []binding // whose unbind was acknowledged
	bound   []binding // what the ledger has in the end

	verdicts []verdict.Row
	wrong    []string
}

// leg is a call that the network behind the trunk got.
type leg struct {
	node      int // whose it is; -1: of none that we know
	x, callee string
	text      string
	at        time.Time
	answered  time.Time // by the callee's own clock; zero: it was not
	over      bool
}

// judge holds everything that happened against the model.
func (w *world) judge(all []*played) {
	w.t.Helper()
	a := w.account(all)
	a.judge()
	for _, what := range a.wrong {
		assert.Fail(w.t, what)
	}
	assert.Empty(w.t, w.clerks.wrong, "customers")
	if !slices.ContainsFunc(all, func(p *played) bool { return p.clockAhead != 0 }) { // their pushes are signed with the time
		assert.Empty(w.t, w.customer.Wrong(), "pushes")
	}
	table.Add(a.verdicts...)
}

// account gathers what phones, customers, the network and the ledger know.
func (w *world) account(all []*played) *account {
	w.t.Helper()
	c := w.clerks
	a := &account{model: w.model, played: all, calls: append(w.offered(), c.calls...), refused: c.refused, kept: c.kept, gone: c.gone}
	for _, n := range w.nodes {
		a.nodes = append(a.nodes, n.cfg.Node)
	}
	slices.SortFunc(a.calls, func(a, b *call) int { return a.sent.Compare(b.sent) })
	a.rows = w.recorded(a.calls)
	var err error
	a.told, err = heardIn(w.customer.Pushes())
	require.NoError(w.t, err)
	messages, err := w.network.Messages()
	require.NoError(w.t, err)
	a.legs = legs(messages)
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	a.bound, err = w.bound(ctx)
	require.NoError(w.t, err)
	return a
}

// legs are the calls in messages of the network.
func legs(messages []sipp.Message) (all []*leg) {
	by := map[string]*leg{}
	for _, m := range messages {
		id, start := m.Header("Call-ID"), m.StartLine()
		l := by[id]
		switch {
		case !m.Sent && strings.HasPrefix(start, "INVITE ") && l == nil:
			l = &leg{node: sender(m), x: user(m.Header("From")), callee: user(start), text: m.Text, at: m.At}
			by[id] = l
			all = append(all, l)
		case l == nil:
		case m.Sent && strings.HasPrefix(start, "SIP/2.0 200") && strings.HasSuffix(m.Header("CSeq"), "INVITE"):
			if l.answered.IsZero() { // it is repeated until its ACK
				l.answered = m.At
			}
		case !m.Sent && strings.HasPrefix(start, "BYE "):
			l.over = true
		}
	}
	return all
}

// sender is the node that a request came from, by its Contact.
func sender(m sipp.Message) int {
	_, at, _ := strings.Cut(m.Header("Contact"), "@127.9.")
	at, _, _ = strings.Cut(at, ":")
	last, err := strconv.Atoi(at[strings.LastIndexByte(at, '.')+1:])
	if err != nil {
		return -1
	}
	return last - firstNode
}

// bound reads what is bound from the ledger, past the proxy.
func (w *world) bound(ctx context.Context) (all []binding, err error) {
	db, err := sql.Open("pgx", w.dsn)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT id, x, a, b FROM bindings WHERE ended_at = 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		b := binding{pair: &pair{}}
		if err := rows.Scan(&b.id, &b.x, &b.a, &b.b); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}
