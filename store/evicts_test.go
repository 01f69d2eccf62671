package store

import (
	"bytes"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// TestARedisThatEvicts is one that the log warns of: an entry that is gone looks
// like a binding that was never made.
func TestARedisThatEvicts(t *testing.T) {
	w := real(t)
	rdb := w.client()
	for _, c := range []struct {
		memory, policy string
		warns          bool
	}{{"0", "allkeys-lru", false}, {"100mb", "noeviction", false}, {"100mb", "volatile-ttl", true}} {
		require.NoError(t, rdb.ConfigSet(ctx, "maxmemory", c.memory).Err())
		require.NoError(t, rdb.ConfigSet(ctx, "maxmemory-policy", c.policy).Err())
		var log bytes.Buffer
		cfg := w.config(w.server.Addr)
		cfg.Log = zerolog.New(&log)
		cache, err := Open(cfg)
		require.NoError(t, err)
		require.NoError(t, cache.Ping(ctx))
		require.NoError(t, cache.Close())
		require.Equal(t, c.warns, bytes.Contains(log.Bytes(), []byte("set maxmemory-policy to noeviction")), log.String())
	}
}
