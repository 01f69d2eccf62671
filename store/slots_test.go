package store

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
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

// slots is a hook that sees to it that each script has its keys in one slot, and notes
// which keys each X has.
type slotsHook struct {
	t    *testing.T
	mu   sync.Mutex
	kept map[int]map[string]bool // keys by slot
}

func (h *slotsHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *slotsHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.see(cmd)
		return next(ctx, cmd)
	}
}

func (h *slotsHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			h.see(cmd)
		}
		return next(ctx, cmds)
	}
}

func (h *slotsHook) see(cmd redis.Cmder) {
	args := cmd.Args()
	if cmd.Name() != "evalsha" && cmd.Name() != "eval" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	in := -1
	for i := range args[2].(int) {
		key := args[3+i].(string)
		at := slot(key)
		if in >= 0 && at != in {
			h.t.Errorf("a script has keys in several slots: %v", args[3:3+args[2].(int)])
		}
		in = at
		if h.kept[at] == nil {
			h.kept[at] = map[string]bool{}
		}
		h.kept[at][key] = true
	}
}

// TestEveryScriptIsOfOneSlot: whatever the cache does, each script names keys of one
// slot, and no key that stands in Redis afterwards was not named.
func TestEveryScriptIsOfOneSlot(t *testing.T) {
	h := &slotsHook{t: t, kept: map[int]map[string]bool{}}
	c, err := OpenEmbedded(Config{Address: "127.0.0.1:0", Timeout: 5 * time.Second, Hooks: []redis.Hook{h}, Log: zerolog.Nop()})
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	require.NoError(t, c.Ping(ctx))
	fillWithEverything(t, c, func() {
		for _, key := range c.rdb.Keys(ctx, "axgate:*{*").Val() {
			if strings.HasPrefix(key, "axgate:talks:") || strings.HasPrefix(key, "axgate:journal:") {
				continue // one command writes to one of them
			}
			h.mu.Lock()
			require.True(t, h.kept[slot(key)][key], "no script has named %s", key)
			h.mu.Unlock()
		}
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range []routing.X{"+8617010000001", "+8617010000002", "+8617010000003", "+8617010000004"} {
		n := 0
		for key := range h.kept[slot(numberKey(x))] {
			if strings.HasPrefix(key, numberKey(x)) {
				n++
			}
		}
		for at, keys := range h.kept {
			for key := range keys {
				require.False(t, strings.Contains(key, "{"+string(x)+"}") && at != slot(numberKey(x)), "%s is in another slot than X", key)
			}
		}
		require.Greater(t, n, 6, "keys of %s", x)
	}
}

// TestXSpreadOverShards: blocks of X as
// operators get them fill the shards of a cluster evenly: the capacity model
// (docs/performance.md) divides by their number.
func TestXSpreadOverShards(t *testing.T) {
	t.Parallel()
	require.Equal(t, 12739, slot("123456789")) // of the Redis Cluster specification
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
