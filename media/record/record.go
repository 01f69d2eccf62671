// Package record writes the recordings of calls: A-law WAV files of 8 kHz, the
// two legs mixed, or one in each channel.
//
// A [Recording] is fed by the media worker of its call. It lays each leg out by
// its RTP time and anchors it to the other by arrival, since their clocks have
// nothing to do with each other; what was lost is silence. Finished pieces go
// to the goroutines of a [Writer]: nothing here ever waits for the disk, and
// where the disk lags behind, the recording has a silent piece instead.
//
// A file grows under its name with ".part" behind it and gets its name when it
// is complete. [Repair] completes those that a crash has left; a crash costs the
// 1.5 s at most that no piece was full of yet, 3.6 s where the file is encrypted.
// Another process may go on with a recording (Options.Begun), in a further part.
package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"axgate/vault"
)

// WriterOptions are those of a Writer; zero values mean the defaults.
type WriterOptions struct {
	Workers int // goroutines that write; 2
	Backlog int // pieces, of half a second, that may wait for each of them; 4,096
	// Sync: when Close returns the file and its name are on the disk for good
	// (fsync of both). Without it a power failure, but no crash of the process,
	// may cost the files of the last half minute. Pieces are never synced one by one.
	Sync bool
	// Ring encrypts the files as they are written; nil: they are as they are.
	Ring *vault.Ring
}

// Writer writes the files of many recordings.
type Writer struct {
	sync    bool
	ring    *vault.Ring
	queues  []*queue
	next    atomic.Uint32
	workers sync.WaitGroup
	// finishing bounds the threads that wait for fsync. It is done by those who
	// close a recording, so that one disk wait serves many and no piece waits behind it.
	finishing   chan struct{}
	directories *directories
	locked      locks

	open atomic.Int64 // recordings

	mu     sync.RWMutex // between those who queue and Close
	closed bool
}

// ErrClosed tells that the Writer was closed.
var ErrClosed = errors.New("the writer of recordings is closed")

// mostFinishing is how many recordings may be finished at once.
const mostFinishing = 64

// partSuffix marks a file that is not complete.
const partSuffix = ".part"

// Open starts a Writer.
func Open(o WriterOptions) *Writer {
	if o.Workers <= 0 {
		o.Workers = 2
	}
	if o.Backlog <= 0 {
		o.Backlog = 4096
	}
	w := &Writer{sync: o.Sync, ring: o.Ring, finishing: make(chan struct{}, mostFinishing), directories: newDirectories()}
	for range o.Workers {
		q := newQueue(o.Backlog)
		w.queues = append(w.queues, q)
		w.workers.Go(q.serve)
	}
	return w
}

// Close ends the writing goroutines after all that is queued was written.
// Recordings that are still open stay as they are, for Repair.
func (w *Writer) Close() error {
	w.mu.Lock()
	already := w.closed
	w.closed = true
	w.mu.Unlock()
	if already {
		return nil
	}
	for _, q := range w.queues {
		close(q.jobs)
		q.rouse()
	}
	w.workers.Wait()
	w.locked.unlock()
	return nil
}

// Options are those of one recording.
type Options struct {
	Dir, Name string        // the file; Name has no directory
	Talk      time.Time     // when the talk began, for MinTalk; zero: now
	Stereo    bool          // the caller in the left channel, the callee in the right one
	MinTalk   time.Duration // a shorter talk leaves no file
	// Begun is when its first sample was, if another process began it: what is
	// recorded now is a further part, and Close joins all of them. Zero: it begins now.
	Begun time.Time
}

// Create begins a recording at this instant. The directory is made if it is
// not there. A file of that name must not exist.
func (w *Writer) Create(o Options) (*Recording, error) {
	if o.Name == "" || o.Name != filepath.Base(o.Name) || strings.HasPrefix(o.Name, ".") || strings.HasSuffix(o.Name, partSuffix) {
		return nil, fmt.Errorf("begin a recording: %q is not the name of a file", o.Name)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("begin a recording: %w", err)
	}
	path, now := filepath.Join(o.Dir, o.Name), time.Now()
	var f *os.File
	var err error
	if !o.Begun.IsZero() {
		f, err = createFurther(path, now.Sub(o.Begun))
	} else if _, err = os.Lstat(path); err == nil {
		return nil, fmt.Errorf("begin a recording: %s exists already", path)
	} else {
		f, err = os.OpenFile(path+partSuffix, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("begin a recording: %w", err)
	}
	w.locked.lock(f)
	r := &Recording{writer: w, queue: w.queues[w.next.Add(1)%uint32(len(w.queues))], talk: o.Talk, minTalk: o.MinTalk, start: now, begun: o.Begun,
		channels: 1, file: &file{f: f, path: path, sync: w.sync, ring: w.ring, further: !o.Begun.IsZero()}}
	if o.Stereo {
		r.channels = 2
	}
	if r.talk.IsZero() {
		r.talk = r.start
	}
	if err := r.file.begin(r.channels); err != nil {
		return nil, fmt.Errorf("begin a recording: %w", errors.Join(err, f.Close(), os.Remove(f.Name())))
	}
	r.buf = buffers[r.channels-1].take()
	hush(r.buf)
	w.open.Add(1)
	return r, nil
}

// Recordings is how many are open.
func (w *Writer) Recordings() int { return int(w.open.Load()) }

// Pieces is how many pieces, of half a second, wait for the disk.
func (w *Writer) Pieces() (n int) {
	for _, q := range w.queues {
		n += len(q.jobs)
	}
	return n
}

// offer queues a job without ever waiting for room.
func (w *Writer) offer(q *queue, j job) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return false
	}
	select {
	case q.jobs <- j:
		return true
	default:
		return false
	}
}

// put queues a job as soon as there is room, and has it done at once.
func (w *Writer) put(q *queue, j job) error {
	for !w.offer(q, j) {
		w.mu.RLock()
		closed := w.closed
		w.mu.RUnlock()
		if closed {
			return ErrClosed
		}
		q.rouse()
		time.Sleep(time.Millisecond)
	}
	q.rouse()
	return nil
}

// Result is what became of a recording.
type Result struct {
	Path     string        // empty: the talk was too short, there is no file
	Start    time.Time     // of the first sample
	Duration time.Duration // of the file
	Bytes    int64         // of the file
	Lost     time.Duration // silent because the disk was too slow
	Parts    int           // that it was joined of; 0: it is of one piece
	Gap      time.Duration // silent between those
	Missing  time.Duration // of its beginning, whose part is not in the directory
}
