package provision

import (
	"context"
	"errors"

	"axgate/area"
	"axgate/ledger"
	"axgate/routing"
)

// choose finds an X of the app that has room for the binding (section 2): in
// the area; with areaMatchMode 1 else in its province, else anywhere. Without an
// area it is that of A's home; if nobody knows that either, any X does: who asks
// for nothing wants a number. ledger.ErrFull: there is none.
func (s *Service) choose(ctx context.Context, wanted Area, b *routing.Binding) (routing.X, error) {
	for _, place := range s.places(wanted, b.A) {
		x, err := s.ledger.PickNumber(ctx, b.App, place, b)
		if !errors.Is(err, ledger.ErrFull) {
			return x, err
		}
	}
	return "", ledger.ErrFull
}

// places are where to look for an X, the best first.
func (s *Service) places(wanted Area, a routing.Number) []ledger.Place {
	code := wanted.AreaCode
	if code == "" {
		home, known := area.Home(a)
		if !known {
			s.log.Debug().Str("a", a.Masked()).Msg("the home area of A is not known: any X will do")
			return []ledger.Place{{}}
		}
		code = home
	}
	list := []ledger.Place{{Area: code}}
	if wanted.AreaMatchMode != "1" {
		return list
	}
	if _, province, known := area.Of(code); known && s.plan.Country == area.Country {
		list = append(list, ledger.Place{Province: province.English})
	}
	return append(list, ledger.Place{})
}
