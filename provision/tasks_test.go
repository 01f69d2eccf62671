package provision_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// wholeTask is a task that has ended with the reasons of what failed, by line.
func (o *office) wholeTask(task ledger.Task, err error) (ledger.Task, map[int]string) {
	o.t.Helper()
	require.NoError(o.t, err)
	task, err = o.FinishTask(o.ctx, task.ID, nil)
	require.NoError(o.t, err)
	require.Equal(o.t, ledger.TaskEnded, task.State)
	return task, o.reasons(task)
}

func (o *office) reasons(task ledger.Task) map[int]string {
	o.t.Helper()
	page, err := o.ledger.TaskItems(o.ctx, task.ID, ledger.ItemFilter{State: ledger.ItemFailed, Limit: 1000})
	require.NoError(o.t, err)
	why := map[int]string{}
	for _, i := range page.Items {
		why[i.Line] = i.Code + " " + i.Reason
	}
	return why
}

// TestImportNumbers: the good lines go in, the bad ones are named.
func TestImportNumbers(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		lines, err := provision.ReadNumbers(strings.NewReader("\ufeffnumber,areaCode,city,sms\n" +
			"+8617010000101,0755,深圳,true\n" +
			"17010000102\n" +
			"# a remark\n\n" +
			"8617010000103,SZ\n" +
			"nobody\n" +
			xo + "\n" +
			"0086 170 1000 0101\n" +
			"\"17010000104\n"))
		require.NoError(t, err)
		task, why := o.wholeTask(o.ImportNumbers(o.ctx, "app", "ops", lines))
		require.Equal(t, []int{7, 2, 5}, []int{task.Total, task.Done, task.Failed}, "%v", why)
		require.Equal(t, "1010002 areaCode: it is not an area code such as 0755", why[6])
		require.Contains(t, why[7], "it is no X number of the plan")
		require.Equal(t, "1012001 another app has it", why[8])
		require.Contains(t, why[9], "line 2 has it already")
		require.Contains(t, why[10], "it is no line of CSV")
		n, err := o.ledger.Number(o.ctx, "+8617010000101")
		require.NoError(t, err)
		require.Equal(t, []any{"app", "0755", "Shenzhen", true, true}, []any{n.App, n.AreaCode, n.City, n.SMS, n.Voice})
		_, err = o.BindAXB(o.ctx, "app", pairOn("+8617010000102"))
		require.NoError(t, err)
		o.agrees()
	})
}

func TestReadNumbersRefuses(t *testing.T) {
	for want, text := range map[string]string{
		"a column \"colour\"":     "number,colour\n17010000001,red\n",
		"no column number":        "city,areaCode\n",
		"larger than 6 MiB":       strings.Repeat("#"+strings.Repeat("x", 1023)+"\n", 6<<10+1),
		"more than 100000":        strings.Repeat("17010000001\n", 100_001),
		"a column \"no numbers\"": "no numbers\n",
	} {
		_, err := provision.ReadNumbers(strings.NewReader(text))
		require.ErrorContains(t, err, want)
		require.Equal(t, "1010002", provision.Code(err))
	}
	lines, err := provision.ReadNumbers(strings.NewReader("1,0755,a,b,c,true,false,8\n1,0755,\xff\n1,0755,a,b,c,maybe\n"))
	require.NoError(t, err)
	require.Len(t, lines, 3)
	require.Equal(t, "it has 8 columns instead of at most 7", lines[0].Wrong)
	require.Equal(t, "it is not in UTF-8", lines[1].Wrong)
	require.Equal(t, "voice: it is neither true nor false", lines[2].Wrong)
}

func TestTasksRefuse(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	for want, err := range map[string]error{
		"1010003 to":      second(o.MoveNumbers(o.ctx, "", "nobody", "", []string{x1})),
		"1010003 from":    second(o.MoveNumbers(o.ctx, "nobody", "app", "", []string{x1})),
		"1010002 to":      second(o.MoveNumbers(o.ctx, "app", "app", "", []string{x1})),
		"1010002 numbers": second(o.MoveNumbers(o.ctx, "", "app", "", nil)),
		"1010003 app":     second(o.ImportNumbers(o.ctx, "nobody", "", nil)),
		"1010002 status":  second(o.ChangeNumbers(o.ctx, "", "", []string{x1}, "asleep", "")),
		"1010002 cause":   second(o.ChangeNumbers(o.ctx, "", "", []string{x1}, "paused", strings.Repeat("x", 65))),
		"1012007 id":      second(o.ResubmitTask(o.ctx, "nothing")),
	} {
		require.Equal(t, want, outcome(err))
	}
	_, err := o.ChangeNumbers(o.ctx, "", "", make([]string, provision.MostNumbers+1), "paused", "")
	require.Equal(t, "1010002 numbers", outcome(err))
	_, err = o.FinishTask(o.ctx, "nothing", nil)
	require.Equal(t, "1012007 id", outcome(err))
	page, err := o.ledger.Tasks(o.ctx, ledger.TaskFilter{})
	require.NoError(t, err)
	require.Empty(t, page.Tasks, "nothing is half done")
}

func second[T any](_ T, err error) error { return err }

// TestMovedNumber: a number that was moved routes by nothing of its old app,
// which the cache had.
func TestMovedNumber(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		for _, x := range []string{x1, x2} {
			_, err := o.BindAXB(o.ctx, "app", pairOn(x))
			require.NoError(t, err)
			require.NotNil(t, o.facts(routing.X(x), anna).ByCaller)
		}
		task, why := o.wholeTask(o.MoveNumbers(o.ctx, "app", "other", "ops", []string{x1, "17010000002", xo, "+8617010000077", "1"}))
		require.Equal(t, []int{2, 3}, []int{task.Done, task.Failed})
		require.Equal(t, "1012001 it is a number of that app already", why[3])
		require.Equal(t, "1012001 the app has no such number", why[4])
		for _, x := range []routing.X{x1, x2} {
			f := o.facts(x, anna)
			require.Equal(t, "other", f.App)
			require.Nil(t, f.ByCaller)
		}
		_, err := o.BindAXB(o.ctx, "other", pairOn(x1))
		require.NoError(t, err)
		require.NotNil(t, o.facts(x1, anna).ByCaller)

		// What failed can be resubmitted when its reason is gone.
		o.number("+8617010000077", "app", "", "")
		again, err := o.ResubmitTask(o.ctx, task.ID)
		require.NoError(t, err)
		task, why = o.wholeTask(again, nil)
		require.Equal(t, []int{3, 2, 2}, []int{task.Done, task.Failed, task.Runs}, "%v", why)
		o.agrees()
	})
}

// TestChangeNumbers: pause and return with a result per number.
func TestChangeNumbers(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	_, err := o.BindAXB(o.ctx, "app", pairOn(x1))
	require.NoError(t, err)
	require.NotNil(t, o.facts(x1, anna).ByCaller)
	_, why := o.wholeTask(o.ChangeNumbers(o.ctx, "app", "", []string{x1, x2, xo}, routing.StatusPaused, "2"))
	require.Equal(t, map[int]string{3: "1012001 the app has no such number"}, why)
	require.Equal(t, routing.StatusPaused, o.facts(x1, anna).Status)
	_, why = o.wholeTask(o.ChangeNumbers(o.ctx, "", "", []string{x1, xo}, routing.StatusReturned, ""))
	require.Empty(t, why)
	f := o.facts(x1, anna)
	require.Equal(t, routing.StatusReturned, f.Status)
	require.Nil(t, f.ByCaller)
	_, why = o.wholeTask(o.ChangeNumbers(o.ctx, "", "", []string{x1, x2}, routing.StatusNormal, ""))
	require.Len(t, why, 1, "what was returned stays so")
	o.agrees()
}

// failing is a cache that does not take a change of many X.
type failing struct {
	provision.Cache
	mu    sync.Mutex
	fails bool
	told  map[routing.X]int
}

func (f *failing) ForgetAll(ctx context.Context, xs []routing.X) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails {
		return errors.New("the cache is away")
	}
	for _, x := range xs {
		f.told[x]++
	}
	return f.Cache.ForgetAll(ctx, xs)
}

// TestTaskSurvives: a process that ends between ledger and cache leaves a task
// that another one goes on with, the cache first; nothing is done twice.
func TestTaskSurvives(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		var list []string
		for i := range 450 {
			list = append(list, fmt.Sprintf("+86170200%05d", i))
		}
		lines := make([]provision.ImportLine, len(list))
		for i, x := range list {
			lines[i] = provision.ImportLine{Line: i + 1, Number: x}
		}
		o.wholeTask(o.ImportNumbers(o.ctx, "app", "", lines))
		_, err := o.BindAXB(o.ctx, "app", pairOn(list[0]))
		require.NoError(t, err)
		require.NotNil(t, o.facts(routing.X(list[0]), anna).ByCaller)
		task, err := o.MoveNumbers(o.ctx, "app", "other", "", list)
		require.NoError(t, err)

		// The first one dies after its first step in the ledger.
		first := ledger.Hold{Task: task.ID, Holder: "dead", Lease: time.Minute}
		_, err = o.ledger.TakeTask(o.ctx, first, o.clock())
		require.NoError(t, err)
		_, err = o.ledger.WorkTask(o.ctx, first, func(error) (string, string, bool) { return "", "", false }, o.clock())
		require.NoError(t, err)
		half, err := o.ledger.Task(o.ctx, task.ID)
		require.NoError(t, err)
		require.Zero(t, half.Done, "not acknowledged before the cache knows")

		o.pass(2 * time.Minute)
		cache := &failing{Cache: o.cache, told: map[routing.X]int{}}
		next, err := provision.New(provision.Config{Ledger: o.ledger, Cache: cache, Plan: routing.ChinaPlan(), Node: "next", Now: o.clock, Log: zerolog.Nop()})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(o.ctx)
		var nodes sync.WaitGroup
		nodes.Go(func() { next.Run(ctx) })
		nodes.Go(func() { o.Run(ctx) })
		require.Eventually(t, func() bool {
			task, err = o.ledger.Task(o.ctx, task.ID)
			return err == nil && task.State == ledger.TaskEnded
		}, 15*time.Second, 20*time.Millisecond)
		stop()
		nodes.Wait()
		require.Equal(t, []int{450, 0}, []int{task.Done, task.Failed})
		require.Nil(t, o.facts(routing.X(list[0]), anna).ByCaller)
		n, err := o.ledger.Number(o.ctx, routing.X(list[300]))
		require.NoError(t, err)
		require.Equal(t, []any{"other", int64(2)}, []any{n.App, n.Version}, "added, and moved once")
		late, err := o.ledger.Unsettled(o.ctx, o.clock().Add(time.Hour), 10)
		require.NoError(t, err)
		require.Empty(t, late)
		o.agrees()
	})
}

// TestTaskWithoutCache: if the cache cannot be told, it is void before a
// number is done.
func TestTaskWithoutCache(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	_, err := o.BindAXB(o.ctx, "app", pairOn(x1))
	require.NoError(t, err)
	require.NotNil(t, o.facts(x1, anna).ByCaller)
	before := o.cache.Epoch()
	s, err := provision.New(provision.Config{Ledger: o.ledger, Cache: &failing{Cache: o.cache, fails: true}, Plan: routing.ChinaPlan(), Now: o.clock, Log: zerolog.Nop()})
	require.NoError(t, err)
	task, err := s.ChangeNumbers(o.ctx, "", "", []string{x1}, routing.StatusReturned, "")
	require.NoError(t, err)
	task, err = s.FinishTask(o.ctx, task.ID, nil)
	require.NoError(t, err)
	require.Equal(t, 1, task.Done)
	require.Greater(t, o.cache.Epoch(), before)
	require.Nil(t, o.facts(x1, anna).ByCaller)
}

// TestParallelRunners: many who work on the same tasks do each number once.
func TestParallelRunners(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		var tasks []ledger.Task
		for k := range 3 {
			var lines []provision.ImportLine
			for i := range 250 {
				lines = append(lines, provision.ImportLine{Line: i + 1, Number: fmt.Sprintf("+86170300%05d", 250*k+i)})
			}
			task, err := o.ImportNumbers(o.ctx, "app", "", lines)
			require.NoError(t, err)
			tasks = append(tasks, task)
		}
		var all sync.WaitGroup
		for _, task := range tasks {
			for range 4 {
				all.Go(func() {
					if task, err := o.FinishTask(o.ctx, task.ID, nil); err != nil || task.Done != 250 {
						t.Errorf("%+v %v", task, err)
					}
				})
			}
		}
		all.Wait()
		for i := range 750 {
			n, err := o.ledger.Number(o.ctx, routing.X(fmt.Sprintf("+86170300%05d", i)))
			require.NoError(t, err)
			require.EqualValues(t, 1, n.Version, n.X)
		}
	})
}

// TestSwitchSMS: texts of many X at once, with a result per number, in force
// when the task has ended.
func TestSwitchSMS(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		takes := func(x routing.X) bool { return o.facts(x, anna).SMS }
		_, err := o.BindAXB(o.ctx, "app", pairOn(x1))
		require.NoError(t, err)
		require.False(t, takes(x1))
		task, why := o.wholeTask(o.SwitchSMS(o.ctx, "app", "", []string{x1, x2, xo, "nobody"}, true))
		require.Equal(t, map[int]string{3: "1012001 the app has no such number", 4: why[4]}, why)
		require.Contains(t, why[4], "1010002")
		require.True(t, task.SMS)
		require.True(t, takes(x1) && takes(x2))
		require.False(t, takes(xo))
		require.NotNil(t, o.facts(x1, anna).ByCaller, "its bindings stay")
		o.agrees()

		_, why = o.wholeTask(o.ChangeNumbers(o.ctx, "", "", []string{x2}, routing.StatusReturned, ""))
		require.Empty(t, why)
		_, why = o.wholeTask(o.SwitchSMS(o.ctx, "", "", []string{x1, x2}, false))
		require.Equal(t, map[int]string{2: "1012001 there is no such number"}, why)
		require.False(t, takes(x1))
		_, err = o.SwitchSMS(o.ctx, "none", "", []string{x1}, true)
		require.Equal(t, "1010003 app", outcome(err))
		_, err = o.SwitchSMS(o.ctx, "", "", nil, true)
		require.Equal(t, "1010002 numbers", outcome(err))
		o.agrees()
	})
}
