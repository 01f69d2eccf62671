package sms

import (
	"context"
	"sync"
	"time"
)

// Run sends what is due over the carriers, the first that reaches a number
// before the others, until ctx ends. Then no more is begun; sends under way get
// a moment, and what is not done is given back to the store. It is called once.
func (o *Office) Run(ctx context.Context, carriers []Carrier) {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	w := &worker{
		Office: o, stopped: ctx, sending: sending, carriers: carriers,
		gates: newGates(), ended: make(chan string, 64), busy: map[string]int{},
	}
	w.loop()
	grace := time.AfterFunc(o.cfg.Grace, stop)
	defer grace.Stop()
	w.tries.Wait()
}

// The texts that are worked on at once: in all, and of one app. Of half of
// mostTries on, apps have few each, so that some busy ones leave room for all.
const (
	mostTries  = 512
	mostOfApp  = 128
	fewOfApp   = 8
	mostWanted = 128 // that one round takes
)

// worker is an office at work.
type worker struct {
	*Office
	stopped  context.Context // ended: nothing is begun any more
	sending  context.Context // ended: what is under way is given up
	carriers []Carrier
	gates    *gates
	tries    sync.WaitGroup
	ended    chan string // the app of a text that is not worked on any more

	// The loop's own.
	busy  map[string]int // texts that are worked on, by app
	all   int
	left  int       // what this round may still take
	down  bool      // the store was, when it was last asked
	swept time.Time // when old twins were forgotten
}

// gap keeps rounds apart under load: what comes in between goes together.
const gap = 10 * time.Millisecond

func (w *worker) loop() {
	poll := time.NewTicker(w.cfg.Poll)
	defer poll.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	resting, wanted := true, true // a round is due once the pause is over
	for {
		if wanted && !resting {
			wanted = w.round()
			resting = true
			pause.Reset(gap)
		}
		select {
		case <-w.stopped.Done():
			return
		case <-w.wake:
			wanted = true
		case <-poll.C:
			wanted = true
			w.sweep()
		case <-pause.C:
			resting = false
		case app := <-w.ended:
			w.leave(app)
			wanted = true
		}
	}
}

// round takes what is due and begins to work on it. more tells that another
// round may find something at once.
func (w *worker) round() (more bool) {
	if w.cfg.Rests() {
		return false
	}
	now := w.cfg.Now()
	w.left = min(mostTries-w.all, mostWanted)
	taken, more, err := w.cfg.Store.ClaimTexts(w.stopped, now, now.Add(w.cfg.Lease), w.room)
	if err != nil && w.stopped.Err() == nil && !w.down {
		w.cfg.Log.Error().Err(err).Msg("it cannot be read which texts are due: none is sent until it can")
	}
	w.down = err != nil
	for i := range taken {
		t := &taken[i]
		w.busy[t.App]++
		w.all++
		w.tries.Go(func() {
			w.work(t)
			select {
			case w.ended <- t.App:
			case <-w.stopped.Done():
			}
		})
	}
	return more && err == nil
}

// room is how many texts of an app this round may take.
func (w *worker) room(app string) int {
	most := mostOfApp
	if w.all > mostTries/2 {
		most = fewOfApp
	}
	n := max(0, min(most-w.busy[app], w.left))
	w.left -= n
	return n
}

func (w *worker) leave(app string) {
	w.all--
	if w.busy[app]--; w.busy[app] == 0 {
		delete(w.busy, app)
	}
}

// sweep forgets old twins and failures now and then.
func (w *worker) sweep() {
	const pause, most = time.Minute, 10_000
	now := w.cfg.Now()
	if now.Sub(w.swept) < pause {
		return
	}
	w.swept = now
	w.gates.forget(time.Now().Add(-pause))
	n, err := w.cfg.Store.ForgetTwins(w.stopped, now.Add(-twinFor), most)
	switch {
	case err != nil && w.stopped.Err() == nil:
		w.cfg.Log.Warn().Err(err).Msg("old marks of texts are not forgotten")
	case n == most: // there are more
		w.swept = time.Time{}
	}
}
