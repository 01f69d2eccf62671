package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"axgate/routing"
)

// Marks are what every process has to notice soon: it reads them every second.
type Marks struct {
	Cache    int64 // of what the ledger says of the cache (CacheView)
	Settings int64 // raised by every change to apps, accounts and prompts
}

// Marks reads the marks.
func (l *Ledger) Marks(ctx context.Context) (Marks, error) {
	var m Marks
	err := l.read(ctx).scan(`SELECT (SELECT MAX(value) FROM marks WHERE name IN ('epoch', 'servers')), (SELECT value FROM marks WHERE name = 'settings')`, nil, &m.Cache, &m.Settings)
	if err != nil {
		return m, fmt.Errorf("read the marks: %w", err)
	}
	return m, nil
}

// Epoch is the cache's epoch.
func (l *Ledger) Epoch(ctx context.Context) (int64, error) {
	v, err := l.CacheView(ctx)
	return v.Epoch, err
}

// RaiseEpoch makes every entry of the cache a miss, and returns the new epoch.
// why is kept for operators.
func (l *Ledger) RaiseEpoch(ctx context.Context, why string) (epoch int64, err error) {
	err = l.change(ctx, func(s scope) error {
		epoch, err = raiseCache(s, why, 0, "epoch")
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("raise the cache's epoch: %w", err)
	}
	return epoch, nil
}

// RaiseEpochOver is RaiseEpoch for when an epoch is in use somewhere that the
// ledger may never have had: the new one is higher than that.
func (l *Ledger) RaiseEpochOver(ctx context.Context, used int64, why string) (epoch int64, err error) {
	err = l.change(ctx, func(s scope) error {
		epoch, err = raiseCache(s, why, used, "epoch")
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("raise the cache's epoch over %d: %w", used, err)
	}
	return epoch, nil
}

func raise(s scope, mark, why string) (value int64, err error) {
	err = s.scan(`UPDATE marks SET value = value + 1, why = $2, at = $3 WHERE name = $1 RETURNING value`, one(mark, why, micros(time.Now())), &value)
	if err != nil {
		return 0, fmt.Errorf("raise mark %s: %w", mark, err)
	}
	return value, nil
}

// touchSettings tells every process that apps, accounts or prompts changed.
func touchSettings(s scope, what string) error {
	_, err := raise(s, "settings", what)
	return err
}

// Behind lists the nodes that were heard of within a span and have not heard of
// a mark of the cache yet. The ledger's clock alone tells: those of nodes may be off.
func (l *Ledger) Behind(ctx context.Context, mark int64, within time.Duration) (nodes []string, err error) {
	rows, err := l.read(ctx).query(`SELECT node FROM nodes WHERE heard_at >= `+l.clock()+` - $1 AND epoch < $2 ORDER BY node`, within.Microseconds(), mark)
	if err != nil {
		return nil, fmt.Errorf("list the nodes: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var node string
		if err := rows.Scan(&node); err != nil {
			return nil, fmt.Errorf("read a node: %w", err)
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// owe notes, with the change itself, that the cache has to hear of X. Whoever
// dies before it told the cache leaves the note for others (Unsettled).
func owe(s scope, x routing.X, version int64, at time.Time) error {
	_, err := s.exec(`INSERT INTO unsettled (x, version, since) VALUES ($1, $2, $3)
		ON CONFLICT (x) DO UPDATE SET version = excluded.version`, string(x), version, micros(at))
	if err != nil {
		return fmt.Errorf("note that the cache has to hear of %s: %w", x, err)
	}
	return nil
}

// oweMany is owe for many X with their versions.
func oweMany(s scope, versions map[routing.X]int64, at time.Time) error {
	var rows [][]any
	for _, x := range slices.Sorted(maps.Keys(versions)) { // all lock in one order
		rows = append(rows, []any{string(x), versions[x], micros(at)})
	}
	err := insertRows(s, `INSERT INTO unsettled (x, version, since) VALUES `, ` ON CONFLICT (x) DO UPDATE SET version = excluded.version`, rows)
	if err != nil {
		return fmt.Errorf("note that the cache has to hear of %d X: %w", len(rows), err)
	}
	return nil
}

// Settled notes that the cache holds these X at these versions.
func (l *Ledger) Settled(ctx context.Context, versions map[routing.X]int64) error {
	err := l.change(ctx, func(s scope) error { return settled(s, versions) })
	if err != nil {
		return fmt.Errorf("note what the cache holds: %w", err)
	}
	return nil
}

func settled(s scope, versions map[routing.X]int64) error {
	for _, x := range slices.Sorted(maps.Keys(versions)) { // all lock in one order
		if _, err := s.exec(`DELETE FROM unsettled WHERE x = $1 AND version <= $2`, string(x), versions[x]); err != nil {
			return fmt.Errorf("note that the cache has %s: %w", x, err)
		}
	}
	return nil
}

// Owed tells whether X was changed without anybody's word that the cache knows.
func (l *Ledger) Owed(ctx context.Context, x routing.X) (bool, error) {
	var owed bool
	err := l.read(ctx).scan(`SELECT EXISTS (SELECT 1 FROM unsettled WHERE x = $1)`, one(string(x)), &owed)
	if err != nil {
		return false, fmt.Errorf("read whether the cache knows %s: %w", x, err)
	}
	return owed, nil
}

// Unsettled lists X, the oldest first, that were changed before an instant
// without anybody's word that the cache knows.
func (l *Ledger) Unsettled(ctx context.Context, before time.Time, limit int) (list []routing.X, err error) {
	rows, err := l.read(ctx).query(`SELECT x FROM unsettled WHERE since < $1 ORDER BY since LIMIT $2`, micros(before), int64(limit))
	if err != nil {
		return nil, fmt.Errorf("list what the cache does not know: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var x routing.X
		if err := rows.Scan(&x); err != nil {
			return nil, fmt.Errorf("read what the cache does not know: %w", err)
		}
		list = append(list, x)
	}
	return list, nil
}

// clock is the ledger's own, in us since 1970: an expression of its database.
func (l *Ledger) clock() string {
	if l.driver == Postgres {
		return `(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT`
	}
	return `CAST(unixepoch('subsec') * 1000000 AS INTEGER)`
}

// noteClock learns how far the ledger's clock is ahead, from what it told while one
// waited for it since an instant.
func (l *Ledger) noteClock(told, begun time.Time) {
	if l.driver == Postgres {
		l.clocked.Store(&reading{told, begun.Add(time.Since(begun) / 2)})
	}
}

// Clock is how far the clock of the database is ahead of this machine's. With SQLite
// they are one.
func (l *Ledger) Clock(ctx context.Context) (ahead time.Duration, err error) {
	if l.driver == SQLite {
		return 0, nil
	}
	begun := time.Now()
	var us int64
	if err := l.read(ctx).scan(`SELECT `+l.clock(), nil, &us); err != nil {
		return 0, fmt.Errorf("ask for the clock of the database: %w", err)
	}
	return instant(us).Sub(begun.Add(time.Since(begun) / 2)), nil
}

// Schema is the version of the tables: of the last migration.
func (l *Ledger) Schema(ctx context.Context) (version int64, err error) {
	if err := l.read(ctx).scan(`SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`, nil, &version); err != nil {
		return 0, fmt.Errorf("read the version of the tables: %w", err)
	}
	return version, nil
}
