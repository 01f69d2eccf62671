package logging

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sink counts the writes and keeps what was written.
type sink struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	return s.text.Write(p)
}

func (s *sink) seen() (string, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.writes
}

func TestLinesAreWrittenTogether(t *testing.T) {
	var out sink
	lines := Gather(&out)
	log, err := New(lines, "info", JSON)
	require.NoError(t, err)
	log.Info().Msg("one")
	log.Info().Msg("two")
	require.Eventually(t, func() bool { text, _ := out.seen(); return strings.Count(text, "\n") == 2 }, 10*time.Second, 5*time.Millisecond)

	log.Info().Msg("three")
	log.Warn().Msg("four")
	text, _ := out.seen()
	require.Contains(t, text, "four", "a warning does not wait")
	require.Less(t, strings.Index(text, "three"), strings.Index(text, "four"))

	log.Info().Msg("five")
	require.NoError(t, lines.Close())
	text, _ = out.seen()
	require.Contains(t, text, "five")

	_, before := out.seen()
	for range 1000 {
		log.Info().Str("filler", strings.Repeat("x", 200)).Msg("many")
	}
	require.NoError(t, lines.Close())
	text, after := out.seen()
	require.Equal(t, 1000, strings.Count(text, "many"))
	require.Less(t, after-before, 50, "what is held is bounded, and is more than a line")
}
