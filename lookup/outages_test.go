package lookup

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestOutagesAreForgotten: of a server that answers as it should nothing is kept, however
// many there were, and one that is ill stays so until it answers.
func TestOutagesAreForgotten(t *testing.T) {
	var o outages
	for i := range 1000 {
		server := fmt.Sprintf("192.0.2.1:%d", i)
		require.False(t, o.lasts(server))
		require.False(t, o.answered(server, false))
		require.False(t, o.answered(server, true), "one slow answer is no outage")
		require.False(t, o.answered(server, false))
		require.True(t, o.begin(server, routing.X("+8617010000001")))
		require.False(t, o.begin(server, routing.X("+8617010000002")))
		require.False(t, o.answered(server, false), "an answer to a question from before is no end")
		require.True(t, o.lasts(server))
		require.Equal(t, map[string]routing.X{server: "+8617010000002"}, o.now())
		o.end(server)
		o.end(server)
		require.False(t, o.lasts(server))
	}
	require.Empty(t, o.by)
	require.False(t, o.any())
	require.EqualValues(t, 1000, o.all.Load())
}
