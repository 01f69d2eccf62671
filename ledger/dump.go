package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// tables are all of the schema but those of which a restored ledger begins
// anew (cache_servers), in an order in which rows can be inserted.
var tables = []string{
	"marks", "accounts", "apps", "app_prompts", "prompts", "numbers", "bindings", "bound", "shares", "temporaries", "callbacks", "blacklist", "unsettled",
	"nodes", "node_lives", "bases", "secrets", "operators", "audit", "requests", "calls", "events", "messages", "message_parts", "message_twins", "number_tasks",
	"number_task_items", "jobs",
}

// Kind is what a column holds.
type Kind string

// The kinds of columns.
const (
	KindText Kind = "text"
	KindInt  Kind = "int"
	KindBool Kind = "bool"
)

// Column is one of a table.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Sink takes what is dumped: a table, then its rows, whose values are string,
// int64 or bool. A row is good until the next.
type Sink interface {
	Table(name string, columns []Column) error
	Row(values []any) error
}

// Dump gives all tables as they are at one instant, whatever changes meanwhile,
// and tells the version of their schema. Secrets are given as they are stored.
func (l *Ledger) Dump(ctx context.Context, to Sink) (schema int64, err error) {
	err = l.view(ctx, func(s scope) error {
		if err := s.scan(`SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`, nil, &schema); err != nil {
			return fmt.Errorf("the schema's version: %w", err)
		}
		for _, t := range tables {
			if err := dumpTable(s, t, to); err != nil {
				return fmt.Errorf("table %s: %w", t, err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("dump the ledger: %w", err)
	}
	return schema, nil
}

func dumpTable(s scope, name string, to Sink) (err error) {
	rows, err := s.query(`SELECT * FROM ` + name)
	if err != nil {
		return err
	}
	defer closeRows(rows, &err)
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	columns, values, dest := make([]Column, len(types)), make([]any, len(types)), make([]any, len(types))
	for i, t := range types {
		columns[i] = Column{t.Name(), kindOf(t)}
		switch columns[i].Kind {
		case KindText:
			dest[i] = new(string)
		case KindInt:
			dest[i] = new(int64)
		case KindBool:
			dest[i] = new(bool)
		default:
			return fmt.Errorf("the column %s is of type %s, which nobody knows here", t.Name(), t.DatabaseTypeName())
		}
	}
	if err := to.Table(name, columns); err != nil {
		return err
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i := range dest {
			switch v := dest[i].(type) {
			case *string:
				values[i] = *v
			case *int64:
				values[i] = *v
			case *bool:
				values[i] = *v
			}
		}
		if err := to.Row(values); err != nil {
			return err
		}
	}
	return nil
}

func kindOf(t *sql.ColumnType) Kind {
	switch strings.ToUpper(t.DatabaseTypeName()) {
	case "TEXT":
		return KindText
	case "BIGINT", "INTEGER", "INT8", "INT4":
		return KindInt
	case "BOOLEAN", "BOOL":
		return KindBool
	}
	return ""
}
