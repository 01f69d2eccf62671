package events

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBounded: what a receiver says can be stored in any database.
func TestBounded(t *testing.T) {
	require.Equal(t, "no answer", bounded("no\x00 ans\xffwer\xc3"))
	require.Equal(t, strings.Repeat("a", 199), bounded(strings.Repeat("a", 199)+"é"))
}
