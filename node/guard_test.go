package node

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/config"
	"axgate/routing"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	c, err := limits(&config.Guard{AccountCalls: 1, AccountRate: 2, AccountMinutes: 3, NightAccountCalls: 4, XCalls: 5, XRate: 6, XMinutes: 7, NightXCalls: 8,
		Night: "23:00-06:00", Zone: "+08:00", JumpFactor: 9, JumpFloor: 10})
	require.NoError(t, err)
	require.Equal(t, routing.Limit{Calls: 1, Rate: 2, Talk: 3 * time.Minute, NightCalls: 4}, c.Limits.Account)
	require.Equal(t, routing.Limit{Calls: 5, Rate: 6, Talk: 7 * time.Minute, NightCalls: 8}, c.Limits.X)
	require.True(t, c.Limits.Night.Has(time.Date(2026, 1, 1, 16, 0, 0, 0, time.UTC)))
	require.False(t, c.Limits.Night.Has(time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC)))
	require.Equal(t, [2]int{9, 10}, [2]int{c.Jump.Factor, c.Jump.Floor})

	usual := config.Default()
	c, err = limits(&usual.Guard)
	require.NoError(t, err)
	require.True(t, c.Limits.Account.None(), "nobody knows what is usual with a tenant")
	require.True(t, c.Limits.X.None())
	require.Positive(t, c.Jump.Factor)

	p, err := plan(&config.Plan{Country: "86", Premium: []string{"86138000"}})
	require.NoError(t, err)
	require.Equal(t, routing.Premium, p.Kind("+8613800000001"))
	_, err = plan(&config.Plan{Country: "86", Premium: []string{"86[x"}})
	require.ErrorContains(t, err, "plan.premium")
}
