package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{{"upd", "udp"}: 1, {"foo", "log"}: 2, {"", "abc"}: 3, {"media", "media"}: 0, {"medai", "media"}: 1, {"prots", "ports"}: 1, {"ab", "ca"}: 2} {
		require.Equal(t, want, distance(pair[0], pair[1]), "%v", pair)
	}
}
