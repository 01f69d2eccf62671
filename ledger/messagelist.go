package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"axgate/routing"
	"axgate/sms"
)

// MessageFilter selects texts. Empty fields select all.
type MessageFilter struct {
	App      string
	SP       string // account
	Number   string // X, sender or receiver, in global form
	X        string
	Sender   string              // in global form
	Receiver string              // likewise
	Result   *routing.SendResult // of those that are done
	Done     *bool               // whether they are done
	Open     *bool               // whether parts of them are missing
	From     time.Time
	To       time.Time // texts that came before it
	After    string    // the Next of the page before
	Limit    int       // of a page; 0: 50, at most 1,000
}

// MessagePage is a page of texts, the newest first.
type MessagePage struct {
	Messages []sms.Text
	Next     string // After of the next page; empty: this is the last
}

// Messages lists texts, the newest first. What was written is in those of apps
// that keep it.
func (l *Ledger) Messages(ctx context.Context, f MessageFilter) (MessagePage, error) {
	c, err := f.conditions()
	if err != nil {
		return MessagePage{}, fmt.Errorf("list texts: %w", err)
	}
	limit := pageSize(f.Limit)
	list, err := listMessages(scope{ctx: ctx, on: l.reads}, f.query(&c, limit+1), c.args...)
	if err != nil {
		return MessagePage{}, err
	}
	page := MessagePage{Messages: list}
	if len(list) > limit {
		last := &list[limit-1]
		page.Messages, page.Next = list[:limit], cursor(micros(last.At), last.ID)
	}
	return page, nil
}

// query selects the newest texts. A number is looked for in three columns, each
// with its own index, and the three answers are merged.
func (f *MessageFilter) query(c *conditions, limit int) string {
	newest := fmt.Sprintf(" ORDER BY at DESC, id DESC LIMIT %d", limit)
	if f.Number == "" {
		return "SELECT " + messageColumns + " FROM messages" + c.where() + newest
	}
	var found []string
	base := c.terms
	c.args = append(c.args, f.Number)
	for _, term := range []string{"x = ?", "sender = ?", "receiver = ? AND receiver <> ''"} {
		part := conditions{terms: append(slices.Clip(base), strings.ReplaceAll(term, "?", fmt.Sprintf("$%d", len(c.args))))}
		found = append(found, "SELECT * FROM (SELECT "+messageColumns+" FROM messages"+part.where()+newest+") AS found")
	}
	return "SELECT " + messageColumns + " FROM (" + strings.Join(found, " UNION ") + ") AS merged" + newest
}

func (f *MessageFilter) conditions() (c conditions, err error) {
	for _, by := range []struct{ term, value string }{{"app = ?", f.App}, {"sp = ?", f.SP}, {"x = ?", f.X}, {"sender = ?", f.Sender}, {"receiver = ? AND receiver <> ''", f.Receiver}} {
		if by.value != "" {
			c.add(by.term, by.value)
		}
	}
	if f.Result != nil {
		c.add("result = ? AND done_at > 0", int64(*f.Result))
	}
	switch { // the few that are not done have an index
	case f.Done == nil:
	case *f.Done:
		c.terms = append(c.terms, "due_at = 0")
	default:
		c.terms = append(c.terms, "due_at > 0")
	}
	if f.Open != nil {
		c.add("whole <> ?", *f.Open)
	}
	if !f.From.IsZero() {
		c.add("at >= ?", micros(f.From))
	}
	if !f.To.IsZero() {
		c.add("at < ?", micros(f.To))
	}
	if f.After != "" {
		at, id, err := readCursor(f.After)
		if err != nil {
			return c, err
		}
		c.add("at <= ?", at)
		c.args = append(c.args, id)
		c.terms = append(c.terms, fmt.Sprintf("(at < $%d OR id < $%d)", len(c.args)-1, len(c.args)))
	}
	return c, nil
}
