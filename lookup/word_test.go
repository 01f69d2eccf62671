package lookup

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWord: a call that needs the ledger waits for the next word about it, and no longer.
func TestWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w word
		took := func(ctx context.Context) (away bool, took time.Duration) {
			begun := time.Now()
			away = w.hears(ctx)
			return away, time.Since(begun)
		}
		away, after := took(t.Context())
		require.False(t, away)
		require.Zero(t, after, "it is there")
		w.give(true)
		away, after = took(t.Context())
		require.True(t, away)
		require.Equal(t, pace+pace/5, after, "it hangs")
		for _, still := range []bool{true, false} {
			time.AfterFunc(pace/2, func() { w.give(still) })
			away, after = took(t.Context())
			require.Equal(t, still, away)
			require.Equal(t, pace/2, after)
		}
		w.give(true)
		ctx, cancel := context.WithTimeout(t.Context(), pace/4)
		defer cancel()
		away, after = took(ctx)
		require.True(t, away)
		require.Equal(t, pace/4, after, "the caller gave up")
	})
}
