package store

import (
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"
)

// TestEmbeddedKeysExpire, though no command makes them.
func TestEmbeddedKeysExpire(t *testing.T) {
	m := miniredis.RunT(t)
	require.NoError(t, m.Set("soon", "1"))
	require.NoError(t, m.Set("never", "1"))
	m.SetTTL("soon", 30*time.Millisecond)
	stop := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() { expire(m, 5*time.Millisecond, stop) })
	require.Eventually(t, func() bool { return !m.Exists("soon") }, 5*time.Second, time.Millisecond)
	close(stop)
	ended.Wait()
	require.True(t, m.Exists("never"))
}
