package record

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// directories are to know for good what files they hold. A sync costs some 100 µs of CPU and
// wakes several threads, so that in a crowd one is for many.
type directories struct {
	sync func(dir string) error

	mu   sync.Mutex
	next map[string]*naming // by directory; who comes now is served by it
	last time.Time          // when the last one began
}

// naming is a sync that is to begin.
type naming struct {
	done chan struct{}
	err  error
}

// company is how long a sync waits for others, from the beginning of the last one on.
const company = 50 * time.Millisecond

func newDirectories() *directories { return &directories{sync: syncDir, next: map[string]*naming{}} }

// keep returns when a directory knows for good what it holds now.
func (d *directories) keep(dir string) error {
	d.mu.Lock()
	one, found := d.next[dir]
	if !found {
		one = &naming{done: make(chan struct{})}
		d.next[dir] = one
	}
	wait := company - time.Since(d.last)
	d.mu.Unlock()
	if found {
		<-one.done
		return one.err
	}
	if wait > 0 {
		time.Sleep(wait)
	}
	d.mu.Lock()
	delete(d.next, dir)
	d.last = time.Now()
	d.mu.Unlock()
	if err := d.sync(dir); err != nil {
		one.err = fmt.Errorf("have %s know the names of its recordings: %w", dir, err)
	}
	close(one.done)
	return one.err
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
