package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// PromptState is where a prompt is in its review (section 4).
type PromptState string

// The states of a prompt.
const (
	PromptPending  PromptState = "pending"
	PromptApproved PromptState = "approved"
	PromptRejected PromptState = "rejected"
)

// Prompt is an uploaded prompt file of an app; the audio itself is kept as a
// file.
type Prompt struct {
	App      string
	Name     string
	State    PromptState
	Reason   string // why it was rejected
	Bytes    int64
	Length   time.Duration
	SHA256   string
	Uploaded time.Time
	Reviewed time.Time // zero: pending
}

// PutPrompt stores a prompt, in place of an earlier one of that name.
func (l *Ledger) PutPrompt(ctx context.Context, p Prompt) error {
	err := l.change(ctx, func(s scope) error {
		var there int
		if err := s.scan(`SELECT count(*) FROM apps WHERE key = $1`, one(p.App), &there); err != nil {
			return err
		}
		if there == 0 {
			return ErrUnknownApp
		}
		_, err := s.exec(`INSERT INTO prompts (app, name, state, reason, bytes, millis, sha256, uploaded_at, reviewed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (app, name) DO UPDATE SET state = excluded.state, reason = excluded.reason, bytes = excluded.bytes, millis = excluded.millis,
			sha256 = excluded.sha256, uploaded_at = excluded.uploaded_at, reviewed_at = excluded.reviewed_at`,
			p.App, p.Name, string(p.State), p.Reason, p.Bytes, p.Length.Milliseconds(), p.SHA256, micros(p.Uploaded), micros(p.Reviewed))
		if err != nil {
			return err
		}
		return touchSettings(s, "prompt "+p.Name)
	})
	if err != nil {
		return fmt.Errorf("store prompt %s: %w", p.Name, err)
	}
	return nil
}

// ReviewPrompt approves or rejects a prompt; ErrUnknownPrompt if there is none.
func (l *Ledger) ReviewPrompt(ctx context.Context, app, name string, state PromptState, reason string, at time.Time) error {
	return l.touchPrompt(ctx, name, `UPDATE prompts SET state = $3, reason = $4, reviewed_at = $5 WHERE app = $1 AND name = $2`, app, name, string(state), reason, micros(at))
}

// DropPrompt removes a prompt; ErrUnknownPrompt if there is none.
func (l *Ledger) DropPrompt(ctx context.Context, app, name string) error {
	return l.touchPrompt(ctx, name, `DELETE FROM prompts WHERE app = $1 AND name = $2`, app, name)
}

func (l *Ledger) touchPrompt(ctx context.Context, name, query string, args ...any) error {
	err := l.change(ctx, func(s scope) error {
		n, err := s.exec(query, args...)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrUnknownPrompt
		}
		return touchSettings(s, "prompt "+name)
	})
	if err != nil {
		return fmt.Errorf("prompt %s: %w", name, err)
	}
	return nil
}

// Prompt reads a prompt; ErrUnknownPrompt if there is none.
func (l *Ledger) Prompt(ctx context.Context, app, name string) (Prompt, error) {
	p, err := readPrompt(scanner(func(dest ...any) error {
		return l.read(ctx).scan(`SELECT `+promptColumns+` FROM prompts WHERE app = $1 AND name = $2`, one(app, name), dest...)
	}))
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrUnknownPrompt
	}
	if err != nil {
		return p, fmt.Errorf("read prompt %s: %w", name, err)
	}
	return p, nil
}

// Prompts lists the prompts of an app, or of all apps if app is empty.
func (l *Ledger) Prompts(ctx context.Context, app string) (list []Prompt, err error) {
	rows, err := l.read(ctx).query(`SELECT `+promptColumns+` FROM prompts WHERE app = $1 OR $1 = '' ORDER BY app, name`, app)
	if err != nil {
		return nil, fmt.Errorf("list prompts: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		p, err := readPrompt(rows)
		if err != nil {
			return nil, fmt.Errorf("read a prompt: %w", err)
		}
		list = append(list, p)
	}
	return list, nil
}

const promptColumns = `app, name, state, reason, bytes, millis, sha256, uploaded_at, reviewed_at`

func readPrompt(r row) (Prompt, error) {
	var p Prompt
	var millis, uploaded, reviewed int64
	err := r.Scan(&p.App, &p.Name, &p.State, &p.Reason, &p.Bytes, &millis, &p.SHA256, &uploaded, &reviewed)
	p.Length, p.Uploaded, p.Reviewed = time.Duration(millis)*time.Millisecond, instant(uploaded), instant(reviewed)
	return p, err
}
