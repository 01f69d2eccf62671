package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Refusals about operators.
var (
	ErrUnknownOperator = errors.New("there is no such operator")
	ErrOperatorExists  = errors.New("an operator of that name exists already")
	ErrTooManyTokens   = errors.New("there are as many operators as there may be")
)

// mostOperators is how many operators there can be, those of the past included.
const mostOperators = 10_000

// Role says what an operator may do.
type Role string

// The roles.
const (
	RoleOperator Role = "operator"  // everything
	RoleTenant   Role = "tenant"    // the apps of one account
	RoleReadOnly Role = "read-only" // reads, of all accounts or of one
)

// Operator is a token of the management API and who has it.
type Operator struct {
	ID       string // first part of the token
	Name     string
	Role     Role
	SP       string // the account that it is limited to; empty: none
	Unmasked bool   // read-only: sees real numbers
	Hash     string // of the token's secret part
	Created  time.Time
	Expires  time.Time // zero: never
	Revoked  time.Time // zero: it was not
}

// Works tells whether the token is good at now.
func (o *Operator) Works(now time.Time) bool {
	return o.Revoked.IsZero() && (o.Expires.IsZero() || now.Before(o.Expires))
}

const operatorColumns = `id, name, role, sp, unmasked, hash, created_at, expires_at, revoked_at`

func readOperator(r row) (Operator, error) {
	var o Operator
	var created, expires, revoked int64
	err := r.Scan(&o.ID, &o.Name, &o.Role, &o.SP, &o.Unmasked, &o.Hash, &created, &expires, &revoked)
	o.Created, o.Expires, o.Revoked = instant(created), instant(expires), instant(revoked)
	return o, err
}

// AddOperator stores a new operator. Refusals: ErrOperatorExists,
// ErrUnknownAccount, ErrTooManyTokens.
func (l *Ledger) AddOperator(ctx context.Context, o Operator) error {
	err := l.change(ctx, func(s scope) error {
		var has, account int
		if err := s.scan(`SELECT (SELECT count(*) FROM operators), (SELECT count(*) FROM accounts WHERE sp = $1)`, one(o.SP), &has, &account); err != nil {
			return err
		}
		if o.SP != "" && account == 0 {
			return ErrUnknownAccount
		}
		if has >= mostOperators {
			return ErrTooManyTokens
		}
		n, err := s.exec(`INSERT INTO operators (`+operatorColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
			o.ID, o.Name, string(o.Role), o.SP, o.Unmasked, o.Hash, micros(o.Created), micros(o.Expires), micros(o.Revoked))
		if err == nil && n == 0 {
			return ErrOperatorExists
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("add operator %s: %w", o.Name, err)
	}
	return nil
}

// Operator reads an operator; ErrUnknownOperator if there is none of that id.
func (l *Ledger) Operator(ctx context.Context, id string) (Operator, error) {
	o, err := readOperator(scanner(func(dest ...any) error {
		return l.read(ctx).scan(`SELECT `+operatorColumns+` FROM operators WHERE id = $1`, one(id), dest...)
	}))
	if errors.Is(err, sql.ErrNoRows) {
		return o, ErrUnknownOperator
	}
	if err != nil {
		return o, fmt.Errorf("read an operator: %w", err)
	}
	return o, nil
}

// Operators lists operators by name behind after ("" at first), at most limit.
func (l *Ledger) Operators(ctx context.Context, after string, limit int) (list []Operator, err error) {
	rows, err := l.read(ctx).query(`SELECT `+operatorColumns+` FROM operators WHERE name > $1 ORDER BY name LIMIT $2`, after, int64(limit))
	if err != nil {
		return nil, fmt.Errorf("list operators: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		o, err := readOperator(rows)
		if err != nil {
			return nil, fmt.Errorf("read an operator: %w", err)
		}
		list = append(list, o)
	}
	return list, nil
}

// RevokeOperator ends an operator's token, which may be repeated.
// Refusal: ErrUnknownOperator.
func (l *Ledger) RevokeOperator(ctx context.Context, id string, at time.Time) (Operator, error) {
	var o Operator
	err := l.change(ctx, func(s scope) (err error) {
		o, err = readOperator(scanner(func(dest ...any) error {
			return s.scan(`UPDATE operators SET revoked_at = CASE WHEN revoked_at = 0 THEN $2 ELSE revoked_at END WHERE id = $1 RETURNING `+operatorColumns,
				one(id, micros(at)), dest...)
		}))
		if errors.Is(err, sql.ErrNoRows) {
			return ErrUnknownOperator
		}
		return err
	})
	if err != nil {
		return Operator{}, fmt.Errorf("revoke operator: %w", err)
	}
	return o, nil
}
