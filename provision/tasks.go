package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"axgate/ledger"
	"axgate/routing"
)

// MostNumbers is how many numbers one task may have.
const MostNumbers = 100_000

// mostText is the longest text that a task keeps of what is no X.
const mostText = 64

// ImportLine is a line of a list of X numbers.
type ImportLine struct {
	Line   int    // from 1 on, rising
	Number string // X in any spelling of the plan
	ledger.Attributes
	Wrong string // what is wrong with the line itself; empty: nothing
}

// ImportNumbers has an app given many X numbers, by a task: the good lines go
// in, the others fail with what is wrong with them. As with AddNumber, what the
// app has already keeps status and bindings; attributes that a line does not
// tell stay. Refusals: 1010002, 1010003.
func (s *Service) ImportNumbers(ctx context.Context, app, by string, lines []ImportLine) (ledger.Task, error) {
	if err := s.taskApp(ctx, "app", app); err != nil {
		return ledger.Task{}, err
	}
	first, items := map[routing.X]int{}, make([]ledger.TaskItem, len(lines))
	for i := range lines {
		l := &lines[i]
		if l.Wrong != "" {
			items[i] = ledger.TaskItem{Line: l.Line, X: routing.X(shortText(l.Number))}
			fail(&items[i], Invalid("", "%s", l.Wrong))
			continue
		}
		items[i] = s.item(l.Line, l.Number, first)
		if items[i].State != ledger.ItemFailed {
			items[i].Detail = l.Attributes
			fail(&items[i], s.attributes(ctx, &items[i].Detail))
		}
	}
	return s.createTask(ctx, ledger.Task{Kind: ledger.TaskImport, App: app, By: by}, items)
}

// MoveNumbers has X numbers taken from one app to another of the same account,
// by a task. Whatever stands on a number ends with its move: bindings,
// temporary callee, callback records, blacklist (sections 2 and 3). With an
// empty from they may belong to any app of the account. Refusals: 1010002,
// 1010003.
func (s *Service) MoveNumbers(ctx context.Context, from, to, by string, numbers []string) (ledger.Task, error) {
	if err := s.taskApp(ctx, "to", to); err != nil {
		return ledger.Task{}, err
	}
	if from != "" {
		if err := s.taskApp(ctx, "from", from); err != nil {
			return ledger.Task{}, err
		}
	}
	if from == to {
		return ledger.Task{}, Invalid("to", "it is the app that the numbers leave")
	}
	return s.createTask(ctx, ledger.Task{Kind: ledger.TaskMove, App: to, From: from, By: by}, s.items(numbers))
}

// ChangeNumbers has many X numbers given a status, by a task: SetStatus for
// each. With an app, those of others fail. Refusals: 1010002, 1010003.
func (s *Service) ChangeNumbers(ctx context.Context, app, by string, numbers []string, status routing.NumberStatus, cause string) (ledger.Task, error) {
	if err := checkStatus(status, cause); err != nil {
		return ledger.Task{}, err
	}
	if app != "" {
		if err := s.taskApp(ctx, "app", app); err != nil {
			return ledger.Task{}, err
		}
	}
	return s.createTask(ctx, ledger.Task{Kind: ledger.TaskStatus, App: app, Status: status, Cause: cause, By: by}, s.items(numbers))
}

// SwitchSMS has many X numbers take texts, or none, by a task (section 8). With
// an app, those of others fail. Refusals: 1010002, 1010003.
func (s *Service) SwitchSMS(ctx context.Context, app, by string, numbers []string, on bool) (ledger.Task, error) {
	if app != "" {
		if err := s.taskApp(ctx, "app", app); err != nil {
			return ledger.Task{}, err
		}
	}
	return s.createTask(ctx, ledger.Task{Kind: ledger.TaskSMS, App: app, SMS: on, By: by}, s.items(numbers))
}

// ResubmitTask has the failed numbers of a task that has ended tried again,
// but for those that were malformed. Refusals: 1010002 it has not ended, 1012007
// there is none.
func (s *Service) ResubmitTask(ctx context.Context, id string) (ledger.Task, error) {
	t, err := s.ledger.ResubmitTask(ctx, id, resultInvalid.code)
	switch {
	case err == nil:
		return t, nil
	case errors.Is(err, ledger.ErrNoTask):
		return t, resultNoRecord.refuse("id", "there is no such task")
	case errors.Is(err, ledger.ErrTaskRuns):
		return t, Invalid("id", "the task has not ended yet")
	}
	return t, failed("resubmit the task", err)
}

// taskApp refuses an app that is not there.
func (s *Service) taskApp(ctx context.Context, field, key string) error {
	_, err := s.ledger.App(ctx, key)
	if errors.Is(err, ledger.ErrUnknownApp) {
		return resultUnknownApp.refuse(field, "there is no app of that key")
	}
	if err != nil {
		return failed("read the app", err)
	}
	return nil
}

func (s *Service) createTask(ctx context.Context, t ledger.Task, items []ledger.TaskItem) (ledger.Task, error) {
	if len(items) == 0 || len(items) > MostNumbers {
		return t, Invalid("numbers", "%d are not between 1 and %d", len(items), MostNumbers)
	}
	if len(t.By) > mostText {
		t.By = t.By[:mostText]
	}
	t.Created = s.now()
	t, err := s.ledger.CreateTask(ctx, t, items)
	if err != nil {
		return t, failed("store the task", err)
	}
	s.wake()
	return t, nil
}

// items are numbers in their order, the first being line 1.
func (s *Service) items(numbers []string) []ledger.TaskItem {
	first, items := map[routing.X]int{}, make([]ledger.TaskItem, len(numbers))
	for i, text := range numbers {
		items[i] = s.item(i+1, text, first)
	}
	return items
}

// item reads a number; first has the line of each X so far.
func (s *Service) item(line int, text string, first map[routing.X]int) ledger.TaskItem {
	x, ok := s.plan.ParseX(text)
	if !ok {
		item := ledger.TaskItem{Line: line, X: routing.X(shortText(text))}
		fail(&item, Invalid("", "it is no X number of the plan, such as +%s17010000001", s.plan.Country))
		return item
	}
	item := ledger.TaskItem{Line: line, X: x, State: ledger.ItemWaiting}
	if before := first[x]; before > 0 {
		fail(&item, Invalid("", "line %d has it already", before))
		return item
	}
	first[x] = line
	return item
}

// fail notes why an item is not worked on; the first reason stays.
func fail(item *ledger.TaskItem, err error) {
	var e *Error
	switch {
	case err == nil || item.State == ledger.ItemFailed:
		return
	case errors.As(err, &e):
		item.Code, item.Reason = e.Code, e.Detail
		if e.Field != "" {
			item.Reason = e.Field + ": " + e.Detail
		}
	default:
		item.Code, item.Reason = resultInternal.code, err.Error()
	}
	item.State = ledger.ItemFailed
}

// shortText is a text of which a database can keep the beginning.
func shortText(text string) string {
	if len(text) > mostText {
		text = text[:mostText]
	}
	return string(slices.DeleteFunc([]rune(text), func(r rune) bool { return r < ' ' || r == utf8.RuneError }))
}

// judge is the answer for a number that a task cannot have.
func judge(t ledger.Task) ledger.Judge {
	none := "there is no such number"
	if (t.Kind == ledger.TaskStatus || t.Kind == ledger.TaskSMS) && t.App != "" || t.From != "" {
		none = "the app has no such number" // be it another's, or nobody's
	}
	return func(err error) (code, reason string, refused bool) {
		why := ""
		result := resultNotApplied
		switch {
		case errors.Is(err, ledger.ErrUnknownApp):
			result, why = resultUnknownApp, "there is no app of that key"
		case errors.Is(err, ledger.ErrNotYours) && t.Kind == ledger.TaskImport:
			why = "another app has it"
		case errors.Is(err, ledger.ErrNotYours), errors.Is(err, ledger.ErrUnknownX):
			why = none
		case errors.Is(err, ledger.ErrThereAlready):
			why = "it is a number of that app already"
		case errors.Is(err, ledger.ErrOtherAccount):
			why = "the apps belong to different accounts: return it, and add it to the other app"
		default:
			return "", fmt.Sprint(err), false
		}
		return result.code, why, true
	}
}
