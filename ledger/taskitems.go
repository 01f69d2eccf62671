package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"axgate/routing"
)

// Attributes are what is known of an X besides its owner and its state.
type Attributes struct {
	AreaCode string `json:"areaCode,omitempty"` // with its leading 0
	City     string `json:"city,omitempty"`
	Province string `json:"province,omitempty"`
	Carrier  string `json:"carrier,omitempty"`
	NoVoice  bool   `json:"noVoice,omitempty"` // it takes no calls
	SMS      *bool  `json:"sms,omitempty"`     // it takes texts; nil: as it was, and one that nobody has had takes none
}

// ItemFilter selects items of a task.
type ItemFilter struct {
	State ItemState // empty: all
	After int       // the Next of the page before
	Limit int       // of a page; 0: 50, at most 1,000
}

// ItemPage is a page of items in the order of their lines.
type ItemPage struct {
	Items []TaskItem
	Next  int // After of the next page; 0: this is the last
}

// TaskItems lists what became of the numbers of a task.
func (l *Ledger) TaskItems(ctx context.Context, id string, f ItemFilter) (page ItemPage, err error) {
	var c conditions
	c.add("task = ?", id)
	c.add("n > ?", int64(f.After))
	if f.State != "" {
		c.add("state = ?", string(f.State))
	}
	limit := pageSize(f.Limit)
	list, err := listItems(scope{ctx: ctx, on: l.reads}, c.where()+fmt.Sprintf(" ORDER BY n LIMIT %d", limit+1), c.args...)
	if err != nil {
		return page, fmt.Errorf("list the numbers of task %.64q: %w", id, err)
	}
	page.Items = list
	if len(list) > limit {
		page.Items, page.Next = list[:limit], list[limit-1].Line
	}
	return page, nil
}

func listItems(s scope, rest string, args ...any) (list []TaskItem, err error) {
	rows, err := s.query("SELECT n, x, detail, state, code, reason FROM number_task_items"+rest, args...)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var i TaskItem
		var detail string
		if err := rows.Scan(&i.Line, &i.X, &detail, &i.State, &i.Code, &i.Reason); err != nil {
			return nil, fmt.Errorf("read a number of a task: %w", err)
		}
		if detail != "" {
			if err := json.Unmarshal([]byte(detail), &i.Detail); err != nil {
				return nil, fmt.Errorf("the attributes in line %d: %w", i.Line, err)
			}
		}
		list = append(list, i)
	}
	return list, nil
}

// itemRows are the values of new items.
func itemRows(id string, items []TaskItem) ([][]any, error) {
	rows := make([][]any, len(items))
	for n := range items {
		i := &items[n]
		detail := ""
		if i.Detail != (Attributes{}) {
			text, err := json.Marshal(i.Detail)
			if err != nil {
				return nil, fmt.Errorf("the attributes in line %d: %w", i.Line, err)
			}
			detail = string(text)
		}
		if i.State == "" {
			i.State = ItemWaiting
		}
		rows[n] = []any{id, int64(i.Line), string(i.X), detail, string(i.State), i.Code, i.Reason}
	}
	return rows, nil
}

// mostParameters is how many parameters a statement for many rows has. To
// PostgreSQL each statement is a journey, so it gets ten times as many.
const mostParameters = 1000

// rowsAtOnce is how many rows of a width one statement takes; one text does for
// nearly all of many.
func (s scope) rowsAtOnce(width int) int {
	if s.stmts == nil {
		width = (width + 9) / 10
	}
	return max(1, mostParameters/width)
}

// insertRows inserts rows of equal width with few statements: head ends with
// VALUES, tail is what follows the values.
func insertRows(s scope, head, tail string, rows [][]any) error {
	for len(rows) > 0 {
		part := rows[:min(s.rowsAtOnce(len(rows[0])), len(rows))]
		rows = rows[len(part):]
		if _, err := s.exec(head+places(len(part), len(part[0]))+tail, flat(part)...); err != nil {
			return err
		}
	}
	return nil
}

// places are the parameters of so many rows: ($1, $2), ($3, $4).
func places(rows, width int) string {
	var b strings.Builder
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		b.WriteString(parameters(i*width+1, width))
		b.WriteByte(')')
	}
	return b.String()
}

// parameters are n of them from one on: $1, $2.
func parameters(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	return b.String()
}

func flat(rows [][]any) []any {
	all := make([]any, 0, len(rows)*len(rows[0]))
	for _, r := range rows {
		all = append(all, r...)
	}
	return all
}

// texts are X as arguments.
func texts(xs []routing.X) []any {
	all := make([]any, len(xs))
	for i, x := range xs {
		all[i] = string(x)
	}
	return all
}
