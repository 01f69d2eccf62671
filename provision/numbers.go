package provision

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"axgate/area"
	"axgate/ledger"
	"axgate/routing"
)

// numberWords are for operations on X that no API of a mode has.
var numberWords = words{field: "number", badX: resultInvalid, foreignX: resultNotApplied, noRecord: resultNoRecord, full: resultNoX}

// AddNumber gives an X to the app that it names. One that the app has already
// gets the new attributes, and keeps status and bindings; one that was returned
// begins anew. Refusals: 1010002, 1010003, 1012001 another app has it.
func (s *Service) AddNumber(ctx context.Context, n ledger.Number) (ledger.Number, error) {
	if _, err := s.x(&numberWords, resultInvalid, string(n.X)); err != nil {
		return n, err
	}
	a := ledger.Attributes{AreaCode: n.AreaCode, City: n.City, Province: n.Province, Carrier: n.Carrier}
	if err := s.attributes(ctx, &a); err != nil {
		return n, err
	}
	n.AreaCode, n.City, n.Province, n.Carrier = a.AreaCode, a.City, a.Province, a.Carrier
	added, err := s.ledger.AddNumber(ctx, n, s.now())
	if errors.Is(err, ledger.ErrUnknownApp) {
		return n, resultUnknownApp.refuse("app_key", "there is no app of that key")
	}
	if err != nil {
		return n, numberWords.refusal("add the number", err)
	}
	return added, s.putNumber(ctx, added)
}

// attributes checks what is told of an X.
func (s *Service) attributes(ctx context.Context, a *ledger.Attributes) error {
	const longest = 128
	c := s.check(ctx, nil)
	c.areaCode(a.AreaCode)
	for _, f := range []struct{ field, text string }{{"city", a.City}, {"province", a.Province}, {"carrier", a.Carrier}} {
		if len(f.text) > longest {
			c.wrong(f.field, "it has more than %d bytes", longest)
		}
		if !utf8.ValidString(f.text) || strings.ContainsFunc(f.text, unicode.IsControl) {
			c.wrong(f.field, "it is no text in UTF-8 without control characters")
		}
	}
	if c.err != nil {
		return c.err
	}
	return s.placed(a)
}

// placed gives the names of city and province, and refuses those that the area
// code contradicts: an X would be chosen for the wrong people.
func (s *Service) placed(a *ledger.Attributes) error {
	if s.plan.Country != area.Country {
		return nil
	}
	city, province, wrong := area.Names(a.AreaCode, a.City, a.Province)
	if wrong != nil {
		return resultInvalid.refuse(wrong.Field, "that of area code %s is %s", a.AreaCode, wrong.Right)
	}
	a.City, a.Province = city, province
	return nil
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
	if err := checkStatus(status, cause); err != nil {
		return ledger.Number{}, err
	}
	n, ended, err := s.ledger.SetStatus(ctx, x, status, cause, s.now())
	if err != nil {
		return n, numberWords.refusal("set the status", err)
	}
	if len(ended) > 0 || status == routing.StatusReturned {
		return n, s.forgetEnded(ctx, n.XNumber, ended)
	}
	return n, s.putNumber(ctx, n)
}

func checkStatus(status routing.NumberStatus, cause string) error {
	if !slices.Contains(statuses, status) {
		return resultInvalid.refuse("status", "%q is none of %v", status, statuses)
	}
	const longest = 64
	if len(cause) > longest || !utf8.ValidString(cause) || strings.ContainsFunc(cause, unicode.IsControl) {
		return resultInvalid.refuse("cause", "it is no text of at most %d bytes without control characters", longest)
	}
	return nil
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
// form, at most 1000. Refusals: 1010002, 1010003, 1012001 X is not the app's, 1012009
// it would have more than 5000.
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
	if errors.Is(err, ledger.ErrFull) {
		return resultMostReached.refuse("callers", "the blacklist of an X has at most %d", ledger.MostBlocked)
	}
	if err != nil {
		return numberWords.refusal("change the blacklist", err)
	}
	return s.forget(ctx, n)
}
