package ledger

import (
	"context"
	"fmt"
)

// OpenRecordings are the names that the recordings of calls that are not closed were
// begun with: whoever ends such a call completes its recording.
func (l *Ledger) OpenRecordings(ctx context.Context) (names map[string]bool, err error) {
	rows, err := l.read(ctx).query(`SELECT record_file FROM calls WHERE NOT closed AND record_file <> ''`)
	if err != nil {
		return nil, fmt.Errorf("list the recordings of open calls: %w", err)
	}
	defer closeRows(rows, &err)
	names = map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read the recording of an open call: %w", err)
		}
		names[name] = true
	}
	return names, nil
}
