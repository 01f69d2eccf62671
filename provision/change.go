package provision

import (
	"context"
	"errors"

	"axgate/ledger"
	"axgate/routing"
)

// binding reads a binding of the app that stands.
func (s *Service) binding(ctx context.Context, app string, mode routing.Mode, id string) (routing.Binding, error) {
	w := wordsOf[mode]
	b, err := s.ledger.Binding(ctx, id, s.now())
	if err == nil && b.App != app {
		err = ledger.ErrNoBinding
	}
	return b, w.binding("read the binding", err)
}

// binding is the answer for a binding that was named by its id.
func (w *words) binding(doing string, err error) error {
	if errors.Is(err, ledger.ErrNotYours) { // nobody learns what others have
		err = ledger.ErrNoBinding
	}
	return w.refusal(doing, err)
}

// modify changes a binding of the app that stands.
func (s *Service) modify(ctx context.Context, app *ledger.App, id string, change func(*routing.Binding) error) (routing.Binding, error) {
	w := wordsOf[app.Mode]
	at := s.now()
	before, after, n, err := s.ledger.Modify(ctx, app.Key, id, at, change)
	var taken *ledger.TakenError
	if errors.As(err, &taken) && taken.By.Ended(at) { // its time has come, and nobody has swept it yet
		if err := s.sweepX(ctx, taken.By.X, at); err != nil {
			return after, err
		}
		before, after, n, err = s.ledger.Modify(ctx, app.Key, id, at, change)
	}
	if err != nil {
		return after, w.binding("change the binding", err)
	}
	return after, s.settle(ctx, id, n.X, n.Version, func(ctx context.Context) error {
		if err := s.cache.PutBinding(ctx, n, after); err != nil || before.A == after.A && before.B == after.B {
			return err
		}
		return s.cache.DropBinding(ctx, n, before, n.Version)
	})
}

// unbind ends a binding of the app. From the moment it returns no call is put
// through by it; one that is up goes on. What was ended before without an
// acknowledgement is acknowledged now.
func (s *Service) unbind(ctx context.Context, app *ledger.App, id string) error {
	w := wordsOf[app.Mode]
	removed, err := s.ledger.Unbind(ctx, app.Key, id, s.now())
	var ended *ledger.EndedError
	if errors.As(err, &ended) && ended.Binding.App == app.Key {
		return s.gone(ctx, id, ended.Binding.X, w.binding("end the binding", err))
	}
	if err != nil {
		return w.binding("end the binding", err)
	}
	b, n := removed.Binding, removed.Number
	err = s.settle(ctx, id, n.X, n.Version, func(ctx context.Context) error { return s.cache.DropBinding(ctx, n, b, n.Version) })
	if err != nil {
		s.news.owe(string(n.X)) // the repetition may name X
	}
	return err
}

// repeated is the answer to a request to unbind by X what is not bound.
func (s *Service) repeated(ctx context.Context, x string, refusal error) error {
	if x == "" {
		return refusal
	}
	return s.gone(ctx, x, routing.X(x), refusal)
}

// gone is the answer to a request to unbind what is not bound: the refusal,
// unless the request repeats one that could not be acknowledged. Either tells
// the client that nothing is routed any more, so the cache has to know, also
// when the process that ended the binding died before it told the cache.
func (s *Service) gone(ctx context.Context, key string, x routing.X, refusal error) error {
	repeats := s.news.owes(key)
	owed, err := s.ledger.Owed(ctx, x)
	if err != nil {
		return failed("find whether the cache knows X", err)
	}
	if repeats || owed {
		if err := s.refresh(ctx, key, x); err != nil {
			return err
		}
	}
	if repeats {
		return nil
	}
	return refusal
}

// set changes what a request names.
func set[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}
