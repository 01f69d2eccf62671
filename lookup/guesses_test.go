package lookup_test

import (
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/lookup"
	"axgate/routing"
	"axgate/store"
)

const guesses = "a caller guesses extensions"

// TestGuessing: at the limit the right extension is refused as a wrong one, on
// every node, with one line in the log that does not show the caller; an outage
// of Redis opens no way round it.
func TestGuessing(t *testing.T) {
	w := newWorld(t)
	g := store.Guessing{Most: 3, Within: time.Hour}
	node := func() *lookup.Router {
		r, err := lookup.New(w.ctx, lookup.Config{Ledger: w.ledger, Cache: w.cache, Plan: routing.ChinaPlan(), Node: "n2", Roster: inRoster(w.t, w.ledger, "n2"), Log: zerolog.New(&w.log), Guessing: g})
		require.NoError(t, err)
		return r
	}
	e := w.axe(anna)
	one, two := node(), node()
	types := func(r *lookup.Router, caller routing.Number, ext routing.Extension) routing.Decision {
		d, err := r.DecideExtension(w.ctx, asks("s"+string(caller), xAXE, caller), ext)
		require.NoError(t, err)
		r.Release("s" + string(caller))
		return d
	}
	never := routing.Extension("0000")
	for i, r := range []*lookup.Router{one, two, one} {
		require.Equal(t, anna, dials(types(r, bert, e.Ext)))
		d := types(r, bert, never)
		require.Equal(t, "wrong_extension", dials(d))
		require.Equal(t, i+1, d.Wrong)
	}
	require.Equal(t, "wrong_extension", dials(types(two, bert, e.Ext)))
	require.Equal(t, "wrong_extension", dials(types(one, bert, e.Ext)))
	require.Equal(t, anna, dials(types(one, carl, e.Ext)), "others are not hurt")
	require.Equal(t, 1, w.log.count(guesses))
	require.Zero(t, w.log.count(bert), "the caller is masked")
	callers, refused := one.Guesses()
	require.Equal(t, [2]uint64{1, 1}, [2]uint64{callers, refused})

	w.redis.Kill()
	for range 3 {
		require.Equal(t, "wrong_extension", dials(types(one, dora, never)))
	}
	require.Equal(t, "wrong_extension", dials(types(one, dora, e.Ext)), "this node counts alone")
	require.Equal(t, anna, dials(types(one, carl, e.Ext)))
	require.Equal(t, 1, w.log.count(guesses), "the log is told of two callers at most every ten seconds")
	callers, refused = one.Guesses()
	require.Equal(t, [2]uint64{2, 2}, [2]uint64{callers, refused})
}
