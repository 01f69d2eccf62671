package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"axgate/events"
	"axgate/journal"
	"axgate/ledger"
	"axgate/roster"
	"axgate/routing"
	"axgate/store"
	"axgate/vault"
)

// copies are the entries of a node's journal that only its disk has: they stand in
// Redis too, for the heir of its life.
type copies struct {
	life   func() ledger.Life
	others func() bool // are there
	cache  *store.Cache
	ring   *vault.Ring

	mu   sync.Mutex
	kept bool // some may stand there of this life
}

var _ journal.Copies = (*copies)(nil)

func (c *copies) Wanted() bool { return c.others() }

func (c *copies) Add(ctx context.Context, at, carried string, page []byte) error {
	owner := c.life().String()
	text, err := c.ring.SealText(journalPlace(owner), string(page))
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = true
	return c.cache.KeepJournal(ctx, owner, at, carried, text)
}

// forget removes them once the ledger has all that they are of, which carry sees to. None is
// added meanwhile.
func (c *copies) forget(ctx context.Context, carry func(context.Context) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.kept {
		return nil
	}
	if err := carry(ctx); err != nil {
		return err
	}
	if err := c.cache.ForgetJournal(ctx, c.life().String()); err != nil {
		return err
	}
	c.kept = false
	return nil
}

// forgetUnwanted removes them when there is no other node any more that would read them,
// until ctx ends.
func (c *copies) forgetUnwanted(ctx context.Context, carry func(context.Context) error) {
	const pace = 2 * time.Second
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.others() {
			continue
		}
		trying, cancel := context.WithTimeout(ctx, lastCarry)
		_ = c.forget(trying, carry) // health tells what is away; it is tried again
		cancel()
	}
}

// journalPlace is what a page of copies is bound to where it is encrypted.
func journalPlace(owner string) string { return "journal of " + owner }

// openCopies begins to copy the journal. At the end, when nothing is written to it any more,
// the copies are taken away: numbers of people stand in them.
func (n *Node) openCopies(context.Context) error {
	to := &copies{life: n.roster.Life, others: n.roster.Others, cache: n.cache, ring: n.ring}
	n.close.add("the copies of the journal", func(ctx context.Context) error {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCarry)
		defer cancel()
		if err := to.forget(ending, n.journal.Flush); err != nil {
			n.log.Info().Err(err).Msg("the copies of the journal run out")
		}
		return nil
	})
	n.background("copying the journal for other nodes", func(ctx context.Context) { n.journal.Copy(ctx, to) })
	n.background("forgetting its copies", func(ctx context.Context) { to.forgetUnwanted(ctx, n.journal.Flush) })
	return nil
}

// carryCopies brings to the ledger what the journal of a dead node could not any more.
func (n *Node) carryCopies(ctx context.Context, d roster.Dead) error {
	owner := d.Life.String()
	var pages []string
	err := n.cache.JournalOf(ctx, owner, func(page string) error {
		pages = append(pages, page)
		return nil
	})
	whole := err == nil
	if err != nil {
		if !n.carriedItself(d) && n.patience.lasts(d.Life, n.cfg.Cluster.Patience) {
			return err
		}
		n.log.Error().Err(err).Stringer("dead", d.Life).Int("pages", len(pages)).Msg("of its last second is known what the ledger knows, and the pages that could be read")
	}
	for _, page := range pages {
		text, err := n.ring.OpenText(journalPlace(owner), page)
		var list []events.Entry
		if err == nil {
			list, err = journal.ReadPage([]byte(text))
		}
		if err != nil {
			whole = false
			n.log.Error().Err(err).Stringer("dead", d.Life).Msg("a part of its last second is not known")
		}
		if err := n.carryCopied(ctx, list); err != nil {
			return err
		}
	}
	if !whole {
		return nil // it runs out, and may be of use to somebody with the key until then
	}
	if err := n.cache.ForgetJournal(ctx, owner); err != nil {
		n.log.Info().Err(err).Msg("it runs out")
	}
	return nil
}

// carriedItself tells of a last life of this node whose journal the ledger surely has: where
// it is alone with its ledger, nobody else has its name and another disk.
func (n *Node) carriedItself(d roster.Dead) bool {
	return d.Node == n.cfg.Node && n.cfg.Ledger.Driver == ledger.SQLite
}

// carryCopied records entries of a dead node, and frees the marks of calls that were over.
func (n *Node) carryCopied(ctx context.Context, list []events.Entry) error {
	refused, err := n.ledger.Record(ctx, list)
	if err != nil {
		return fmt.Errorf("carry the journal of a dead node: %w", err)
	}
	for i := range list {
		e := &list[i]
		if why := refused[i]; why != nil { // the call is not over by it
			if !errors.Is(why, events.ErrNotIts) {
				n.log.Error().Err(why).Str("session", e.Session()).Msg("an entry of a dead node is refused by the ledger")
			}
			continue
		}
		if slices.ContainsFunc(e.Events, func(ev events.Event) bool { return ev.Kind == events.Fee }) {
			n.cache.Free(e.Call.Session, routing.X(e.Call.X))
		}
	}
	return nil
}

// patience is how long what dead nodes have left in Redis is tried to be read. It belongs to
// the one who settles deaths.
type patience struct {
	since map[ledger.Life]time.Time
}

// lasts tells whether it is to be tried once more.
func (p *patience) lasts(life ledger.Life, d time.Duration) bool {
	since, known := p.since[life]
	if !known {
		if p.since == nil {
			p.since = map[ledger.Life]time.Time{}
		}
		since = time.Now()
		p.since[life] = since
	}
	return time.Since(since) < d
}

// ends forgets a life that is settled.
func (p *patience) ends(life ledger.Life) { delete(p.since, life) }

// passes forgets all: others settle them.
func (p *patience) passes() { clear(p.since) }
