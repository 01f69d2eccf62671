package record

import (
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// locks are the files that a Writer has locked. The zero one has none.
type locks struct {
	mu  sync.Mutex
	all map[*os.File]struct{}
}

// lock marks a file as one that a living process writes. On a disk without locks
// there had better be one node.
func (l *locks) lock(f *os.File) {
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[*os.File]struct{}{}
	}
	l.all[f] = struct{}{}
}

// closes notes that a file is about to be closed, which unlocks it.
func (l *locks) closes(f *os.File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, f)
}

// unlock leaves all files to Repair.
func (l *locks) unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for f := range l.all {
		_ = unix.Flock(int(f.Fd()), unix.LOCK_UN)
	}
	l.all = nil
}

// written tells whether a living process has a file locked, a stopped one too.
func written(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}
