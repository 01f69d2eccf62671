package provision

import (
	"context"

	"axgate/ledger"
	"axgate/routing"
)

// TemporaryCallee is the request for whom A reaches by its next call to X
// (API 4.5).
type TemporaryCallee struct {
	AX
	CalleeNum string // mobile, fixed line, 400 or 95
	Duration  *int   // seconds, 1 to 259200; nil: 60
	UserData  string
}

// SetTemporary sets the temporary callee of an AX binding, in place of an
// earlier one. Refusals: 1010002, 1016001.
func (s *Service) SetTemporary(ctx context.Context, app string, r TemporaryCallee) (routing.TemporaryCallee, error) {
	a, err := s.changer(ctx, app, routing.AX)
	if err != nil {
		return routing.TemporaryCallee{}, err
	}
	return once(ctx, s, &a, opTemporary, r,
		func(ctx context.Context) (routing.TemporaryCallee, error) { return s.setTemporary(ctx, &a, r) },
		func(_ context.Context, made ledger.Request) (routing.TemporaryCallee, error) {
			return routing.TemporaryCallee{Callee: routing.Number(r.CalleeNum), UserData: r.UserData, Until: made.At.Add(seconds(r.lasts()))}, nil
		})
}

// lasts is for how many seconds.
func (r *TemporaryCallee) lasts() int {
	const usual = 60
	if r.Duration == nil {
		return usual
	}
	return *r.Duration
}

func (s *Service) setTemporary(ctx context.Context, a *ledger.App, r TemporaryCallee) (routing.TemporaryCallee, error) {
	const most = 259_200
	c := s.check(ctx, a)
	c.between("duration", r.lasts(), 1, most)
	t := routing.TemporaryCallee{
		Callee: c.number("calleeNum", r.CalleeNum, routing.Mobile, routing.Fixed, routing.Service), UserData: c.userData(r.UserData)}
	if c.err != nil {
		return t, c.err
	}
	id, err := s.findAX(ctx, a.Key, r.AX, resultInvalid, resultAXNoRecord)
	if err != nil {
		return t, err
	}
	b, err := s.binding(ctx, a.Key, routing.AX, id)
	if err != nil {
		return t, err
	}
	if c.different("calleeNum", t.Callee, b.A, "origNum"); c.err != nil {
		return t, c.err
	}
	at := s.now()
	t.Until = at.Add(seconds(r.lasts()))
	n, err := s.ledger.SetTemporary(ctx, a.Key, id, t, at)
	if err != nil {
		w := wordsOf[routing.AX]
		return t, w.refusal("set the temporary callee", err)
	}
	return t, s.settle(ctx, id, n.X, n.Version, func(ctx context.Context) error { return s.cache.PutTemporary(ctx, n, t, n.Version) })
}
