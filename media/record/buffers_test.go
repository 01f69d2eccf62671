package record

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// After a disk that stood still, the memory of most pieces goes back to the system, and they can be used again.
func TestStockGivesBack(t *testing.T) {
	if pieceFrames%os.Getpagesize() != 0 {
		t.Skip("the system's pages are larger than a piece")
	}
	s, taken := stock{size: pieceFrames}, [3 * mostWarm / pieceFrames][]byte{}
	for range 2 {
		for i := range taken {
			taken[i] = s.take()
			copy(taken[i], quiet)
		}
		require.Empty(t, s.warm)
		for _, b := range taken {
			s.back(b)
		}
		require.Len(t, s.warm, mostWarm/pieceFrames)
		require.GreaterOrEqual(t, len(s.cold), 2*mostWarm/pieceFrames)
		for _, b := range s.cold {
			require.Equal(t, make([]byte, pieceFrames), b, "memory that was given back is zero")
		}
	}
	mapped := len(s.warm) + len(s.cold)
	require.Less(t, mapped, len(taken)+perMapping, "nothing was mapped anew")
	s.take()
	require.Len(t, s.warm, mostWarm/pieceFrames-1, "those that still have memory first")
	require.False(t, bytes.Contains(s.warm[0], []byte{0}))
}
