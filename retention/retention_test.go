package retention_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/archive"
	"axgate/archive/archivetest"
	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
	"axgate/retention"
	"axgate/routing"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const day = 24 * time.Hour

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a ledger with a keeper, at a time that the test moves.
type world struct {
	*retention.Keeper
	t      *testing.T
	ledger *ledger.Ledger
	dir    string
	now    time.Time
}

func newWorld(t *testing.T, cfg ledger.Config, edit func(*retention.Config)) *world {
	t.Helper()
	l, err := ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	w := &world{t: t, ledger: l, dir: t.TempDir(), now: t0}
	require.NoError(t, l.EnsureAccount(t.Context(), ledger.Account{SP: "demo", MaxApps: 10}, t0))
	for _, a := range []ledger.App{{App: routing.App{Key: "app"}}, {App: routing.App{Key: "long"}, Keeping: ledger.Keeping{RecordingsDays: 40}},
		{App: routing.App{Key: "short"}, Keeping: ledger.Keeping{RecordingsDays: 1, ListsDays: 2}}} {
		a.SP, a.Mode, a.Secret, a.Signing, a.FeeURL = "demo", routing.AXB, "s", ledger.SignWSSE, "http://receiver.example/"
		_, err := l.CreateApp(t.Context(), a)
		require.NoError(t, err)
	}
	w.Keeper = w.keeper(edit)
	return w
}

func (w *world) keeper(edit func(*retention.Config)) *retention.Keeper {
	w.t.Helper()
	files, err := archive.OpenDir(w.dir)
	require.NoError(w.t, err)
	c := retention.Config{Ledger: w.ledger, Files: files, Node: "n", Every: time.Hour, RecordingsDays: 7, ListsDays: 31, AuditDays: 100,
		Now: func() time.Time { return w.now }, Log: zerolog.Nop()}
	if edit != nil {
		edit(&c)
	}
	k, err := retention.New(c)
	require.NoError(w.t, err)
	return k
}

// call writes a call of an app that has ended now, with a recording.
func (w *world) call(app, session string) {
	w.t.Helper()
	c := events.Call{Session: session, Node: "n", App: app, SP: "demo", Mode: "AXB", X: "+8617010000001", Caller: "+8613800000001", In: w.now, Ended: w.now, RecordFile: session + ".wav"}
	ledgertest.Record(w.t, w.ledger, c, events.NewFee(c, 1))
	path := filepath.Join(w.dir, c.RecordFile)
	require.NoError(w.t, os.WriteFile(path, []byte("RIFF"), 0o600))
	require.NoError(w.t, os.Chtimes(path, w.now, w.now))
}

// push has all that is due taken now.
func (w *world) push() {
	w.t.Helper()
	list, _, err := w.ledger.Outbox().Claim(w.t.Context(), w.now, w.now.Add(time.Minute), func(events.Lane) int { return 1000 })
	require.NoError(w.t, err)
	var outcomes []events.Outcome
	for _, c := range list {
		outcomes = append(outcomes, events.Outcome{Claimed: c, At: w.now, Done: w.now})
	}
	require.NoError(w.t, w.ledger.Outbox().Finish(w.t.Context(), outcomes))
}

func (w *world) files() (names []string) {
	entries, err := os.ReadDir(w.dir)
	require.NoError(w.t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (w *world) calls() (list []string) {
	page, err := w.ledger.Calls(w.t.Context(), ledger.CallFilter{Limit: 1000})
	require.NoError(w.t, err)
	for i := range page.Calls {
		list = append(list, page.Calls[i].Session)
	}
	return list
}

// work does the job, which has to be due, and looks through the files.
func (w *world) work() (retention.Counts, retention.FileCounts) {
	w.t.Helper()
	c, err := w.Work(w.t.Context(), false)
	require.NoError(w.t, err)
	f, err := w.Sweep(w.t.Context())
	require.NoError(w.t, err)
	return c, f
}

// TestDays: recordings go when their days from the push are over, calls when
// theirs are and their recording is gone, each app by its own days.
func TestDays(t *testing.T) {
	for name, cfg := range map[string]func(testing.TB) ledger.Config{"sqlite": ledgertest.SQLite, "postgres": ledgertest.Postgres} {
		t.Run(name, func(t *testing.T) {
			if name == "postgres" && testing.Short() {
				t.Skip("it needs a server")
			}
			w := newWorld(t, cfg(t), nil)
			for _, app := range []string{"app", "long", "short"} {
				w.call(app, app)
			}
			w.now = t0.Add(time.Hour)
			w.push()
			w.call("app", "owed")
			for _, step := range []struct {
				at               time.Duration
				recordings, rows int
				files, calls     []string
			}{
				{day + time.Hour - time.Second, 0, 0, []string{"app.wav", "long.wav", "owed.wav", "short.wav"}, []string{"app", "long", "short", "owed"}},
				{day + time.Hour, 1, 0, []string{"app.wav", "long.wav", "owed.wav"}, []string{"app", "long", "short", "owed"}},
				{2*day + time.Hour, 0, 1, []string{"app.wav", "long.wav", "owed.wav"}, []string{"app", "long", "owed"}},
				{7*day + time.Hour, 1, 0, []string{"long.wav", "owed.wav"}, []string{"app", "long", "owed"}},
				{31*day + time.Hour, 0, 1, []string{"long.wav", "owed.wav"}, []string{"long", "owed"}},
				{40*day + time.Hour, 1, 0, []string{"owed.wav"}, []string{"long", "owed"}},
				{41*day + time.Hour, 0, 1, []string{"owed.wav"}, []string{"owed"}},
				{400 * day, 0, 0, []string{"owed.wav"}, []string{"owed"}},
			} {
				w.now = t0.Add(step.at)
				if step.at == day+time.Hour { // a second after the last
					_, err := w.Work(t.Context(), true)
					require.NoError(t, err)
					_, err = w.Sweep(t.Context())
					require.NoError(t, err)
				} else {
					c, f := w.work()
					require.Equal(t, []int{step.recordings, step.rows}, []int{c.Recordings, c.Calls}, step.at)
					require.Equal(t, step.recordings, f.Deleted, step.at)
					require.Zero(t, f.Unknown+f.Strays+f.Missing, step.at)
				}
				require.Equal(t, step.files, w.files(), step.at)
				require.ElementsMatch(t, step.calls, w.calls(), step.at)
			}
		})
	}
}

// TestOneAtATime: the job is done once an hour in the whole system, also by a
// process that was started anew.
func TestOneAtATime(t *testing.T) {
	w := newWorld(t, ledgertest.SQLite(t), nil)
	w.call("app", "a")
	w.push()
	w.now = t0.Add(8 * day)
	other := w.keeper(func(c *retention.Config) { c.Node = "other" })
	c, err := other.Work(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, 1, c.Recordings)
	w.now = w.now.Add(time.Hour - 1)
	_, err = w.Work(t.Context(), false)
	require.ErrorIs(t, err, ledger.ErrJobHeld)
	require.NoError(t, w.ledger.TakeJob(t.Context(), retention.Job, "third", w.now, w.now.Add(time.Minute), true))
	w.now = w.now.Add(time.Second)
	_, err = w.Work(t.Context(), true)
	require.ErrorIs(t, err, ledger.ErrJobHeld, "a third is at it")
	w.now = w.now.Add(time.Minute)
	_, err = w.keeper(nil).Work(t.Context(), false)
	require.NoError(t, err, "the third is silent")
}

// TestBounded: a run that has much to do is ended, tells so, and is due again at
// once.
func TestBounded(t *testing.T) {
	w := newWorld(t, ledgertest.SQLite(t), func(c *retention.Config) { c.Most = 20 })
	const calls = 45
	for i := range calls {
		w.call("app", fmt.Sprint("s", i))
	}
	w.push()
	w.now = t0.Add(40 * day)
	var sum retention.Counts
	runs := 0
	for more := true; more; runs++ {
		c, err := w.Work(t.Context(), false)
		require.NoError(t, err)
		require.LessOrEqual(t, max(c.Calls, c.Recordings), 20)
		sum.Calls, sum.Recordings, more = sum.Calls+c.Calls, sum.Recordings+c.Recordings, c.More
		w.now = w.now.Add(time.Second)
	}
	require.Equal(t, []int{0, calls, 3}, []int{sum.Calls, sum.Recordings, runs}, "files are still known")
	w.now = w.now.Add(day + time.Hour)
	for more := true; more; {
		c, err := w.Work(t.Context(), false)
		require.NoError(t, err)
		require.LessOrEqual(t, c.Calls, 20)
		sum.Calls, more = sum.Calls+c.Calls, c.More
	}
	require.Equal(t, calls, sum.Calls)
	_, err := w.Work(t.Context(), false)
	require.ErrorIs(t, err, ledger.ErrJobHeld)
}

// TestEnded: a run that is cut short leaves what was done, and the next goes on.
func TestEnded(t *testing.T) {
	w := newWorld(t, ledgertest.SQLite(t), nil)
	for i := range 10 {
		w.call("app", fmt.Sprint("s", i))
	}
	w.push()
	w.now = t0.Add(40 * day)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Work(ctx, false)
	require.ErrorIs(t, err, context.Canceled)
	c, err := w.keeper(nil).Work(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, 10, c.Recordings)
}

// TestStore: files in the store go with their recordings, also if the store is
// away for a time; those of no call go when recordings of their age do.
func TestStore(t *testing.T) {
	s := archivetest.Serve(t)
	store := s.Store(t, nil)
	w := newWorld(t, ledgertest.SQLite(t), func(c *retention.Config) { c.Store = store })
	w.call("app", "a")
	w.call("app", "b")
	w.push()
	for _, name := range []string{"a.wav", "stray.wav"} {
		require.NoError(t, store.Put(t.Context(), name, strings.NewReader("RIFF"), 4))
	}
	require.NoError(t, w.ledger.RecordingStored(t.Context(), "a.wav", store.Name()))
	require.NoError(t, os.Remove(filepath.Join(w.dir, "a.wav")))
	missing, err := w.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, missing.Missing)

	w.now = t0.Add(8 * day)
	s.Fails.Store(1000)
	c, err := w.Work(t.Context(), false)
	require.Error(t, err)
	require.Equal(t, []int{2, 0}, []int{c.Recordings, c.Stored}, "nobody finds them any more")
	s.Fails.Store(0)
	c, err = w.Work(t.Context(), false)
	require.NoError(t, err)
	require.Equal(t, 1, c.Stored)
	_, _, err = store.Open(t.Context(), "a.wav")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, w.ledger.RecordingStored(t.Context(), "b.wav", store.Name()), ledger.ErrRecordingGone)

	w.now = time.Now().Add(40 * day)
	unknown, strays, err := w.SweepStore(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{1, 0}, []int{unknown, strays})
	_, _, err = w.SweepStore(t.Context())
	require.ErrorIs(t, err, ledger.ErrJobHeld)
	w.now = w.now.Add(2 * day)
	unknown, strays, err = w.SweepStore(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{0, 1}, []int{unknown, strays})
}

// TestStoreAway: a store that is away holds up neither the audit log nor calls whose files
// are elsewhere.
func TestStoreAway(t *testing.T) {
	s := archivetest.Serve(t)
	store := s.Store(t, nil)
	w := newWorld(t, ledgertest.SQLite(t), func(c *retention.Config) { c.Store = store })
	w.call("app", "here")
	w.call("app", "there")
	w.push()
	require.NoError(t, w.ledger.RecordingStored(t.Context(), "here.wav", store.Name()))
	require.NoError(t, w.ledger.RecordingStored(t.Context(), "there.wav", "s3:other/"))
	_, err := w.ledger.BeginAudit(t.Context(), ledger.AuditEntry{At: t0, Operation: "changeApp"})
	require.NoError(t, err)
	s.Fails.Store(1000)
	for _, at := range []time.Duration{101 * day, 110 * day} {
		w.now = t0.Add(at)
		c, err := w.Work(t.Context(), true)
		require.Error(t, err)
		require.Equal(t, []bool{at == 101*day, at == 110*day}, []bool{c.Audit == 1, c.Left == 1}, at)
		require.False(t, c.More)
	}
}

// TestGivenUp: calls whose recording was brought to a store that is not configured any
// more go when their time is over, a week later at the earliest; the log tells of them.
func TestGivenUp(t *testing.T) {
	store := archivetest.Serve(t).Store(t, nil)
	for name, cfg := range map[string]func(testing.TB) ledger.Config{"sqlite": ledgertest.SQLite, "postgres": ledgertest.Postgres} {
		for which, edit := range map[string]func(*retention.Config){"none": func(*retention.Config) {}, "another": func(c *retention.Config) { c.Store = store }} {
			t.Run(name+" "+which, func(t *testing.T) {
				if name == "postgres" && testing.Short() {
					t.Skip("it needs a server")
				}
				var log bytes.Buffer
				w := newWorld(t, cfg(t), func(c *retention.Config) {
					edit(c)
					c.Log = zerolog.New(&log)
				})
				w.call("short", "a")
				w.call("long", "b")
				w.push()
				for _, file := range []string{"a.wav", "b.wav"} {
					require.NoError(t, w.ledger.RecordingStored(t.Context(), file, "s3:before/calls/"))
				}
				deleted := t0.Add(3 * day)
				for _, step := range []struct {
					at    time.Duration
					left  int
					warns bool
					calls []string
				}{{0, 0, true, []string{"a", "b"}}, {7 * day, 0, true, []string{"a", "b"}}, {7*day + time.Hour, 1, true, []string{"a", "b"}}, {7*day + 2*time.Hour, 0, false, []string{"b"}}} {
					w.now = deleted.Add(step.at)
					log.Reset()
					c, err := w.Work(t.Context(), false)
					require.NoError(t, err)
					require.Equal(t, step.left, c.Left, step.at)
					require.Equal(t, step.warns, strings.Contains(log.String(), "s3:before/calls/"), log.String())
					require.ElementsMatch(t, step.calls, w.calls(), step.at)
				}
				left, err := w.ledger.StoredElsewhere(t.Context(), "")
				require.NoError(t, err)
				require.Empty(t, left, "the recording that is kept stays where it is")
				rec, err := w.ledger.Recording(t.Context(), "long", "b.wav")
				require.NoError(t, err)
				require.Equal(t, "s3:before/calls/", rec.Place)
			})
		}
	}
}

// TestStrays: files of no call are told of, and deleted when recordings of their
// age are; recordings that are not there are told of.
func TestStrays(t *testing.T) {
	w := newWorld(t, ledgertest.SQLite(t), nil)
	w.call("app", "lost")
	require.NoError(t, os.Remove(filepath.Join(w.dir, "lost.wav")))
	for _, name := range []string{"stray.wav", "notes.txt", "a.wav.part"} {
		path := filepath.Join(w.dir, name)
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, t0, t0))
	}
	for age, want := range map[time.Duration]retention.FileCounts{
		time.Minute: {Missing: 1}, 2 * time.Hour: {Missing: 1, Unknown: 1}, 41*day - 1: {Missing: 1, Unknown: 1},
	} {
		w.now = t0.Add(age)
		got, err := w.Sweep(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got, age)
	}
	w.now = t0.Add(41 * day)
	got, err := w.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, retention.FileCounts{Missing: 1, Strays: 1}, got)
	require.Equal(t, []string{"a.wav.part", "notes.txt"}, w.files())
}

// TestDeleteGone: the files of recordings that were deleted go without a look at the others, also
// where there are many; those of other nodes stay, and those that are in a store.
func TestDeleteGone(t *testing.T) {
	w := newWorld(t, ledgertest.SQLite(t), nil)
	const gone = ledger.MostDropped + 10
	for i := range gone {
		w.call("short", fmt.Sprintf("gone%04d", i))
	}
	for _, session := range []string{"kept", "also"} {
		w.call("long", session)
	}
	for range 1 + gone/100 { // some are taken at a time
		w.push()
	}
	w.now = t0.Add(2 * day)
	c, err := w.Work(t.Context(), true)
	require.NoError(t, err)
	require.Equal(t, gone, c.Recordings)
	stuck := w.keeper(func(c *retention.Config) { c.Files = &oneStuck{Files: c.Files, name: "gone0003.wav"} })
	n, err := stuck.DeleteGone(t.Context(), w.now)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.Equal(t, gone-1, n, "it holds up no other")
	other := w.keeper(func(c *retention.Config) { c.Node = "m" })
	for _, step := range []struct {
		keeper *retention.Keeper
		from   time.Time
		want   int
	}{{other, t0, 0}, {w.Keeper, w.now.Add(time.Second), 0}, {w.Keeper, w.now, 1}, {w.Keeper, w.now, 0}} {
		n, err := step.keeper.DeleteGone(t.Context(), step.from)
		require.NoError(t, err)
		require.Equal(t, step.want, n)
	}
	require.Equal(t, []string{"also.wav", "kept.wav"}, w.files())
}

// TestSweepStuck: in the look through all files, too, one that cannot be deleted holds up no other.
func TestSweepStuck(t *testing.T) {
	w := newWorld(t, ledgertest.SQLite(t), nil)
	w.call("short", "first")
	w.call("short", "second")
	w.push()
	w.now = t0.Add(2 * day)
	_, err := w.Work(t.Context(), true)
	require.NoError(t, err)
	stuck := w.keeper(func(c *retention.Config) { c.Files = &oneStuck{Files: c.Files, name: "first.wav"} })
	c, err := stuck.Sweep(t.Context())
	require.ErrorIs(t, err, fs.ErrPermission)
	require.Equal(t, retention.FileCounts{Deleted: 1}, c)
	require.Equal(t, []string{"first.wav"}, w.files())
}

// oneStuck are files of which one cannot be deleted.
type oneStuck struct {
	retention.Files
	name string
}

func (s *oneStuck) Remove(name string) error {
	if name == s.name {
		return fs.ErrPermission
	}
	return s.Files.Remove(name)
}
