package ledger

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// eventChange is a statement that changes many events, each in its own way: what it needs of
// each is a row of r.
type eventChange struct {
	columns []string // of r, with their types
	rest    string   // behind UPDATE events
	texts   []string // with SQLite: for 1, 2, 4 rows and so on
}

// mostOfText is how many rows one statement takes. With SQLite, which compiles a text for each
// number of them, they are powers of two; to a server each statement is a journey.
const (
	mostOfLiteText = 64
	mostOfText     = 2000
)

func newEventChange(rest string, columns ...string) *eventChange {
	c := &eventChange{columns: columns, rest: rest}
	for n := 1; n <= mostOfLiteText; n *= 2 {
		c.texts = append(c.texts, c.text(n, "UPDATE OR FAIL"))
	}
	return c
}

// text is the statement for so many rows. With SQLite one that fails may leave rows changed, as
// in bulk: its transaction is undone.
func (c *eventChange) text(rows int, verb string) string {
	var names, first []string
	for i, column := range c.columns {
		name, kind, _ := strings.Cut(column, " ")
		names, first = append(names, name), append(first, fmt.Sprintf("CAST($%d AS %s)", i+1, kind)) // they are the others' types too
	}
	width := len(c.columns)
	values := "(" + strings.Join(first, ", ") + ")" + strings.TrimPrefix(places(rows, width), places(1, width))
	return "WITH r (" + strings.Join(names, ", ") + ") AS (VALUES " + values + ") " + verb + " events " + c.rest
}

// eventKey names an event.
type eventKey struct {
	session string
	seq     int
}

// run changes events and tells which were, if the statement returns them.
func (c *eventChange) run(s scope, args []any) (changed map[eventKey]bool, err error) {
	changed = make(map[eventKey]bool, len(args)/len(c.columns))
	for len(args) > 0 {
		n := s.rowsOfText(len(args) / len(c.columns))
		part := args[:n*len(c.columns)]
		args = args[len(part):]
		if err := c.runOnce(s, n, part, changed); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

func (c *eventChange) runOnce(s scope, n int, args []any, changed map[eventKey]bool) (err error) {
	var text string
	if s.stmts == nil {
		text = c.text(n, "UPDATE")
	} else {
		text = c.texts[bits.Len(uint(n))-1]
	}
	rows, err := s.query(text, s.afresh(args)...)
	if err != nil {
		return err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var k eventKey
		if err := rows.Scan(&k.session, &k.seq); err != nil {
			return err
		}
		changed[k] = true
	}
	return nil
}

// rowsOfText is how many of n rows the next statement takes.
func (s scope) rowsOfText(n int) int {
	if s.stmts == nil {
		return min(n, mostOfText)
	}
	return min(mostOfLiteText, 1<<(bits.Len(uint(n))-1))
}

// afresh has PostgreSQL take a text that may not come again in the journey that runs it, where
// it would be compiled by one of its own before.
func (s scope) afresh(args []any) []any {
	if s.stmts != nil {
		return args
	}
	return slices.Insert(slices.Clone(args), 0, any(pgx.QueryExecModeExec))
}
