package ledger

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// mostAudited is how many entries the audit log keeps: the newest.
const mostAudited = 1_000_000

// AuditEntry is a change that somebody tried to make. Texts hold no secrets,
// and real numbers only masked.
type AuditEntry struct {
	Seq       int64 // from 1, without gaps
	At        time.Time
	Done      time.Time // zero: nobody knows how it went
	Operator  string    // id of the operator; empty: the command line
	Name      string    // who it was, for people
	Role      Role
	Source    string // where it came from: an IP address, or what the process was
	Operation string // operationId of the API
	SP        string // the account of what was changed; empty: none, or not known
	Target    string // what was changed
	Detail    string // how
	Status    int    // HTTP status of the answer; 0 until Done
	Code      string // result code of a refusal
}

// BeginAudit notes a change that is about to be made, and gives it its Seq. The
// oldest entries go once there are too many.
func (l *Ledger) BeginAudit(ctx context.Context, e AuditEntry) (seq int64, err error) {
	err = l.change(ctx, func(s scope) error {
		if seq, err = raise(s, "audit", ""); err != nil {
			return err
		}
		_, err = s.exec(`INSERT INTO audit (seq, at, done_at, operator, name, role, source, operation, sp, target, detail, status, code)
			VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $9, $10, 0, '')`,
			seq, micros(e.At), e.Operator, e.Name, string(e.Role), e.Source, e.Operation, e.SP, e.Target, e.Detail)
		if err != nil {
			return err
		}
		_, err = s.exec(`DELETE FROM audit WHERE seq <= $1`, seq-mostAudited)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("write the audit log: %w", err)
	}
	return seq, nil
}

// FinishAudit completes an entry with what is known after the change.
func (l *Ledger) FinishAudit(ctx context.Context, e AuditEntry) error {
	err := l.change(ctx, func(s scope) error {
		_, err := s.exec(`UPDATE audit SET done_at = $2, sp = $3, target = $4, detail = $5, status = $6, code = $7 WHERE seq = $1`,
			e.Seq, micros(e.Done), e.SP, e.Target, e.Detail, int64(e.Status), e.Code)
		return err
	})
	if err != nil {
		return fmt.Errorf("complete the audit log: %w", err)
	}
	return nil
}

// AuditFilter selects entries. Empty fields select all.
type AuditFilter struct {
	Operator  string
	Operation string
	SP        string
	From      time.Time
	To        time.Time // entries before it
	After     string    // the Next of the page before
	Limit     int       // of a page; 0: 50, at most 1,000
}

// AuditPage is a page of entries, the newest first.
type AuditPage struct {
	Entries []AuditEntry
	Next    string // After of the next page; empty: this is the last
}

// Audit lists the audit log.
func (l *Ledger) Audit(ctx context.Context, f AuditFilter) (AuditPage, error) {
	var c conditions
	for _, by := range []struct{ column, value string }{{"operator", f.Operator}, {"operation", f.Operation}, {"sp", f.SP}} {
		if by.value != "" {
			c.add(by.column+" = ?", by.value)
		}
	}
	if !f.From.IsZero() {
		c.add("at >= ?", micros(f.From))
	}
	if !f.To.IsZero() {
		c.add("at < ?", micros(f.To))
	}
	if f.After != "" {
		before, err := strconv.ParseInt(f.After, 10, 64)
		if err != nil {
			return AuditPage{}, fmt.Errorf("list the audit log: %w", &CursorError{f.After})
		}
		c.add("seq < ?", before)
	}
	limit := pageSize(f.Limit)
	list, err := l.listAudit(ctx, &c, limit+1)
	if err != nil {
		return AuditPage{}, fmt.Errorf("list the audit log: %w", err)
	}
	page := AuditPage{Entries: list}
	if len(list) > limit {
		page.Entries, page.Next = list[:limit], strconv.FormatInt(list[limit-1].Seq, 10)
	}
	return page, nil
}

func (l *Ledger) listAudit(ctx context.Context, c *conditions, limit int) (list []AuditEntry, err error) {
	query := `SELECT seq, at, done_at, operator, name, role, source, operation, sp, target, detail, status, code FROM audit` +
		c.where() + fmt.Sprintf(` ORDER BY seq DESC LIMIT %d`, limit)
	rows, err := l.reads.QueryContext(ctx, query, c.args...)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var e AuditEntry
		var at, done int64
		if err := rows.Scan(&e.Seq, &at, &done, &e.Operator, &e.Name, &e.Role, &e.Source, &e.Operation, &e.SP, &e.Target, &e.Detail, &e.Status, &e.Code); err != nil {
			return nil, fmt.Errorf("read an entry: %w", err)
		}
		e.At, e.Done = instant(at), instant(done)
		list = append(list, e)
	}
	return list, nil
}
