package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"axgate/routing"
)

// ErrNotHeld tells that another holder has the task, or that it has ended.
var ErrNotHeld = errors.New("another one works on the task, or it has ended")

// Hold is the right to work on a task. Each step proves and prolongs it in the
// step's own transaction, so that no number is worked on by two holders.
type Hold struct {
	Task   string        // its id; empty for TakeTask: any task
	Holder string        // unique, also among processes of one node
	Lease  time.Duration // how long others wait for a holder that is silent
}

// Judge is the answer for why a number of a task was refused; false if it was
// not, but the database failed.
type Judge func(error) (code, reason string, refused bool)

// TakeTask gives a task to h that has not ended and that nobody works on, the
// oldest first; ErrNotHeld if there is none.
func (l *Ledger) TakeTask(ctx context.Context, h Hold, now time.Time) (t Task, err error) {
	// A look first: usually there is nothing to do, and nothing to be written.
	var open bool
	if err := l.read(ctx).scan(`SELECT EXISTS (SELECT 1 FROM number_tasks WHERE state <> 'ended')`, nil, &open); err != nil {
		return t, fmt.Errorf("look for a task: %w", err)
	}
	if !open {
		return t, ErrNotHeld
	}
	err = l.change(ctx, func(s scope) error {
		const free = `state <> 'ended' AND (lease_until <= $1 OR holder = $3)`
		t, err = readTask(scanner(func(dest ...any) error {
			return s.scan(`UPDATE number_tasks SET holder = $3, lease_until = $2, state = 'running', started_at = CASE WHEN started_at = 0 THEN $1 ELSE started_at END
				WHERE `+free+` AND id = (SELECT id FROM number_tasks WHERE `+free+` AND $4 IN ('', id) ORDER BY created_at, id LIMIT 1) RETURNING `+taskColumns,
				one(micros(now), micros(now.Add(h.Lease)), h.Holder, h.Task), dest...)
		}))
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotHeld
		}
		return err
	})
	if err != nil {
		return t, fmt.Errorf("take a task: %w", err)
	}
	return t, nil
}

// hold proves and prolongs the right to work on a task, whose row is locked
// from there on.
func hold(s scope, h Hold, now time.Time) (Task, error) {
	t, err := readTask(scanner(func(dest ...any) error {
		return s.scan(`UPDATE number_tasks SET lease_until = $3 WHERE id = $1 AND holder = $2 AND state <> 'ended' RETURNING `+taskColumns,
			one(h.Task, h.Holder, micros(now.Add(h.Lease))), dest...)
	}))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotHeld
	}
	return t, err
}

// LetTask gives the right back, so that another one need not wait.
func (l *Ledger) LetTask(ctx context.Context, h Hold) error {
	err := l.change(ctx, func(s scope) error {
		_, err := s.exec(`UPDATE number_tasks SET lease_until = 0 WHERE id = $1 AND holder = $2`, h.Task, h.Holder)
		return err
	})
	if err != nil {
		return fmt.Errorf("let go of task %s: %w", h.Task, err)
	}
	return nil
}

// WorkTask works on the next numbers of a task, and returns the X that the
// cache has to hear of before SettleTask says so, with their versions; none if
// all of the task is settled. What another holder has left unsettled comes
// first. A number that is refused has failed, which changes nothing else.
func (l *Ledger) WorkTask(ctx context.Context, h Hold, judge Judge, now time.Time) (due map[routing.X]int64, err error) {
	err = l.change(ctx, func(s scope) error {
		t, err := hold(s, h, now)
		if err != nil {
			return err
		}
		if due, err = storedItems(s, t.ID); err != nil || len(due) > 0 {
			return err
		}
		return workBatches(s, t, judge, now, due)
	})
	if err != nil {
		return nil, fmt.Errorf("work on task %s: %w", h.Task, err)
	}
	l.rouse() // statuses of numbers may be pushed
	return due, nil
}

// workBatches works until something was changed or nothing waits.
func workBatches(s scope, t Task, judge Judge, now time.Time, due map[routing.X]int64) error {
	for len(due) == 0 {
		items, err := nextItems(s, t.ID)
		if err != nil || len(items) == 0 {
			return err
		}
		w := worker{s: s, task: t, judge: judge, now: now, due: due}
		if err := w.work(items); err != nil {
			return err
		}
		if err := w.note(items); err != nil {
			return err
		}
	}
	return nil
}

// storedItems are the X that were changed and that the cache was not told of.
// Bindings of theirs may have ended on other numbers too: as who worked on them
// is gone, all that the cache is owed comes with them.
func storedItems(s scope, id string) (due map[routing.X]int64, err error) {
	due = map[routing.X]int64{}
	for _, query := range []string{
		`SELECT n.x, n.version FROM number_task_items i JOIN numbers n ON n.x = i.x WHERE i.task = $1 AND i.state = 'stored'`,
		`SELECT x, version FROM unsettled WHERE EXISTS (SELECT 1 FROM number_task_items WHERE task = $1 AND state = 'stored')`,
	} {
		if err := addVersions(s, due, query, id); err != nil {
			return nil, fmt.Errorf("list what is to be settled: %w", err)
		}
	}
	return due, nil
}

func addVersions(s scope, due map[routing.X]int64, query string, args ...any) (err error) {
	rows, err := s.query(query, args...)
	if err != nil {
		return err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var x routing.X
		var version int64
		if err := rows.Scan(&x, &version); err != nil {
			return err
		}
		due[x] = max(due[x], version)
	}
	return nil
}

// A batch is small enough that calls, which write between batches, do not
// wait for it: so many numbers, and so many bindings that may end with them.
const (
	batchNumbers  = 200
	batchBindings = 1000
)

// nextItems are the next numbers that wait, in the order of their X: two tasks
// lock what they have in common in one order.
func nextItems(s scope, id string) (items []TaskItem, err error) {
	list, err := listItems(s, ` WHERE task = $1 AND state = 'waiting' ORDER BY n LIMIT $2`, id, int64(batchNumbers))
	if err != nil || len(list) == 0 {
		return nil, err
	}
	bindings, err := bindingsOf(s, list)
	if err != nil {
		return nil, err
	}
	sum := 0
	for i := range list {
		if sum += bindings[list[i].X]; i > 0 && sum > batchBindings {
			list = list[:i]
			break
		}
	}
	slices.SortStableFunc(list, func(a, b TaskItem) int { return cmp.Compare(a.X, b.X) })
	return list, nil
}

func bindingsOf(s scope, items []TaskItem) (count map[routing.X]int, err error) {
	xs := make([]routing.X, len(items))
	for i := range items {
		xs[i] = items[i].X
	}
	rows, err := s.query(`SELECT x, bindings FROM numbers WHERE bindings > 0 AND x IN (`+parameters(1, len(xs))+`)`, texts(xs)...)
	if err != nil {
		return nil, fmt.Errorf("count the bindings: %w", err)
	}
	defer closeRows(rows, &err)
	count = map[routing.X]int{}
	for rows.Next() {
		var x routing.X
		var n int
		if err := rows.Scan(&x, &n); err != nil {
			return nil, fmt.Errorf("count the bindings: %w", err)
		}
		count[x] = n
	}
	return count, nil
}

// worker does a batch of a task in a transaction.
type worker struct {
	s     scope
	task  Task
	judge Judge
	now   time.Time
	due   map[routing.X]int64
}

func (w *worker) work(items []TaskItem) error {
	switch w.task.Kind {
	case TaskImport:
		return w.add(items)
	case TaskMove:
		return w.move(items)
	case TaskStatus:
		return w.setStatus(items)
	case TaskSMS:
		return w.setSMS(items)
	}
	return fmt.Errorf("a task of kind %q is not known here: it was made by a newer axgate", w.task.Kind)
}

// answer notes what came of an item. An error is one of the database.
func (w *worker) answer(i *TaskItem, version int64, err error) error {
	if err == nil {
		i.State, w.due[i.X] = ItemStored, max(w.due[i.X], version)
		return nil
	}
	code, reason, refused := w.judge(err)
	if !refused {
		return fmt.Errorf("line %d: %w", i.Line, err)
	}
	i.State, i.Code, i.Reason = ItemFailed, code, reason
	return nil
}

// note keeps what came of the items. Their lines are neighbours among those
// that wait, so one statement does for all that went well.
func (w *worker) note(items []TaskItem) error {
	first, last, failed := items[0].Line, items[0].Line, 0
	for i := range items {
		item := &items[i]
		first, last = min(first, item.Line), max(last, item.Line)
		if item.State != ItemFailed {
			continue
		}
		failed++
		_, err := w.s.exec(`UPDATE number_task_items SET state = 'failed', code = $3, reason = $4 WHERE task = $1 AND n = $2`, w.task.ID, int64(item.Line), item.Code, item.Reason)
		if err != nil {
			return fmt.Errorf("note what failed: %w", err)
		}
	}
	_, err := w.s.exec(`UPDATE number_task_items SET state = 'stored' WHERE task = $1 AND n BETWEEN $2 AND $3 AND state = 'waiting'`, w.task.ID, int64(first), int64(last))
	if err == nil && failed > 0 {
		_, err = w.s.exec(`UPDATE number_tasks SET failed = failed + $2 WHERE id = $1`, w.task.ID, int64(failed))
	}
	if err != nil {
		return fmt.Errorf("note what is done: %w", err)
	}
	return nil
}

// SettleTask notes that the cache knows what WorkTask returned, and ends the
// task when nothing waits any more.
func (l *Ledger) SettleTask(ctx context.Context, h Hold, known map[routing.X]int64, now time.Time) (t Task, err error) {
	err = l.change(ctx, func(s scope) error {
		if _, err := hold(s, h, now); err != nil {
			return err
		}
		if err := settled(s, known); err != nil {
			return err
		}
		done, err := s.exec(`UPDATE number_task_items SET state = 'done' WHERE task = $1 AND state = 'stored'`, h.Task)
		if err != nil {
			return err
		}
		_, err = s.exec(`UPDATE number_tasks SET done = done + $2 WHERE id = $1`, h.Task, done)
		if err != nil {
			return err
		}
		_, err = s.exec(`UPDATE number_tasks SET state = 'ended', ended_at = $2, holder = '', lease_until = 0
			WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM number_task_items WHERE task = $1 AND state = 'waiting')`, h.Task, micros(now))
		if err != nil {
			return err
		}
		t, err = task(s, h.Task)
		return err
	})
	if err != nil {
		return t, fmt.Errorf("settle task %s: %w", h.Task, err)
	}
	return t, nil
}
