package provision

import (
	"context"
	"errors"

	"axgate/routing"
)

// QueryAXE finds an AXE binding of the app (API 5.4). Refusals: 1010002,
// 1012001 X is not the app's, 1012007 no such binding.
func (s *Service) QueryAXE(ctx context.Context, app string, which AXE) (routing.Binding, error) {
	if _, err := s.app(ctx, app, routing.AXE); err != nil {
		return routing.Binding{}, err
	}
	id, err := s.findAXE(ctx, app, which)
	if err != nil {
		return routing.Binding{}, err
	}
	return s.binding(ctx, app, routing.AXE, id)
}

// ListAXE lists the bindings of an X of the app behind the id after ("" at
// first), the oldest first; next is where to go on, empty at the end (API 5.5).
// limit is 1 to 100, anything else 50. Refusals: 1010002, 1012001.
func (s *Service) ListAXE(ctx context.Context, app, virtualNum, after string, limit int) (list []routing.Binding, next string, err error) {
	if _, err := s.app(ctx, app, routing.AXE); err != nil {
		return nil, "", err
	}
	x, err := s.ownX(ctx, routing.AXE, app, virtualNum)
	if err != nil {
		return nil, "", err
	}
	limit = pageLimit(limit)
	list, err = s.ledger.BindingsOfX(ctx, x, s.now(), after, limit+1)
	if err != nil {
		return nil, "", failed("list the bindings of X", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, nil
}

// Count is how many bindings an X has.
type Count struct {
	X        routing.X
	Bindings int
}

// CountAXE counts the bindings of one X of the app, or of all its X behind
// after ("" at first); next is where to go on, empty at the end (API 5.6).
// limit is 1 to 100, anything else 50. Refusals: 1010002, 1012001.
func (s *Service) CountAXE(ctx context.Context, app, number string, after routing.X, limit int) (list []Count, next routing.X, err error) {
	if _, err := s.app(ctx, app, routing.AXE); err != nil {
		return nil, "", err
	}
	if number != "" {
		x, err := s.ownX(ctx, routing.AXE, app, number)
		var refusal *Error
		if errors.As(err, &refusal) {
			refusal.Field = "number" // so it is called here
		}
		if err != nil {
			return nil, "", err
		}
		_, total, err := s.ledger.PageOfX(ctx, x, s.now(), 0, 1)
		if err != nil {
			return nil, "", failed("count the bindings of X", err)
		}
		return []Count{{x, total}}, "", nil
	}
	limit = pageLimit(limit)
	numbers, err := s.ledger.Numbers(ctx, app, after, limit+1)
	if err != nil {
		return nil, "", failed("list the X of the app", err)
	}
	if len(numbers) > limit {
		numbers = numbers[:limit]
		next = numbers[limit-1].X
	}
	for _, n := range numbers {
		list = append(list, Count{n.X, n.Bindings})
	}
	return list, next, nil
}

func pageLimit(n int) int {
	const most, usual = 100, 50
	if n < 1 || n > most {
		return usual
	}
	return n
}
