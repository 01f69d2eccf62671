package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Dead is a life that is over and left calls behind.
type Dead struct {
	Life
	HeardAt time.Time // when it was heard of last, by the ledger's clock
	AliveAt time.Time // the last instant at which it was alive, by its own
	// LetGo is when a node that others had declared dead let go of what it had; zero: it
	// did not live to.
	LetGo time.Time
}

// DeclareDead ends the life of a node that has stayed as it was seen; by is its
// heir. Of several that declare it one wins. Who is not known as alive any more
// cannot declare others dead.
func (l *Ledger) DeclareDead(ctx context.Context, by Life, seen Node) (won bool, err error) {
	err = l.changeNodes(ctx, func(s scope) error {
		won = false
		if err := l.limit(s, impatience); err != nil {
			return err
		}
		first, second := by.Node, seen.Node
		if first > second { // all lock in one order
			first, second = second, first
		}
		both := map[string]Node{}
		for _, name := range []string{first, second} {
			n, found, err := l.lockNode(s, name)
			if err != nil {
				return err
			}
			if found {
				both[name] = n
			}
		}
		me, n := both[by.Node], both[seen.Node]
		if me.Life != by || !me.State.Alive() || n.Life != seen.Life || !n.State.Alive() || !n.HeardAt.Equal(seen.HeardAt) {
			return nil
		}
		won = true
		if err := l.endLife(s, n, by); err != nil {
			return err
		}
		_, err := s.exec(`UPDATE nodes SET state = 'dead' WHERE node = $1`, n.Node)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("declare node %s dead: %w", seen.Life, err)
	}
	return won, nil
}

// endLife ends the life of a node. Its heir gets what it left, and what it was
// heir of itself; if that is its next life, it gets its own lives alone, and others are anybody's.
func (l *Ledger) endLife(s scope, n Node, heir Life) error {
	_, err := s.exec(`INSERT INTO node_lives (node, incarnation, ended_at, heard_at, alive_at, heir, heir_incarnation, settled_at)
		VALUES ($1, $2, `+l.clock()+`, $3, $4, $5, $6, 0)
		ON CONFLICT (node, incarnation) DO UPDATE SET ended_at = excluded.ended_at, heard_at = excluded.heard_at, alive_at = excluded.alive_at,
			heir = excluded.heir, heir_incarnation = excluded.heir_incarnation`,
		n.Node, n.Incarnation, micros(n.HeardAt), micros(n.AliveAt), heir.Node, heir.Incarnation)
	if err != nil {
		return fmt.Errorf("end its life: %w", err)
	}
	others := heir
	if heir.Node == n.Node {
		others = Life{}
	}
	for _, to := range []struct {
		which string
		heir  Life
	}{{"node = $5", heir}, {"node <> $5", others}} {
		_, err = s.exec(`UPDATE node_lives SET heir = $1, heir_incarnation = $2 WHERE ended_at > 0 AND settled_at = 0 AND heir = $3 AND heir_incarnation = $4 AND `+to.which,
			to.heir.Node, to.heir.Incarnation, n.Node, n.Incarnation, n.Node)
		if err != nil {
			return fmt.Errorf("pass on what it was heir of: %w", err)
		}
	}
	return nil
}

// startingFor is how long a node that begins may take to settle its last life.
const startingFor = 30 * time.Second

// leftAlone tells of a life to settle that the next one of the same node is heir of, and has
// not come to for a while. It may never: a node that crashes at each start.
func (l *Ledger) leftAlone() string {
	return `heir = node AND ended_at < ` + l.clock() + fmt.Sprintf(` - %d`, startingFor.Microseconds())
}

// Deaths are the lives that heir has to settle. Those that nobody is heir of, or one who
// does not come to it, become its own.
func (l *Ledger) Deaths(ctx context.Context, heir Life) ([]Dead, error) {
	list, orphans, err := l.deaths(ctx, heir)
	if err != nil || !orphans {
		return list, err
	}
	err = l.change(ctx, func(s scope) error {
		_, err := s.exec(`UPDATE node_lives SET heir = $1, heir_incarnation = $2 WHERE ended_at > 0 AND settled_at = 0 AND heir <> $3 AND (heir = '' OR `+l.leftAlone()+`)`,
			heir.Node, heir.Incarnation, heir.Node)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("become the heir of lives: %w", err)
	}
	list, _, err = l.deaths(ctx, heir)
	return list, err
}

// deaths also tells whether there are lives that are anybody's.
func (l *Ledger) deaths(ctx context.Context, heir Life) (list []Dead, orphans bool, err error) {
	rows, err := l.read(ctx).query(`SELECT node, incarnation, heard_at, alive_at, heir = $1 FROM node_lives
		WHERE ended_at > 0 AND settled_at = 0 AND (heir = '' OR heir = $2 AND heir_incarnation = $3 OR heir <> $4 AND `+l.leftAlone()+`) ORDER BY ended_at, node, incarnation`,
		heir.Node, heir.Node, heir.Incarnation, heir.Node)
	if err != nil {
		return nil, false, fmt.Errorf("list lives to settle: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var d Dead
		var heard, alive int64
		var own bool
		if err := rows.Scan(&d.Node, &d.Incarnation, &heard, &alive, &own); err != nil {
			return nil, false, fmt.Errorf("read a life to settle: %w", err)
		}
		d.HeardAt, d.AliveAt = instant(heard), instant(alive)
		if !own {
			orphans = true
			continue
		}
		list = append(list, d)
	}
	return list, orphans, nil
}

// LeaveDeaths leaves to others what a life has not settled yet.
func (l *Ledger) LeaveDeaths(ctx context.Context, heir Life) error {
	err := l.change(ctx, func(s scope) error {
		_, err := s.exec(`UPDATE node_lives SET heir = '', heir_incarnation = 0 WHERE ended_at > 0 AND settled_at = 0 AND heir = $1 AND heir_incarnation = $2`, heir.Node, heir.Incarnation)
		return err
	})
	if err != nil {
		return fmt.Errorf("leave the deaths of %s to others: %w", heir, err)
	}
	return nil
}

// SettleDeath notes that nothing is left of a life: its calls are taken over or closed.
func (l *Ledger) SettleDeath(ctx context.Context, heir, dead Life) error {
	err := l.change(ctx, func(s scope) error {
		_, err := s.exec(`UPDATE node_lives SET settled_at = `+l.clock()+` WHERE node = $1 AND incarnation = $2 AND heir = $3 AND heir_incarnation = $4`,
			dead.Node, dead.Incarnation, heir.Node, heir.Incarnation)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that %s is settled: %w", dead, err)
	}
	return nil
}

// LastLife is the life of a node before another one, and whether nothing is left of it
// and of those before. Not found: it had none that is known.
func (l *Ledger) LastLife(ctx context.Context, life Life) (d Dead, settled, found bool, err error) {
	var heard, alive int64
	err = l.read(ctx).scan(`SELECT node, incarnation, heard_at, alive_at, NOT EXISTS
			(SELECT 1 FROM node_lives WHERE node = $1 AND incarnation < $2 AND ended_at > 0 AND settled_at = 0)
		FROM node_lives WHERE node = $3 AND incarnation < $4 ORDER BY incarnation DESC LIMIT 1`,
		one(life.Node, life.Incarnation, life.Node, life.Incarnation), &d.Node, &d.Incarnation, &heard, &alive, &settled)
	if errors.Is(err, sql.ErrNoRows) {
		return Dead{}, false, false, nil
	}
	if err != nil {
		return Dead{}, false, false, fmt.Errorf("read the last life before %s: %w", life, err)
	}
	d.HeardAt, d.AliveAt = instant(heard), instant(alive)
	return d, settled, true, nil
}
