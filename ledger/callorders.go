package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// What became of the order to hang a call up.
const (
	OrderOpen   = ""        // its node has not seen it yet
	OrderDone   = "stopped" // the call is being hung up
	OrderInVain = "over"    // it was not up any more
)

// ordersLast is how long orders are kept for whoever wants to know.
const ordersLast = time.Minute

// OrderStop orders the node that has a call to hang it up; not ok: the call is over, or
// not known. What became of it tells StopOrder.
func (l *Ledger) OrderStop(ctx context.Context, session string) (has Life, ok bool, err error) {
	err = l.change(ctx, func(s scope) error {
		ok = false
		var closed bool
		err := s.scan(`SELECT node, incarnation, closed FROM calls WHERE session = $1`, one(session), &has.Node, &has.Incarnation, &closed)
		if errors.Is(err, sql.ErrNoRows) || err == nil && closed {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := s.exec(`DELETE FROM call_orders WHERE at < `+l.clock()+` - $1`, ordersLast.Microseconds()); err != nil {
			return err
		}
		ok = true
		_, err = s.exec(`INSERT INTO call_orders (session, node, incarnation, at, outcome) VALUES ($1, $2, $3, `+l.clock()+`, '')
			ON CONFLICT (session) DO UPDATE SET node = excluded.node, incarnation = excluded.incarnation, at = excluded.at, outcome = ''`,
			session, has.Node, has.Incarnation)
		return err
	})
	if err != nil {
		return Life{}, false, fmt.Errorf("order that call %s is hung up: %w", session, err)
	}
	return has, ok, nil
}

// StopOrder tells what became of the order to hang a call up: OrderOpen, OrderDone or OrderInVain.
func (l *Ledger) StopOrder(ctx context.Context, session string) (outcome string, err error) {
	err = l.read(ctx).scan(`SELECT outcome FROM call_orders WHERE session = $1`, one(session), &outcome)
	if errors.Is(err, sql.ErrNoRows) {
		return OrderInVain, nil
	}
	if err != nil {
		return "", fmt.Errorf("read what became of an order: %w", err)
	}
	return outcome, nil
}

// StopOrders lists the calls that a life has been ordered to hang up within a span.
func (l *Ledger) StopOrders(ctx context.Context, of Life, within time.Duration) (sessions []string, err error) {
	rows, err := l.read(ctx).query(`SELECT session FROM call_orders WHERE node = $1 AND outcome = '' AND incarnation = $2 AND at >= `+l.clock()+` - $3 ORDER BY at LIMIT 1000`,
		of.Node, of.Incarnation, within.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var session string
		if err := rows.Scan(&session); err != nil {
			return nil, fmt.Errorf("read an order: %w", err)
		}
		sessions = append(sessions, session)
	}
	return sessions, nil
}

// AnswerOrder tells what became of an order.
func (l *Ledger) AnswerOrder(ctx context.Context, session, outcome string) error {
	err := l.change(ctx, func(s scope) error {
		_, err := s.exec(`UPDATE call_orders SET outcome = $1 WHERE session = $2 AND outcome = ''`, outcome, session)
		return err
	})
	if err != nil {
		return fmt.Errorf("answer the order about call %s: %w", session, err)
	}
	return nil
}
