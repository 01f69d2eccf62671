package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/events"
	"axgate/journal"
	"axgate/ledger/pgtest"
)

func TestMain(m *testing.M) {
	// Unless the command line says otherwise.
	if err := flag.Set("rapid.checks", sequences); err != nil {
		panic(err)
	}
	pgtest.Main(m) // it ends the server of the benchmark
}

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// shelf is a ledger in memory that can be away, or refuse sessions.
type shelf struct {
	mu      sync.Mutex
	away    error
	refuses string
	told    []string
}

func (s *shelf) Record(_ context.Context, entries []events.Entry) (map[int]error, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return nil, s.away
	}
	refused := map[int]error{}
	for i := range entries {
		if entries[i].Session() == s.refuses {
			refused[i] = errors.New("it is unfit")
			continue
		}
		s.told = append(s.told, entries[i].Session())
	}
	return refused, nil
}

func (s *shelf) goes(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = err
}

func (s *shelf) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.told...)
}

var errAway = errors.New("the ledger is away")

func open(t testing.TB, dir string, l journal.Ledger, edit ...func(*journal.Config)) *journal.Journal {
	t.Helper()
	c := journal.Config{Dir: dir, Ledger: l, Log: zerolog.Nop()}
	for _, e := range edit {
		e(&c)
	}
	j, err := journal.Open(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close(gone)) })
	return j
}

// gone is over: closing with it leaves to the next start what is not carried.
var gone = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func call(session string) events.Call {
	return events.Call{Session: session, ICID: "i", Node: "n", Host: "n.example", App: "app", SP: "demo", Mode: "AXB", X: "+8617010000001",
		Caller: "+8613800000001", Callee: "+8613800000002", Binding: "b1", Direction: 1, In: t0}
}

// begins is the first write of a call.
func begins(j *journal.Journal, session string) <-chan error {
	c := call(session)
	return j.Write(c, events.NewCallEvent(c, 1, events.CallIn, t0, ""))
}

// large is a later write of a call that fills about a segment with sixteen of
// its kind.
func large(j *journal.Journal, session string) <-chan error {
	c := call(session)
	c.UserData = strings.Repeat("u", 500<<10)
	defer j.Hurry()
	return j.Write(c, events.NewCallEvent(c, 2, events.Answer, t0, ""))
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint("call", i))
	}
	return all
}

// TestCarried: the ledger is told of everything, as it was written and in its
// order, and Flush waits for that.
func TestCarried(t *testing.T) {
	t.Parallel()
	var s shelf
	j := open(t, t.TempDir(), &s)
	var waiting []<-chan error
	for _, name := range names(2000) {
		waiting = append(waiting, begins(j, name))
	}
	j.Hurry()
	for _, done := range waiting {
		require.NoError(t, <-done)
	}
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, names(2000), s.all())
}

// TestAsItWas: what is read back from the disk is what was written.
func TestAsItWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var s keeper
	j := open(t, dir, &s)
	c := call("one")
	c.UserData, c.CallerLeg, c.Answered = "用户\x01\"", events.Quality{Received: 5, JitterMS: 0.25, MOS: 4.3}, t0.Add(123456*time.Microsecond)
	want := []events.Entry{
		{Call: c, Events: []events.Event{events.NewQuestion(c, 1, t0), events.NewCallEvent(c, 2, events.CollectInfo, t0, "12#")}},
		{Asked: &events.Inquiry{Session: "one", Seq: 1, At: t0, Failure: "none in time"}},
		{Call: c, Events: []events.Event{events.NewFee(c, 3)}},
	}
	require.NoError(t, <-j.Write(want[0].Call, want[0].Events...))
	require.NoError(t, <-j.Asked(*want[1].Asked))
	require.NoError(t, <-j.Write(want[2].Call, want[2].Events...))
	require.NoError(t, j.Close(gone))

	s.opens()
	j = open(t, dir, &s)
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, want, s.entries)
}

// keeper is a ledger that is away until it opens.
type keeper struct {
	mu      sync.Mutex
	open    bool
	entries []events.Entry
}

func (k *keeper) opens() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open = true
}

func (k *keeper) Record(_ context.Context, entries []events.Entry) (map[int]error, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.open {
		return nil, errAway
	}
	k.entries = append(k.entries, entries...)
	return nil, nil
}

// TestLedgerAway: more than memory holds waits on the disk, and is carried in
// its order once the ledger is back.
func TestLedgerAway(t *testing.T) {
	t.Parallel()
	s := shelf{away: errAway}
	j := open(t, t.TempDir(), &s, func(c *journal.Config) { c.Queue = 1 << 20 })
	all := names(25_000)
	var last <-chan error
	for _, name := range all {
		last = begins(j, name)
	}
	require.NoError(t, <-last)
	require.Empty(t, s.all())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, j.Flush(ctx), context.DeadlineExceeded)
	s.goes(nil)
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, all, s.all())
}

// TestRestarts: however often the process ends, wherever the ledger was by
// then, each entry that was acknowledged is carried, and nothing before
// something that was written earlier.
func TestRestarts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp("", "journal")
		require.NoError(r, err)
		defer os.RemoveAll(dir)
		var s shelf
		var want []string
		for range rapid.IntRange(1, 3).Draw(r, "processes") {
			s.goes(rapid.SampledFrom([]error{nil, errAway}).Draw(r, "ledger"))
			j, err := journal.Open(journal.Config{Dir: dir, Ledger: &s, Log: zerolog.Nop()})
			require.NoError(r, err)
			var waiting []<-chan error
			for range rapid.IntRange(0, 6).Draw(r, "calls") {
				name := fmt.Sprint("call", len(want))
				write := begins
				if rapid.IntRange(0, 4).Draw(r, "large") == 0 {
					write = large
				}
				waiting, want = append(waiting, write(j, name)), append(want, name)
				if rapid.IntRange(0, 3).Draw(r, "turn") == 0 {
					s.goes(rapid.SampledFrom([]error{nil, errAway}).Draw(r, "ledger"))
				}
			}
			j.Hurry()
			for _, done := range waiting {
				require.NoError(r, <-done)
			}
			require.NoError(r, j.Close(gone))
			if rapid.Bool().Draw(r, "bookmark lost") {
				require.NoError(r, os.Remove(filepath.Join(dir, "carried")))
			}
		}
		s.goes(nil)
		j, err := journal.Open(journal.Config{Dir: dir, Ledger: &s, Log: zerolog.Nop()})
		require.NoError(r, err)
		require.NoError(r, j.Flush(context.Background()))
		require.NoError(r, j.Close(context.Background()))
		at := 0 // some may have been told again
		for _, name := range s.told {
			if at < len(want) && name == want[at] {
				at++
			}
		}
		require.Equal(r, len(want), at, "%v in %v", want, s.told)
	})
}

// TestSegments: many segments are used one after the other, and again, and take
// no more room than what waits and the spares.
func TestSegments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shelf{away: errAway}
	j := open(t, dir, &s)
	for _, name := range names(50) {
		require.NoError(t, <-large(j, name))
	}
	require.GreaterOrEqual(t, files(t, dir), 4)
	s.goes(nil)
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, names(50), s.all())
	for _, name := range names(50) {
		require.NoError(t, <-large(j, name))
		require.NoError(t, j.Flush(t.Context()))
	}
	require.Equal(t, append(names(50), names(50)...), s.all())
	require.LessOrEqual(t, files(t, dir), 4)
}

// files counts segments and spares.
func files(t *testing.T, dir string) (n int) {
	t.Helper()
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range list {
		if info, err := f.Info(); err == nil && info.Size() == 8<<20 {
			n++
		}
	}
	return n
}

// TestTornEnd: the last entry is half written when power fails: it is left out,
// and what is written from then on is carried.
func TestTornEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shelf{away: errAway}
	j := open(t, dir, &s)
	for _, name := range names(3) {
		require.NoError(t, <-begins(j, name))
	}
	require.NoError(t, j.Close(gone))
	path := filepath.Join(dir, "000000000001.log")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	at := bytes.Index(b, []byte(`"call2"`))
	require.Positive(t, at)
	b[at+2] = 'X'
	require.NoError(t, os.WriteFile(path, b, 0o600))
	s.goes(nil)
	j = open(t, dir, &s)
	require.NoError(t, <-begins(j, "next"))
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, []string{"call0", "call1", "next"}, s.all())
}

// TestFull: while the ledger is away, no more waits than may: a call that
// begins is refused, one that is up is written to its end.
func TestFull(t *testing.T) {
	t.Parallel()
	s := shelf{away: errAway}
	var log syncBuffer
	j := open(t, t.TempDir(), &s, func(c *journal.Config) { c.Size, c.Log = 32<<20, zerolog.New(&log) })
	n := 0
	require.Eventually(t, func() bool {
		err := <-begins(j, "new")
		if err != nil {
			require.ErrorIs(t, err, journal.ErrFull)
			require.ErrorContains(t, err, "MiB wait for the ledger")
			return true
		}
		require.NoError(t, <-large(j, fmt.Sprint(n)))
		n++
		return false
	}, 30*time.Second, time.Microsecond)
	for range 20 {
		require.NoError(t, <-large(j, "up"), "a call that is up has its room")
	}
	short := call("short")
	require.NoError(t, <-j.Write(short, events.NewCallEvent(short, 1, events.CallIn, t0, ""), events.NewCallEvent(short, 2, events.Disconnect, t0, ""), events.NewFee(short, 3)),
		"so has one that is over before its beginning is on the disk")
	require.Contains(t, log.String(), "new calls are refused")
	s.goes(nil)
	require.NoError(t, j.Flush(t.Context()))
	require.Eventually(t, func() bool { return <-begins(j, "again") == nil }, 15*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "calls are taken") }, 15*time.Second, 10*time.Millisecond)
}

// TestRefused: an entry that the ledger can never have is kept in a file, and
// holds up nothing.
func TestRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shelf{refuses: "call1"}
	j := open(t, dir, &s)
	for _, name := range names(3) {
		require.NoError(t, <-begins(j, name))
	}
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, []string{"call0", "call2"}, s.all())
	b, err := os.ReadFile(filepath.Join(dir, "refused.jsonl"))
	require.NoError(t, err)
	var line struct {
		Why   string
		Entry events.Entry
	}
	require.NoError(t, json.Unmarshal(b, &line))
	require.Equal(t, "it is unfit", line.Why)
	require.Equal(t, "call1", line.Entry.Session())
}

// TestBadWrites are answered at once.
func TestBadWrites(t *testing.T) {
	t.Parallel()
	var s shelf
	j := open(t, t.TempDir(), &s, func(c *journal.Config) { c.Queue = 3 })
	c := call("one")
	require.ErrorContains(t, <-j.Write(c, events.NewCallEvent(call("two"), 1, events.CallIn, t0, "")), "came with the call")
	c.UserData = strings.Repeat("u", 1<<20)
	require.ErrorContains(t, <-j.Write(c), "too long")
	var waiting []<-chan error
	for _, name := range names(100) {
		waiting = append(waiting, begins(j, name))
	}
	full, stored := 0, 0
	for _, done := range waiting {
		if err := <-done; err != nil {
			require.ErrorIs(t, err, journal.ErrFull)
			full++
		} else {
			stored++
		}
	}
	require.NotZero(t, full)
	require.NoError(t, j.Flush(t.Context()))
	require.Len(t, s.all(), stored)
	require.NoError(t, j.Close(t.Context()))
	require.ErrorIs(t, <-begins(j, "late"), journal.ErrClosed)
}

// TestLeisure: entries that nobody is told of at once are carried all the same,
// and one that somebody is told of takes them along.
func TestLeisure(t *testing.T) {
	t.Parallel()
	var s shelf
	j := open(t, t.TempDir(), &s, func(c *journal.Config) { c.Prompt = func(l events.Lane) bool { return l.App == "prompt" } })
	require.NoError(t, <-begins(j, "one"))
	require.Eventually(t, func() bool { return len(s.all()) == 1 }, 15*time.Second, 10*time.Millisecond)
	require.NoError(t, <-begins(j, "two"))
	c := call("three")
	c.App = "prompt"
	require.NoError(t, <-j.Write(c, events.NewCallEvent(c, 1, events.CallIn, t0, "")))
	require.Eventually(t, func() bool { return len(s.all()) == 3 }, 15*time.Second, 10*time.Millisecond)
}

// syncBuffer takes a log from several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
