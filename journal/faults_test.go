package journal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/journal"
)

// slow is a ledger that takes entries when it is let.
type slow struct {
	shelf
	asked chan struct{} // has a token for each time it is given entries
	let   chan struct{}
}

func (s *slow) Record(ctx context.Context, entries []events.Entry) (map[int]error, error) {
	s.asked <- struct{}{}
	select {
	case <-s.let:
		return s.shelf.Record(ctx, entries)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestSlowLedger: while a segment is read back, memory is dropped once more and
// the segment grows: what came meanwhile is carried too.
func TestSlowLedger(t *testing.T) {
	t.Parallel()
	s := slow{asked: make(chan struct{}, 1000), let: make(chan struct{})}
	j := open(t, t.TempDir(), &s, func(c *journal.Config) { c.Queue = 1 << 20 })
	asks := func(from, to int) {
		var last <-chan error
		for i := from; i < to; i++ {
			last = j.Asked(events.Inquiry{Session: fmt.Sprint("call", i)})
		}
		j.Hurry()
		require.NoError(t, <-last)
	}
	asks(0, 1)
	<-s.asked // of memory
	asks(1, 20_600)
	s.let <- struct{}{}
	<-s.asked // of what was read back
	asks(20_600, 42_000)
	close(s.let)
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, names(42_000), s.all())
}

// TestOneOwner: a second journal in the same directory would write over what
// the first has acknowledged.
func TestOneOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var s shelf
	j := open(t, dir, &s)
	_, err := journal.Open(journal.Config{Dir: dir, Ledger: &s})
	require.ErrorContains(t, err, "another node")
	require.NoError(t, j.Close(t.Context()))
	open(t, dir, &s)
}

// TestOpensWithoutRoom: a node comes up on a full disk, for what it carries
// makes room; until there is, calls that begin are refused.
func TestOpensWithoutRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shelf{away: errAway}
	j := open(t, dir, &s)
	require.NoError(t, <-begins(j, "call0"))
	require.NoError(t, j.Close(gone))
	for _, name := range []string{"spare-0", "spare-1"} {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
	}
	inTheWay := filepath.Join(dir, "spare-0.new")
	require.NoError(t, os.MkdirAll(filepath.Join(inTheWay, "x"), 0o700))
	j = open(t, dir, &s)
	require.ErrorIs(t, <-begins(j, "new"), journal.ErrFull)
	s.goes(nil)
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, names(1), s.all())
	require.NoError(t, os.RemoveAll(inTheWay))
	require.Eventually(t, func() bool { return <-begins(j, "again") == nil }, 15*time.Second, 10*time.Millisecond)
}

// TestFailingWrites take no room: a segment without an entry goes at once.
func TestFailingWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shelf{away: errAway}
	j := open(t, dir, &s)
	path := filepath.Join(dir, "spare-0")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink("/dev/full", path))
	require.ErrorContains(t, <-begins(j, "new"), "no space left")
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	require.NoError(t, err)
	require.Empty(t, logs)
	require.Eventually(t, func() bool { return <-begins(j, "call0") == nil }, 15*time.Second, 10*time.Millisecond)
	s.goes(nil)
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, names(1), s.all())
}

// TestLateCalls: a call that comes while the journal closes begins nothing that
// outlives it.
func TestLateCalls(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shelf{away: errAway}
	j := open(t, dir, &s)
	require.NoError(t, j.Close(gone))
	for _, name := range []string{"spare-0", "spare-1"} {
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "spare-0.new", "x"), 0o700))
	j = open(t, dir, &s)
	var callers sync.WaitGroup
	end := time.Now().Add(1200 * time.Millisecond) // by then room is tried again
	for range 4 {
		callers.Go(func() {
			for time.Now().Before(end) {
				require.Error(t, <-begins(j, "late"))
				time.Sleep(time.Millisecond)
			}
		})
	}
	require.NoError(t, j.Close(gone))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "spare-0.new")))
	callers.Wait()
	list, err := filepath.Glob(filepath.Join(dir, "spare-*"))
	require.NoError(t, err)
	require.Empty(t, list, strings.Join(list, " "))
}
