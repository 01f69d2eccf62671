package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"axgate/routing"
)

// TaskKind is what a task does with its numbers.
type TaskKind string

// The kinds of tasks.
const (
	TaskImport TaskKind = "import" // give them to an app
	TaskMove   TaskKind = "move"   // take them from one app to another; their bindings end
	TaskStatus TaskKind = "status" // change their status
	TaskSMS    TaskKind = "sms"    // have them take texts, or none
)

// TaskState is how far a task is.
type TaskState string

// The states of tasks.
const (
	TaskWaiting TaskState = "waiting"
	TaskRunning TaskState = "running"
	TaskEnded   TaskState = "ended"
)

// Task is work on many X numbers, which goes on over restarts until each of
// them is done or has failed.
type Task struct {
	ID      string
	Kind    TaskKind
	App     string               // import: whose they become; move: where they go; status, sms: only those of this app; may be empty
	From    string               // move: the app that they leave; empty: any of the account
	Status  routing.NumberStatus // status: the new one
	Cause   string               // status: why
	SMS     bool                 // sms: they take texts
	State   TaskState
	By      string    // who submitted it
	Created time.Time // when it was submitted first
	Started time.Time // zero: nobody has begun
	Ended   time.Time // zero: it has not
	Total   int       // numbers
	Done    int       // of them, and in force
	Failed  int       // of them
	Runs    int       // how often it was submitted
}

// ItemState is what became of a number of a task.
type ItemState string

// The states of items. A stored one is in the ledger, and the cache is being told.
const (
	ItemWaiting ItemState = "waiting"
	ItemStored  ItemState = "stored"
	ItemDone    ItemState = "done"
	ItemFailed  ItemState = "failed"
)

// TaskItem is a number of a task.
type TaskItem struct {
	Line   int        // from 1 on
	X      routing.X  // as it was given if it is no X
	Detail Attributes // import: what is known of it
	State  ItemState
	Code   string // result code of a refusal
	Reason string // of a refusal, in words
}

// ErrNoTask tells that there is no such task.
var ErrNoTask = errors.New("there is no such task")

// ErrTaskRuns tells that a task has not ended yet.
var ErrTaskRuns = errors.New("the task has not ended yet")

const taskColumns = `id, kind, app, from_app, status, cause, state, by_whom, created_at, started_at, ended_at, total, done, failed, runs, sms`

func readTask(r row) (t Task, err error) {
	var created, started, ended int64
	err = r.Scan(&t.ID, &t.Kind, &t.App, &t.From, &t.Status, &t.Cause, &t.State, &t.By, &created, &started, &ended, &t.Total, &t.Done, &t.Failed, &t.Runs, &t.SMS)
	t.Created, t.Started, t.Ended = instant(created), instant(started), instant(ended)
	return t, err
}

// CreateTask stores a task with its numbers, those that have failed already
// included. It is worked on from then on. The items' lines have to rise.
func (l *Ledger) CreateTask(ctx context.Context, t Task, items []TaskItem) (Task, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return t, fmt.Errorf("create a task: make an id: %w", err)
	}
	t.ID, t.Runs, t.Total, t.Done, t.Failed = id.String(), 1, len(items), 0, 0
	t.Created, t.Started, t.Ended, t.State = instant(micros(t.Created)), time.Time{}, time.Time{}, TaskWaiting
	for i := range items {
		if items[i].State == ItemFailed {
			t.Failed++
		}
	}
	if t.Failed == t.Total {
		t.State, t.Ended = TaskEnded, t.Created
	}
	rows, err := itemRows(t.ID, items)
	if err != nil {
		return t, fmt.Errorf("create a task: %w", err)
	}
	err = l.change(ctx, func(s scope) error {
		_, err := s.exec(`INSERT INTO number_tasks (`+taskColumns+`, holder, lease_until)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, 0, $12, 1, $13, '', 0)`,
			t.ID, string(t.Kind), t.App, t.From, string(t.Status), t.Cause, string(t.State), t.By, micros(t.Created), micros(t.Ended), int64(t.Total), int64(t.Failed), t.SMS)
		if err != nil {
			return err
		}
		return insertRows(s, `INSERT INTO number_task_items (task, n, x, detail, state, code, reason) VALUES `, ``, rows)
	})
	if err != nil {
		return t, fmt.Errorf("create a task: %w", err)
	}
	return t, nil
}

// Task reads a task; ErrNoTask if there is none of that id.
func (l *Ledger) Task(ctx context.Context, id string) (Task, error) {
	t, err := task(l.read(ctx), id)
	if err != nil {
		return t, fmt.Errorf("read task %.64q: %w", id, err)
	}
	return t, nil
}

func task(s scope, id string) (Task, error) {
	t, err := readTask(scanner(func(dest ...any) error {
		return s.scan(`SELECT `+taskColumns+` FROM number_tasks WHERE id = $1`, one(id), dest...)
	}))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoTask
	}
	return t, err
}

// TaskFilter selects tasks. Empty fields select all.
type TaskFilter struct {
	SP    string // those among apps of this account alone
	App   string // those that concern this app
	Kind  TaskKind
	Open  bool   // only those that have not ended
	After string // the Next of the page before
	Limit int    // of a page; 0: 50, at most 1,000
}

// TaskPage is a page of tasks, the newest first.
type TaskPage struct {
	Tasks []Task
	Next  string // After of the next page; empty: this is the last
}

// Tasks lists tasks, the newest first.
func (l *Ledger) Tasks(ctx context.Context, f TaskFilter) (page TaskPage, err error) {
	var c conditions
	if f.SP != "" {
		c.add("app IN (SELECT key FROM apps WHERE sp = ?) AND (kind <> 'move' OR from_app IN (SELECT key FROM apps WHERE sp = ?))", f.SP)
	}
	if f.App != "" {
		c.add("? IN (app, from_app)", f.App)
	}
	if f.Kind != "" {
		c.add("kind = ?", string(f.Kind))
	}
	if f.Open {
		c.terms = append(c.terms, "state <> 'ended'")
	}
	if f.After != "" {
		c.add("id < ?", f.After)
	}
	limit := pageSize(f.Limit)
	// The ids rise with time.
	rows, err := l.reads.QueryContext(ctx, "SELECT "+taskColumns+" FROM number_tasks"+c.where()+fmt.Sprintf(" ORDER BY id DESC LIMIT %d", limit+1), c.args...)
	if err != nil {
		return page, fmt.Errorf("list tasks: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		t, err := readTask(rows)
		if err != nil {
			return page, fmt.Errorf("read a task: %w", err)
		}
		page.Tasks = append(page.Tasks, t)
	}
	if len(page.Tasks) > limit {
		page.Tasks = page.Tasks[:limit]
		page.Next = page.Tasks[limit-1].ID
	}
	return page, nil
}

// ResubmitTask has what failed of a task that has ended tried again, except
// what cannot be otherwise the next time: items with one of the codes given.
// ErrTaskRuns if it has not ended.
func (l *Ledger) ResubmitTask(ctx context.Context, id string, hopeless ...string) (t Task, err error) {
	err = l.change(ctx, func(s scope) error {
		n, err := s.exec(`UPDATE number_tasks SET runs = runs WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNoTask
		}
		if t, err = task(s, id); err != nil {
			return err
		}
		if t.State != TaskEnded {
			return ErrTaskRuns
		}
		args := one(id)
		var not []string
		for _, code := range hopeless {
			args = append(args, code)
			not = append(not, fmt.Sprintf("$%d", len(args)))
		}
		where := ` WHERE task = $1 AND state = 'failed'`
		if len(not) > 0 {
			where += ` AND code NOT IN (` + strings.Join(not, ", ") + `)`
		}
		again, err := s.exec(`UPDATE number_task_items SET state = 'waiting', code = '', reason = ''`+where, args...)
		if err != nil || again == 0 {
			return err
		}
		_, err = s.exec(`UPDATE number_tasks SET state = 'waiting', failed = failed - $2, runs = runs + 1, ended_at = 0, holder = '', lease_until = 0 WHERE id = $1`, id, again)
		if err != nil {
			return err
		}
		t, err = task(s, id)
		return err
	})
	if err != nil {
		return t, fmt.Errorf("resubmit task %.64q: %w", id, err)
	}
	return t, nil
}

// DropTasks forgets tasks that ended before an instant, a part of them at a
// time, and tells how many rows that were.
func (l *Ledger) DropTasks(ctx context.Context, before time.Time) (dropped int64, err error) {
	const part = 1000
	err = l.change(ctx, func(s scope) error {
		items, err := s.exec(`DELETE FROM number_task_items WHERE (task, n) IN (SELECT i.task, i.n FROM number_tasks t JOIN number_task_items i ON i.task = t.id
			WHERE t.state = 'ended' AND t.ended_at < $1 LIMIT $2)`, micros(before), int64(part))
		if err != nil {
			return err
		}
		tasks, err := s.exec(`DELETE FROM number_tasks WHERE state = 'ended' AND ended_at < $1
			AND NOT EXISTS (SELECT 1 FROM number_task_items i WHERE i.task = number_tasks.id)`, micros(before))
		dropped = items + tasks
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget old tasks: %w", err)
	}
	return dropped, nil
}
