package archive

import (
	"errors"
	"io"
	"sync"
	"time"
)

// ownFailure is that of a file itself, as it lies in the directory: others can
// be brought.
type ownFailure struct{ error }

func (f ownFailure) Unwrap() error { return f.error }

// read is a file that is brought: what fails to be read of it is not the store's fault.
type read struct {
	Content
	mu  sync.Mutex
	err error
}

func (r *read) Read(p []byte) (int, error) {
	n, err := r.Content.Read(p)
	return n, r.note(err)
}

func (r *read) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.Content.ReadAt(p, at)
	return n, r.note(err)
}

func (r *read) note(err error) error {
	if err != nil && !errors.Is(err, io.EOF) {
		r.mu.Lock()
		r.err = err
		r.mu.Unlock()
	}
	return err
}

func (r *read) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// unread are the files that could not be brought by their own fault. Each is tried
// again after a while that doubles.
type unread struct {
	first time.Duration // of these whiles

	mu    sync.Mutex
	files map[string]trouble
	round int
	fresh int    // that failed since they were asked for
	why   string // of one of them
}

type trouble struct {
	why   string
	tries int
	again time.Time
	round int // in which it was there last
}

func (u *unread) roundBegins() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.round++
}

// roundEnds forgets files that the round, which went through all, has not met.
func (u *unread) roundEnds() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for name, t := range u.files {
		if t.round != u.round {
			delete(u.files, name)
		}
	}
}

// rests tells whether a file is not to be tried yet.
func (u *unread) rests(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	t, is := u.files[name]
	if !is {
		return false
	}
	t.round = u.round
	u.files[name] = t
	return time.Now().Before(t.again)
}

func (u *unread) failed(name string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t := u.files[name]
	t.tries++
	t.why, t.round, t.again = err.Error(), u.round, time.Now().Add(pauseAfter(u.first, t.tries))
	u.files[name] = t
	u.fresh, u.why = u.fresh+1, t.why
}

func (u *unread) well(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.files, name)
}

// news tells how many have failed since it was asked last, and why one did.
func (u *unread) news() (files int, why string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	files, why = u.fresh, u.why
	u.fresh, u.why = 0, ""
	return files, why
}

// state tells how many there are, and why one cannot be read.
func (u *unread) state() (files int, why string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, t := range u.files {
		why = t.why
		break
	}
	return len(u.files), why
}
