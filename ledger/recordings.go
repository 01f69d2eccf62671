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
	App  string
	File string // recordObjectName
	Node string // whose directory it is in
	// Kept is when its time began to run: when the fee event was pushed, or the
	// end of the call if nobody took it. Zero: the push is still owed.
	Kept time.Time
}

// Recording finds an app's recording by its name; ErrNoRecording if there is
// none.
func (l *Ledger) Recording(ctx context.Context, app, file string) (Recording, error) {
	r := Recording{App: app, File: file}
	var ended, done, due int64
	err := l.read(ctx).scan(`SELECT c.node, c.ended_at, e.done_at, e.due_at
		FROM calls c JOIN events e ON e.session = c.session AND e.kind = 'fee'
		WHERE c.record_file = $2 AND c.record_file <> '' AND c.app = $1`, one(app, file), &r.Node, &ended, &done, &due)
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrNoRecording
	}
	if err != nil {
		return r, fmt.Errorf("look for a recording: %w", err)
	}
	switch {
	case done != 0:
		r.Kept = instant(done)
	case due == 0:
		r.Kept = instant(ended)
	}
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
