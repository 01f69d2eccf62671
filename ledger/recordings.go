package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Recording is a recording that a fee event told of.
type Recording struct {
	App   string
	File  string // recordObjectName
	Node  string // whose directory it is in, unless it has a place
	Place string // the store that it is in; empty: none
	// Kept is when its time began to run: when the fee event was pushed first, or
	// the end of the call if nobody took it. Zero: the push is still owed.
	Kept time.Time
	Days int // for so many it is kept; 0: as the nodes are set
}

// feeTimes are what tells when the time of a recording began to run; one of a
// fee event that is not there has due and done 0.
type feeTimes struct{ ended, done, due, kept int64 }

const feeColumns = `c.ended_at, COALESCE(e.done_at, 0), COALESCE(e.due_at, 0), COALESCE(e.kept_at, 0)`

// began is that instant. Once it is past, a further push changes nothing.
func (f *feeTimes) began() time.Time {
	switch {
	case f.kept != 0:
		return instant(f.kept)
	case f.done != 0:
		return instant(f.done)
	case f.due == 0:
		return instant(f.ended)
	}
	return time.Time{}
}

// Recording finds an app's recording by its name; ErrNoRecording if there is
// none, or it was deleted.
func (l *Ledger) Recording(ctx context.Context, app, file string) (Recording, error) {
	r := Recording{App: app, File: file}
	var f feeTimes
	err := l.read(ctx).scan(`SELECT c.node, c.record_place, COALESCE(a.recordings_days, 0), `+feeColumns+`
		FROM calls c JOIN events e ON e.session = c.session AND e.kind = 'fee' LEFT JOIN apps a ON a.key = c.app
		WHERE c.record_file = $2 AND c.record_file <> '' AND c.app = $1 AND c.record_gone_at = 0`, one(app, file), &r.Node, &r.Place, &r.Days, &f.ended, &f.done, &f.due, &f.kept)
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrNoRecording
	}
	if err != nil {
		return r, fmt.Errorf("look for a recording: %w", err)
	}
	r.Kept = f.began()
	return r, nil
}

// SetBase notes the address at which others reach a node's API.
func (l *Ledger) SetBase(ctx context.Context, node, base string) error {
	err := l.change(ctx, func(s scope) error {
		_, err := s.exec(`INSERT INTO bases (node, base) VALUES ($1, $2) ON CONFLICT (node) DO UPDATE SET base = excluded.base`, node, base)
		return err
	})
	if err != nil {
		return fmt.Errorf("note the address of node %s: %w", node, err)
	}
	return nil
}

// Bases are the addresses at which others reach the nodes' APIs, by node.
func (l *Ledger) Bases(ctx context.Context) (bases map[string]string, err error) {
	rows, err := l.read(ctx).query(`SELECT node, base FROM bases`)
	if err != nil {
		return nil, fmt.Errorf("list the addresses of the nodes: %w", err)
	}
	defer closeRows(rows, &err)
	bases = map[string]string{}
	for rows.Next() {
		var node, base string
		if err := rows.Scan(&node, &base); err != nil {
			return nil, fmt.Errorf("read the address of a node: %w", err)
		}
		bases[node] = base
	}
	return bases, nil
}
