package journal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/events"
)

// taken is a ledger whose calls others have taken over.
type taken struct{ shelf }

func (s *taken) Record(ctx context.Context, entries []events.Entry) (map[int]error, error) {
	refused, err := s.shelf.Record(ctx, entries)
	for i := range entries {
		refused[i] = fmt.Errorf("late: %w", events.ErrNotIts)
	}
	return refused, err
}

// TestNotIts: ends that come late, of calls that others have, are no refused entries.
func TestNotIts(t *testing.T) {
	dir, l := t.TempDir(), &taken{}
	j := open(t, dir, l)
	require.NoError(t, <-begins(j, "a"))
	require.NoError(t, j.Flush(t.Context()))
	require.Equal(t, []string{"a"}, l.all())
	require.Zero(t, j.State().Refused)
	_, err := os.Stat(filepath.Join(dir, "refused.jsonl"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestFlushQueued: what only waits for the disk is flushed too.
func TestFlushQueued(t *testing.T) {
	l := &shelf{}
	j := open(t, t.TempDir(), l)
	for i := range 20 {
		done := begins(j, fmt.Sprint(i))
		require.NoError(t, j.Flush(t.Context()))
		require.Len(t, l.all(), i+1)
		require.NoError(t, <-done)
	}
}
