package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// slot is the slot of a Redis Cluster in which a key lives: CRC16 (XMODEM) of
// what stands in its first braces.
func slot(key string) int {
	if from := strings.IndexByte(key, '{'); from >= 0 {
		if n := strings.IndexByte(key[from+1:], '}'); n > 0 {
			key = key[from+1:][:n]
		}
	}
	crc := uint16(0)
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % 16384
}

// TestXSpreadOverShards: all keys of an X live in one slot, and blocks of X as
// operators get them fill the shards of a cluster evenly: the capacity model
// (docs/performance.md) divides by their number.
func TestXSpreadOverShards(t *testing.T) {
	t.Parallel()
	require.Equal(t, 12739, slot("123456789")) // of the Redis Cluster specification
	const x, a = routing.X("+8617010000001"), routing.Number("+8613800000001")
	for _, key := range []string{numberKey(x), axKey(x), ofNumberKey(x, a), extensionKey(x, "0001"), temporaryKey(x), callbackKey(x, a), wrongKey(x, a), busyKey(x), blacklistKey(x)} {
		require.Equal(t, slot(numberKey(x)), slot(key), key)
	}
	const count = 100_000
	for _, block := range []struct{ first, step int }{{17_010_000_000, 1}, {17_010_000_000, 10}, {16_500_000_000, 1000}} {
		for _, shards := range []int{2, 3, 6, 12, 24} {
			full := make([]int, shards)
			for i := range count {
				full[slot(numberKey(routing.X(fmt.Sprintf("+86%d", block.first+i*block.step))))*shards/16384]++
			}
			most := 0
			for _, n := range full {
				most = max(most, n)
			}
			share := float64(most) * float64(shards) / count
			t.Logf("every %d. number, %d shards: the fullest has %.3f of the mean", block.step, shards, share)
			require.Less(t, share, 1.1)
		}
	}
}
