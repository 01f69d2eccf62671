package ledger_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

// someX are n numbers from one on.
func someX(from, n int) (list []routing.X) {
	for i := range n {
		list = append(list, routing.X(fmt.Sprintf("+86170%08d", from+i)))
	}
	return list
}

func taskOf(t testing.TB, l *ledger.Ledger, task ledger.Task, xs ...routing.X) ledger.Task {
	items := make([]ledger.TaskItem, len(xs))
	for i, x := range xs {
		items[i] = ledger.TaskItem{Line: i + 1, X: x}
	}
	task.Created = t0
	made, err := l.CreateTask(t.Context(), task, items)
	require.NoError(t, err)
	return made
}

// judged takes every refusal for one.
func judged(err error) (code, reason string, refused bool) {
	for _, known := range []error{ledger.ErrUnknownX, ledger.ErrNotYours, ledger.ErrUnknownApp, ledger.ErrThereAlready, ledger.ErrOtherAccount} {
		if errors.Is(err, known) {
			return "1", known.Error(), true
		}
	}
	return "", "", false
}

func held(task ledger.Task, by string) ledger.Hold {
	return ledger.Hold{Task: task.ID, Holder: by, Lease: time.Minute}
}

// finish works on a task until it has ended.
func finish(t testing.TB, l *ledger.Ledger, task ledger.Task) ledger.Task {
	h := held(task, "test")
	_, err := l.TakeTask(t.Context(), h, t0)
	require.NoError(t, err)
	for task.State != ledger.TaskEnded {
		due, err := l.WorkTask(t.Context(), h, judged, t0)
		require.NoError(t, err)
		task, err = l.SettleTask(t.Context(), h, due, t0)
		require.NoError(t, err)
	}
	return task
}

// results are the reasons of a task's items, empty for what is done.
func results(t testing.TB, l *ledger.Ledger, task ledger.Task) (list []string) {
	page, err := l.TaskItems(t.Context(), task.ID, ledger.ItemFilter{Limit: 1000})
	require.NoError(t, err)
	require.Zero(t, page.Next)
	for _, i := range page.Items {
		require.Contains(t, []ledger.ItemState{ledger.ItemDone, ledger.ItemFailed}, i.State)
		list = append(list, i.Reason)
	}
	return list
}

func unsettled(t testing.TB, l *ledger.Ledger) []routing.X {
	list, err := l.Unsettled(t.Context(), t0.Add(time.Hour), 1000)
	require.NoError(t, err)
	return list
}

// TestImport: new numbers go in, known ones keep what they have, and what
// belongs to another app is named.
func TestImport(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		own := addApp(t, l, routing.AXB, nil, x1)
		addApp(t, l, routing.AX, nil, x2)
		returned := someX(900, 1)[0]
		_, err := l.AddNumber(t.Context(), ledger.Number{XNumber: routing.XNumber{X: returned, App: "appAX"}}, t0)
		require.NoError(t, err)
		_, _, err = l.SetStatus(t.Context(), returned, routing.StatusReturned, "", t0)
		require.NoError(t, err)
		_, _, err = l.Bind(t.Context(), axb(own, x1, tel(1), tel(2)))
		require.NoError(t, err)

		xs := append([]routing.X{x1, x2, returned}, someX(1000, 450)...)
		task := finish(t, l, taskOf(t, l, ledger.Task{Kind: ledger.TaskImport, App: own}, xs...))
		require.Equal(t, []int{453, 452, 1, 1}, []int{task.Total, task.Done, task.Failed, task.Runs})
		require.Equal(t, ledger.ErrNotYours.Error(), results(t, l, task)[1])
		require.NotContains(t, unsettled(t, l), xs[10])

		n, err := l.Number(t.Context(), x1)
		require.NoError(t, err)
		require.Equal(t, []any{1, "0755", "Shenzhen", true}, []any{n.Bindings, n.AreaCode, n.City, n.Voice}, "what the list does not tell stays")
		for _, x := range []routing.X{returned, xs[452]} {
			n, err := l.Number(t.Context(), x)
			require.NoError(t, err)
			require.Equal(t, []any{own, routing.AXB, routing.StatusNormal, 5000, t0}, []any{n.App, n.Mode, n.Status, n.Room, n.Granted})
			b := axb(own, x, tel(3), tel(4))
			_, _, err = l.Bind(t.Context(), b)
			require.NoError(t, err, "it is a number like any other")
		}
		task = taskOf(t, l, ledger.Task{Kind: ledger.TaskImport, App: "nobody"}, someX(5000, 3)...)
		require.Equal(t, 3, finish(t, l, task).Failed)
	})
}

// TestMove: the bindings end, the number becomes one of the other app's mode,
// and each that cannot be moved says why.
func TestMove(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		from := addApp(t, l, routing.AXE, nil, x1, x2)
		to := addApp(t, l, routing.AX, nil, x3)
		require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "other", MaxApps: 1}, t0))
		_, err := l.CreateApp(t.Context(), ledger.App{App: routing.App{Key: "foreign", SP: "other", Mode: routing.AX}, Created: t0, Signing: ledger.SignWSSE})
		require.NoError(t, err)
		foreign := someX(800, 1)[0]
		_, err = l.AddNumber(t.Context(), ledger.Number{XNumber: routing.XNumber{X: foreign, App: "foreign"}}, t0)
		require.NoError(t, err)
		for i := range 3 {
			_, _, err := l.Bind(t.Context(), axe(from, x1, tel(i), ""))
			require.NoError(t, err)
		}
		_, err = l.Block(t.Context(), from, x1, []routing.Number{tel(9)}, true, t0)
		require.NoError(t, err)
		_, _, err = l.SetStatus(t.Context(), x2, routing.StatusTransfer, "", t0)
		require.NoError(t, err)
		before, err := l.Number(t.Context(), x1)
		require.NoError(t, err)

		nobody := someX(700, 1)[0]
		task := finish(t, l, taskOf(t, l, ledger.Task{Kind: ledger.TaskMove, App: to}, x1, x2, x3, foreign, nobody))
		require.Equal(t, []int{2, 3}, []int{task.Done, task.Failed})
		require.Equal(t, []string{"", "", ledger.ErrThereAlready.Error(), ledger.ErrOtherAccount.Error(), ledger.ErrUnknownX.Error()}, results(t, l, task))
		for _, x := range []routing.X{x1, x2} {
			n, err := l.Number(t.Context(), x)
			require.NoError(t, err)
			require.Equal(t, []any{to, routing.AX, routing.StatusNormal, 0, 1, "0755"}, []any{n.App, n.Mode, n.Status, n.Bindings, n.Room, n.AreaCode})
		}
		d, err := l.Dossier(t.Context(), x1)
		require.NoError(t, err)
		require.Empty(t, d.Bindings)
		require.Empty(t, d.Blocked)
		require.Greater(t, d.Number.Version, before.Version)
		_, _, err = l.Bind(t.Context(), ax(to, x1, tel(1)))
		require.NoError(t, err)
		_, _, err = l.Bind(t.Context(), axe(from, x1, tel(1), ""))
		require.ErrorIs(t, err, ledger.ErrNotYours)

		// Only what failed is tried again.
		again, err := l.ResubmitTask(t.Context(), task.ID)
		require.NoError(t, err)
		require.Equal(t, []any{ledger.TaskWaiting, 2, 0, 2}, []any{again.State, again.Done, again.Failed, again.Runs})
		_, err = l.ResubmitTask(t.Context(), task.ID)
		require.ErrorIs(t, err, ledger.ErrTaskRuns)
		_, err = l.AddNumber(t.Context(), ledger.Number{XNumber: routing.XNumber{X: nobody, App: from}}, t0)
		require.NoError(t, err)
		task = finish(t, l, again)
		require.Equal(t, []int{3, 2}, []int{task.Done, task.Failed})
		again, err = l.ResubmitTask(t.Context(), task.ID, "1")
		require.NoError(t, err)
		require.Equal(t, []any{ledger.TaskEnded, 2}, []any{again.State, again.Runs}, "nothing of it can be otherwise")
		_, err = l.ResubmitTask(t.Context(), "nothing")
		require.ErrorIs(t, err, ledger.ErrNoTask)
	})
}

// TestTaskHolders: a task has one holder at a time. What the one before it has
// stored, and not settled, comes first; a holder that was too slow changes
// nothing.
func TestTaskHolders(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		app := addApp(t, l, routing.AX, nil)
		xs := someX(1, 250)
		task := taskOf(t, l, ledger.Task{Kind: ledger.TaskImport, App: app}, xs...)
		first, second := held(task, "first"), held(task, "second")
		_, err := l.WorkTask(t.Context(), first, judged, t0)
		require.ErrorIs(t, err, ledger.ErrNotHeld, "it was not taken")
		_, err = l.TakeTask(t.Context(), first, t0)
		require.NoError(t, err)
		_, err = l.TakeTask(t.Context(), second, t0.Add(59*time.Second))
		require.ErrorIs(t, err, ledger.ErrNotHeld)
		due, err := l.WorkTask(t.Context(), first, judged, t0)
		require.NoError(t, err)
		require.Len(t, due, 200)
		page, err := l.TaskItems(t.Context(), task.ID, ledger.ItemFilter{State: ledger.ItemDone})
		require.NoError(t, err)
		require.Empty(t, page.Items, "the cache was not told")

		later := t0.Add(time.Hour)
		_, err = l.TakeTask(t.Context(), ledger.Hold{Holder: "second", Lease: time.Minute}, later)
		require.NoError(t, err)
		_, err = l.SettleTask(t.Context(), first, due, later)
		require.ErrorIs(t, err, ledger.ErrNotHeld)
		_, err = l.WorkTask(t.Context(), first, judged, later)
		require.ErrorIs(t, err, ledger.ErrNotHeld)
		require.NoError(t, l.LetTask(t.Context(), first))
		left, err := l.WorkTask(t.Context(), second, judged, later)
		require.NoError(t, err)
		require.Equal(t, due, left)
		after, err := l.SettleTask(t.Context(), second, left, later)
		require.NoError(t, err)
		require.Equal(t, []any{ledger.TaskRunning, 200}, []any{after.State, after.Done})
		require.NoError(t, l.LetTask(t.Context(), second))
		after = finish(t, l, after)
		require.Equal(t, []int{250, 0}, []int{after.Done, after.Failed})
		require.Empty(t, unsettled(t, l))
		n, err := l.Number(t.Context(), xs[0])
		require.NoError(t, err)
		require.EqualValues(t, 1, n.Version, "it was stored once")
		_, err = l.TakeTask(t.Context(), ledger.Hold{Holder: "third", Lease: time.Minute}, later.Add(time.Hour))
		require.ErrorIs(t, err, ledger.ErrNotHeld)
	})
}

// TestTakeTaskOnce: of many who ask at once each task goes to one.
func TestTakeTaskOnce(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		for range 3 {
			taskOf(t, l, ledger.Task{Kind: ledger.TaskImport, App: "nobody"}, x1)
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		taken := map[string]int{}
		for i := range 12 {
			wg.Go(func() {
				task, err := l.TakeTask(t.Context(), ledger.Hold{Holder: fmt.Sprint(i), Lease: time.Minute}, t0)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					taken[task.ID]++
				} else if !errors.Is(err, ledger.ErrNotHeld) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for id, n := range taken {
			require.Equal(t, 1, n, id)
		}
		require.NotEmpty(t, taken)
	})
}

func TestTaskLists(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		app := addApp(t, l, routing.AX, nil, x1)
		var ids []string
		for i := range 5 {
			task := taskOf(t, l, ledger.Task{Kind: ledger.TaskStatus, Status: routing.StatusPaused, App: []string{app, ""}[i%2], By: "ops"}, x1)
			ids = append([]string{task.ID}, ids...)
		}
		failed, err := l.CreateTask(t.Context(), ledger.Task{Kind: ledger.TaskMove, App: app, From: app, Created: t0}, []ledger.TaskItem{{Line: 1, X: "x", State: ledger.ItemFailed}})
		require.NoError(t, err)
		require.Equal(t, ledger.TaskEnded, failed.State, "nothing of it can be done")
		list := func(f ledger.TaskFilter) (got []string, next string) {
			page, err := l.Tasks(t.Context(), f)
			require.NoError(t, err)
			for _, task := range page.Tasks {
				got = append(got, task.ID)
			}
			return got, page.Next
		}
		got, next := list(ledger.TaskFilter{Open: true, Limit: 3})
		require.Equal(t, ids[:3], got)
		got, next = list(ledger.TaskFilter{Open: true, Limit: 3, After: next})
		require.Equal(t, ids[3:], got)
		require.Empty(t, next)
		got, _ = list(ledger.TaskFilter{App: app})
		require.Len(t, got, 4)
		got, _ = list(ledger.TaskFilter{SP: "demo", Kind: ledger.TaskMove})
		require.Equal(t, []string{failed.ID}, got)
		got, _ = list(ledger.TaskFilter{SP: "demo", Kind: ledger.TaskStatus})
		require.Len(t, got, 3, "those that name no app are nobody's")
		got, _ = list(ledger.TaskFilter{SP: "nobody"})
		require.Empty(t, got)

		dropped, err := l.DropTasks(t.Context(), t0.Add(time.Second))
		require.NoError(t, err)
		require.EqualValues(t, 2, dropped, "the task that has ended, and its number")
		got, _ = list(ledger.TaskFilter{})
		require.Len(t, got, 5)
	})
}

// TestBigBatches: a number with many bindings is a batch of its own.
func TestBigBatches(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		app := addApp(t, l, routing.AXB, nil, x1, x2, x3)
		to := addApp(t, l, routing.AXE, nil)
		for _, x := range []routing.X{x1, x2} {
			var many []routing.Binding
			for i := range 600 {
				many = append(many, axb(app, x, tel(2*i), tel(2*i+1)))
			}
			results, _, err := l.BindMany(t.Context(), many)
			require.NoError(t, err)
			for _, r := range results {
				require.NoError(t, r.Refused)
			}
		}
		task := taskOf(t, l, ledger.Task{Kind: ledger.TaskMove, App: to}, x1, x2, x3)
		h := held(task, "test")
		_, err := l.TakeTask(t.Context(), h, t0)
		require.NoError(t, err)
		begun := time.Now()
		due, err := l.WorkTask(t.Context(), h, judged, t0)
		require.NoError(t, err)
		require.Len(t, due, 1)
		t.Logf("600 bindings ended in %v", time.Since(begun).Round(time.Millisecond))
		_, err = l.SettleTask(t.Context(), h, due, t0)
		require.NoError(t, err)
		due, err = l.WorkTask(t.Context(), h, judged, t0)
		require.NoError(t, err)
		require.Len(t, due, 2)
		task, err = l.SettleTask(t.Context(), h, due, t0)
		require.NoError(t, err)
		require.Equal(t, ledger.TaskEnded, task.State)
	})
}

func TestListNumbers(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		app := addApp(t, l, routing.AX, nil, x1, x2, x3)
		other := addApp(t, l, routing.AXB, nil)
		beijing := someX(50, 2)
		for _, x := range beijing {
			_, err := l.AddNumber(t.Context(), ledger.Number{XNumber: routing.XNumber{X: x, App: other, AreaCode: "010", City: "Beijing", Province: "Beijing"}, Carrier: "c"}, t0)
			require.NoError(t, err)
		}
		_, _, err := l.Bind(t.Context(), ax(app, x1, tel(1)))
		require.NoError(t, err)
		_, _, err = l.Bind(t.Context(), axb(other, beijing[0], tel(1), tel(2)))
		require.NoError(t, err)
		_, _, err = l.SetStatus(t.Context(), x2, routing.StatusPaused, "2", t0)
		require.NoError(t, err)
		_, _, err = l.SetStatus(t.Context(), beijing[1], routing.StatusReturned, "", t0)
		require.NoError(t, err)
		list := func(f ledger.NumberFilter) (got []routing.X) {
			page, err := l.ListNumbers(t.Context(), f)
			require.NoError(t, err)
			for _, n := range page.Numbers {
				got = append(got, n.X)
			}
			return append(got, page.Next)
		}
		for name, c := range map[string]struct {
			f    ledger.NumberFilter
			want []routing.X
		}{
			"all but returned":  {ledger.NumberFilter{}, []routing.X{beijing[0], x1, x2, x3, ""}},
			"all":               {ledger.NumberFilter{Any: true}, []routing.X{beijing[0], beijing[1], x1, x2, x3, ""}},
			"a page":            {ledger.NumberFilter{Limit: 2}, []routing.X{beijing[0], x1, x1}},
			"the next":          {ledger.NumberFilter{Limit: 2, After: x1}, []routing.X{x2, x3, ""}},
			"of an app":         {ledger.NumberFilter{App: app}, []routing.X{x1, x2, x3, ""}},
			"of an account":     {ledger.NumberFilter{SP: "nobody"}, []routing.X{""}},
			"of an area":        {ledger.NumberFilter{AreaCode: "010", Any: true}, []routing.X{beijing[0], beijing[1], ""}},
			"of a carrier":      {ledger.NumberFilter{Carrier: "c"}, []routing.X{beijing[0], ""}},
			"free":              {ledger.NumberFilter{Free: true}, []routing.X{x3, ""}},
			"with room":         {ledger.NumberFilter{Room: true}, []routing.X{beijing[0], x3, ""}},
			"returned":          {ledger.NumberFilter{Status: routing.StatusReturned}, []routing.X{beijing[1], ""}},
			"with some digits":  {ledger.NumberFilter{Digits: "0000002"}, []routing.X{x2, ""}},
			"with no digits":    {ledger.NumberFilter{Digits: "%"}, []routing.X{""}},
			"of a city, paused": {ledger.NumberFilter{City: "Shenzhen", Province: "Guangdong", Status: routing.StatusPaused}, []routing.X{x2, ""}},
		} {
			require.Equal(t, c.want, list(c.f), name)
		}
		counts, err := l.CountNumbers(t.Context(), ledger.NumberFilter{})
		require.NoError(t, err)
		require.Equal(t, []ledger.NumberCount{
			{AreaCode: "010", City: "Beijing", Province: "Beijing", Numbers: 1, Normal: 1, Free: 0, WithRoom: 1, Bindings: 1, Room: 4999},
			{AreaCode: "0755", City: "Shenzhen", Province: "Guangdong", Numbers: 3, Normal: 2, Free: 1, WithRoom: 1, Bindings: 1, Room: 1},
		}, counts)
	})
}

// TestTaskPushes: an app that wants to hear of its numbers hears of each that
// a task takes from it or pauses.
func TestTaskPushes(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		pushes := func(a *ledger.App) { a.PushNumbers, a.NumberURL = true, "http://127.0.0.1:9/" }
		from := addApp(t, l, routing.AXB, pushes, x1, x2)
		to := addApp(t, l, routing.AX, pushes)
		finish(t, l, taskOf(t, l, ledger.Task{Kind: ledger.TaskMove, App: to}, x1))
		finish(t, l, taskOf(t, l, ledger.Task{Kind: ledger.TaskStatus, Status: routing.StatusPaused}, x2))
		told := func(app string) (list []string) {
			page, err := l.Events(t.Context(), ledger.EventFilter{App: app})
			require.NoError(t, err)
			for _, e := range page.Events {
				list = append(list, string(e.Body))
			}
			return list
		}
		require.ElementsMatch(t, []string{`{"number":"+8617010000001","status":"10","cause":"1"}`, `{"number":"+8617010000002","status":"9"}`}, told(from))
		require.Empty(t, told(to))
	})
}
