package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFilesOfCalls: of a call that is recorded the file is open too.
func TestFilesOfCalls(t *testing.T) {
	calls, files := filesOf(50_000, 0)
	require.Equal(t, 12_500, calls)
	require.EqualValues(t, 62_700, files)
	require.EqualValues(t, 12_500, callsWithin(files))
	require.EqualValues(t, 12_499, callsWithin(files-1))
	require.Zero(t, callsWithin(100))
	calls, files = filesOf(50_000, 100)
	require.Equal(t, 100, calls)
	require.EqualValues(t, 700, files)
}
