package lookup

import (
	"context"

	"axgate/lookup/usage"
	"axgate/routing"
)

// count has a call that is put through counted; the rules say what becomes of
// one beyond a limit.
func (r *Router) count(ctx context.Context, q routing.Question, d routing.Decision, f routing.Facts, rules func(*routing.App, routing.Facts) routing.Decision) (routing.Decision, error) {
	if d.Step != routing.Dial {
		return d, nil
	}
	var err error
	if f.Over, err = r.use.Enter(ctx, q.Session, d.App.SP, q.X); f.Over != routing.Within {
		d = rules(d.App, f)
	}
	return d, err
}

// Used counts, since the start, the calls of this node that were beyond a limit
// of their account or X, and the jumps of calls per minute.
func (r *Router) Used() usage.Counts { return r.use.Counts() }
