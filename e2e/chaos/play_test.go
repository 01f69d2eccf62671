//go:build e2e

package chaos

import (
	"context"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A fault is something that breaks, for a while.
type fault struct {
	name  string
	begin func(w *world) error
	lasts time.Duration
	mend  func(w *world) error // nil: it mends itself
	heals bool                 // it mends itself: seconds to normal count from its beginning

	node       int           // that it is about
	clockAhead time.Duration // of that node
	excuses    func(*played, *call) bool
	cuts       bool // its calls are cut off: they are billed for no longer than they talked
	repeats    bool // what the customer hears about its time may be told again
	remark     string
}

// played is a fault that was played.
type played struct {
	fault
	from, mended time.Time
}

// play plays faults one after the other while everything goes on, and judges.
func (w *world) play(faults ...fault) {
	w.t.Helper()
	w.calm(2)
	var all []*played
	for _, f := range faults {
		p := &played{fault: f, from: time.Now()}
		all = append(all, p)
		w.t.Logf("%s: %s begins", p.from.Format("15:04:05.000"), f.name)
		require.NoError(w.t, f.begin(w), f.name)
		time.Sleep(f.lasts)
		if f.mend != nil {
			require.NoError(w.t, f.mend(w), f.name)
		}
		p.mended = time.Now()
		w.t.Logf("%s: %s is over", p.mended.Format("15:04:05.000"), f.name)
		w.calm(3)
		time.Sleep(time.Until(p.from.Add(w.pace)))
	}
	w.finish(all)
}

// finish ends the traffic and judges all that was played.
func (w *world) finish(all []*played) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	w.stopTraffic(ctx)
	w.t.Logf("%s: no more calls", time.Now().Format("15:04:05.000"))
	w.clerks.end()
	w.clerks.lookBack(ctx)
	w.t.Logf("%s: the traffic has ended", time.Now().Format("15:04:05.000"))
	w.judge(all)
	ctx, cancel = context.WithTimeout(context.Background(), time.Minute) // the last pushes may have taken all of the first
	defer cancel()
	for _, n := range w.nodes {
		text, err := n.Run(ctx, "doctor")
		assert.NoError(w.t, err, "the doctor says: %s", text)
	}
}

// calm waits until customers have done so many rounds that began after now, without
// a word of refusal.
func (w *world) calm(rounds int) {
	w.t.Helper()
	begun := time.Now()
	require.Eventually(w.t, func() bool {
		w.clerks.mu.Lock()
		defer w.clerks.mu.Unlock()
		n, from := 0, begun
		for _, r := range w.clerks.refused {
			if end := r.at.Add(r.took); end.After(from) {
				from = end
			}
		}
		for _, at := range w.clerks.rounds {
			if at.After(from) {
				n++
			}
		}
		return n >= rounds
	}, 3*patience, 50*time.Millisecond, "customers cannot work")
}
