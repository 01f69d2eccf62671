// Package records hands out recordings (api section 6): a signed link to whom
// they belong, and the file to whoever has the link.
package records

import (
	"context"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"axgate/api/answer"
	"axgate/api/auth"
	"axgate/archive"
	"axgate/vault"
)

// Path is the interface that answers with a link.
const Path = "/rest/provision/voice/record/v1.0"

// Recording is what is known of one.
type Recording struct {
	Place string        // the store that it is in; empty: it is where it was recorded
	Base  string        // of the API of the node that recorded it; empty: unknown
	Keep  time.Duration // how long it can be fetched, from the push of its fee event on (behaviour section 5)
	Kept  time.Time     // when Keep began to run; zero: not yet
}

// Store knows the recordings.
type Store interface {
	// Recording finds an app's recording by its name; not ok: there is none.
	Recording(ctx context.Context, app, file string) (r Recording, ok bool, err error)
}

// Auth tells which app sent a request, or the answer if it is to be refused.
type Auth interface {
	App(r *http.Request) (auth.App, *answer.Refusal)
}

var _ Auth = (*auth.Verifier)(nil)

// Config is what the handlers work with.
type Config struct {
	Auth   Auth
	Store  Store
	Links  *Links
	Base   func() string  // of the API of this node
	Files  *archive.Dir   // this node's
	Stored *archive.Store // of all nodes; nil: there is none
	Ring   *vault.Ring    // opens what is encrypted; nil: nothing is
	// Redirect: links lead to the store itself; else files that are there are
	// handed out here.
	Redirect bool
	Valid    time.Duration    // how long a link holds, at most as long as the recording is kept
	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger
}

// Library hands out recordings.
type Library struct{ cfg Config }

// New makes a Library.
func New(cfg Config) (*Library, error) {
	if cfg.Auth == nil || cfg.Store == nil || cfg.Links == nil || cfg.Base == nil || cfg.Files == nil {
		return nil, errors.New("recordings need authentication, a store, links, an address and a directory")
	}
	if cfg.Valid <= 0 {
		return nil, errors.New("links to recordings hold for some time")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Library{cfg}, nil
}

var (
	noRecord    = &answer.Refusal{HTTP: http.StatusForbidden, Code: "1012007", Desc: "The record does not exist."}
	wrongMethod = &answer.Refusal{HTTP: http.StatusForbidden, Code: "1010006", Desc: "Invalid Rest API."}
)

func invalid(field, what string) *answer.Refusal {
	return &answer.Refusal{HTTP: http.StatusForbidden, Code: "1010002", Desc: "Invalid request. " + field + ": " + what}
}

// Link answers requests for the link to a recording.
func (l *Library) Link(w http.ResponseWriter, r *http.Request) {
	app, refusal := l.cfg.Auth.App(r)
	if refusal == nil && r.Method != http.MethodGet {
		refusal = wrongMethod
	}
	if refusal != nil {
		refusal.Write(w)
		return
	}
	address, refusal := l.link(r, app)
	if refusal != nil {
		refusal.Write(w)
		return
	}
	w.Header().Set("Location", address)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusMovedPermanently)
}

func (l *Library) link(r *http.Request, app auth.App) (string, *answer.Refusal) {
	query := r.URL.Query()
	file := query.Get("fileName")
	// Whatever the domain, names are unique: records of before a change of
	// sip.domain are found too.
	for _, p := range []struct{ field, value string }{{"fileName", file}, {"recordDomain", query.Get("recordDomain")}} {
		const longest = 128
		switch {
		case p.value == "":
			return "", invalid(p.field, "it is missing")
		case utf8.RuneCountInString(p.value) > longest:
			return "", invalid(p.field, "it has more than 128 characters")
		}
	}
	if app.Frozen || !isName(file) {
		return "", noRecord
	}
	address, err := l.Address(r.Context(), app.Key, file)
	switch {
	case err != nil:
		l.cfg.Log.Error().Err(err).Str("recording", file).Msg("look for a recording that is asked for")
		internal := answer.Internal
		return "", &internal
	case address == "":
		return "", noRecord
	}
	return address, nil
}

// Address is where anyone gets an app's recording, for as long as links hold;
// empty: there is no such recording, or no longer.
func (l *Library) Address(ctx context.Context, app, file string) (string, error) {
	rec, ok, err := l.cfg.Store.Recording(ctx, app, file)
	if err != nil || !ok {
		return "", err
	}
	until, live := l.until(&rec)
	switch {
	case !live:
		return "", nil
	case l.cfg.Files.Has(file): // recorded here, or by a node that shares the directory
		return l.cfg.Links.URL(l.cfg.Base(), file, until), nil
	case rec.Place != "" && l.cfg.Stored != nil && rec.Place == l.cfg.Stored.Name():
		if l.cfg.Redirect {
			return l.cfg.Stored.Address(ctx, file, until.Sub(l.cfg.Now()))
		}
		return l.cfg.Links.URL(l.cfg.Base(), file, until), nil
	case rec.Base == "" || rec.Base == l.cfg.Base():
		return "", nil
	}
	return l.cfg.Links.URL(rec.Base, file, until), nil
}

// until is when a link made now ends: with the recording at the latest.
func (l *Library) until(rec *Recording) (until time.Time, live bool) {
	now := l.cfg.Now()
	until = now.Add(min(l.cfg.Valid, rec.Keep))
	if rec.Kept.IsZero() {
		return until, true
	}
	if end := rec.Kept.Add(rec.Keep); end.Before(until) {
		until = end
	}
	return until, now.Before(until)
}
