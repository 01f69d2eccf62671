package trunk

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimer(t *testing.T) {
	var none Timer
	require.NoError(t, none.complete())
	require.Equal(t, Timer{Refresher: AutoRefresh}, none)
	expires, least := none.Seconds()
	require.Equal(t, [2]int{1800, 90}, [2]int{expires, least})
	some := Timer{Expires: 10 * time.Minute, MinSE: 2 * time.Minute, Refresher: PeerRefresh}
	require.NoError(t, some.complete())
	expires, least = some.Seconds()
	require.Equal(t, [2]int{600, 120}, [2]int{expires, least})
	for want, wrong := range map[string]Timer{
		"refresher":            {Refresher: "both"},
		"session_expires 1m0s": {Expires: time.Minute},
		"session_expires 48h":  {Expires: 48 * time.Hour},
		"min_se 1s":            {MinSE: time.Second},
		"min_se 10m":           {MinSE: 10 * time.Minute, Expires: 5 * time.Minute},
		"min_se 1h":            {MinSE: time.Hour},
	} {
		require.ErrorContains(t, wrong.complete(), want)
	}
}

func TestHold(t *testing.T) {
	var none Hold
	require.NoError(t, none.complete())
	require.Equal(t, Hold{Tone: TonesOff}, none)
	for _, right := range []Hold{{Relay: true}, {Tone: TonesOn}, {Tone: "hold.wav"}, {Relay: true, Tone: TonesOff}} {
		require.NoError(t, right.complete())
	}
	for _, wrong := range []Hold{{Relay: true, Tone: TonesOn}, {Tone: "../x.wav"}, {Tone: "a\x00"}} {
		require.ErrorContains(t, wrong.complete(), "hold_tone")
	}
}
