package journal

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/events"
)

// fickle is a ledger that is away, takes all, or refuses all.
type fickle struct{ away, refuses atomic.Bool }

func (f *fickle) Record(_ context.Context, entries []events.Entry) (map[int]error, error) {
	if f.away.Load() {
		return nil, errors.New("away")
	}
	if !f.refuses.Load() {
		return nil, nil
	}
	refused := map[int]error{}
	for i := range entries {
		refused[i] = errors.New("unfit")
	}
	return refused, nil
}

// TestState: what waits, for how long, and what was refused.
func TestState(t *testing.T) {
	t.Parallel()
	to := &fickle{}
	to.away.Store(true)
	j, err := Open(Config{Dir: t.TempDir(), Ledger: to, Log: zerolog.Nop()})
	require.NoError(t, err)
	defer func() { require.NoError(t, j.Close(context.Background())) }()
	require.Zero(t, j.State())
	call := events.Call{Session: "s"}
	require.NoError(t, <-j.Write(call, events.Event{Session: "s", Seq: 1, Kind: events.CallIn}))
	time.Sleep(20 * time.Millisecond)
	s := j.State()
	require.EqualValues(t, 1, s.Written)
	require.Positive(t, s.Behind)
	require.GreaterOrEqual(t, s.Oldest, 20*time.Millisecond)
	require.Less(t, s.Oldest, time.Minute)
	to.refuses.Store(true)
	to.away.Store(false)
	require.NoError(t, j.Flush(context.Background()))
	s = j.State()
	require.Zero(t, s.Behind)
	require.Zero(t, s.Oldest)
	require.EqualValues(t, 1, s.Carried)
	require.EqualValues(t, 1, s.Refused)
	require.Positive(t, s.Kept, "somebody has to look at the file")
}
