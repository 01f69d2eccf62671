package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestShareUse: the shares of others count by minute, day and lease; told twice
// is told once.
func TestShareUse(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.open()
		share := func(c *Cache, owner string, u Use, lease time.Duration) Use {
			got, err := c.ShareUse(ctx, []UseShare{{Key: XUse(x1), Owner: "unrelated", Keep: time.Minute}, {Key: AccountUse("sp"), Owner: owner, Use: u, Keep: time.Minute}}, lease)
			require.NoError(t, err)
			require.Len(t, got, 2)
			require.Zero(t, got[0].Calls)
			return got[1]
		}
		one := Use{Calls: 2, Minute: 100, Begun: 5, Day: 7, Talk: 90 * time.Second}
		for range 2 {
			require.Equal(t, Use{Minute: 100, Day: 7}, share(w.Cache, "n1/1", one, time.Hour))
		}
		two := Use{Calls: 1, Minute: 101, Begun: 1, Day: 7, Talk: time.Second}
		require.Equal(t, Use{Calls: 2, Minute: 101, Day: 7, Talk: 90 * time.Second}, share(other, "n2/1", two, time.Hour))
		require.Equal(t, Use{Calls: 1, Minute: 100, Day: 7, Talk: time.Second}, share(w.Cache, "n1/1", one, time.Hour))
		tomorrow := Use{Minute: 1540, Day: 8}
		require.Equal(t, Use{Calls: 3, Minute: 1540, Day: 8}, share(other, "n3/1", tomorrow, time.Hour), "calls are up over midnight")

		share(w.Cache, "n1/1", one, 200*time.Millisecond)
		require.Eventually(t, func() bool { return share(other, "n2/1", two, time.Hour).Calls == 0 }, 15*time.Second, 20*time.Millisecond, "a silent node has none")
		require.Equal(t, 90*time.Second, share(other, "n2/1", two, time.Hour).Talk, "its talk stands")
		share(other, "n3/1", tomorrow, time.Hour)
		require.ElementsMatch(t, []string{"n2/1", "n3/1"}, w.rdb.HKeys(ctx, AccountUse("sp")).Val(), "until the day is over")

		require.NoError(t, w.rdb.ScriptFlush(ctx).Err())
		require.Equal(t, Use{Minute: 101, Day: 7}, share(other, "n2/1", two, time.Hour), "and the script is brought again")
	})
}
