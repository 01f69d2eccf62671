package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"axgate/routing"
)

// wholeX is the place of an AX number: it carries one call at a time. anywhere is, for
// marks that are to be freed, whatever place of X the session may have got.
const (
	wholeX   = "x"
	anywhere = ""
)

// place is what one call at a time can have: X, or X and an extension.
type place struct {
	x  routing.X
	at string
}

// marks are the busy marks of this process's calls. They stand in Redis too,
// with a lease, but here they hold even while Redis is away.
type marks struct {
	mu        sync.Mutex
	bySession map[string]place
	byPlace   map[place]string
	freed     []freed
	lately    [2][]freed // that were taken out of Redis since the last tick, and between that and the one before
	again     bool       // Redis was away: what it heard last may be wrong
	wake      chan struct{}
}

// freed is a mark that is still to be taken out of Redis.
type freed struct {
	place
	session string
	but     string // with anywhere: the place that the session has by now
}

// maxFreed bounds what waits for a Redis that is away; the leases of more run
// out by themselves.
const maxFreed = 100_000

func (m *marks) init() {
	m.bySession, m.byPlace = map[string]place{}, map[place]string{}
	m.wake = make(chan struct{}, 1)
}

// take gives the place to the session, unless another one of this process has
// it. A session has one place at most.
func (m *marks) take(session string, p place) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if by, taken := m.byPlace[p]; taken && by != session {
		return false
	}
	if old, has := m.bySession[session]; has && old != p {
		m.free(session, old)
	}
	m.bySession[session], m.byPlace[p] = p, session
	return true
}

// release frees what the session has. It does not wait for Redis.
func (m *marks) release(session string) {
	m.mu.Lock()
	p, has := m.bySession[session]
	if has {
		m.free(session, p)
	}
	m.mu.Unlock()
	if has {
		m.rouse()
	}
}

// drop has a mark taken out of Redis that this process never had.
func (m *marks) drop(session string, p place) {
	m.mu.Lock()
	if len(m.freed) < maxFreed {
		m.freed = append(m.freed, freed{p, session, ""})
	}
	m.mu.Unlock()
	m.rouse()
}

// free is called with the lock held.
func (m *marks) free(session string, p place) {
	delete(m.bySession, session)
	delete(m.byPlace, p)
	if len(m.freed) < maxFreed {
		m.freed = append(m.freed, freed{p, session, ""})
	}
}

func (m *marks) rouse() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// renew has all marks brought to Redis, and those taken out of it that were freed
// lately: it may have lost them, not heard of them, or been late. What it was
// told and did not answer in time, it does all the same, and maybe out of order.
func (m *marks) renew() {
	m.mu.Lock()
	m.again = true
	m.mu.Unlock()
	m.rouse()
}

func (m *marks) takeAgain() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	again := m.again
	m.again = false
	return again
}

func (m *marks) held() []freed {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]freed, 0, len(m.bySession))
	for session, p := range m.bySession {
		all = append(all, freed{p, session, ""})
	}
	return all
}

// takeFreed takes what is to be taken out of Redis; again: what was lately, too.
func (m *marks) takeFreed(again bool) []freed {
	m.mu.Lock()
	defer m.mu.Unlock()
	if again {
		m.freed = slices.Concat(m.lately[1], m.lately[0], m.freed)
		m.lately = [2][]freed{}
	}
	var all []freed
	for _, f := range m.freed {
		if f.at == anywhere {
			f.but = m.at(f)
		} else if m.byPlace[f.place] == f.session { // the session has come back to it
			continue
		}
		all = append(all, f)
	}
	m.freed = nil
	return all
}

// at is the place that a session has on the X of a mark; with the lock held.
func (m *marks) at(f freed) string {
	if p, has := m.bySession[f.session]; has && p.x == f.x {
		return p.at
	}
	return ""
}

// taken notes what was taken out of Redis. A session that got a place meanwhile
// may have lost it there: its lease is renewed.
func (m *marks) taken(all []freed) (renew bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range all {
		renew = renew || f.at == anywhere && m.at(f) != f.but
	}
	m.lately[0] = append(m.lately[0], all[:min(len(all), maxFreed-min(len(m.lately[0]), maxFreed))]...)
	return renew
}

// age forgets what was freed a while ago.
func (m *marks) age() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lately[0], m.lately[1] = nil, m.lately[0]
}

func (m *marks) putBack(all []freed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.freed = append(m.freed, all[:min(len(all), maxFreed-min(len(m.freed), maxFreed))]...)
}

// keep notes what the lookup reserved in Redis. A call that got its place
// while Redis was away comes first.
func (c *Cache) keep(f *routing.Facts, session string, p place) {
	if c.marks.take(session, p) {
		return
	}
	c.marks.drop(session, p)
	f.Held, f.Busy = false, true
}

// Reserve gives X (no extension) or an extension of it to the session, for
// facts that came from the ledger. Not held: another call has it. If Redis
// fails, only this process's calls are seen; the error tells.
func (c *Cache) Reserve(ctx context.Context, session string, x routing.X, ext routing.Extension) (held bool, err error) {
	p := place{x, string(ext)}
	if ext == "" {
		p.at = wholeX
	}
	if !c.marks.take(session, p) {
		return false, nil
	}
	v, err := c.run(ctx, "reserve", x, c.scripts.hold, []string{busyKey(x)}, p.at, session, c.cfg.Node, c.leaseText())
	if err != nil {
		return true, err
	}
	if list, ok := v.([]any); ok && len(list) == 2 && list[0] == int64(1) {
		c.marks.release(session)
		return false, nil
	}
	return true, nil
}

// ReserveHere is Reserve without Redis: another call of this process has it,
// or it is free.
func (c *Cache) ReserveHere(session string, x routing.X, ext routing.Extension) (held bool) {
	p := place{x, string(ext)}
	if ext == "" {
		p.at = wholeX
	}
	return c.marks.take(session, p)
}

// Carry has this process hold the place that a session of another node has: its
// lease is prolonged at once, and Release frees it.
func (c *Cache) Carry(session string, x routing.X, ext routing.Extension) {
	if c.ReserveHere(session, x, ext) {
		c.marks.renew()
	}
}

// Yield lets another node have the place of a session. In Redis it stays.
func (c *Cache) Yield(session string) {
	m := &c.marks
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, has := m.bySession[session]; has {
		delete(m.bySession, session)
		delete(m.byPlace, p)
	}
}

// Release frees what the session reserved. It does not wait for Redis; there
// the lease runs out if nothing else helps.
func (c *Cache) Release(session string) { c.marks.release(session) }

// Free frees whatever place a call of a dead node has on X: its lease need not run
// out. It does not wait for Redis.
func (c *Cache) Free(session string, x routing.X) { c.marks.drop(session, place{x, anywhere}) }

func (c *Cache) leaseText() string { return strconv.FormatInt(c.cfg.Lease.Milliseconds(), 10) }

// tend takes freed marks out of Redis and prolongs the leases of the others,
// in one goroutine so that no mark is prolonged after it was freed.
func (c *Cache) tend(ctx context.Context) {
	tick := time.NewTicker(c.cfg.Lease / 3)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-c.marks.wake:
			again := c.marks.takeAgain()
			err = c.sweep(ctx, again)
			if again {
				err = errors.Join(err, c.renew(ctx))
			}
		case <-tick.C:
			err = errors.Join(c.sweep(ctx, c.marks.takeAgain()), c.renew(ctx))
			c.marks.age()
		case <-c.doubt.next():
			if c.doubt.passes(time.Now()) && c.doubt.owed {
				err = c.renew(ctx)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := c.sweep(last, false); err != nil {
				c.cfg.Log.Warn().Err(err).Msg("busy marks are left to their leases")
			}
			return
		}
		if err != nil && ctx.Err() == nil {
			c.cfg.Log.Warn().Err(err).Msg("busy marks")
		}
	}
}

// sweep takes the freed marks out of Redis, and what fails the next time. A
// mark that somebody else has got by then stays. again: also those that were
// taken out lately.
func (c *Cache) sweep(ctx context.Context, again bool) error {
	all := c.marks.takeFreed(again)
	_, err := c.pipeline(ctx, "free busy marks", len(all), func(i int) order {
		return order{c.scripts.release, []string{busyKey(all[i].x)}, []any{all[i].at, all[i].session, all[i].but}}
	})
	if err != nil {
		c.marks.putBack(all)
	} else if c.marks.taken(all) {
		err = c.renew(ctx)
	}
	return err
}

// renew prolongs the leases of all busy marks of this process, and puts into
// Redis those that it does not have; later, if they may be others' by now. That is
// done by tend alone: of a mark that is freed meanwhile, Redis hears later.
func (c *Cache) renew(ctx context.Context) error {
	if c.doubt.owed = !c.doubt.passes(time.Now()); c.doubt.owed {
		return nil
	}
	all := c.marks.held()
	_, err := c.pipeline(ctx, "prolong busy marks", len(all), func(i int) order {
		return order{c.scripts.hold, []string{busyKey(all[i].x)}, []any{all[i].at, all[i].session, c.cfg.Node, c.leaseText()}}
	})
	return err
}
