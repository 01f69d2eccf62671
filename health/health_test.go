package health

import (
	"encoding/json"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// answers are the statuses of the three pages.
func answers(w *Watch) (live, ready, full int, r Report) {
	one, two, three := httptest.NewRecorder(), httptest.NewRecorder(), httptest.NewRecorder()
	w.Live(one, nil)
	w.Ready(two, nil)
	w.Full(three, nil)
	if err := json.Unmarshal(three.Body.Bytes(), &r); err != nil {
		panic(err)
	}
	return one.Code, two.Code, three.Code, r
}

// TestLevels: each level has its answers, a reason keeps its beginning for as
// long as it lasts, and the status has the beginning of the worst.
func TestLevels(t *testing.T) {
	var level atomic.Int32
	w := New("n", zerolog.Nop(), Check{"always", func() (Level, string) { return OK, "" }}, Check{"thing", func() (Level, string) { return Level(level.Load()), "why" }})
	for _, c := range []struct {
		level             Level
		live, ready, full int
	}{{OK, 200, 200, 200}, {Degraded, 200, 200, 200}, {Down, 200, 503, 503}, {Stuck, 503, 503, 503}, {OK, 200, 200, 200}} {
		level.Store(int32(c.level))
		w.look(time.Now())
		live, ready, full, r := answers(w)
		require.Equal(t, []int{c.live, c.ready, c.full}, []int{live, ready, full}, c.level)
		require.Equal(t, c.level, r.Status)
		require.Equal(t, []string{"always", "thing"}, r.Checks)
		if c.level == OK {
			require.Empty(t, r.Reasons)
			continue
		}
		require.Len(t, r.Reasons, 1)
		require.Equal(t, Reason{"thing", c.level, "why", r.Since}, r.Reasons[0])
		w.look(time.Now().Add(time.Minute))
		_, _, _, again := answers(w)
		require.Equal(t, r.Since, again.Since)
		require.Equal(t, r.Reasons[0].Since, again.Reasons[0].Since)
	}
}

// TestNobodyLooks: a watch that stands is itself the reason.
func TestNobodyLooks(t *testing.T) {
	w := New("n", zerolog.Nop())
	long := time.Now().Add(-2 * still)
	w.turned.Store(&long)
	live, ready, _, r := answers(w)
	require.Equal(t, []int{503, 503}, []int{live, ready})
	require.Equal(t, "checks", r.Reasons[0].Check)
}

// TestPulse: what does not answer is told of once its time is over, and is
// asked by nobody else meanwhile.
func TestPulse(t *testing.T) {
	var asked atomic.Int32
	free := make(chan struct{})
	p := NewPulse(30*time.Millisecond, func() { asked.Add(1); <-free })
	_, still := p.Still()
	require.False(t, still)
	require.Eventually(t, func() bool { _, still := p.Still(); return still }, 10*time.Second, time.Millisecond)
	require.EqualValues(t, 1, asked.Load())
	close(free)
	require.Eventually(t, func() bool { _, still := p.Still(); return !still && asked.Load() > 1 }, 10*time.Second, time.Millisecond)
}
