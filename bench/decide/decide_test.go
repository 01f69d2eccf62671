package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is measured are decisions that are right; here for a moment, in each mode and with each way to bind.
func TestMeasure(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs redis-server")
	}
	for name, o := range map[string]options{
		"AXB":                {Mode: "AXB", CacheOnly: true},
		"AX":                 {Mode: "AX", CacheOnly: true},
		"AXE":                {Mode: "AXE", CacheOnly: true},
		"AXB through ledger": {Mode: "AXB"},
	} {
		t.Run(name, func(t *testing.T) {
			o.Sets, o.Askers, o.For, o.Ledger = []int{50, 100}, []int{1, 4}, 50*time.Millisecond, "sqlite"
			require.NoError(t, measure(t.Context(), &o))
		})
	}
}
