//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/wave"
	"axgate/phone/hear"
	"axgate/phone/speech"
)

// TestLab makes the demonstration call of a new user, in an empty directory.
func TestLab(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "lab", "--once", "--json")
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	var r struct {
		OK       bool
		X        string
		Caller   string
		Callee   string
		Decision struct{ Step, Callee, Shows string }
		CallerID string `json:"callerId"`
		Heard    struct{ Caller, Callee float64 }
		Events   []struct {
			Type string
		}
		Fee       map[string]any
		Recording struct {
			Path    string
			Seconds float64
			Heard   struct{ Caller, Callee float64 }
		}
	}
	require.NoError(t, json.Unmarshal(out, &r), "%s", out)
	require.True(t, r.OK, "%s", out)
	require.Equal(t, []string{"dial", r.Callee, r.X}, []string{r.Decision.Step, r.Decision.Callee, r.Decision.Shows})
	require.Equal(t, r.X, r.CallerID)
	require.Greater(t, min(r.Heard.Caller, r.Heard.Callee), heardFrom, "%s", out)
	require.Greater(t, min(r.Recording.Heard.Caller, r.Recording.Heard.Callee), mixedFrom, "%s", out)
	var types []string
	for _, e := range r.Events {
		types = append(types, e.Type)
	}
	require.Equal(t, evAnswered, types)
	require.EqualValues(t, 0, r.Fee["ulFailReason"])
	require.Equal(t, r.Caller, r.Fee["callerNum"])
	require.Equal(t, r.X, r.Fee["fwdDisplayNum"])
	require.Equal(t, r.Callee, r.Fee["fwdDstNum"])
	path := r.Recording.Path
	if !os.IsPathSeparator(path[0]) {
		path = cmd.Dir + "/" + path
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := wave.Parse(text)
	require.NoError(t, err)
	require.InDelta(t, r.Recording.Seconds, float64(len(f.Data))/8000, 0.1)
	require.Greater(t, r.Recording.Seconds, 3.0)
	for _, said := range [][]byte{speech.First(), speech.Second()} {
		peak, _ := hear.Correlate(f.Data, said[:16000])
		require.Greater(t, peak, mixedFrom)
	}
}
