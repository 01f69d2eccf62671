package ledger

import (
	"fmt"
	"time"

	"axgate/routing"
)

const bindingColumns = `b.id, b.app, b.mode, b.x, b.a, b.b, b.ext, b.allowed, b.off, b.created_at, b.modified_at, b.until_at,
	b.record, b.record_hint, b.caller_tone, b.callee_tone, b.max_minutes, b.last_minute, b.no_sms, b.user_data, b.area,
	b.no_callback, b.callback_num, b.callback_for, b.version, b.ended_at, b.ended_why,
	b.sent_direction, b.sent_type, b.sent_unit, b.sent_lasts, b.sent_callback, b.y, b.part_of, b.y_version`

// storedBinding is a binding with what became of it.
type storedBinding struct {
	routing.Binding
	endedAt time.Time // zero: it stands
	why     string
}

type row interface{ Scan(dest ...any) error }

func readBinding(r row) (storedBinding, error) {
	var b storedBinding
	var created, modified, until, callbackFor, ended int64
	err := r.Scan(&b.ID, &b.App, &b.Mode, &b.X, &b.A, &b.B, &b.Ext, &b.Allowed, &b.Off, &created, &modified, &until,
		&b.Record, &b.RecordHint, &b.CallerTone, &b.CalleeTone, &b.MaxMinutes, &b.LastMinute, &b.NoSMS, &b.UserData, &b.AreaCode,
		&b.NoCallback, &b.CallbackNum, &callbackFor, &b.Version, &ended, &b.why,
		&b.Sent.Direction, &b.Sent.NumberType, &b.Sent.TimeUnit, &b.Sent.Lasts, &b.Sent.CallbackTime, &b.Y, &b.Of, &b.YVersion)
	b.CreatedAt, b.ModifiedAt, b.Until, b.endedAt = instant(created), instant(modified), instant(until), instant(ended)
	b.CallbackFor = time.Duration(callbackFor) * time.Microsecond
	return b, err
}

// scanBinding reads the one binding that rest selects; sql.ErrNoRows if none.
func scanBinding(s scope, rest string, args ...any) (storedBinding, error) {
	return readBinding(scanner(func(dest ...any) error {
		return s.scan("SELECT "+bindingColumns+" FROM bindings b "+rest, args, dest...)
	}))
}

type scanner func(dest ...any) error

func (f scanner) Scan(dest ...any) error { return f(dest...) }

// listBindings reads all that rest selects.
func listBindings(s scope, rest string, args ...any) (list []routing.Binding, err error) {
	rows, err := s.query("SELECT "+bindingColumns+" FROM bindings b "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("list bindings: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		b, err := readBinding(rows)
		if err != nil {
			return nil, fmt.Errorf("read a binding: %w", err)
		}
		list = append(list, b.Binding)
	}
	return list, nil
}

// insertBindings stores bindings for the first time.
func insertBindings(s scope, list ...*routing.Binding) error {
	rows := make([][]any, len(list))
	for i, b := range list {
		rows[i] = []any{b.ID, b.App, string(b.Mode), string(b.X), string(b.A), string(b.B), string(b.Ext), int64(b.Allowed), b.Off,
			micros(b.CreatedAt), micros(b.ModifiedAt), micros(b.Until),
			b.Record, b.RecordHint, b.CallerTone, b.CalleeTone, int64(b.MaxMinutes), b.LastMinute, b.NoSMS, b.UserData, b.AreaCode,
			b.NoCallback, string(b.CallbackNum), b.CallbackFor.Microseconds(), b.Version, int64(0), "",
			b.Sent.Direction, b.Sent.NumberType, b.Sent.TimeUnit, int64(b.Sent.Lasts), int64(b.Sent.CallbackTime),
			string(b.Y), b.Of, b.YVersion}
	}
	err := insertRows(s, `INSERT INTO bindings (id, app, mode, x, a, b, ext, allowed, off, created_at, modified_at, until_at,
		record, record_hint, caller_tone, callee_tone, max_minutes, last_minute, no_sms, user_data, area,
		no_callback, callback_num, callback_for, version, ended_at, ended_why,
		sent_direction, sent_type, sent_unit, sent_lasts, sent_callback, y, part_of, y_version) VALUES `, ``, rows)
	if err != nil {
		return fmt.Errorf("store bindings: %w", err)
	}
	return nil
}

func updateBinding(s scope, b *routing.Binding) error {
	_, err := s.exec(`UPDATE bindings SET a = $2, b = $3, allowed = $4, off = $5, modified_at = $6, until_at = $7,
		record = $8, record_hint = $9, caller_tone = $10, callee_tone = $11, max_minutes = $12, last_minute = $13, no_sms = $14,
		user_data = $15, no_callback = $16, callback_num = $17, callback_for = $18, version = $19,
		sent_direction = $20, sent_unit = $21, sent_lasts = $22, sent_callback = $23 WHERE id = $1`,
		b.ID, string(b.A), string(b.B), int64(b.Allowed), b.Off, micros(b.ModifiedAt), micros(b.Until),
		b.Record, b.RecordHint, b.CallerTone, b.CalleeTone, int64(b.MaxMinutes), b.LastMinute, b.NoSMS,
		b.UserData, b.NoCallback, string(b.CallbackNum), b.CallbackFor.Microseconds(), b.Version,
		b.Sent.Direction, b.Sent.TimeUnit, int64(b.Sent.Lasts), int64(b.Sent.CallbackTime))
	if err != nil {
		return fmt.Errorf("store the changed binding: %w", err)
	}
	return nil
}

// stored cuts instants to what the tables keep.
func stored(b routing.Binding) routing.Binding {
	b.CreatedAt, b.ModifiedAt, b.Until = instant(micros(b.CreatedAt)), instant(micros(b.ModifiedAt)), instant(micros(b.Until))
	b.CallbackFor = b.CallbackFor.Truncate(time.Microsecond)
	return b
}
