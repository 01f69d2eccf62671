package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"axgate/sms"
	"axgate/sms/parts"
)

// AddPart stores a part of a text (sms.Store).
func (l *Ledger) AddPart(ctx context.Context, t *sms.Text, p sms.NewPart, b sms.Bounds, lease time.Time) (r sms.PartReceipt, err error) {
	err = l.change(ctx, func(s scope) error {
		r = sms.PartReceipt{}
		id, err := storePart(s, t, &p, &b)
		if err != nil {
			return err
		}
		if err := noteTwin(s, p.Twin, id, p.At, b.Twins); err != nil {
			return err
		}
		r.Whole, err = assemble(s, id, p.Total, lease)
		if err != nil {
			return err
		}
		r.Text, err = message(s, id)
		return err
	})
	if again, ok := errors.AsType[*repeatedText](err); ok {
		r.Text, err = l.Message(ctx, again.id)
		return sms.PartReceipt{Text: r.Text, Repeated: true}, err
	}
	if err != nil {
		return sms.PartReceipt{}, fmt.Errorf("add a part of a text: %w", err)
	}
	return r, nil
}

// storePart puts a part to the text that it belongs to. Where another part
// stands in its place, the sender has begun a new text with the same reference:
// the old one gets no further parts.
func storePart(s scope, t *sms.Text, p *sms.NewPart, b *sms.Bounds) (id string, err error) {
	const tries = 3 // others may begin or complete texts at the same time
	for range tries {
		if id, err = partsOf(s, t, p.Ref, b); err != nil {
			return "", err
		}
		if id == "" {
			continue
		}
		n, err := s.exec(`INSERT INTO message_parts (message, seq, key, at, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			id, int64(p.Seq), p.Key, micros(p.At), p.Text)
		if err != nil {
			return "", fmt.Errorf("store the part: %w", err)
		}
		if n == 1 {
			return id, nil
		}
		if err := stands(s, id, p); err != nil {
			return "", err
		}
		if _, err := s.exec(`UPDATE messages SET part_open = FALSE WHERE id = $1`, id); err != nil {
			return "", fmt.Errorf("end the text that was begun with the same reference: %w", err)
		}
	}
	return "", errors.New("others begin texts with the same reference all the time")
}

// partsOf is the text that parts with a reference belong to; it is begun if
// there is none. Whoever has it is alone with it until the commit. Empty: it was
// completed at this moment.
func partsOf(s scope, t *sms.Text, ref int, b *sms.Bounds) (id string, err error) {
	begun, err := insertMessage(s, t, ref)
	if err != nil {
		return "", err
	}
	if begun {
		return t.ID, roomForParts(s, t, b)
	}
	err = s.scan(lockParts,
		one(string(t.X), string(t.Sender), int64(ref), int64(t.Parts)), &id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("find the text that the part belongs to: %w", err)
	}
	return id, nil
}

// openTexts counts the texts of sender $2 to X $1 whose parts are waited for.
const openTexts = `SELECT COUNT(*) FROM messages WHERE x = $1 AND sender = $2 AND part_open`

// lockParts finds the one whose parts have reference $3 and are $4.
const lockParts = `UPDATE messages SET due_at = due_at WHERE x = $1 AND sender = $2 AND part_ref = $3 AND parts = $4 AND part_open RETURNING id`

// roomForParts refuses a text that was begun if too many wait with it.
func roomForParts(s scope, t *sms.Text, b *sms.Bounds) error {
	var n int
	err := s.scan(openTexts, one(string(t.X), string(t.Sender)), &n)
	if err != nil {
		return fmt.Errorf("count the texts whose parts are waited for: %w", err)
	}
	if n > b.Open {
		return sms.ErrFull
	}
	return roomFor(s, t, b)
}

// stands tells, by a *repeatedText, that a part which could not be stored was
// there before.
func stands(s scope, id string, p *sms.NewPart) error {
	err := repeated(s, `SELECT message FROM message_parts WHERE key = $1 OR (message = $2 AND seq = $3 AND body = $4) LIMIT 1`,
		p.Key, id, int64(p.Seq), p.Text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// assemble puts a text together if all its parts are there, and holds it.
func assemble(s scope, id string, total int, lease time.Time) (whole bool, err error) {
	bodies, err := partBodies(s, id)
	if err != nil || len(bodies) < total {
		return false, err
	}
	_, err = s.exec(`UPDATE messages SET body = $2, part_open = FALSE, whole = TRUE, ahead = TRUE, due_at = $3 WHERE id = $1`,
		id, parts.Join(bodies), micros(lease))
	if err != nil {
		return false, fmt.Errorf("put the text together: %w", err)
	}
	return true, eraseParts(s, id)
}

func partBodies(s scope, id string) (list []string, err error) {
	rows, err := s.query(`SELECT body FROM message_parts WHERE message = $1 ORDER BY seq`, id)
	if err != nil {
		return nil, fmt.Errorf("read the parts: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var body string
		if err := rows.Scan(&body); err != nil {
			return nil, fmt.Errorf("read a part: %w", err)
		}
		list = append(list, body)
	}
	return list, nil
}
