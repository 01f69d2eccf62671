package lookup

import (
	"context"
	"errors"
	"sync"
	"time"

	"axgate/events"
	"axgate/ledger"
	"axgate/roster"
	"axgate/routing"
	"axgate/store"
)

// settings are the apps as the ledger had them at a mark.
type settings struct {
	mark    int64
	apps    map[string]*routing.App
	servers map[string]events.Receiver // of the apps whose servers are asked: in X mode, or about texts
	told    map[events.Lane]bool       // there is an address for it
	warned  int64                      // the mark at which the log was told whose secrets cannot be opened
}

// pace is how often the ledger is asked what has changed.
const pace = 500 * time.Millisecond

// followMost is how long the ledger may take to tell: one that takes longer is away,
// and calls that need it are refused.
const followMost = 3 * time.Second

// Run follows the ledger until ctx ends: settings of apps, the epoch of the
// cache; it tells the ledger by which epoch this node goes, and the other
// nodes what accounts and numbers use; it loads X that the cache did not have,
// and asks a cache that failed whether it is back.
func (r *Router) Run(ctx context.Context) {
	var beside sync.WaitGroup
	beside.Go(func() { r.use.Run(ctx) })
	beside.Go(func() { r.loads.run(ctx) })
	beside.Go(func() { r.probe(ctx) })
	beside.Go(func() {
		r.testify(ctx)
		r.leave()
	})
	if r.cfg.Upkeep > 0 {
		beside.Go(func() { r.keepUp(ctx) })
	}
	defer beside.Wait()
	tick := time.NewTicker(pace)
	defer tick.Stop()
	ill := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := r.follow(ctx)
		if err == nil {
			err = r.beat(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		r.ledger.give(ledger.Away(err))
		if err != nil && !ill {
			r.cfg.Log.Error().Err(err).Msg("follow the ledger: this node goes by what it knew")
		}
		if err == nil && ill {
			r.cfg.Log.Info().Msg("the ledger is followed again")
		}
		ill = err != nil
	}
}

// follow reads what has changed since the last time.
func (r *Router) follow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, followMost)
	defer cancel()
	heard, asked := r.cfg.Roster.Heard(), roster.Now()
	alive, err := r.cfg.Ledger.Alive(ctx)
	if err != nil {
		return err
	}
	m, err := r.followCache(ctx)
	if err != nil {
		return err
	}
	r.cfg.Witnesses.hears(asked, r.trusted.Load(), alive, r.cfg.Node)
	r.trusted.Store(heard)
	r.alive.Store(&alive)
	if m.Settings == r.settings.Load().mark {
		return nil
	}
	return r.read(ctx, m.Settings)
}

// followCache takes over what the ledger says of the cache.
func (r *Router) followCache(ctx context.Context) (ledger.Marks, error) {
	c := r.cfg.Cache
	mark, epoch := c.Mark(), c.Epoch()
	m, err := r.cfg.Ledger.Marks(ctx)
	if err != nil || m.Cache == mark && epoch <= mark {
		return m, err
	}
	if m.Cache < max(mark, epoch) { // the ledger was restored from a copy, or is another one
		raised, err := r.cfg.Ledger.RaiseEpochOver(ctx, max(mark, epoch), "the cache has an epoch that the ledger never had")
		if err != nil {
			return m, err
		}
		r.cfg.Log.Warn().Int64("epoch", raised).Msg("the cache is that of another ledger: everything is loaded anew")
	}
	v, err := r.cfg.Ledger.CacheView(ctx)
	if err == nil {
		c.SetView(store.View(v))
	}
	return m, err
}

// read takes over the apps, and has others take over theirs. All is read after
// the mark: what changes in between, or fails, is read again.
func (r *Router) read(ctx context.Context, mark int64) error {
	list, err := r.cfg.Ledger.Apps(ctx)
	if err != nil {
		return err
	}
	now := settingsOf(list, r.settings.Load())
	r.warn(list, &now, mark)
	unread := now
	r.settings.Store(&unread)
	if r.cfg.Settings != nil {
		if err := r.cfg.Settings(ctx); err != nil {
			return err
		}
	}
	now.mark = mark
	r.settings.Store(&now)
	return nil
}

// settingsOf are those of all apps. An app whose secret cannot be opened signs
// questions with the one before; without one, nobody is asked for it.
func settingsOf(list []ledger.App, before *settings) settings {
	now := settings{mark: -1, apps: make(map[string]*routing.App, len(list)), servers: map[string]events.Receiver{}, told: map[events.Lane]bool{}, warned: before.warned}
	for i := range list {
		a := &list[i]
		now.apps[a.Key] = &a.App
		to := a.Receiver()
		for _, target := range []events.Target{events.ToCallIn, events.ToStatus, events.ToFee} {
			if to.Address(target) != "" {
				now.told[events.Lane{App: a.Key, Target: target}] = true
			}
		}
		if a.Unopened != nil {
			to.Secret = before.servers[a.Key].Secret
		}
		if opened := a.Unopened == nil || to.Secret != ""; opened && (a.Mode == routing.XMode || a.SMS) {
			now.servers[a.Key] = to
		}
	}
	return now
}

// warn tells of apps whose secrets cannot be opened, once for each state of the settings.
func (r *Router) warn(list []ledger.App, now *settings, mark int64) {
	if now.warned == mark {
		return
	}
	const named = 20
	var failed error
	var apps []string
	for i := range list {
		if list[i].Unopened != nil {
			failed, apps = list[i].Unopened, append(apps, list[i].Key)
		}
	}
	if failed == nil {
		return
	}
	now.warned = mark
	r.cfg.Log.Error().Err(failed).Int("secrets", len(apps)).Strs("apps", apps[:min(len(apps), named)]).
		Msg("secrets of apps cannot be opened: until this node has their keys it asks the servers of these apps with the secrets of before, or not at all")
}

// beat tells the others at once which state of the cache this node has heard of: they
// may wait for it.
func (r *Router) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, followMost)
	defer cancel()
	mark := r.cfg.Cache.Mark()
	if mark == r.beaten {
		return nil
	}
	if err := r.cfg.Roster.Beat(ctx); err != nil {
		return err
	}
	r.beaten = mark
	return nil
}

// Told tells whether an app has an address for such events; of an app that is
// not known yet, that it has.
func (r *Router) Told(l events.Lane) bool {
	s := r.settings.Load()
	if _, ok := s.apps[l.App]; !ok {
		return true
	}
	return s.told[l]
}

// app is the owner of an X. One that is not known yet may have been made a
// moment ago.
func (r *Router) app(ctx context.Context, key string) (*routing.App, error) {
	if a, ok := r.settings.Load().apps[key]; ok {
		return a, nil
	}
	a, err := r.cfg.Ledger.App(ctx, key)
	if errors.Is(err, ledger.ErrUnknownApp) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &a.App, nil
}
