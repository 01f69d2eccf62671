package provision

import (
	"context"
	"errors"
	"slices"

	"axgate/ledger"
	"axgate/routing"
)

// numberWords are for operations on X that no API of a mode has.
var numberWords = words{field: "number", badX: resultInvalid, foreignX: resultNotApplied, noRecord: resultNoRecord, full: resultNoX}

// AddNumber gives an X to the app that it names. One that the app has already
// gets the new attributes, and keeps status and bindings; one that was returned
// begins anew. Refusals: 1010002, 1010003, 1012001 another app has it.
func (s *Service) AddNumber(ctx context.Context, n ledger.Number) (ledger.Number, error) {
	const longest = 128
	if _, err := s.x(&numberWords, resultInvalid, string(n.X)); err != nil {
		return n, err
	}
	c := s.check(ctx, nil)
	c.areaCode(n.AreaCode)
	for field, text := range map[string]string{"city": n.City, "province": n.Province, "carrier": n.Carrier} {
		if len(text) > longest {
			c.wrong(field, "it has more than %d bytes", longest)
		}
	}
	if c.err != nil {
		return n, c.err
	}
	added, err := s.ledger.AddNumber(ctx, n, s.now())
	if errors.Is(err, ledger.ErrUnknownApp) {
		return n, resultUnknownApp.refuse("app_key", "there is no app of that key")
	}
	if err != nil {
		return n, numberWords.refusal("add the number", err)
	}
	return added, s.putNumber(ctx, added)
}

var statuses = []routing.NumberStatus{routing.StatusNormal, routing.StatusPaused, routing.StatusFrozen,
	routing.StatusTransfer, routing.StatusUnavailable, routing.StatusReturned}

// SetStatus changes the status of an X (section 2) and the cause of it, from
// the next call on. A returned X loses its bindings. Refusals: 1010002,
// 1012001 X is not ours.
func (s *Service) SetStatus(ctx context.Context, number string, status routing.NumberStatus, cause string) (ledger.Number, error) {
	x, err := s.x(&numberWords, resultInvalid, number)
	if err != nil {
		return ledger.Number{}, err
	}
	if !slices.Contains(statuses, status) {
		return ledger.Number{}, resultInvalid.refuse("status", "%q is none of %v", status, statuses)
	}
	const longest = 64
	if len(cause) > longest {
		return ledger.Number{}, resultInvalid.refuse("cause", "it has more than %d bytes", longest)
	}
	n, ended, err := s.ledger.SetStatus(ctx, x, status, cause, s.now())
	if err != nil {
		return n, numberWords.refusal("set the status", err)
	}
	if len(ended) > 0 || status == routing.StatusReturned {
		return n, s.forget(ctx, n.XNumber)
	}
	return n, s.putNumber(ctx, n)
}

func (s *Service) putNumber(ctx context.Context, n ledger.Number) error {
	return s.settle(ctx, string(n.X), n.X, n.Version, func(ctx context.Context) error { return s.cache.PutNumber(ctx, n.XNumber) })
}

// forget has the next call read X anew: one step, however much has changed.
func (s *Service) forget(ctx context.Context, n routing.XNumber) error {
	return s.settle(ctx, string(n.X), n.X, n.Version, func(ctx context.Context) error { return s.cache.Forget(ctx, n.X) })
}

// Block puts callers on the blacklist of an X of the app, or takes them off it
// (section 2), from the next call on. callers are numbers of any kind in global
// form, at most 1000. Refusals: 1010002, 1010003, 1012001 X is not the app's.
func (s *Service) Block(ctx context.Context, app, number string, callers []string, blocked bool) error {
	const most = 1000
	x, err := s.x(&numberWords, resultInvalid, number)
	if err != nil {
		return err
	}
	if len(callers) == 0 || len(callers) > most {
		return resultInvalid.refuse("callers", "%d are not between 1 and %d", len(callers), most)
	}
	list := make([]routing.Number, len(callers))
	for i, text := range callers {
		list[i] = routing.Number(text)
		if s.plan.Kind(list[i]) == routing.Malformed {
			return resultInvalid.refuse("callers", "one of them is not a number in global form")
		}
	}
	n, err := s.ledger.Block(ctx, app, x, list, blocked, s.now())
	if err != nil {
		return numberWords.refusal("change the blacklist", err)
	}
	return s.forget(ctx, n)
}
