package sip

import (
	"sync"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/wire"
)

// inboxSize bounds what peers can make a call keep; who fills it gets 503.
const inboxSize = 64

// hangUps is how many CANCELs and BYEs of each leg are kept beside that: there is
// one of each phone that its INVITE made ring, and who hung up does not say so
// again.
const hangUps = maxBranches

// what names an input of a call.
type what uint8

const (
	inRequest  what = iota // a request inside the dialog
	inCancel               // the caller gave up, or took a re-INVITE back
	inAck                  // the ACK of our 2xx
	inResponse             // a response to the callee leg's INVITE
	inFailed               // that INVITE had no answer or could not be sent
	inStray                // a 2xx outside its transaction
	inOutcome              // a request of ours in a dialog was answered, or will not be
	inAlarm                // a time has come
	inVerdict              // the app's server was asked
)

// input is one message for a call. The readers of the sockets post it; the
// call's goroutine takes it.
type input struct {
	what what
	leg  *leg
	tx   *wire.ServerTx
	req  *sip.Request
	res  *sip.Response
	err  error
	sent *sent // inOutcome: which

	alarm *alarm // inAlarm: which, and the turn that it was set for
	turn  int

	verdict *verdict
}

// inbox holds the messages for one call in their order. Whoever posts is never
// held up.
type inbox struct {
	mu    sync.Mutex
	items []input // from first on; their room is used again
	first int
	over  bool
	wake  chan struct{} // has room for one; there is something
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// posted is what became of an input.
type posted int

const (
	taken posted = iota
	full         // too much waits already
	over         // the call has ended
)

// post hands in what a peer sent. That it hung up finds room when nothing else does.
func (q *inbox) post(in input) posted { return q.put(in, inboxSize) }

// owe hands in what the call waits for: there is one for each thing that it
// began itself.
func (q *inbox) owe(in input) { q.put(in, 1<<30) }

func (q *inbox) put(in input, limit int) posted {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.over:
		return over
	case len(q.items)-q.first >= limit && !(in.hangsUp() && q.hungUp(in.leg) < hangUps):
		return full
	}
	if q.first > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.first:])
		clear(q.items[n:])
		q.items, q.first = q.items[:n], 0
	}
	q.items = append(q.items, in)
	q.rouse()
	return taken
}

// hangsUp tells whether an input is the end of its leg.
func (in *input) hangsUp() bool {
	return in.what == inCancel || in.what == inRequest && in.tx.Request.Method == sip.BYE
}

// hungUp counts the ends of a leg that wait.
func (q *inbox) hungUp(l *leg) (n int) {
	for i := q.first; i < len(q.items); i++ {
		if q.items[i].leg == l && q.items[i].hangsUp() {
			n++
		}
	}
	return n
}

func (q *inbox) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// next takes the oldest input; while there are more, wake says so again.
func (q *inbox) next() (input, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return input{}, false
	}
	in := q.items[q.first]
	q.items[q.first] = input{}
	if q.first++; q.first < len(q.items) {
		q.rouse()
	} else {
		q.items, q.first = q.items[:0], 0
	}
	return in, true
}

// close refuses what comes from now on, and returns what nobody took.
func (q *inbox) close() []input {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	rest := q.items[q.first:]
	q.items, q.first = nil, 0
	return rest
}
