package provision

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"axgate/ledger"
	"axgate/routing"
)

// bind stores a binding whose parameters are right, on the X that is named or
// on one that is chosen, and brings it to the cache. It works from the moment
// it returns.
func (s *Service) bind(ctx context.Context, app *ledger.App, b routing.Binding, named string, wanted Area) (routing.Binding, error) {
	w := wordsOf[app.Mode]
	b.App, b.Mode, b.CreatedAt = app.Key, app.Mode, s.now()
	if named == "" {
		return s.bindAny(ctx, &w, b, wanted)
	}
	var err error
	if b.X, err = s.x(&w, w.badX, named); err != nil {
		return b, err
	}
	return s.bindTo(ctx, &w, b)
}

// bindAny binds to an X that is chosen. Another request may choose the same one:
// then there is another choice, in the end after a pause, so that many requests
// for few numbers do not race for ever. Each time one of them has won.
func (s *Service) bindAny(ctx context.Context, w *words, b routing.Binding, wanted Area) (routing.Binding, error) {
	const tries, atOnce, longest = 50, 3, 20 * time.Millisecond
	var err error
	for try := range tries {
		if try >= atOnce {
			if err := pause(ctx, rand.N(longest)); err != nil {
				return b, failed("choose an X", err)
			}
		}
		b.X, err = s.choose(ctx, wanted, &b)
		if errors.Is(err, ledger.ErrFull) {
			return b, w.noX.refuse("", "no number of the app has room")
		}
		if err != nil {
			return b, failed("choose an X", err)
		}
		bound, err := s.bindTo(ctx, w, b)
		switch Code(err) {
		case w.full.code, resultBound.code, resultAXTaken.code, resultAXRecordThere.code, resultAbnormalX.code:
			continue
		}
		return bound, err
	}
	return b, failed("choose an X", errors.New("others were faster each time"))
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (s *Service) bindTo(ctx context.Context, w *words, b routing.Binding) (routing.Binding, error) {
	if err := s.sweepX(ctx, b.X, b.CreatedAt); err != nil {
		return b, err
	}
	bound, n, err := s.ledger.Bind(ctx, b)
	if err != nil {
		return s.notBound(ctx, w, b, err)
	}
	return bound, s.settle(ctx, bound.ID, bound.X, bound.Version, func(ctx context.Context) error {
		return s.cache.PutBinding(ctx, n, bound)
	})
}

// notBound finds the answer for a binding that the ledger refuses. If it stands
// already because an earlier request for it could not be acknowledged, this
// one is its repetition. Either answer tells the client that it is bound, so the
// cache has to know, also when nobody could tell whether the ledger took it.
func (s *Service) notBound(ctx context.Context, w *words, b routing.Binding, err error) (routing.Binding, error) {
	var taken *ledger.TakenError
	if !errors.As(err, &taken) {
		return b, w.refusalOf(&b, err)
	}
	by := taken.By
	if by.App != b.App || by.A != b.A || by.B != b.B || b.Ext != "" && b.Ext != by.Ext {
		return b, w.refusalOf(&b, err)
	}
	repeats := s.news.owes(by.ID)
	owed, failure := s.ledger.Owed(ctx, by.X)
	if failure == nil && (repeats || owed) {
		failure = s.refresh(ctx, by.ID, by.X)
	}
	switch {
	case failure != nil:
		return b, failed("find whether the cache knows X", failure)
	case repeats:
		return by, nil
	}
	return b, w.refusalOf(&b, err)
}

// refusalOf is the answer for an error of the ledger about a binding: of AX it
// tells whether X is another A's.
func (w *words) refusalOf(b *routing.Binding, err error) error {
	var taken *ledger.TakenError
	switch {
	case b.Mode != routing.AX || !errors.As(err, &taken):
		return w.refusal("store the binding", err)
	case taken.By.A == b.A:
		return resultAXRecordThere.refuse("", "this A is bound to this X already")
	}
	return resultAXTaken.refuse(w.field, "it is bound to another A")
}
