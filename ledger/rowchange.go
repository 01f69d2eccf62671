package ledger

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// rowChange is a statement that changes many rows of a table, each in its own way: what it
// needs of each is a row of r.
type rowChange struct {
	table     string
	key       []string // columns of the table
	columns   []string // of r, with their types
	which     string   // of the rows of table
	set       string   // empty: they stay as they are, and are locked
	returning string
	aside     bool     // rows that somebody else has locked are left out, else they are waited for
	texts     []string // with SQLite: for 1, 2, 4 rows and so on
}

// mostOfText is how many rows one statement takes. With SQLite, which compiles a text for each
// number of them, they are powers of two; to a server each statement is a journey.
const (
	mostOfLiteText = 64
	mostOfText     = 2000
)

// rowsAtOnce is how many rows a transaction changes: to SQLite the journal writes beside it.
func (l *Ledger) rowsAtOnce() int {
	if l.driver == SQLite {
		return 200
	}
	return mostOfText
}

func newRowChange(c rowChange) *rowChange {
	for n := 1; n <= mostOfLiteText; n *= 2 {
		c.texts = append(c.texts, c.liteText(n))
	}
	return &c
}

// liteText is the statement for so many rows with SQLite, which locks no rows. One that fails may
// leave rows changed, as in bulk: its transaction is undone.
func (c *rowChange) liteText(rows int) string {
	if c.set == "" {
		return c.given(rows) + " SELECT " + c.returning + " FROM r CROSS JOIN " + c.table + " WHERE " + c.which
	}
	return c.given(rows) + " UPDATE OR FAIL " + c.table + " SET " + c.set + " FROM r WHERE " + c.which + c.returned()
}

// text is the statement for so many rows with PostgreSQL. An UPDATE by itself would lock them as it comes to
// them, by index or not, and of two that do so in different orders each may wait for the other: they are
// locked before, in the order of their keys.
func (c *rowChange) text(rows int) string {
	var keys, names, same []string
	for i, column := range c.key {
		place := fmt.Sprintf("%s.%s", c.table, column)
		keys, names, same = append(keys, place), append(names, fmt.Sprintf("%s AS key%d", place, i)), append(same, fmt.Sprintf("%s = r.key%d", place, i))
	}
	lock := " FROM r CROSS JOIN " + c.table + " WHERE " + c.which + " ORDER BY " + strings.Join(keys, ", ") + " FOR UPDATE OF " + c.table
	if c.aside {
		lock += " SKIP LOCKED"
	}
	if c.set == "" {
		return c.given(rows) + " SELECT " + c.returning + lock
	}
	return c.given(rows) + ", held AS (SELECT r.*, " + strings.Join(names, ", ") + lock + ") UPDATE " + c.table + " SET " + c.set +
		" FROM held AS r WHERE " + strings.Join(same, " AND ") + c.returned()
}

func (c *rowChange) returned() string {
	if c.returning == "" {
		return ""
	}
	return " RETURNING " + c.returning
}

// given is r of so many rows.
func (c *rowChange) given(rows int) string {
	var names, first []string
	for i, column := range c.columns {
		name, kind, _ := strings.Cut(column, " ")
		names, first = append(names, name), append(first, fmt.Sprintf("CAST($%d AS %s)", i+1, kind)) // they are the others' types too
	}
	width := len(c.columns)
	return "WITH r (" + strings.Join(names, ", ") + ") AS (VALUES (" + strings.Join(first, ", ") + ")" + strings.TrimPrefix(places(rows, width), places(1, width)) + ")"
}

// run changes rows and hands on, in no order, what the statement returns.
func (c *rowChange) run(s scope, args []any, returned func(row) error) error {
	for len(args) > 0 {
		n := s.rowsOfText(len(args) / len(c.columns))
		part := args[:n*len(c.columns)]
		args = args[len(part):]
		if err := c.runOnce(s, n, part, returned); err != nil {
			return err
		}
	}
	return nil
}

func (c *rowChange) runOnce(s scope, n int, args []any, returned func(row) error) (err error) {
	var text string
	if s.stmts == nil {
		text = c.text(n)
	} else {
		text = c.texts[bits.Len(uint(n))-1]
	}
	rows, err := s.query(text, s.afresh(args)...)
	if err != nil {
		return err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		if err := returned(rows); err != nil {
			return err
		}
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
