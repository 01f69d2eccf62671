package wire

import (
	"sync"
	"time"
)

// step is how late a transaction's timer may be. Nearly all of them are stopped
// before they are due: set each by itself, they would have the poller woken for
// nothing several times a call.
const step = 50 * time.Millisecond

// wheel has the timers of all transactions, by the step in which they are due.
// It turns while there are any.
type wheel struct {
	mu     sync.Mutex
	began  time.Time
	at     int64        // the last step that was looked at
	slots  [1024]*alarm // of alarms due in this step, or whole turns later
	alarms int
	turns  *time.Timer // nil: it has never turned
	still  bool
}

// alarm is the timer of one transaction.
type alarm struct {
	owner      interface{ due() } // called when it is due, in the wheel's goroutine
	at         int64
	next, prev *alarm
	set        bool
}

func (w *wheel) slot(at int64) **alarm { return &w.slots[at%int64(len(w.slots))] }

// set has an alarm go off after d, or up to a step later.
func (w *wheel) set(a *alarm, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(a)
	now := time.Now()
	if w.turns == nil {
		w.began, w.still = now, true
		w.turns = time.AfterFunc(time.Hour, w.turn)
	}
	passed := now.Sub(w.began)
	if w.still {
		w.still, w.at = false, int64(passed/step)
		w.turns.Reset(step)
	}
	a.at = int64((passed + d + step - 1) / step)
	first := w.slot(a.at)
	if a.next = *first; a.next != nil {
		a.next.prev = a
	}
	*first, a.set = a, true
	w.alarms++
}

// stop has an alarm go off no more, unless it does so just now.
func (w *wheel) stop(a *alarm) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlink(a)
}

func (w *wheel) unlink(a *alarm) {
	if !a.set {
		return
	}
	if a.prev == nil {
		*w.slot(a.at) = a.next
	} else {
		a.prev.next = a.next
	}
	if a.next != nil {
		a.next.prev = a.prev
	}
	a.next, a.prev, a.set = nil, nil, false
	w.alarms--
}

func (w *wheel) turn() {
	for _, a := range w.off() {
		a.owner.due()
	}
}

// off takes out what is due.
func (w *wheel) off() (all []*alarm) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := int64(time.Since(w.began) / step)
	for at := max(w.at+1, now-int64(len(w.slots))+1); at <= now; at++ {
		for a := *w.slot(at); a != nil; {
			next := a.next
			if a.at <= now {
				w.unlink(a)
				all = append(all, a)
			}
			a = next
		}
	}
	w.at = now
	if w.still = w.alarms == 0; !w.still {
		w.turns.Reset(step)
	}
	return all
}

// close ends the turning: nothing is due any more.
func (w *wheel) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.turns != nil {
		w.turns.Stop()
	}
}
