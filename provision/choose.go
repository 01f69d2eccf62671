package provision

import (
	"context"
	"errors"
	"sync"

	"axgate/ledger"
	"axgate/routing"
)

// choose finds an X of the app that has room for the binding: in the area; with
// areaMatchMode 1 else in its province, else anywhere (section 2). Without an
// area any X does. ledger.ErrFull: there is none.
func (s *Service) choose(ctx context.Context, area Area, b *routing.Binding) (routing.X, error) {
	for _, place := range s.places(ctx, area) {
		x, err := s.chooseIn(ctx, place, b)
		if !errors.Is(err, ledger.ErrFull) {
			return x, err
		}
	}
	return "", ledger.ErrFull
}

// places are where to look for an X, the best first.
func (s *Service) places(ctx context.Context, area Area) []ledger.Place {
	if area.AreaCode == "" {
		return []ledger.Place{{}}
	}
	list := []ledger.Place{{Area: area.AreaCode}}
	if area.AreaMatchMode != "1" {
		return list
	}
	province, err := s.ledger.ProvinceOf(ctx, area.AreaCode)
	switch {
	case err != nil:
		s.log.Error().Err(err).Str("area", area.AreaCode).Msg("find the province of an area")
	case province != "":
		list = append(list, ledger.Place{Province: province})
	}
	return append(list, ledger.Place{})
}

// turns remembers the X that was chosen last at each place.
type turns struct {
	mu   sync.Mutex
	last map[turn]routing.X
}

type turn struct {
	app   string
	place ledger.Place
}

// chooseIn goes on behind the X that was chosen last, so that bindings spread
// over the numbers. One request chooses at a time: two would choose the same.
func (s *Service) chooseIn(ctx context.Context, place ledger.Place, b *routing.Binding) (routing.X, error) {
	t, key := &s.turns, turn{b.App, place}
	t.mu.Lock()
	defer t.mu.Unlock()
	from := t.last[key]
	if from != "" {
		from += "0" // the next one: nothing sorts in between
	}
	x, err := s.ledger.PickNumber(ctx, b.App, place, from, b)
	if err != nil {
		return "", err
	}
	// Areas come from clients, but only those that have numbers get here.
	const most = 10_000
	if t.last == nil || len(t.last) >= most {
		t.last = map[turn]routing.X{}
	}
	t.last[key] = x
	return x, nil
}
