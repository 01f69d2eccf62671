package provision_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/provision"
	"axgate/routing"
)

// TestParallelAXYB: an X has one A and an A five X, a B is on an X once and an A
// on a Y once, however many ask at once.
func TestParallelAXYB(t *testing.T) {
	onBoth(t, routing.AXYB, func(t *testing.T, o *office) {
		for i := range 9 {
			o.number(routing.X(fmt.Sprintf("+861701000004%d", i)), "app", "021", "Shanghai")
		}
		there := provision.Area{AreaCode: "021"}
		count := rush(7, func(int) error {
			_, err := o.BindAXYB(o.ctx, "app", provision.BindAXYB{OrigNum: anna, Area: there})
			return err
		})
		require.Equal(t, map[string]int{"0": 5, "1011003 origNum": 2}, count)
		dora, err := o.BindAXYB(o.ctx, "app", provision.BindAXYB{OrigNum: dora, Area: there})
		require.NoError(t, err)

		// Three numbers are left for Y.
		count = rush(6, func(int) error {
			_, err := o.BindYB(o.ctx, "app", provision.BindYB{SubscriptionID: dora.ID, OrigNum: bert, Area: there})
			return err
		})
		require.Equal(t, map[string]int{"0": 1, "1012010 origNum": 5}, count)
		var mu sync.Mutex
		ys := map[routing.X]bool{}
		count = rush(5, func(i int) error {
			b, err := o.BindYB(o.ctx, "app", provision.BindYB{SubscriptionID: dora.ID, OrigNum: tel(i), Area: there})
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				ys[b.Y] = true
			}
			return err
		})
		require.Equal(t, map[string]int{"0": 2, "1012008": 3}, count)
		require.Len(t, ys, 2)

		// All of it ends once, and some of it may be ended before.
		count = rush(6, func(i int) error {
			which := provision.AXYB{SubscriptionID: dora.ID}
			if i%2 == 0 {
				which.BNum = bert
			}
			return o.UnbindAXYB(o.ctx, "app", which)
		})
		require.Contains(t, []int{1, 2}, count["0"])
		require.Equal(t, 6-count["0"], count["1012007"])
		list, err := o.ledger.Numbers(o.ctx, "app", "", 100)
		require.NoError(t, err)
		bindings := 0
		for _, n := range list {
			bindings += n.Bindings
		}
		require.Equal(t, 5, bindings, "anna's AX parts")
		o.agrees()
	})
}
