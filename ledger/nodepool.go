package ledger

import (
	"context"
	"fmt"
	"time"
)

// openNodePool opens the connections to PostgreSQL by which nodes hear of each other, and
// nothing else goes: a beat waits for nothing that is large or locked.
func (l *Ledger) openNodePool(dsn string) (err error) {
	if l.nodes, err = (connector{dsn, ackTime, answerTime}).open(); err != nil {
		return err
	}
	const conns, idle = 8, 2 // one that hangs is given up, and the next beat takes another
	l.nodes.SetMaxOpenConns(conns)
	l.nodes.SetMaxIdleConns(idle)
	l.nodes.SetConnMaxIdleTime(time.Minute)
	return nil
}

// PostgreSQL ends a transaction whose node has said nothing for so long while it holds what
// others wait for: the node was stopped, or has no power. These are functions and
// not settings of the connection because they pass through a pooler.
const (
	noLonger   = `set_config('idle_in_transaction_session_timeout', '1500', true)`  // ms
	notSoLong  = `set_config('idle_in_transaction_session_timeout', '30000', true)` // while a file is mended
	impatience = `set_config('lock_timeout', '300', true)`                          // ms that a declaration keeps beats waiting
)

// limit sets limits of a transaction.
func (l *Ledger) limit(s scope, limits string) error {
	if l.driver != Postgres {
		return nil
	}
	if _, err := s.exec(`SELECT ` + limits); err != nil {
		return fmt.Errorf("limit the transaction: %w", err)
	}
	return nil
}

// changeNodes is change by the connections of nodes.
func (l *Ledger) changeNodes(ctx context.Context, work func(scope) error) error {
	return l.changeBy(ctx, l.nodes, work)
}

// readNodes is read by the connections of nodes.
func (l *Ledger) readNodes(ctx context.Context) scope {
	s := l.read(ctx)
	if l.nodes != nil {
		s.on = l.nodes
	}
	return s
}
