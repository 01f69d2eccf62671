package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// State is how a journal is at this moment.
type State struct {
	Queued  int           // writes that wait for the disk
	Behind  int64         // bytes on the disk that the ledger does not have
	Oldest  time.Duration // how long the oldest of those wait, or longer; 0: nothing does
	Written uint64        // entries that were put on the disk since the start
	Carried uint64        // entries that were carried since the start, those of an earlier process too
	Refused uint64        // entries that the ledger refused since the start
	Kept    int64         // bytes of the file of refused entries, of earlier processes too; 0: there is none
	Full    error         // why no call may begin; nil: it may
}

// State looks at the journal.
func (j *Journal) State() State {
	s := j.carrier.state()
	s.Queued, s.Full = j.queue.len(), j.log.shortNow()
	s.Written = j.written.Load()
	info, err := os.Stat(filepath.Join(j.cfg.Dir, refusedFile))
	if err == nil {
		s.Kept = info.Size()
	} else if !errors.Is(err, fs.ErrNotExist) {
		s.Full = errors.Join(s.Full, err) // the disk does not answer
	}
	return s
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.writes)
}

// shortNow is why there is no room; unlike room it looks for none.
func (a *appender) shortNow() error {
	if s := a.short.Load(); s != nil {
		return s.err
	}
	return nil
}

func (c *carrier) state() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := State{Carried: c.count, Refused: c.refused.Load(), Behind: bytesBetween(c.carried, c.until)}
	if s.Behind > 0 && !c.since.IsZero() {
		s.Oldest = time.Since(c.since)
	}
	return s
}

// bytesBetween counts the bytes of segments from one place to a later one.
func bytesBetween(from, to position) int64 {
	if !from.before(to) {
		return 0
	}
	if from.segment == 0 { // nothing was carried ever: the first segment is 1
		from = position{segment: 1}
	}
	return int64(to.segment-from.segment)*segmentSize + to.offset - from.offset
}
