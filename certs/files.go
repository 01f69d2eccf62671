package certs

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// pace is how long files are believed before they are looked at again.
const pace = time.Second

// files is what one or two files say.
type files[T any] struct {
	what, use string
	paths     []string
	load      func() (value *T, until time.Time, err error)
	log       zerolog.Logger

	mu      sync.Mutex
	current *T
	read    stamp // of what is current, or could not be read
	looked  time.Time
}

// stamp tells two states of the files apart.
type stamp [2]struct {
	at   time.Time
	size int64
}

// open reads the files for the first time.
func (f *files[T]) open() error {
	f.looked = time.Now()
	var err error
	if f.read, err = f.stamp(); err == nil {
		f.current, _, err = f.load()
	}
	if err != nil {
		return fmt.Errorf("read the %s for %s: %w", f.what, f.use, err)
	}
	return nil
}

// get is what they say now, or said when they could be read last.
func (f *files[T]) get() *T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) < pace {
		return f.current
	}
	f.looked = time.Now()
	now, err := f.stamp()
	if err != nil { // one of the files is being replaced
		f.log.Debug().Err(err).Msgf("look at the %s for %s", f.what, f.use)
		return f.current
	}
	if now == f.read {
		return f.current
	}
	f.read = now
	value, until, err := f.load()
	if err != nil {
		f.log.Error().Err(err).Msgf("the new %s for %s cannot be used: what was there stays", f.what, f.use)
		return f.current
	}
	f.current = value
	line := f.log.Info()
	if !until.IsZero() {
		line = line.Time("until", until)
	}
	line.Msgf("new: the %s for %s", f.what, f.use)
	return f.current
}

func (f *files[T]) stamp() (stamp, error) {
	var s stamp
	for i, path := range f.paths {
		info, err := os.Stat(path)
		if err != nil {
			return stamp{}, err
		}
		s[i].at, s[i].size = info.ModTime(), info.Size()
	}
	return s, nil
}
