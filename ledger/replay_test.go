package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
)

// replay makes all events of a session due, and tells how many those are.
func (o owing) replay(session string, at time.Time) int {
	n, err := o.Replay(o.Context(), ledger.ReplayFilter{From: t0, To: t0.Add(time.Hour), Session: session}, at)
	require.NoError(o, err)
	return n
}

// TestReplayOfMany: more than one statement takes, and with SQLite more than one transaction;
// each is as if it had just been written.
func TestReplayOfMany(t *testing.T) {
	eachOwing(t, func(o owing) {
		const many = 450
		o.owe("many", 1, slices.Repeat([]events.Kind{events.Alerting}, many)...)
		o.owe("other", 1, events.Alerting)
		execute(o, o.cfg, "UPDATE events SET due_at = 0, tries = 3, done_at = 7, failure = 'x'")
		at := o.now.Add(time.Hour)
		require.Equal(o, many, o.replay("many", at))
		page, err := o.Events(o.Context(), ledger.EventFilter{Session: "many", Limit: 1000})
		require.NoError(o, err)
		require.Len(o, page.Events, many)
		for _, e := range page.Events {
			require.Equal(o, at, e.Due, e.Seq)
			require.True(o, e.Tries == 0 && e.Done.IsZero() && e.Failure == "", e.Seq)
		}
		require.Equal(o, []string{"never"}, o.due("other"))
	})
}

// TestReplayJourneys: many events are replayed by as many journeys to the server as one.
func TestReplayJourneys(t *testing.T) {
	cfg, count := counted(t)
	o := owing{t, open(t, cfg), cfg, time.Now().UTC().Truncate(time.Microsecond)}
	took := map[int]int{}
	for _, many := range []struct {
		session string
		events  int
	}{{"one", 1}, {"two", 2}, {"more", 450}} { // one: statements that stay are compiled
		o.owe(many.session, 1, slices.Repeat([]events.Kind{events.Alerting}, many.events)...)
		took[many.events] = count(func() { require.Equal(t, many.events, o.replay(many.session, o.now)) })
	}
	t.Logf("journeys to replay events: %d", took[450])
	require.Equal(t, took[2], took[450])
	require.LessOrEqual(t, took[450], 5)
}
