package record

import "time"

// job is one thing to do with a file: write a piece, write silence, or both.
type job struct {
	file    *file
	silence int64 // frames before the piece
	piece   []byte
	done    chan<- struct{} // not nil: this is the last job, and piece stays the recording's
}

// queue is what one goroutine has to write.
type queue struct {
	jobs  chan job
	hurry chan struct{} // has room for one; somebody waits
	pause time.Duration // how long pieces gather before they are written
}

func newQueue(backlog int) *queue {
	return &queue{jobs: make(chan job, backlog), hurry: make(chan struct{}, 1), pause: pause}
}

// To wake a thread for each piece costs more than to write it; so many come at once of
// 1,000 calls as take half a millisecond.
const pause = 20 * time.Millisecond

// serve does the jobs of a queue until that is closed.
func (q *queue) serve() {
	rest := time.NewTimer(pause)
	defer rest.Stop()
	for j := range q.jobs {
		j.file.silence(j.silence)
		j.file.write(j.piece)
		if j.done != nil {
			close(j.done)
		} else {
			pieces[j.file.channels-1].back(j.piece)
		}
		if len(q.jobs) == 0 {
			q.gather(rest)
		}
	}
}

// gather lets pieces gather, unless somebody waits for what is written.
func (q *queue) gather(rest *time.Timer) {
	rest.Reset(q.pause)
	select {
	case <-q.hurry:
	case <-rest.C:
	}
}

// rouse ends a rest.
func (q *queue) rouse() {
	select {
	case q.hurry <- struct{}{}:
	default:
	}
}
