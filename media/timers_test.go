package media

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The heap gives timers in the order of their deadlines, whatever was set, moved and stopped before.
func TestTimers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h timers
		all := make([]timer, 20)
		want := map[*timer]int64{}
		now := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				x := &all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
				when := now + int64(rapid.IntRange(0, 100).Draw(t, "in"))
				h.set(x, when)
				want[x] = when
			},
			"stop": func(t *rapid.T) {
				x := &all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
				h.stop(x)
				delete(want, x)
			},
			"advance": func(t *rapid.T) {
				now += int64(rapid.IntRange(0, 50).Draw(t, "by"))
				last := int64(-1)
				for x := h.due(now); x != nil; x = h.due(now) {
					require.Equal(t, want[x], x.when)
					require.GreaterOrEqual(t, x.when, last)
					last = x.when
					delete(want, x)
				}
				for _, when := range want {
					require.Greater(t, when, now, "a due timer was left")
				}
			},
			"": func(t *rapid.T) {
				require.Len(t, h.heap, len(want))
				for i, x := range h.heap {
					require.Equal(t, i+1, x.at)
				}
				if next, ok := h.next(); ok {
					for _, when := range want {
						require.LessOrEqual(t, next, when)
					}
				}
			},
		})
	})
}
