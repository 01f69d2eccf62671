package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/config"
)

func TestNightAndZone(t *testing.T) {
	from, to, err := (&config.Guard{Night: "23:00-06:30"}).NightSpan()
	require.NoError(t, err)
	require.Equal(t, [2]time.Duration{23 * time.Hour, 6*time.Hour + 30*time.Minute}, [2]time.Duration{from, to})
	from, to, err = (&config.Guard{}).NightSpan()
	require.NoError(t, err)
	require.Equal(t, from, to)
	for _, wrong := range []string{"23:00", "23-6", "24:00-06:00", "23:00-06:60", "06:00-06:00", "-"} {
		_, _, err := (&config.Guard{Night: wrong}).NightSpan()
		require.Error(t, err, wrong)
	}
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for zone, hour := range map[string]int{"Asia/Shanghai": 20, "Europe/Berlin": 14, "+08:00": 20, "-05:30": 6, "UTC": 12} {
		where, err := (&config.Guard{Zone: zone}).Location()
		require.NoError(t, err, zone)
		require.Equal(t, hour, at.In(where).Hour(), zone)
	}
	for _, wrong := range []string{"", "Local", "8", "+8", "+25:00", "Asia/Nowhere", "../../etc/passwd"} {
		_, err := (&config.Guard{Zone: wrong}).Location()
		require.Error(t, err, wrong)
	}
}

func TestGuard(t *testing.T) {
	c, err := load(t, "guard: {account_calls: 7, night: 22:00-05:00, night_x_calls: 1, zone: +01:00}\nplan: {premium: [\"86168\"]}\n", "AXGATE_GUARD_X_MINUTES=90")
	require.NoError(t, err)
	require.Equal(t, []int{7, 1, 90, 0}, []int{c.Guard.AccountCalls, c.Guard.NightXCalls, c.Guard.XMinutes, c.Guard.XCalls})
	require.Equal(t, []string{"86168"}, c.Plan.Premium)
	for text, says := range map[string]string{
		"guard: {account_rate: -1}":                "guard.account_rate",
		"guard: {x_calls: 9000000}":                "guard.x_calls",
		"guard: {night_x_calls: 1}":                "guard.night: it is empty",
		"guard: {night: 9-5}":                      "guard.night: \"9-5\": use from-to",
		"guard: {zone: Mars/Base}":                 "guard.zone: \"Mars/Base\": use a time zone",
		"guard: {jump_factor: x}":                  "guard.jump_factor",
		"guard: {account_minutes: 10000000000000}": "guard.account_minutes",
	} {
		_, err := load(t, text+"\n")
		require.ErrorContains(t, err, says, text)
	}
}
