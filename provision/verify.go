package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"axgate/ledger"
	"axgate/routing"
	"axgate/store"
)

// legible is a cache whose contents can be compared with the ledger.
type legible interface {
	Peek(ctx context.Context, q routing.Question) (routing.Facts, store.Ticket, error)
	PeekByExtension(ctx context.Context, q routing.Question, ext routing.Extension) (routing.Facts, store.Ticket, error)
	Scan(ctx context.Context, visit func(store.Key) error) error
}

// ErrNoCache tells that no node runs whose cache could be compared.
var ErrNoCache = errors.New("there is no cache to be compared")

// Report is what Verify found.
type Report struct {
	Numbers  int // X in the ledger
	Loaded   int // of which the cache has so many; the others are read at their next call
	Compared int // decisions that were compared
	Differ   int // of which so many differ
	Repaired int // X that are read anew

	// Differences are the differing decisions, the first 100.
	Differences []Difference
}

// Difference is a call that cache and ledger decide differently. Real numbers
// are masked.
type Difference struct {
	X      routing.X
	Who    string // the caller or the typed extension
	Cache  string
	Ledger string
}

// Verify compares, for every X and everybody who is bound, what a call would
// come to by the cache and by the ledger. With repair, an X on which they
// differ is read from the ledger anew before its next call. It may run beside
// calls and changes.
func (s *Service) Verify(ctx context.Context, repair bool) (Report, error) {
	cache, ok := s.cache.(legible)
	if !ok {
		return Report{}, ErrNoCache
	}
	v := s.verifier(cache)
	err := v.numbers(ctx)
	if err == nil {
		err = v.strays(ctx)
	}
	if err == nil && repair {
		err = v.repair(ctx)
	}
	if err != nil {
		return v.report, fmt.Errorf("compare cache and ledger: %w", err)
	}
	return v.report, nil
}

type verifier struct {
	s      *Service
	cache  legible
	apps   map[string]*routing.App
	ill    map[routing.X]bool
	report Report
	tries  []time.Duration             // before each comparison of one entry
	waited time.Duration               // for changes on their way
	step   func(context.Context) error // after each decision, each X, and each entry of the cache
}

func (s *Service) verifier(cache legible) *verifier {
	return &verifier{s: s, cache: cache, ill: map[routing.X]bool{}, apps: map[string]*routing.App{}, tries: make([]time.Duration, 3),
		step: func(context.Context) error { return nil }}
}

// numbers compares what the ledger knows.
func (v *verifier) numbers(ctx context.Context) error {
	const page = 200
	last := routing.X("")
	for {
		list, err := v.s.ledger.Numbers(ctx, "", last, page)
		if err != nil {
			return err
		}
		for _, n := range list {
			last = n.X
			v.report.Numbers++
			err := v.number(ctx, n.X)
			if err == nil {
				err = v.step(ctx)
			}
			if err != nil {
				return err
			}
		}
		if len(list) < page {
			return nil
		}
	}
}

func (v *verifier) number(ctx context.Context, x routing.X) error {
	loaded, err := v.compare(ctx, store.Key{X: x})
	if err != nil || !loaded {
		return err
	}
	v.report.Loaded++
	for _, list := range []func(context.Context, routing.X, time.Time, string, int) ([]routing.Binding, error){
		v.s.ledger.BindingsOfX, v.s.ledger.RelationsOfY} {
		if err := v.bindings(ctx, x, list); err != nil {
			return err
		}
	}
	return nil
}

// bindings compares what everybody can do whom the bindings on a number name.
func (v *verifier) bindings(ctx context.Context, x routing.X, read func(context.Context, routing.X, time.Time, string, int) ([]routing.Binding, error)) error {
	const page = 500
	after := ""
	for {
		list, err := read(ctx, x, v.s.now(), after, page)
		if err != nil {
			return err
		}
		for i := range list {
			b := &list[i]
			after = b.ID
			keys := []store.Key{{X: x, Number: b.A}}
			switch b.Mode {
			case routing.AXB, routing.AXYB:
				if b.B != "" {
					keys = append(keys, store.Key{X: x, Number: b.B})
				}
			case routing.AXE:
				keys = append(keys, store.Key{X: x, Ext: b.Ext})
			}
			for _, key := range keys {
				_, err := v.compare(ctx, key)
				if err == nil {
					err = v.step(ctx)
				}
				if err != nil {
					return err
				}
			}
		}
		if len(list) < page {
			return nil
		}
	}
}

// strays compares what only the cache knows.
func (v *verifier) strays(ctx context.Context) error {
	return v.cache.Scan(ctx, func(key store.Key) error {
		known, err := v.known(ctx, key)
		if err == nil && !known {
			_, err = v.compare(ctx, key)
		}
		if err != nil {
			return err
		}
		return v.step(ctx)
	})
}

// known tells whether numbers has compared an entry already.
func (v *verifier) known(ctx context.Context, key store.Key) (bool, error) {
	if key.Number == "" && key.Ext == "" {
		_, err := v.s.ledger.Number(ctx, key.X)
		if errors.Is(err, ledger.ErrUnknownX) {
			return false, nil
		}
		return true, err
	}
	b, err := v.s.ledger.Bound(ctx, key.X, key.Number, key.Ext, v.s.now())
	return b != nil, err
}

// compare asks cache and ledger about one caller or extension. While a change is on
// its way from one to the other they differ: only what goes on doing so counts.
func (v *verifier) compare(ctx context.Context, key store.Key) (loaded bool, err error) {
	var d Difference
	for _, pause := range v.tries {
		if pause > 0 && !restFor(ctx, pause) {
			return false, ctx.Err()
		}
		v.waited += pause
		var same bool
		if d, same, loaded, err = v.once(ctx, key); err != nil || !loaded {
			return loaded, err
		}
		if same {
			v.report.Compared++
			return true, nil
		}
	}
	v.report.Compared++
	v.report.Differ++
	v.ill[key.X] = true
	const most = 100
	if len(v.report.Differences) < most {
		v.report.Differences = append(v.report.Differences, d)
	}
	return true, nil
}

func (v *verifier) once(ctx context.Context, key store.Key) (d Difference, same, loaded bool, err error) {
	q := routing.Question{Session: "verify", X: key.X, Caller: key.Number, At: v.s.now()}
	var cached, stored routing.Facts
	var ticket store.Ticket
	if key.Ext != "" {
		cached, ticket, err = v.cache.PeekByExtension(ctx, q, key.Ext)
	} else {
		cached, ticket, err = v.cache.Peek(ctx, q)
	}
	if err != nil || ticket.Miss() {
		return d, false, false, err
	}
	if key.Ext != "" {
		stored, err = v.s.ledger.FactsByExtension(ctx, q, key.Ext)
	} else {
		stored, err = v.s.ledger.Facts(ctx, q)
	}
	if err != nil {
		return d, false, true, err
	}
	d = Difference{X: key.X, Who: q.Caller.Masked()}
	if key.Ext != "" {
		d.Who = "extension " + string(key.Ext)
	}
	var byCache, byLedger outcome
	if byCache, d.Cache, err = v.outcome(ctx, q, key.Ext, cached); err == nil {
		byLedger, d.Ledger, err = v.outcome(ctx, q, key.Ext, stored)
	}
	return d, byCache == byLedger, true, err
}

// outcome is what matters of a decision.
type outcome struct {
	app          string
	sms          bool            // X takes texts
	binding      routing.Binding // as the cache keeps it
	step         routing.Step
	end          routing.End
	callee       routing.Number
	shown        routing.X
	area         string
	userData     string
	prompt, hint string
	record       bool
}

// outcome also tells it in words.
func (v *verifier) outcome(ctx context.Context, q routing.Question, ext routing.Extension, f routing.Facts) (outcome, string, error) {
	f.Busy = false // only calls know
	app, err := v.app(ctx, f.App)
	if err != nil {
		return outcome{}, "", err
	}
	var d routing.Decision
	if ext != "" {
		d = routing.DecideExtension(&v.s.plan, app, q, f, ext)
	} else {
		d = routing.Decide(&v.s.plan, app, q, f)
	}
	o := outcome{app: f.App, sms: f.SMS, step: d.Step, end: d.End, callee: d.Callee, shown: d.Shown, area: d.AreaCode, userData: d.UserData, prompt: d.Prompt, hint: d.Hint, record: d.Record}
	text := d.Why
	if d.Binding != nil {
		o.binding = *d.Binding
		o.binding.CreatedAt, o.binding.ModifiedAt, o.binding.AreaCode = time.Time{}, time.Time{}, ""
		o.binding.Sent = routing.Sent{}
		text += fmt.Sprintf(" (binding %s, version %d)", d.Binding.ID, d.Binding.Version)
	}
	if f.SMS {
		text += ", and X takes texts"
	}
	return o, text, nil
}

// app is the owner of an X as if it took all calls, so that no binding is
// hidden behind what the app as a whole refuses.
func (v *verifier) app(ctx context.Context, key string) (*routing.App, error) {
	if a, ok := v.apps[key]; ok || key == "" {
		return a, nil
	}
	a, err := v.s.ledger.App(ctx, key)
	if errors.Is(err, ledger.ErrUnknownApp) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a.Paused, a.Frozen, a.NoCalls, a.NoForeign = false, false, false, false
	v.apps[key] = &a.App
	return &a.App, nil
}

// repair has every X on which there were differences read anew.
func (v *verifier) repair(ctx context.Context) error {
	for x := range v.ill {
		err := v.s.refresh(ctx, string(x), x)
		if errors.Is(err, ledger.ErrUnknownX) { // the cache has it from another ledger
			err = v.s.cache.Forget(ctx, x)
		}
		if err != nil {
			return err
		}
		delete(v.ill, x)
		v.report.Repaired++
	}
	return nil
}
