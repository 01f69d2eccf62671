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
	w := newWorld(t, plan{})
	if full {
		w.pace = over / time.Duration(most)
	}
	w.play(anyRow(r, most)...)
}

// over is how long a full row takes.
const over = 10 * time.Minute

// anyRow is a row of n faults: each kind once in any order, and again until there are
// enough.
func anyRow(r *rand.Rand, n int) (row []fault) {
	for len(row) < n {
		all := anyOrder(r)
		row = append(row, all[:min(n-len(row), len(all))]...)
	}
	return row
}

// anyOrder has each kind of fault that a single Redis, PostgreSQL and two nodes can have.
func anyOrder(r *rand.Rand) []fault {
	lasts := func() time.Duration {
		d := time.Duration(1000+r.IntN(4000)) * time.Millisecond
		if full {
			d *= 3
		}
		return d
	}
	all := []fault{redisKilled(lasts()), redisPaused(lasts()), redisFlushed(), databaseKilled(lasts()), databasePaused(lasts()), databaseRestarted(),
		databaseCut(lasts()), databaseSwallowed(lasts()), databaseSlow(lasts()), nodeStopped(r.IntN(2), lasts()),
		clockOff(r.IntN(2), time.Hour, lasts()), clockOff(r.IntN(2), -time.Hour, lasts())}
	if full { // these take a minute, until pushes are repeated and a dead node's calls are closed
		all = append(all, customerDead(lasts()), nodeKilled(r.IntN(2), lasts()))
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
