package ledger

import (
	"encoding/json"
	"fmt"

	"axgate/routing"
	"axgate/sms"
)

const messageColumns = `id, key, source, x, sender, body, at, parts, whole, app, sp, taken, binding, receiver, direction, area, user_data, split,
	asked, reply, carrier, pieces, sent, tries, fails, due_at, ahead, result, refused, done_at, why, failure`

func readMessage(r row) (t sms.Text, err error) {
	var at, due, done int64
	var whole bool
	var reply string
	err = r.Scan(&t.ID, &t.Key, &t.Source, &t.X, &t.Sender, &t.Text, &at, &t.Parts, &whole, &t.App, &t.SP, &t.Taken, &t.Binding, &t.Receiver, &t.Direction, &t.AreaCode, &t.UserData, &t.Split,
		&t.Asked, &reply, &t.Carrier, &t.Pieces, &t.Sent, &t.Tries, &t.Fails, &due, &t.Ahead, &t.Result, &t.Refused, &done, &t.Why, &t.Failure)
	if err != nil {
		return t, fmt.Errorf("read a text: %w", err)
	}
	t.At, t.Due, t.Done, t.Open = instant(at), instant(due), instant(done), !whole
	if reply != "" {
		t.Reply = &routing.MessageReply{}
		if err := json.Unmarshal([]byte(reply), t.Reply); err != nil {
			return t, fmt.Errorf("the answer about text %s: %w", t.ID, err)
		}
	}
	return t, nil
}

// listMessages reads all that a query selects.
func listMessages(s scope, query string, args ...any) (list []sms.Text, err error) {
	rows, err := s.query(query, args...)
	if err != nil {
		return nil, fmt.Errorf("list texts: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		t, err := readMessage(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// insertMessage stores a new text; ref is what its parts have in common. Not
// stored: its key, or one whose parts are waited for, stands.
func insertMessage(s scope, t *sms.Text, ref int) (stored bool, err error) {
	n, err := s.exec(`INSERT INTO messages (id, key, source, x, sender, body, at, parts, part_ref, part_open, whole, app, sp,
		taken, binding, receiver, direction, area, user_data, split, asked, reply, carrier, pieces, sent, tries, fails,
		due_at, ahead, result, refused, done_at, why, failure)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
		FALSE, '', '', 0, 0, 0, 0, $21, $22, $23, $24, $25, $26, '') ON CONFLICT DO NOTHING`,
		t.ID, t.Key, t.Source, string(t.X), string(t.Sender), t.Text, micros(t.At), int64(t.Parts), int64(ref), t.Open, !t.Open, t.App, t.SP,
		t.Taken, t.Binding, string(t.Receiver), int64(t.Direction), t.AreaCode, t.UserData, int64(t.Split),
		micros(t.Due), t.Ahead, int64(t.Result), t.Refused, micros(t.Done), t.Why)
	if err != nil {
		return false, fmt.Errorf("store the text: %w", err)
	}
	return n == 1, nil
}

// updateMessage stores the state of a text that is held; not held: somebody
// else holds it.
func updateMessage(s scope, t *sms.Text, due int64) (held bool, err error) {
	reply := ""
	if t.Reply != nil {
		b, err := json.Marshal(t.Reply)
		if err != nil {
			return false, fmt.Errorf("the answer about it: %w", err)
		}
		reply = string(b)
	}
	n, err := s.exec(`UPDATE messages SET body = $3, part_open = part_open AND $4 = CAST(0 AS BIGINT), taken = $5, binding = $6, receiver = $7, direction = $8, area = $9,
		user_data = $10, split = $11, asked = $12, reply = $13, carrier = $14, pieces = $15, sent = $16, tries = $17, fails = $18,
		due_at = $19, ahead = $20, result = $21, refused = $22, done_at = $4, why = $23, failure = $24 WHERE id = $1 AND due_at = $2`,
		t.ID, micros(t.Due), t.Text, micros(t.Done), t.Taken, t.Binding, string(t.Receiver), int64(t.Direction), t.AreaCode,
		t.UserData, int64(t.Split), t.Asked, reply, t.Carrier, int64(t.Pieces), int64(t.Sent), int64(t.Tries), int64(t.Fails),
		due, t.Ahead, int64(t.Result), t.Refused, t.Why, t.Failure)
	if err != nil {
		return false, fmt.Errorf("store the state: %w", err)
	}
	return n == 1, nil
}
