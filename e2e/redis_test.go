//go:build e2e

package e2e

import (
	"time"

	"github.com/stretchr/testify/require"
)

// redisKey begins the keys of an X (docs/redis-keys.md).
func redisKey(x string) string { return "axgate:{" + x + "}" }

// inRedis gives a field of a key of X, empty if there is none.
func (s *scene) inRedis(x, key, field string) string {
	s.Helper()
	all, err := s.redis.Client().HGetAll(s.ctx, redisKey(x)+key).Result()
	require.NoError(s, err)
	return all[field]
}

// soonInRedis waits until a field of a key of X has a value.
func (s *scene) soonInRedis(x, key, field, want string) {
	s.Helper()
	require.Eventually(s, func() bool { return s.inRedis(x, key, field) == want }, step, 50*time.Millisecond,
		"%s of %s is not %q", field, redisKey(x)+key, want)
}

// loadedInRedis waits until X, to which a call has come, is in the cache.
func (s *scene) loadedInRedis(x string) {
	s.Helper()
	require.Eventually(s, func() bool { return s.inRedis(x, "", "load") != "" }, step, 10*time.Millisecond, "%s is not loaded", x)
}

// busyInRedis checks how many calls hold X or an extension of it.
func (s *scene) busyInRedis(x string, calls int64) {
	s.Helper()
	require.Eventually(s, func() bool { return s.redis.Client().HLen(s.ctx, redisKey(x)+":busy").Val() == calls },
		step, 50*time.Millisecond, "busy marks of %s", x)
}

// notBusy waits until the marks of ended calls are gone.
func (s *scene) notBusy(x string) {
	s.Helper()
	s.busyInRedis(x, 0)
}

// notInRedis waits until an entry of X is gone or only its tombstone is left.
func (s *scene) notInRedis(x, key string) {
	s.Helper()
	require.Eventually(s, func() bool {
		all := s.redis.Client().HGetAll(s.ctx, redisKey(x)+key).Val()
		return len(all) == 0 || all["gone"] == "1"
	}, step, 50*time.Millisecond, "%s stands", redisKey(x)+key)
}

// unboundInRedis checks that no binding of X stands.
func (s *scene) unboundInRedis(x string) {
	s.Helper()
	keys, err := s.redis.Client().Keys(s.ctx, redisKey(x)+":*").Result()
	require.NoError(s, err)
	for _, key := range keys {
		switch suffix := key[len(redisKey(x)):]; suffix[:2] {
		case ":a", ":n", ":e":
			s.notInRedis(x, suffix)
		}
	}
	require.Contains(s, []string{"", "0"}, s.inRedis(x, "", "bindings"))
}
