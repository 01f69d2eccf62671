package ledger

import (
	"context"
	"fmt"
)

// Keeping is how long an app's past is kept, in days; 0: as the nodes are set.
type Keeping struct {
	RecordingsDays int // from the push of the fee event on
	ListsDays      int // calls, texts, events, and bindings that have ended
}

const keepColumns = `a.recordings_days, a.lists_days`

// storeKeeping is part of storing an app.
func storeKeeping(s scope, a *App) error {
	_, err := s.exec(`UPDATE apps SET recordings_days = $2, lists_days = $3 WHERE key = $1`, a.Key, int64(a.RecordingsDays), int64(a.ListsDays))
	if err != nil {
		return fmt.Errorf("store how long its past is kept: %w", err)
	}
	return nil
}

// Keepings are those of all apps, by their keys.
func (l *Ledger) Keepings(ctx context.Context) (all map[string]Keeping, err error) {
	rows, err := l.read(ctx).query(`SELECT a.key, ` + keepColumns + ` FROM apps a`)
	if err != nil {
		return nil, fmt.Errorf("read how long the apps' past is kept: %w", err)
	}
	defer closeRows(rows, &err)
	all = map[string]Keeping{}
	for rows.Next() {
		var key string
		var k Keeping
		if err := rows.Scan(&key, &k.RecordingsDays, &k.ListsDays); err != nil {
			return nil, fmt.Errorf("read how long an app's past is kept: %w", err)
		}
		all[key] = k
	}
	return all, nil
}
