package lookup

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"axgate/ledger"
	"axgate/routing"
)

// upkeep goes through all X of the ledger, round after round: those that the cache lacks
// are loaded, and those of which it has an older version than the ledger are read
// anew. Calls do not need it: it spares the ledger their questions, and finds
// what nobody was meant to do. Nodes divide what is missing: each loads its part
// first, and then what the others have not come to.
type upkeep struct {
	counts struct{ rounds, loaded, repaired atomic.Uint64 }
	last   atomic.Int64 // X of the last round that was completed
}

// Upkeep is what was done for the cache since the start.
type Upkeep struct {
	Rounds   uint64 // through all X
	X        int64  // that the last of them came to
	Loaded   uint64 // X that were missing
	Repaired uint64 // X whose version was not the ledger's
}

// Upkeep counts what was done for the cache since the start.
func (r *Router) Upkeep() Upkeep {
	u := &r.upkeep
	return Upkeep{u.counts.rounds.Load(), u.last.Load(), u.counts.loaded.Load(), u.counts.repaired.Load()}
}

const (
	upkeepPage  = 200              // X of one look
	upkeepShare = 3                // it rests so many times as long as each step took
	upkeepTold  = 10 * time.Second // between two lines of the log about a long load
	mostLeft    = 100_000          // X left to others in a round; those beyond are for the next one
)

// keepUp does rounds until ctx ends. The cache having become void, or a server having
// lost what it had, the next begins at once.
func (r *Router) keepUp(ctx context.Context) {
	for {
		mark := r.cfg.Cache.Mark()
		if r.usable() {
			o := round{r: r, begun: time.Now(), told: time.Now()}
			if err := o.run(ctx); err != nil && ctx.Err() == nil && !r.outages.any() {
				r.cfg.Log.Warn().Err(err).Msg("go through the X of the cache")
			}
		}
		for until := time.Now().Add(r.cfg.Upkeep); time.Now().Before(until); {
			if !rest(ctx, min(pace, r.cfg.Upkeep)) {
				return
			}
			if r.cfg.Cache.Mark() != mark && r.usable() {
				break
			}
		}
	}
}

// usable tells whether the cache may be used.
func (r *Router) usable() bool { return r.believes() && !r.outages.any() }

// rest waits, and tells whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// round is one way through all X.
type round struct {
	r           *Router
	begun, told time.Time
	x, loaded   int
	old         map[routing.X]int64 // X whose version was behind, and what the ledger had
	left        []routing.X         // missing, and another node's to load
	more        bool                // than these were left
}

func (o *round) run(ctx context.Context) error {
	last := routing.X("")
	for {
		begun := time.Now()
		list, err := o.r.cfg.Ledger.Numbers(ctx, "", last, upkeepPage)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			last = list[len(list)-1].X
			if err := o.page(ctx, list); err != nil {
				return err
			}
		}
		if len(list) < upkeepPage {
			break
		}
		if !rest(ctx, upkeepShare*time.Since(begun)) {
			return nil
		}
	}
	if err := o.help(ctx); err != nil {
		return err
	}
	u := &o.r.upkeep
	u.counts.rounds.Add(1)
	u.last.Store(int64(o.x))
	if o.loaded > 0 && !o.more {
		o.r.cfg.Log.Info().Int("loaded", o.loaded).Int("x", o.x).Dur("after", time.Since(o.begun)).Msg("the cache has every X")
	}
	return nil
}

// page looks after some X. The ledger was read before the cache, so that what the cache
// has is not older unless a change is on its way, or did not come.
func (o *round) page(ctx context.Context, list []ledger.Number) error {
	xs := make([]routing.X, 0, len(list))
	stored := make(map[routing.X]int64, len(list))
	for i := range list {
		if list[i].Status != routing.StatusReturned {
			xs = append(xs, list[i].X)
			stored[list[i].X] = list[i].Version
		}
	}
	o.x += len(xs)
	held, err := o.r.cfg.Cache.Holdings(ctx, xs, time.Now())
	if err != nil {
		return err
	}
	o.old = nil
	own := partOf(*o.r.alive.Load(), o.r.cfg.Node)
	for i, h := range held {
		switch {
		case !h.Loaded && !own.has(xs[i]):
			o.leave(xs[i])
		case !h.Loaded:
			if err := o.load(ctx, xs[i]); err != nil {
				return err
			}
		case h.Version < stored[xs[i]]:
			if o.old == nil {
				o.old = map[routing.X]int64{}
			}
			o.old[xs[i]] = stored[xs[i]]
		}
	}
	if len(o.old) == 0 {
		return nil
	}
	return o.repair(ctx)
}

// leave leaves an X to the node whose it is.
func (o *round) leave(x routing.X) {
	if len(o.left) == mostLeft {
		o.more = true
		return
	}
	o.left = append(o.left, x)
}

// help loads what was left to others and is still missing, in an order of its own, so that
// nodes that help seldom meet.
func (o *round) help(ctx context.Context) error {
	rand.Shuffle(len(o.left), func(i, j int) { o.left[i], o.left[j] = o.left[j], o.left[i] })
	for xs := range slices.Chunk(o.left, upkeepPage) {
		begun := time.Now()
		held, err := o.r.cfg.Cache.Holdings(ctx, xs, begun)
		if err != nil {
			return err
		}
		took := time.Since(begun)
		for i, h := range held {
			if h.Loaded {
				continue
			}
			if err := o.load(ctx, xs[i]); err != nil {
				return err
			}
		}
		if !rest(ctx, upkeepShare*took) {
			return ctx.Err()
		}
	}
	return nil
}

// load brings an X to the cache, unless somebody else does.
func (o *round) load(ctx context.Context, x routing.X) error {
	begun := time.Now()
	_, ticket, err := o.r.cfg.Cache.Peek(ctx, routing.Question{Session: "upkeep", X: x, At: begun})
	if err != nil || !ticket.Miss() {
		return err
	}
	done, err := o.r.loads.now(ctx, wanted{x, begun, ticket})
	if err != nil {
		return err
	}
	if done {
		o.loaded++
		o.r.upkeep.counts.loaded.Add(1)
	}
	if now := time.Now(); now.Sub(o.told) >= upkeepTold {
		o.told = now
		o.r.cfg.Log.Info().Int("loaded", o.loaded).Int("x", o.x).Str("at", string(x)).Msg("the cache is being loaded; calls to X that it lacks are answered by the ledger")
	}
	rest(ctx, upkeepShare*time.Since(begun))
	return nil
}

// settleTime is how long a change may be on its way from ledger to cache, and is
// repaired by who made it (provision).
const settleTime = 3 * time.Second

// repair looks once more at X that were behind: what is so still has missed a change.
func (o *round) repair(ctx context.Context) error {
	if !rest(ctx, settleTime) {
		return nil
	}
	xs := make([]routing.X, 0, len(o.old))
	for x := range o.old {
		xs = append(xs, x)
	}
	held, err := o.r.cfg.Cache.Holdings(ctx, xs, time.Now())
	if err != nil {
		return err
	}
	for i, h := range held {
		if x := xs[i]; h.Loaded && h.Version < o.old[x] {
			o.r.cfg.Log.Error().Str("x", string(x)).Int64("cache", h.Version).Int64("ledger", o.old[x]).Msg("the cache has missed a change: X is read anew")
			if err := o.r.cfg.Cache.Forget(ctx, x); err != nil {
				return err
			}
			o.r.upkeep.counts.repaired.Add(1)
		}
	}
	return nil
}
