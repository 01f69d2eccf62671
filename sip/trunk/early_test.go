package trunk

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEarly(t *testing.T) {
	var none Early
	require.NoError(t, none.complete())
	require.Equal(t, Early{Reliable: ReliableSupported}, none)
	for _, right := range []Early{{Reliable: ReliableOff}, {Reliable: ReliableRequired, RingbackWait: 30 * time.Second}} {
		require.NoError(t, right.complete())
	}
	for want, wrong := range map[string]Early{
		"reliable_1xx": {Reliable: "maybe"}, "ringback_wait": {RingbackWait: time.Minute},
	} {
		require.ErrorContains(t, wrong.complete(), want)
	}
	require.ErrorContains(t, (&Early{RingbackWait: -1}).complete(), "ringback_wait")
}
