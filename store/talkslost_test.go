package store

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/store/redistest"
)

// TestTalksFailover: a replica takes over that has not got the last writes, and has as
// many talks as there are. All is written again, also if a change comes first.
func TestTalksFailover(t *testing.T) {
	for name, busy := range map[string]bool{"found by a look": false, "found by a write": true} {
		t.Run(name, func(t *testing.T) {
			s := redistest.Start(t)
			c, err := Open(Config{Address: s.Addr, Timeout: 5 * time.Second, Log: zerolog.Nop()})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, c.Close()) })
			var life atomic.Pointer[string]
			owner := "n/1"
			life.Store(&owner)
			talks := keeper(t, c, &life)
			talks.Keep("old", []byte("1"))
			talks.Keep("b", []byte("1"))
			within(t, c, owner, map[string]string{"old": "old|1", "b": "b|1"})
			replica := c.rdb.HGetAll(t.Context(), talksKey(owner)).Val()
			talks.Drop("old")
			talks.Keep("new", []byte("2"))
			talks.Keep("b", []byte("2"))
			want := map[string]string{"new": "new|2", "b": "b|2"}
			within(t, c, owner, want)
			pipe := c.rdb.TxPipeline()
			pipe.Del(t.Context(), talksKey(owner))
			pipe.HSet(t.Context(), talksKey(owner), replica)
			_, err = pipe.Exec(t.Context())
			require.NoError(t, err)
			if busy {
				talks.Keep("c", []byte("3"))
				want["c"] = "c|3"
			}
			within(t, c, owner, want)
		})
	}
}

// TestTalksUnheard: what changes while it cannot be written takes no room beyond a bound.
func TestTalksUnheard(t *testing.T) {
	s := redistest.Start(t)
	c, err := Open(Config{Address: s.Addr, Timeout: 5 * time.Second, Log: zerolog.Nop()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	var life atomic.Pointer[string]
	owner := "n/1"
	life.Store(&owner)
	talks := keeper(t, c, &life)
	talks.Keep("a", []byte("1"))
	talks.Keep("b", []byte("1"))
	within(t, c, owner, map[string]string{"a": "a|1", "b": "b|1"})
	life.Store(nil)
	talks.Drop("a")
	for i := range 3 * mostChanged {
		talks.Keep(fmt.Sprint("s", i), []byte("x"))
		talks.Drop(fmt.Sprint("s", i))
	}
	talks.Keep("b", []byte("2"))
	talks.mu.Lock()
	require.LessOrEqual(t, len(talks.changed), mostChanged)
	talks.mu.Unlock()
	life.Store(&owner)
	within(t, c, owner, map[string]string{"b": "b|2"})
}
