package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// appender is the end of the log. The writer alone appends; spare segments
// stand by, so that what calls owe when they end has its room before they
// begin.
type appender struct {
	dir   string
	size  int64 // bytes of all segments
	log   zerolog.Logger
	ended chan struct{} // the writer has

	// The writer's own.
	file *os.File // nil: the next write begins a segment
	at   position // of the next entry
	buf  []byte

	synced atomic.Pointer[position]
	oldest atomic.Uint64 // segment that is not wholly carried

	making sync.Mutex // held by whoever makes spare segments
	short  atomic.Pointer[shortage]
	spares sync.WaitGroup

	closing sync.Mutex // held where spares are begun by others than the writer
	closed  bool
}

// shortage is why no more can be written than what is owed.
type shortage struct {
	err  error
	till time.Time // when it is tried again
}

// openAppender takes away what is carried and goes on in a new segment: behind
// the last entry of an older one there may be leftovers.
func openAppender(cfg *Config, carried position) (*appender, error) {
	a := &appender{dir: cfg.Dir, size: cfg.Size, log: cfg.Log, ended: make(chan struct{})}
	list, err := segments(cfg.Dir)
	if err != nil {
		return nil, err
	}
	last, oldest := carried.segment, uint64(0)
	for _, n := range list {
		if n < carried.segment {
			if err := retire(cfg.Dir, n); err != nil {
				return nil, err
			}
			continue
		}
		if oldest == 0 {
			oldest = n
		}
		last = n
	}
	a.at = position{segment: last + 1}
	if oldest == 0 {
		oldest = a.at.segment
	}
	a.oldest.Store(oldest)
	at := a.at
	a.synced.Store(&at)
	a.makeSpare() // without room a node comes up all the same: what it carries makes some
	return a, nil
}

// end is behind the last entry that is on the disk.
func (a *appender) end() position { return *a.synced.Load() }

// room tells whether a call may begin.
func (a *appender) room() error {
	s := a.short.Load()
	if s == nil {
		return nil
	}
	if time.Now().After(s.till) && a.short.CompareAndSwap(s, &shortage{s.err, time.Now().Add(time.Second)}) {
		a.closing.Lock()
		if !a.closed {
			a.spares.Go(a.makeSpare)
		}
		a.closing.Unlock()
	}
	return fmt.Errorf("%w: %w", ErrFull, s.err)
}

// append puts entries on the disk together and tells where each of them ends.
func (a *appender) append(batch []*write) ([]position, error) {
	ends := make([]position, 0, len(batch))
	for len(batch) > 0 {
		n, err := a.appendSome(batch, &ends)
		if err != nil {
			return nil, err
		}
		batch = batch[n:]
	}
	at := a.at
	a.synced.Store(&at)
	return ends, nil
}

// appendSome appends as many as the segment has room for. A segment that could
// not be written to is not written to again.
func (a *appender) appendSome(batch []*write, ends *[]position) (int, error) {
	if a.file != nil && a.at.offset+headSize+int64(len(batch[0].text)) > segmentSize {
		if err := a.leave(); err != nil {
			return 0, err
		}
	}
	if a.file == nil {
		if err := a.enter(); err != nil {
			return 0, err
		}
	}
	a.buf = a.buf[:0]
	n := 0
	for ; n < len(batch); n++ {
		if a.at.offset+int64(len(a.buf)+headSize+len(batch[n].text)) > segmentSize {
			break
		}
		a.buf = seal(a.buf, a.at.segment, batch[n].text)
		*ends = append(*ends, position{a.at.segment, a.at.offset + int64(len(a.buf))})
	}
	if err := put(a.file, a.buf, a.at.offset); err != nil {
		at := a.at
		err = errors.Join(err, a.leave())
		if at.offset == 0 { // there is no entry in it: a disk that takes none does not fill up
			err = errors.Join(err, os.Remove(segmentPath(a.dir, at.segment)))
		}
		return 0, err
	}
	a.at.offset += int64(len(a.buf))
	if cap(a.buf) > mostText {
		a.buf = nil
	}
	return n, nil
}

// enter begins the segment that is next.
func (a *appender) enter() error {
	f, err := begin(a.dir, a.at.segment)
	if errors.Is(err, fs.ErrNotExist) { // the spare is still being made
		a.makeSpare()
		f, err = begin(a.dir, a.at.segment)
	}
	if err != nil {
		return err
	}
	a.file = f
	a.spares.Go(a.makeSpare)
	return nil
}

// leave ends a segment.
func (a *appender) leave() error {
	f := a.file
	a.file, a.at = nil, position{segment: a.at.segment + 1}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close a segment of the journal: %w", err)
	}
	return nil
}

// makeSpare sees to it that spare segments stand by, or notes why not.
func (a *appender) makeSpare() {
	a.making.Lock()
	defer a.making.Unlock()
	err := errors.Join(prepare(a.dir), a.fits())
	before := a.short.Load()
	switch {
	case err == nil:
		if a.short.Store(nil); before != nil {
			a.log.Info().Msg("the journal has room again: calls are taken")
		}
	default:
		if a.short.Store(&shortage{err, time.Now().Add(time.Second)}); before == nil {
			a.log.Error().Err(err).Msg("the journal has no room for more: new calls are refused")
		}
	}
}

// fits tells whether one more segment is within the bound.
func (a *appender) fits() error {
	waiting := int64(a.end().segment-a.oldest.Load()+1) * segmentSize
	if waiting+segmentSize > a.size {
		return fmt.Errorf("%d MiB wait for the ledger, as much as may", waiting>>20)
	}
	return nil
}

// carriedTo takes away segments that are wholly carried.
func (a *appender) carriedTo(p position) error {
	a.making.Lock()
	defer a.making.Unlock()
	for n := a.oldest.Load(); n < p.segment; n++ {
		if err := retire(a.dir, n); err != nil {
			return err
		}
		a.oldest.Store(n + 1)
	}
	return nil
}

// close ends the segment that is written to; the writer has ended.
func (a *appender) close() error {
	a.closing.Lock()
	a.closed = true
	a.closing.Unlock()
	a.spares.Wait()
	if a.file == nil {
		return nil
	}
	return a.leave()
}
