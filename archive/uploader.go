package archive

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Register is told where files are.
type Register interface {
	// Known tells which of some files are recordings that are kept; of others the
	// ledger does not know yet, or not any more.
	Known(ctx context.Context, names []string) (map[string]bool, error)
	// Stored notes that a file is in the store, and tells whether its recording is
	// still kept.
	Stored(ctx context.Context, name, store string) (kept bool, err error)
}

// UploaderConfig is what an Uploader works with.
type UploaderConfig struct {
	Dir      *Dir
	Store    *Store
	Register Register
	Look     time.Duration // between two looks into the directory; 0: 5 s
	Pause    time.Duration // after the first failure, doubled by each further one up to 5 min; 0: 1 s
	Log      zerolog.Logger
}

// Uploader brings recordings from the directory to the store. The directory is
// the queue: a file stays there until the store has confirmed it and the
// ledger knows, so that a restart forgets nothing and repeats at most what it
// had begun.
type Uploader struct {
	cfg    UploaderConfig
	open   func(name string) (Content, File, error) // of the directory
	failed int                                      // rounds in a row
	unread unread

	mu    sync.Mutex
	state Uploads
}

// Uploads is how far an Uploader is.
type Uploads struct {
	Waiting  int       // recordings of calls that are over that the last round did not bring
	Brought  uint64    // since the start
	Since    time.Time // since when the store takes none; zero: it does
	Failure  string    // why not
	Attempts int       // that failed since then

	Unread int    // of those that wait, those that cannot be read or deleted here, whatever the store does
	Reason string // of one of them
}

// Uploads tells how far it is.
func (u *Uploader) Uploads() Uploads {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state
}

// note keeps what a round came to.
func (u *Uploader) note(known, brought int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := &u.state
	s.Waiting, s.Brought = known-brought, s.Brought+uint64(brought)
	s.Unread, s.Reason = u.unread.state()
	switch {
	case err == nil:
		s.Since, s.Failure, s.Attempts = time.Time{}, "", 0
	case s.Since.IsZero():
		s.Since = time.Now()
		fallthrough
	default:
		s.Failure = err.Error()
		s.Attempts++
	}
}

// NewUploader makes an Uploader.
func NewUploader(cfg UploaderConfig) *Uploader {
	if cfg.Look <= 0 {
		cfg.Look = 5 * time.Second
	}
	if cfg.Pause <= 0 {
		cfg.Pause = time.Second
	}
	open := func(name string) (Content, File, error) { return cfg.Dir.Open(name) }
	return &Uploader{cfg: cfg, open: open, unread: unread{first: cfg.Pause, files: map[string]trouble{}}}
}

// Bounds of what an Uploader does at a time.
const (
	filesAtOnce = 4
	filesLooked = 200
	perUpload   = 10 * time.Minute
)

// Run uploads until ctx ends.
func (u *Uploader) Run(ctx context.Context) {
	for {
		wait := u.cfg.Look
		n, err := u.round(ctx)
		if files, reason := u.unread.news(); files > 0 && ctx.Err() == nil {
			u.cfg.Log.Error().Str("failure", reason).Int("files", files).Msg("recordings stay on the disk, others go on: these cannot be read or deleted there")
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait = u.pause()
			u.cfg.Log.Error().Err(err).Dur("again_in", wait).Msg("recordings stay on the disk: the store does not take them")
		case n > 0 && u.failed > 0:
			u.cfg.Log.Info().Int("files", n).Msg("the store takes recordings again")
			fallthrough
		default:
			u.failed = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// pause is how long to wait after one more failure.
func (u *Uploader) pause() time.Duration {
	u.failed++
	return pauseAfter(u.cfg.Pause, u.failed)
}

// pauseAfter is how long to wait after so many failures.
func pauseAfter(first time.Duration, failures int) time.Duration {
	const longest = 5 * time.Minute
	return min(first<<min(failures-1, 20), longest)
}

// round brings all that is there, until the store or the ledger fails. A file that
// cannot be read holds nothing up.
func (u *Uploader) round(ctx context.Context) (n int, err error) {
	due := 0
	defer func() {
		if ctx.Err() == nil {
			if err == nil {
				u.unread.roundEnds()
			}
			u.note(due, n, err)
		}
	}()
	u.unread.roundBegins()
	err = u.cfg.Dir.Each(ctx, filesLooked, func(files []File) error {
		names := make([]string, len(files))
		for i := range files {
			names[i] = files[i].Name
		}
		known, err := u.cfg.Register.Known(ctx, names)
		if err != nil {
			return err
		}
		for _, is := range known {
			if is {
				due++
			}
		}
		done, err := u.some(ctx, names, known)
		n += done
		return err
	})
	return n, err
}

// some brings those of some files that are known, a few at once.
func (u *Uploader) some(ctx context.Context, names []string, known map[string]bool) (n int, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	places := make(chan struct{}, filesAtOnce)
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, name := range names {
		if !known[name] || u.unread.rests(name) {
			continue
		}
		places <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-places }()
			err := u.upload(ctx, name)
			var own ownFailure
			if errors.As(err, &own) {
				u.unread.failed(name, own)
				return
			}
			if err != nil {
				stop(err)
				return
			}
			u.unread.well(name)
			mu.Lock()
			n++
			mu.Unlock()
		})
	}
	all.Wait()
	return n, context.Cause(ctx)
}

// upload brings one file. A recording that was deleted meanwhile is deleted in
// the store, too.
func (u *Uploader) upload(ctx context.Context, name string) error {
	f, is, err := u.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another node that shares the directory was faster
	}
	if err != nil {
		return ownFailure{err}
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(ctx, perUpload)
	defer cancel()
	content := &read{Content: f}
	if err := u.cfg.Store.Put(ctx, name, content, is.Bytes); err != nil {
		if failed := content.failure(); failed != nil {
			return ownFailure{failed}
		}
		return err
	}
	kept, err := u.cfg.Register.Stored(ctx, name, u.cfg.Store.Name())
	if err != nil {
		return err
	}
	if !kept {
		if err := u.cfg.Store.Remove(ctx, name); err != nil {
			return err
		}
	}
	if err := u.cfg.Dir.Remove(name); err != nil {
		return ownFailure{err}
	}
	return nil
}
