package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"axgate/events"
	"axgate/sms"
)

var _ sms.Store = (*Ledger)(nil)

// repeatedText undoes a transaction that stores what was there before.
type repeatedText struct{ id string }

func (e *repeatedText) Error() string { return "the text " + e.id + " came before" }

// AddText stores a text (sms.Store).
func (l *Ledger) AddText(ctx context.Context, t *sms.Text, twin sms.Twin, b sms.Bounds, evs ...events.Event) (before *sms.Text, err error) {
	err = l.change(ctx, func(s scope) error {
		stored, err := insertMessage(s, t, 0)
		if err != nil {
			return err
		}
		if !stored {
			return repeated(s, `SELECT id FROM messages WHERE key = $1 AND key <> ''`, t.Key)
		}
		if err := noteTwin(s, twin, t.ID, t.At, b.Twins); err != nil {
			return err
		}
		if t.Done.IsZero() {
			if err := roomFor(s, t, &b); err != nil {
				return err
			}
		}
		return storeEvents(s, evs)
	})
	if again, ok := errors.AsType[*repeatedText](err); ok {
		t, err := l.Message(ctx, again.id)
		return &t, err
	}
	if err != nil {
		return nil, fmt.Errorf("add a text: %w", err)
	}
	if len(evs) > 0 {
		l.rouse()
	}
	return nil, nil
}

// repeated finds which text came before.
func repeated(s scope, query string, args ...any) error {
	var e repeatedText
	if err := s.scan(query, args, &e.id); err != nil {
		return fmt.Errorf("find the text that came before: %w", err)
	}
	return &e
}

// noteTwin keeps the twin of a text, unless it was that of another one lately
// and this one is not said to be new.
func noteTwin(s scope, twin sms.Twin, id string, at time.Time, lately time.Duration) error {
	if twin.Mark == "" {
		return nil
	}
	n, err := s.exec(`INSERT INTO message_twins (twin, message, at) VALUES ($1, $2, $3)
		ON CONFLICT (twin) DO UPDATE SET message = excluded.message, at = excluded.at WHERE message_twins.at <= $4 OR $5`,
		twin.Mark, id, micros(at), micros(at.Add(-lately)), twin.New)
	if err != nil {
		return fmt.Errorf("note the twin of the text: %w", err)
	}
	if n == 0 {
		return repeated(s, `SELECT message FROM message_twins WHERE twin = $1`, twin.Mark)
	}
	return nil
}

// waitingTexts counts what waits for X $1, up to $2. Every sender is one; that
// leads SQLite to the index of what waits, else it reads all that X ever had.
const waitingTexts = `SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE x = $1 AND sender >= '' AND due_at > 0 LIMIT $2) AS waiting`

// roomFor refuses a text that was stored if too many wait with it.
func roomFor(s scope, t *sms.Text, b *sms.Bounds) error {
	var n int
	err := s.scan(waitingTexts, one(string(t.X), int64(b.Waiting+1)), &n)
	if err != nil {
		return fmt.Errorf("count what waits for X: %w", err)
	}
	if n > b.Waiting {
		return sms.ErrFull
	}
	return nil
}

func storeEvents(s scope, evs []events.Event) error {
	for i := range evs {
		if err := storeEvent(s, &evs[i]); err != nil {
			return err
		}
	}
	return nil
}

// SaveText stores the state of a text that is held (sms.Store). Of one that is
// done no parts are kept.
func (l *Ledger) SaveText(ctx context.Context, t *sms.Text, due time.Time, evs ...events.Event) (held bool, err error) {
	err = l.change(ctx, func(s scope) error {
		held, err = updateMessage(s, t, micros(due))
		if err != nil || !held {
			return err
		}
		if t.Parts > 0 && !t.Done.IsZero() {
			if err := eraseParts(s, t.ID); err != nil {
				return err
			}
		}
		return storeEvents(s, evs)
	})
	if err != nil {
		return false, fmt.Errorf("text %s: %w", t.ID, err)
	}
	if held {
		t.Due = instant(micros(due))
	}
	if held && len(evs) > 0 {
		l.rouse()
	}
	return held, nil
}

func eraseParts(s scope, id string) error {
	if _, err := s.exec(`UPDATE message_parts SET body = '' WHERE message = $1`, id); err != nil {
		return fmt.Errorf("erase the parts: %w", err)
	}
	return nil
}

// ForgetTwins forgets twins from before an instant, at most limit (sms.Store).
func (l *Ledger) ForgetTwins(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = l.change(ctx, func(s scope) error {
		gone, err := s.exec(`DELETE FROM message_twins WHERE at < $1 AND twin IN (SELECT twin FROM message_twins WHERE at < $1 ORDER BY at LIMIT $2)`, micros(before), int64(limit))
		n = int(gone)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget twins of texts: %w", err)
	}
	return n, nil
}

// Message reads a text; ErrNoMessage if there is none. What was written is in
// it while it is not done, and as long as its app keeps texts.
func (l *Ledger) Message(ctx context.Context, id string) (sms.Text, error) {
	t, err := message(l.read(ctx), id)
	if errors.Is(err, sql.ErrNoRows) {
		return t, ErrNoMessage
	}
	if err != nil {
		return t, fmt.Errorf("read text %s: %w", id, err)
	}
	return t, nil
}

func message(s scope, id string) (sms.Text, error) {
	return readMessage(scanner(func(dest ...any) error {
		return s.scan(`SELECT `+messageColumns+` FROM messages WHERE id = $1`, one(id), dest...)
	}))
}
