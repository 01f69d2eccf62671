package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrRecordingGone tells that a recording was deleted in the meantime.
var ErrRecordingGone = errors.New("the recording was deleted in the meantime")

// RecordingStored notes that the file of a recording is in the store called
// place, for every node to be found; ErrRecordingGone if it is no call's, or was
// deleted.
func (l *Ledger) RecordingStored(ctx context.Context, file, place string) error {
	err := l.change(ctx, func(s scope) error {
		n, err := s.exec(`UPDATE calls SET record_place = $2 WHERE record_file = $1 AND record_file <> '' AND record_gone_at = 0`, file, place)
		if err == nil && n == 0 {
			return ErrRecordingGone
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("note that %s is stored: %w", file, err)
	}
	return nil
}

// StoredGone lists recordings that were deleted and whose files are still in
// the store called place, at most MostDropped.
func (l *Ledger) StoredGone(ctx context.Context, place string) (list []KeptRecording, err error) {
	rows, err := l.read(ctx).query(storedGone, place, int64(MostDropped))
	if err != nil {
		return nil, fmt.Errorf("list files of deleted recordings: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		k := KeptRecording{Recording: Recording{Place: place}}
		if err := rows.Scan(&k.Session, &k.App, &k.Node, &k.File); err != nil {
			return nil, fmt.Errorf("read the file of a deleted recording: %w", err)
		}
		list = append(list, k)
	}
	return list, nil
}

const storedGone = `SELECT session, app, node, record_file FROM calls WHERE record_gone_at > 0 AND record_place <> '' AND record_place = $1 ORDER BY record_gone_at LIMIT $2`

// StoredDeleted notes that the files of these calls, at most MostDropped, are
// in no store any more.
func (l *Ledger) StoredDeleted(ctx context.Context, sessions []string) error {
	if len(sessions) == 0 {
		return nil
	}
	if len(sessions) > MostDropped {
		return fmt.Errorf("note that files are deleted: %d are more than %d", len(sessions), MostDropped)
	}
	err := l.change(ctx, func(s scope) error {
		_, err := s.exec(`UPDATE calls SET record_place = '' WHERE record_gone_at > 0 AND session IN (`+parameters(1, MostDropped)+`)`, padded(sessions)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that files are deleted: %w", err)
	}
	return nil
}

// StoredElsewhere counts, by its place, recordings that were deleted and whose files
// the ledger has in another store than the one called place; at most 100,000 are counted.
func (l *Ledger) StoredElsewhere(ctx context.Context, place string) (counts map[string]int, err error) {
	rows, err := l.read(ctx).query(storedElsewhere, place, int64(mostCounted))
	if err != nil {
		return nil, fmt.Errorf("count deleted recordings of other stores: %w", err)
	}
	defer closeRows(rows, &err)
	counts = map[string]int{}
	for rows.Next() {
		var other string
		var n int
		if err := rows.Scan(&other, &n); err != nil {
			return nil, fmt.Errorf("read how many recordings another store had: %w", err)
		}
		counts[other] = n
	}
	return counts, nil
}

const (
	gone            = ` FROM calls WHERE record_gone_at > 0 AND record_place <> '' AND `
	storedElsewhere = `SELECT record_place, COUNT(*) FROM (SELECT record_place` + gone + `record_place <> $1 LIMIT $2) AS elsewhere GROUP BY record_place`
	leaveElsewhere  = `UPDATE calls SET record_place = '' WHERE session IN (SELECT session` + gone + `record_place <> $1 AND record_gone_at < $2 ORDER BY record_gone_at LIMIT $3)`
)

// LeaveElsewhere forgets where the files are of recordings that were deleted before an
// instant, MostDropped of them, if that is another store than the one called place. It
// tells how many those were.
func (l *Ledger) LeaveElsewhere(ctx context.Context, place string, before time.Time) (n int, err error) {
	err = l.change(ctx, func(s scope) error {
		left, err := s.exec(leaveElsewhere, place, micros(before), int64(MostDropped))
		n = int(left)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget files in other stores: %w", err)
	}
	return n, nil
}
