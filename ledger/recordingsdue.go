package ledger

import (
	"context"
	"fmt"
	"time"
)

// KeptRecording is a recording that was not deleted yet.
type KeptRecording struct {
	Session string
	Recording
	Ended time.Time // when its call did
}

// KeptAfter is where a list of recordings goes on.
type KeptAfter struct {
	Ended   time.Time
	Session string
}

const keptRecordings = `SELECT c.session, c.node, c.record_file, c.record_place, COALESCE(a.recordings_days, 0), ` + feeColumns + `
	FROM calls c LEFT JOIN events e ON e.session = c.session AND e.kind = 'fee' LEFT JOIN apps a ON a.key = c.app
	WHERE c.app = $1 AND c.record_file <> '' AND c.record_gone_at = 0 AND c.closed AND c.ended_at >= $2 AND (c.ended_at > $2 OR c.session > $3) AND c.ended_at < $4
	ORDER BY c.ended_at, c.session LIMIT $5`

// KeptRecordings lists recordings of an app whose calls ended before an
// instant, in the order of their ends, behind after.
func (l *Ledger) KeptRecordings(ctx context.Context, app string, before time.Time, after KeptAfter, limit int) (list []KeptRecording, err error) {
	rows, err := l.read(ctx).query(keptRecordings, app, micros(after.Ended), after.Session, micros(before), int64(limit))
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		k := KeptRecording{Recording: Recording{App: app}}
		var f feeTimes
		if err := rows.Scan(&k.Session, &k.Node, &k.File, &k.Place, &k.Days, &f.ended, &f.done, &f.due, &f.kept); err != nil {
			return nil, fmt.Errorf("read a recording: %w", err)
		}
		k.Kept, k.Ended = f.began(), instant(f.ended)
		list = append(list, k)
	}
	return list, nil
}

// RecordingsGone notes that the recordings of these calls, at most MostDropped,
// were deleted: they are not found any more, whatever is pushed again. It tells
// how many were not noted before.
func (l *Ledger) RecordingsGone(ctx context.Context, sessions []string, at time.Time) (n int, err error) {
	if len(sessions) == 0 {
		return 0, nil
	}
	if len(sessions) > MostDropped {
		return 0, fmt.Errorf("note that recordings are gone: %d are more than %d", len(sessions), MostDropped)
	}
	err = l.change(ctx, func(s scope) error {
		gone, err := s.exec(`UPDATE calls SET record_gone_at = $1 WHERE record_file <> '' AND record_gone_at = 0 AND session IN (`+parameters(2, MostDropped)+`)`,
			append([]any{micros(at)}, padded(sessions)...)...)
		n = int(gone)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("note that recordings are gone: %w", err)
	}
	return n, nil
}

// GoneAfter is where a list of deleted recordings goes on.
type GoneAfter struct {
	Gone    time.Time
	Session string
}

const goneFiles = `SELECT session, record_file, record_gone_at FROM calls
	WHERE node = $1 AND record_gone_at > 0 AND record_place = '' AND record_gone_at >= $2 AND (record_gone_at > $2 OR session > $3)
	ORDER BY record_gone_at, session LIMIT $4`

// GoneFiles lists files of a node's recordings that were deleted at an instant or later, behind
// after, and where the list goes on.
func (l *Ledger) GoneFiles(ctx context.Context, node string, after GoneAfter, limit int) (files []string, last GoneAfter, err error) {
	rows, err := l.read(ctx).query(goneFiles, node, micros(after.Gone), after.Session, int64(limit))
	if err != nil {
		return nil, after, fmt.Errorf("list the files of deleted recordings: %w", err)
	}
	defer closeRows(rows, &err)
	last = after
	for rows.Next() {
		var file string
		var gone int64
		if err := rows.Scan(&last.Session, &file, &gone); err != nil {
			return nil, after, fmt.Errorf("read the file of a deleted recording: %w", err)
		}
		last.Gone, files = instant(gone), append(files, file)
	}
	return files, last, nil
}

// RecordingState is what the ledger knows of a file.
type RecordingState int

// The states of a file; that of one nobody knows is zero.
const (
	RecordingUnknown RecordingState = iota
	RecordingOpen                   // it is that of a call that is not over
	RecordingKept                   // it is some call's
	RecordingDeleted                // it was one's, and is to be gone
)

// RecordingStates tells of files, at most MostDropped, by their names.
func (l *Ledger) RecordingStates(ctx context.Context, files []string) (states map[string]RecordingState, err error) {
	states = map[string]RecordingState{}
	if len(files) == 0 {
		return states, nil
	}
	if len(files) > MostDropped {
		return nil, fmt.Errorf("look for the calls of files: %d are more than %d", len(files), MostDropped)
	}
	rows, err := l.read(ctx).query(`SELECT record_file, record_gone_at, closed FROM calls WHERE record_file <> '' AND record_file IN (`+parameters(1, MostDropped)+`)`, padded(files)...)
	if err != nil {
		return nil, fmt.Errorf("look for the calls of files: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var file string
		var gone int64
		var closed bool
		if err := rows.Scan(&file, &gone, &closed); err != nil {
			return nil, fmt.Errorf("read the call of a file: %w", err)
		}
		switch {
		case gone > 0:
			states[file] = RecordingDeleted
		case !closed:
			states[file] = RecordingOpen
		default:
			states[file] = RecordingKept
		}
	}
	return states, nil
}
