package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"axgate/config"
	"axgate/ledger"
	"axgate/lookup"
	"axgate/prompts"
	"axgate/provision"
	"axgate/routing"
	"axgate/store"
	"axgate/vault"
)

// Office is ledger, cache and provisioning without a node: what commands work
// with, beside a node that runs or without one.
type Office struct {
	Plan      routing.Plan
	Ledger    *ledger.Ledger
	Cache     *store.Cache // nil: no node runs, and the cache would be in it
	Provision *provision.Service
	Ring      *vault.Ring // nil: nothing is encrypted
	Running   *Running    // nil: none on this data directory
	files     *prompts.Dir
	log       zerolog.Logger
	close     closers
}

// OpenOffice opens what a command needs.
func OpenOffice(ctx context.Context, cfg config.Config, log zerolog.Logger) (o *Office, err error) {
	o = &Office{log: log}
	defer func(opened *Office) { // o is nil by then
		if err != nil {
			err = errors.Join(err, opened.Close())
		}
	}(o)
	if o.Plan, err = plan(&cfg.Plan); err != nil {
		return nil, err
	}
	s, err := storeConfig(&cfg, log)
	if err != nil {
		return nil, err
	}
	s.Node = cfg.Node + "-command"
	if err := o.look(ctx, &cfg, &s); err != nil {
		return nil, err
	}
	if o.Ring, err = keyRing(&cfg); err != nil {
		return nil, err
	}
	l := ledgerConfig(&cfg)
	l.Ring = o.Ring
	if o.Ledger, err = ledger.Open(ctx, l); err != nil {
		return nil, err
	}
	o.close.add("the ledger", func(context.Context) error { return o.Ledger.Close() })
	var cache provision.Cache = noCache{}
	if !cfg.Redis.Inside() || s.Address != "" {
		if o.Cache, err = openCache(ctx, s, o.Ledger, "", nil, false); err != nil {
			return nil, err
		}
		o.close.add("the cache", func(context.Context) error { return o.Cache.Close() })
		cache = o.Cache
	}
	if o.files, err = prompts.OpenDir(PromptDir(&cfg)); err != nil {
		return nil, err
	}
	if o.Provision, err = provision.New(provision.Config{Ledger: o.Ledger, Cache: cache, Plan: o.Plan, Prompts: o.files, Log: log}); err != nil {
		return nil, err
	}
	o.close.add("provisioning", o.Provision.Close)
	return o, nil
}

// look finds out whether a node runs on the data directory. With the embedded
// Redis the cache is in that node; while there is none, the directory is held
// so that none can fill its cache in the middle of a change.
func (o *Office) look(ctx context.Context, cfg *config.Config, s *store.Config) error {
	const patience, step = 10 * time.Second, 50 * time.Millisecond
	for until := time.Now().Add(patience); ; {
		if r, ok := FindRunning(cfg.Data); ok {
			o.Running = &r
			if cfg.Redis.Inside() {
				s.Address = r.Redis
			}
			return nil
		}
		d, err := hold(ctx, cfg.Data, false)
		if err == nil {
			o.close.add("the data directory", func(context.Context) error { return d.release() })
			if cfg.Redis.Inside() {
				s.Address = ""
			}
			return nil
		}
		if !errors.Is(err, errHeld) || time.Now().After(until) || ctx.Err() != nil {
			return err
		}
		time.Sleep(step) // the node has not said yet where it is
	}
}

// Close ends the work.
func (o *Office) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return o.close.all(ctx)
}

// openCache connects to Redis, embedded in this process or not, by what the
// ledger says of it. node is the one in this process, w its witnesses; empty and nil:
// there is none.
func openCache(ctx context.Context, s store.Config, l *ledger.Ledger, node string, w *lookup.Witnesses, embedded bool) (*store.Cache, error) {
	s.Registry = lookup.NewRegistry(l, node, w)
	open := store.Open
	if embedded { // it is another one at every start, which is no news
		open, s.Log = store.OpenEmbedded, s.Log.Level(zerolog.ErrorLevel)
	}
	c, err := open(s)
	if err != nil {
		return nil, err
	}
	v, err := s.Registry.View(ctx)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.SetView(v)
	return c, nil
}

// noCache stands for the cache of a node that does not run: it is empty, and
// will be filled from the ledger.
type noCache struct{}

var _ provision.Cache = noCache{}

func (noCache) PutBinding(context.Context, routing.XNumber, routing.Binding) error { return nil }

func (noCache) DropBinding(context.Context, routing.XNumber, routing.Binding, int64) error {
	return nil
}

func (noCache) PutNumber(context.Context, routing.XNumber) error { return nil }

func (noCache) PutTemporary(context.Context, routing.XNumber, routing.TemporaryCallee, int64) error {
	return nil
}

func (noCache) Forget(context.Context, routing.X) error { return nil }

func (noCache) ForgetAll(context.Context, []routing.X) error { return nil }

func (noCache) SetEpoch(int64) {}

// closers are what was opened, to be closed the other way round.
type closers struct {
	list []closer
}

type closer struct {
	what  string
	close func(context.Context) error
}

func (c *closers) add(what string, close func(context.Context) error) {
	c.list = append(c.list, closer{what, close})
}

// all closes everything, however often it is called.
func (c *closers) all(ctx context.Context) error {
	var errs []error
	for i := len(c.list) - 1; i >= 0; i-- {
		if err := c.list[i].close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", c.list[i].what, err))
		}
	}
	c.list = nil
	return errors.Join(errs...)
}
