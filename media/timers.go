package media

// timerKind says what a timer is for.
type timerKind uint8

const (
	tickTimer   timerKind = iota // the next frame that a leg makes itself
	reportTimer                  // the next RTCP report
	idleTimer                    // the peer may be gone
)

// timer is one deadline of a leg. It lives inside the leg; a heap of pointers costs no allocation when it is set.
type timer struct {
	leg  *leg
	kind timerKind
	when int64
	at   int // place in the heap plus one; 0: not set
}

// timers is a binary heap by deadline, owned by one worker.
type timers struct{ heap []*timer }

// set arms t for when, or moves it there.
func (h *timers) set(t *timer, when int64) {
	t.when = when
	if t.at == 0 {
		h.heap = append(h.heap, t)
		t.at = len(h.heap)
	}
	h.up(t.at - 1)
	h.down(t.at - 1)
}

// stop disarms t.
func (h *timers) stop(t *timer) {
	if t.at == 0 {
		return
	}
	i, last := t.at-1, len(h.heap)-1
	moved := h.heap[last]
	h.put(i, moved)
	h.heap[last] = nil
	h.heap = h.heap[:last]
	t.at = 0
	if i < last {
		h.up(i)
		h.down(moved.at - 1)
	}
}

// next is the earliest deadline.
func (h *timers) next() (int64, bool) {
	if len(h.heap) == 0 {
		return 0, false
	}
	return h.heap[0].when, true
}

// due takes out the earliest timer if its deadline has come.
func (h *timers) due(now int64) *timer {
	if len(h.heap) == 0 || h.heap[0].when > now {
		return nil
	}
	t := h.heap[0]
	h.stop(t)
	return t
}

func (h *timers) put(i int, t *timer) { h.heap[i], t.at = t, i+1 }

func (h *timers) up(i int) {
	t := h.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if h.heap[parent].when <= t.when {
			break
		}
		h.put(i, h.heap[parent])
		i = parent
	}
	h.put(i, t)
}

func (h *timers) down(i int) {
	t := h.heap[i]
	for {
		child := 2*i + 1
		if child >= len(h.heap) {
			break
		}
		if right := child + 1; right < len(h.heap) && h.heap[right].when < h.heap[child].when {
			child = right
		}
		if h.heap[child].when >= t.when {
			break
		}
		h.put(i, h.heap[child])
		i = child
	}
	h.put(i, t)
}
