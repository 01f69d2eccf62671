package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"axgate/ledger"
	"axgate/roster"
	"axgate/routing"
	"axgate/sip"
	"axgate/store"
)

// orphanTime is for how long after a death, and after this node's start, requests
// may come for calls that this node is about to go on with.
const orphanTime = 10 * time.Second

// missTime is the same while another node may be dead: until the roster looks again.
const missTime = 2 * time.Second

// takeovers is what this node does so that calls survive their nodes: it keeps its
// own for others, and goes on with those of the dead.
type takeovers struct {
	talks  *store.Talks
	shared *shared

	// asked are sessions of a life that the ledger may have given to this node, which does
	// not carry them yet. Of the one that settles deaths alone.
	asked map[ledger.Life]*asked
	runs  map[string]bool // sessions of deaths not settled yet that this node goes on with, or did
}

// asked are sessions of a dead node.
type asked struct {
	of       roster.Dead
	sessions map[string]bool
}

// openTakeovers begins to keep this node's calls for others, if they are to survive.
func (n *Node) openTakeovers(context.Context) error {
	if !n.cfg.Cluster.Takeover {
		return nil
	}
	n.takeovers = &takeovers{shared: &shared{dir: RecordDir(&n.cfg)}, asked: map[ledger.Life]*asked{}, runs: map[string]bool{}}
	n.takeovers.talks = n.cache.NewTalks(store.TalksConfig{
		Owner: func() (string, bool) { return n.roster.Life().String(), n.roster.Holds() },
		Seal:  func(session, state string) (string, error) { return n.ring.SealText(talkPlace(session), state) },
	})
	n.background("keeping calls for other nodes", n.takeovers.talks.Run)
	if err := n.takeovers.shared.leave(n.roster.Life()); err != nil { // health goes on telling
		n.log.Error().Err(err).Msg("other nodes do not know that they can go on with the recordings of this one")
	}
	n.background("looking for the signs of other nodes", n.lookForSigns)
	return nil
}

// talkPlace is what the state of a call is bound to where it is encrypted.
func talkPlace(session string) string { return "talk " + session }

// surviving has the calls of a SIP server survive this node, and it those of others.
func (n *Node) surviving(c *sip.Config) {
	c.Holds, c.Others = n.roster.Holds, n.others
	if n.takeovers != nil {
		c.Talks = n.takeovers.talks
	}
}

// others tells where other nodes take calls.
func (n *Node) others() sip.Others {
	at := n.server.UDPAddr()
	others := sip.NoOthers
	for _, o := range n.roster.Takers() {
		others = sip.OthersApart
		theirs, err := netip.ParseAddrPort(o.Addresses.UDP)
		if err == nil && theirs.Port() == at.Port() && (theirs.Addr() == at.Addr() || theirs.Addr().IsUnspecified() || at.Addr().IsUnspecified()) {
			return sip.OthersInPlace
		}
	}
	return others
}

// letGo forgets the calls of a life that others have declared over.
func (n *Node) letGo(context.Context, roster.Life) {
	n.server.LetGo()
	n.patience.passes()
	if n.takeovers != nil {
		n.takeovers.talks.LetGo()
		clear(n.takeovers.asked) // the heir of this life closes them
		clear(n.takeovers.runs)
	}
}

// takeOver goes on with the answered calls of a dead node. Those that it cannot go on
// with are left to be closed.
func (n *Node) takeOver(ctx context.Context, d roster.Dead) error {
	if n.takeovers == nil {
		return nil
	}
	n.server.ExpectOrphans(orphanTime)
	if d.Node == n.cfg.Node { // what it was when it was killed, its journal knows better
		if err := n.journal.Flush(ctx); err != nil {
			return err
		}
	}
	owner := d.Life.String()
	kept, err := n.cache.TalksOf(ctx, owner)
	if err != nil {
		if n.patience.lasts(d.Life, n.cfg.Cluster.Patience) {
			return err
		}
		n.log.Error().Err(err).Stringer("dead", d.Life).Msg("its calls are closed: what they were cannot be read")
		return n.closeAsked(ctx, d)
	}
	sessions := slices.Collect(maps.Keys(kept))
	for session := range n.takeovers.runs {
		delete(kept, session)
	}
	orphans := n.prepare(kept, d)
	adopted, err := n.adopt(ctx, d, orphans)
	if len(kept) > 0 {
		n.log.Warn().Stringer("dead", d.Life).Int("kept", len(kept)).Int("taken_over", adopted).Msg("took over the answered calls of a dead node")
	}
	if err != nil {
		return err
	}
	if err := n.closeAsked(ctx, d); err != nil {
		return err
	}
	if err := n.cache.ForgetTalks(ctx, owner); err != nil {
		n.log.Info().Err(err).Msg("they run out")
		return nil
	}
	for _, session := range sessions {
		delete(n.takeovers.runs, session)
	}
	return nil
}

// closeAsked closes the calls that the ledger has given to this node, or may have, and that
// it does not go on with.
func (n *Node) closeAsked(ctx context.Context, d roster.Dead) error {
	a := n.takeovers.asked[d.Life]
	if a == nil {
		return nil
	}
	for session := range a.sessions {
		c, closed, err := n.ledger.CloseTaken(ctx, session, n.roster.Life(), d, n.repaired)
		if err != nil {
			return err
		}
		if closed {
			n.cache.Free(session, routing.X(c.X))
		}
		delete(a.sessions, session)
	}
	delete(n.takeovers.asked, d.Life)
	return nil
}

// closeAllAsked does so before deaths are left to others: they are not theirs, and nobody
// carries them.
func (n *Node) closeAllAsked(ctx context.Context) error {
	if n.takeovers == nil {
		return nil
	}
	var failed error
	for _, a := range n.takeovers.asked {
		failed = errors.Join(failed, n.closeAsked(ctx, a.of))
	}
	return failed
}

// prepare makes calls of what a dead node kept, by session.
func (n *Node) prepare(kept map[string]string, d roster.Dead) map[string]*sip.Orphan {
	estate := n.server.Estate(n.deathOf(d))
	orphans := make(map[string]*sip.Orphan, len(kept))
	for session, text := range kept {
		state, err := n.ring.OpenText(talkPlace(session), text)
		if err == nil {
			orphans[session], err = estate.Prepare([]byte(state))
		}
		if err != nil {
			n.log.Error().Err(err).Str("session", session).Msg("the call of a dead node is closed")
			delete(orphans, session)
		}
	}
	return orphans
}

// deathOf is a death by the dead node's clock: that showed AliveAt when the ledger's did
// HeardAt, which all nodes know the time by.
func (n *Node) deathOf(d roster.Dead) sip.Death {
	if d.AliveAt.IsZero() || d.HeardAt.IsZero() {
		return sip.Death{Alive: d.AliveAt}
	}
	return sip.Death{Alive: d.AliveAt, Now: d.AliveAt.Add(n.ledger.Now().Sub(d.HeardAt))}
}

// adopt goes on with those of the calls that the ledger gives to this node.
func (n *Node) adopt(ctx context.Context, d roster.Dead, orphans map[string]*sip.Orphan) (adopted int, err error) {
	defer func() {
		for _, o := range orphans { // that nobody goes on with
			o.Drop()
		}
	}()
	const batch = 200
	var some []ledger.Kept
	a := n.takeovers.asked[d.Life]
	if a == nil {
		a = &asked{d, map[string]bool{}}
		n.takeovers.asked[d.Life] = a
	}
	give := func() error {
		for _, k := range some {
			a.sessions[k.Call.Session] = true
		}
		taken, err := n.ledger.TakeOver(ctx, d.Life, n.roster.Life(), some)
		some = some[:0]
		if err != nil {
			return fmt.Errorf("take over calls: %w", err)
		}
		for session, seq := range taken {
			o := orphans[session]
			delete(orphans, session)
			if err := o.Adopt(seq); err != nil && !errors.Is(err, sip.ErrCarried) {
				n.log.Error().Err(err).Msg("the call of a dead node is closed")
				continue
			}
			delete(a.sessions, session)
			n.takeovers.runs[session] = true
			adopted++
		}
		return nil
	}
	for _, o := range orphans {
		if some = append(some, ledger.Kept{Call: o.Was, Seq: o.Seq}); len(some) == batch {
			if err := give(); err != nil {
				return adopted, err
			}
		}
	}
	if len(some) > 0 {
		err = give()
	}
	return adopted, err
}
