package record

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Pieces gather while the queue rests, and who waits for his recording does not wait for that.
func TestQueueRests(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "a"))
	require.NoError(t, err)
	defer f.Close()
	to := &file{f: f, channels: 1}
	q := newQueue(10_000)
	q.pause = time.Hour
	ended := make(chan struct{})
	go func() { q.serve(); close(ended) }()
	n := 0
	eventually(t, "pieces gather", func() bool {
		n++
		q.jobs <- job{file: to, piece: pieces[0].take()}
		time.Sleep(5 * time.Millisecond)
		return len(q.jobs) > 0
	})
	done := make(chan struct{})
	require.NoError(t, new(Writer).put(q, job{file: to, done: done}))
	eventually(t, "it is written", func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
	require.Equal(t, int64(n*pieceFrames), to.frames)
	close(q.jobs)
	q.rouse()
	<-ended
}
