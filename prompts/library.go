package prompts

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/rs/zerolog"

	"axgate/routing"
)

// Approved is an uploaded file that was reviewed and may be played.
type Approved struct {
	App    string // app_key
	Name   string
	SHA256 string // of the file that was reviewed, in hex
}

// Options are what a Library works with.
type Options struct {
	Dir      *Dir                                      // of the uploads
	Approved func(context.Context) ([]Approved, error) // all that may be played
	Memory   int64                                     // bytes of uploads held decoded; 0: 64 MiB
	BusyTone bool                                      // busy is told by the tone, not by the shipped file
	Log      zerolog.Logger
}

const defaultMemory = 64 << 20

// Library holds what is played, decoded. An upload is played only if it is
// approved, and only with the very bytes that were reviewed. It is safe for
// use by many goroutines.
type Library struct {
	opts Options

	refreshing sync.Mutex // held through a whole Refresh; taken before mu

	mu   sync.Mutex
	all  map[key]*upload // the approved ones
	used *list.List      // of *upload: those that are held, the latest used first
	held int64           // bytes
}

type key struct{ app, name string }

// upload is an approved file. Its fields but the first are guarded by mu.
type upload struct {
	Approved
	alaw   []byte        // nil: not held
	place  *list.Element // in used
	broken bool          // it cannot be played; it was logged
}

func (u *upload) key() key { return key{u.App, u.Name} }

// Open loads the approved files. Those that cannot be played are logged; their
// scenes fall back as if they were not set.
func Open(ctx context.Context, o Options) (*Library, error) {
	if o.Dir == nil || o.Approved == nil {
		return nil, errors.New("the prompts need a directory and the list of approved files")
	}
	if _, err := shipped(); err != nil {
		return nil, err
	}
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	l := &Library{opts: o, all: map[key]*upload{}, used: list.New()}
	return l, l.Refresh(ctx)
}

// Refresh takes over what was uploaded, reviewed and deleted since: to be
// called when settings have changed. After an error everything is as before.
func (l *Library) Refresh(ctx context.Context) error {
	l.refreshing.Lock()
	defer l.refreshing.Unlock()
	approved, err := l.opts.Approved(ctx)
	if err != nil {
		return fmt.Errorf("list the approved prompts: %w", err)
	}
	fresh := l.replace(approved)
	for _, u := range fresh { // loaded now, so that no call waits for the disk
		if !l.room() {
			break
		}
		alaw, err := l.load(u.Approved)
		l.mu.Lock()
		l.keep(u, alaw, err)
		l.mu.Unlock()
	}
	return nil
}

// replace makes a list the files that may be played, and gives those of it
// that are new.
func (l *Library) replace(approved []Approved) (fresh []*upload) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := make(map[key]*upload, len(approved))
	for _, a := range approved {
		k := key{a.App, a.Name}
		if u := l.all[k]; u != nil && u.Approved == a && !u.broken {
			next[k] = u
			continue
		}
		u := &upload{Approved: a}
		next[k] = u
		fresh = append(fresh, u)
	}
	for k, u := range l.all {
		if next[k] != u {
			l.forget(u)
		}
	}
	l.all = next
	return fresh
}

func (l *Library) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held < l.opts.Memory
}

// load reads a file and checks that it is the one that was reviewed.
func (l *Library) load(a Approved) ([]byte, error) {
	b, err := l.opts.Dir.Get(a.App, a.Name)
	if err != nil {
		return nil, err
	}
	if Sum(b) != a.SHA256 {
		return nil, errors.New("the file is not the one that was approved")
	}
	f, err := Check(a.Name, b)
	return f.Data, err
}

// Sum is the SHA-256 of a file, in hex.
func Sum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// keep holds what was loaded, and lets go of what was not used for longest.
// mu is held.
func (l *Library) keep(u *upload, alaw []byte, err error) {
	if l.all[u.key()] != u || u.alaw != nil {
		return // replaced, or loaded by another, meanwhile
	}
	if err != nil {
		u.broken = true
		l.opts.Log.Error().Err(err).Str("app", u.App).Str("prompt", u.Name).Msg("an approved prompt cannot be played")
		return
	}
	u.alaw = alaw
	u.place = l.used.PushFront(u)
	l.held += int64(len(alaw))
	for l.held > l.opts.Memory && l.used.Len() > 1 {
		l.forget(l.used.Back().Value.(*upload))
	}
}

// forget lets go of an upload's sound. Calls that play it keep theirs. mu is
// held.
func (l *Library) forget(u *upload) {
	if u.place == nil {
		return
	}
	l.used.Remove(u.place)
	l.held -= int64(len(u.alaw))
	u.alaw, u.place = nil, nil
}

// Clip finds what to play: the file that the binding names, or else the
// scene's (see Files). Not ok means silence. alaw is shared and must not be
// changed. Only a file that did not fit into memory is read from the disk.
func (l *Library) Clip(app *routing.App, file string, scene routing.Scene) (name string, alaw []byte, ok bool) {
	for _, name := range Files(app, file, scene) {
		if s, ok := ByName(name); ok {
			if scene == routing.SceneBusy && l.opts.BusyTone {
				continue
			}
			return s.Name, s.ALaw, true
		}
		if app == nil {
			continue
		}
		if alaw, ok := l.upload(key{app.Key, name}); ok {
			return name, alaw, true
		}
	}
	return "", nil, false
}

// upload is the sound of an approved file.
func (l *Library) upload(k key) ([]byte, bool) {
	l.mu.Lock()
	u := l.all[k]
	if u == nil || u.broken {
		l.mu.Unlock()
		return nil, false
	}
	if u.alaw != nil {
		l.used.MoveToFront(u.place)
		defer l.mu.Unlock()
		return u.alaw, true
	}
	l.mu.Unlock()
	alaw, err := l.load(u.Approved)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(u, alaw, err)
	return alaw, err == nil
}
