package provision_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/provision"
	"axgate/routing"
)

// configs are new ledgers of each kind.
func configs(t *testing.T) map[string]ledger.Config {
	all := map[string]ledger.Config{"sqlite": sqlite(t)}
	if !testing.Short() {
		all["postgres"] = ledgertest.Postgres(t)
	}
	return all
}

// onBoth runs a test on each kind of ledger.
func onBoth(t *testing.T, mode routing.Mode, test func(t *testing.T, o *office)) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) { test(t, newOffice(t, cfg, mode)) })
	}
}

// rush makes n requests at once and counts the answers.
func rush(n int, request func(i int) error) map[string]int {
	answers := make([]string, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { answers[i] = outcome(request(i)) })
	}
	all.Wait()
	count := map[string]int{}
	for _, a := range answers {
		count[a]++
	}
	return count
}

// TestParallelAX: one A per X and five X per A, however many ask at once.
func TestParallelAX(t *testing.T) {
	onBoth(t, routing.AX, func(t *testing.T, o *office) {
		count := rush(20, func(i int) error {
			_, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: tel(i), PrivateNum: x1})
			return err
		})
		require.Equal(t, map[string]int{"0": 1, "1011005 privateNum": 19}, count)
		for i := range 12 {
			o.number(routing.X(fmt.Sprintf("+861701000004%d", i%10)), "app", "021", "Shanghai")
		}
		count = rush(9, func(i int) error {
			_, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: anna, PrivateNum: fmt.Sprintf("+861701000004%d", i)})
			return err
		})
		require.Equal(t, map[string]int{"0": 5, "1011003 origNum": 4}, count)
		count = rush(12, func(i int) error {
			_, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: tel(100 + i), Area: provision.Area{AreaCode: "021"}})
			return err
		})
		require.Equal(t, map[string]int{"0": 5, "1011002": 7}, count, "each of the others got an X of its own")
		o.agrees()
	})
}

// TestParallelAXB: no number is in two pairs of an X.
func TestParallelAXB(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		count := rush(24, func(i int) error {
			_, err := o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: tel(i % 5), CalleeNum: tel(10 + i%7), RelationNum: x1})
			return err
		})
		require.Equal(t, 24, count["0"]+count["1012010"], "%v", count)
		list, err := o.ledger.BindingsOfX(o.ctx, x1, t0, "", 100)
		require.NoError(t, err)
		require.Len(t, list, count["0"])
		seen := map[routing.Number]bool{}
		for _, b := range list {
			require.False(t, seen[b.A] || seen[b.B], "a number in two pairs")
			seen[b.A], seen[b.B] = true, true
		}
		o.agrees()
	})
}

// TestFullX: the 5,001st pair is refused, by 1012008 as the contract decides.
func TestFullX(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 5,000 pairs")
	}
	o := newOffice(t, sqlite(t), routing.AXB)
	count := rush(4990, func(i int) error {
		_, _, err := o.ledger.Bind(o.ctx, routing.Binding{App: "app", Mode: routing.AXB, X: x1, A: routing.Number(tel(2 * i)), B: routing.Number(tel(2*i + 1)), CreatedAt: t0})
		return err
	})
	require.Equal(t, map[string]int{"0": 4990}, count)
	require.NoError(t, o.cache.Forget(o.ctx, x1))
	count = rush(30, func(i int) error {
		_, err := o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: tel(20000 + 2*i), CalleeNum: tel(20001 + 2*i), RelationNum: x1})
		return err
	})
	require.Equal(t, map[string]int{"0": 10, "1012008 relationNum": 20}, count)
	require.Equal(t, 5000, o.facts(x1, routing.Number(tel(0))).Bindings)
	count = rush(4, func(i int) error {
		_, err := o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: tel(30000 + 2*i), CalleeNum: tel(30001 + 2*i), Area: provision.Area{AreaCode: "0755"}})
		return err
	})
	require.Equal(t, map[string]int{"0": 4}, count, "another X of the area is chosen")
	require.NoError(t, o.UnbindAXB(o.ctx, "app", "", x1), "5,000 in one step")
	require.Zero(t, o.facts(x1, routing.Number(tel(0))).Bindings)
}

// TestParallelAXE: an extension is given to one A alone.
func TestParallelAXE(t *testing.T) {
	onBoth(t, routing.AXE, func(t *testing.T, o *office) {
		o.setting(func(a *ledger.App) { a.ExtDigits = 1 })
		count := rush(15, func(i int) error {
			_, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(i), VirtualNum: x1})
			return err
		})
		require.Equal(t, map[string]int{"0": 9, "1012009 virtualNum": 6}, count)
		count = rush(8, func(i int) error {
			_, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(i), VirtualNum: x2, ExtendNum: "7"})
			return err
		})
		require.Equal(t, map[string]int{"0": 1, "1012010": 7}, count)
		o.agrees()
	})
}

// TestParallelUnbind: of many requests to unbind the same one is right.
func TestParallelUnbind(t *testing.T) {
	onBoth(t, routing.AXB, func(t *testing.T, o *office) {
		b, err := o.BindAXB(o.ctx, "app", pairOn(x1))
		require.NoError(t, err)
		count := rush(10, func(int) error { return o.UnbindAXB(o.ctx, "app", b.ID, "") })
		require.Equal(t, map[string]int{"0": 1, "1012007": 9}, count)
		o.agrees()
	})
}
