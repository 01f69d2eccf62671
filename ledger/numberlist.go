package ledger

import (
	"context"
	"fmt"

	"axgate/routing"
)

// NumberFilter selects X numbers. Empty fields select all.
type NumberFilter struct {
	SP       string // of this account's apps
	App      string
	AreaCode string // with its leading 0
	City     string
	Province string
	Carrier  string
	Status   routing.NumberStatus // empty: all but the returned ones
	Any      bool                 // the returned ones too
	Free     bool                 // normal, and nobody is bound
	Room     bool                 // normal, with room for one more binding
	Digits   string               // X has these digits somewhere
	After    routing.X            // the Next of the page before
	Limit    int                  // of a page; 0: 50, at most 1,000
}

// NumberPage is a page of X numbers in their order.
type NumberPage struct {
	Numbers []Number
	Next    routing.X // After of the next page; empty: this is the last
}

func (f *NumberFilter) conditions() *conditions {
	var c conditions
	for _, t := range []struct{ term, text string }{
		{"app IN (SELECT key FROM apps WHERE sp = ?)", f.SP}, {"app = ?", f.App}, {"area = ?", f.AreaCode}, {"city = ?", f.City},
		{"province = ?", f.Province}, {"carrier = ?", f.Carrier}, {"status = ?", string(f.Status)},
	} {
		if t.text != "" {
			c.add(t.term, t.text)
		}
	}
	if f.Status == "" && !f.Any {
		c.add("status <> ?", string(routing.StatusReturned))
	}
	if f.Free || f.Room {
		c.terms = append(c.terms, "status = 'normal' AND bindings < room")
	}
	if f.Free {
		c.terms = append(c.terms, "bindings = 0")
	}
	if f.Digits != "" {
		c.add("x LIKE ?", "%"+f.Digits+"%")
	}
	return &c
}

// ListNumbers is a page of the X numbers that f selects.
func (l *Ledger) ListNumbers(ctx context.Context, f NumberFilter) (page NumberPage, err error) {
	for i := range len(f.Digits) {
		if d := f.Digits[i]; d < '0' || d > '9' {
			return page, nil // an X has digits alone
		}
	}
	c := f.conditions()
	c.add("x > ?", string(f.After))
	limit := pageSize(f.Limit)
	rows, err := l.reads.QueryContext(ctx, `SELECT `+numberColumns+` FROM numbers`+c.where()+fmt.Sprintf(" ORDER BY x LIMIT %d", limit+1), c.args...)
	if err != nil {
		return page, fmt.Errorf("list numbers: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		n, err := readNumber(rows)
		if err != nil {
			return page, fmt.Errorf("read a number: %w", err)
		}
		page.Numbers = append(page.Numbers, n)
	}
	if len(page.Numbers) > limit {
		page.Numbers = page.Numbers[:limit]
		page.Next = page.Numbers[limit-1].X
	}
	return page, nil
}

// NumberCount counts the X numbers of an area. Free, WithRoom and Room count
// those that are normal.
type NumberCount struct {
	AreaCode string
	City     string
	Province string
	Numbers  int // all but the returned ones
	Normal   int // of them
	Free     int // of the normal ones: nobody is bound
	WithRoom int // of the normal ones: one more binding fits
	Bindings int // on all of them
	Room     int // bindings that still fit on the normal ones
}

// CountNumbers counts the X numbers that f selects, by area, the area codes in
// their order. After and Limit do not count.
func (l *Ledger) CountNumbers(ctx context.Context, f NumberFilter) (list []NumberCount, err error) {
	c := f.conditions()
	rows, err := l.reads.QueryContext(ctx, `SELECT area, city, province, count(*),
		sum(CASE WHEN status = 'normal' THEN 1 ELSE 0 END),
		sum(CASE WHEN status = 'normal' AND bindings = 0 THEN 1 ELSE 0 END),
		sum(CASE WHEN status = 'normal' AND bindings < room THEN 1 ELSE 0 END),
		sum(bindings), sum(CASE WHEN status = 'normal' THEN room - bindings ELSE 0 END)
		FROM numbers`+c.where()+` GROUP BY area, city, province ORDER BY area, city, province`, c.args...)
	if err != nil {
		return nil, fmt.Errorf("count numbers: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var n NumberCount
		err := rows.Scan(&n.AreaCode, &n.City, &n.Province, &n.Numbers, &n.Normal, &n.Free, &n.WithRoom, &n.Bindings, &n.Room)
		if err != nil {
			return nil, fmt.Errorf("read a count of numbers: %w", err)
		}
		list = append(list, n)
	}
	return list, nil
}
