//go:build e2e

package chaos

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRandom plays a row of faults that a seed chooses; the short one is always the same.
func TestRandom(t *testing.T) {
	t.Parallel()
	seed, most := uint64(time.Now().UnixNano()), 3
	if !full {
		seed = 1
	}
	if text := os.Getenv("AXGATE_CHAOS_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	if full {
		most = 24
	}
	t.Logf("AXGATE_CHAOS_SEED=%d repeats this row", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var row []fault
	for range most {
		row = append(row, anyFault(r))
	}
	w := newWorld(t, plan{})
	if full {
		w.pause = 10 * time.Second
	}
	w.play(row...)
}

// anyFault is one that a single Redis, PostgreSQL and two nodes can have.
func anyFault(r *rand.Rand) fault {
	lasts := time.Duration(1000+r.IntN(4000)) * time.Millisecond
	if full {
		lasts *= 3
	}
	node := r.IntN(2)
	all := []func() fault{
		func() fault { return redisKilled(lasts) },
		func() fault { return redisPaused(lasts) },
		func() fault { return redisFlushed() },
		func() fault { return databaseKilled(lasts) },
		func() fault { return databasePaused(lasts) },
		func() fault { return databaseRestarted() },
		func() fault { return databaseCut(lasts) },
		func() fault { return databaseSwallowed(lasts) },
		func() fault { return databaseSlow(lasts) },
		func() fault { return nodeStopped(node, lasts) },
		func() fault { return clockOff(node, time.Hour, lasts) },
		func() fault { return clockOff(node, -time.Hour, lasts) },
	}
	if full { // these take a minute, until pushes are repeated and a dead node's calls are closed
		all = append(all, func() fault { return customerDead(lasts) }, func() fault { return nodeKilled(node, lasts) })
	}
	return all[r.IntN(len(all))]()
}
