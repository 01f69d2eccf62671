// Package node joins all parts to one running node, and to the office that
// commands work in. It is the one place that knows every part; there is no
// logic in it but the order in which they begin and end.
package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"axgate/api"
	"axgate/api/records"
	"axgate/archive"
	"axgate/config"
	"axgate/events"
	"axgate/journal"
	"axgate/ledger"
	"axgate/lookup"
	"axgate/media"
	"axgate/media/record"
	"axgate/metrics"
	"axgate/prompts"
	"axgate/provision"
	"axgate/roster"
	"axgate/routing"
	"axgate/sip"
	"axgate/sip/registrar"
	"axgate/sip/sdp"
	"axgate/sms"
	"axgate/store"
	"axgate/vault"
)

// Node is a running axgate.
type Node struct {
	cfg        config.Config
	log        zerolog.Logger
	plan       routing.Plan
	dir        *dataDir
	ledger     *ledger.Ledger
	roster     *roster.Roster
	takeovers  *takeovers // nil: calls do not survive this node
	patience   patience   // with what dead nodes left in Redis
	journal    *journal.Journal
	cache      *store.Cache
	files      *prompts.Dir
	office     *provision.Service
	router     *lookup.Router
	witnesses  lookup.Witnesses // for when the ledger is away
	texts      *sms.Office
	gateways   gateways // of texts by HTTP
	sounds     *prompts.Library
	engine     *media.Engine
	tapes      *record.Writer
	recordings *archive.Dir
	store      *archive.Store   // of recordings; nil: none
	web        *api.Server      // nil: no HTTP
	library    *records.Library // nil: no HTTP
	server     *sip.Server
	shown      netip.Addr // in SDP
	close      closers
	ring       *vault.Ring // encrypts at rest; nil: nothing is
	watching   watching
	uploads    *archive.Uploader // nil: there is no store
	token      string            // of commands on this host, anew at each start
}

// Open starts everything in its order; calls are taken from Serve on. What was
// opened before an error is closed again.
func Open(ctx context.Context, cfg config.Config, log zerolog.Logger) (*Node, error) {
	n := &Node{cfg: cfg, log: log, token: "axg_local_" + rand.Text(), watching: watching{figures: metrics.New()}}
	for _, step := range []func(context.Context) error{
		n.openDirectory, n.sweepRestored, n.openLedger, n.carryLeft, n.openRoster, n.checkKeys, n.openJournal, n.openRecorder, n.openStore, n.openCache, n.openCopies, n.openTakeovers, n.openProvision, n.openPrompts, n.openLookup,
		n.openTexts, n.openGateways, n.openMedia, n.openWatching, n.openTraces, n.openHTTP, n.openPusher, n.openRetention, n.openSIP, n.beginWatching,
	} {
		if err := step(ctx); err != nil {
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			return nil, errors.Join(err, n.close.all(ending))
		}
	}
	return n, nil
}

// Serve begins to take calls and requests, and lets commands find the node.
func (n *Node) Serve() error {
	n.server.Serve()
	n.sendTexts()
	if n.web != nil {
		n.web.Serve()
	}
	if n.watching.page != nil {
		n.watching.page.Serve()
	}
	r := n.Running()
	if err := n.dir.announce(r); err != nil {
		return err
	}
	if err := n.attend(context.Background()); err != nil {
		return err
	}
	n.log.Info().Str("node", r.Node).Str("udp", r.UDP).Str("tcp", r.TCP).Str("tls", r.TLS).Str("redis", r.Redis).Str("http", r.HTTP).Stringer("media", n.shown).Msg("calls are taken")
	return nil
}

// Close refuses new calls, lets running ones end until ctx is done, ends them,
// and closes everything the other way round than it was opened.
func (n *Node) Close(ctx context.Context) error { return n.close.all(ctx) }

// Calls is how many calls are up.
func (n *Node) Calls() int { return n.server.Calls() }

// Provision changes what is stored.
func (n *Node) Provision() *provision.Service { return n.office }

// Running tells where the node is to be reached.
func (n *Node) Running() Running {
	text := func(a netip.AddrPort) string {
		if !a.IsValid() {
			return ""
		}
		return a.String()
	}
	r := Running{PID: os.Getpid(), Node: n.cfg.Node, Since: time.Now().UTC(), UDP: text(n.server.UDPAddr()), TCP: text(n.server.TCPAddr()), TLS: text(n.server.TLSAddr()),
		Redis: n.cache.Address(), Figures: n.Figures()}
	if n.web != nil {
		r.HTTP, r.Token = n.web.Addr().String(), n.token
	}
	return r
}

// background runs something until the node closes what was opened before it.
func (n *Node) background(what string, run func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { run(ctx) })
	n.close.add(what, func(context.Context) error {
		cancel()
		done.Wait()
		return nil
	})
}

func (n *Node) openDirectory(ctx context.Context) (err error) {
	if n.plan, err = plan(&n.cfg.Plan); err != nil {
		return err
	}
	if n.dir, err = hold(ctx, n.cfg.Data, true); err != nil {
		return err
	}
	n.close.add("the data directory", func(context.Context) error { return errors.Join(n.dir.withdraw(), n.dir.release()) })
	return nil
}

func (n *Node) openLedger(ctx context.Context) (err error) {
	if n.ring, err = keyRing(&n.cfg); err != nil {
		return err
	}
	c := ledgerConfig(&n.cfg)
	c.Ring, c.Watch = n.ring, n.watching.figures.Ledger
	if n.ledger, err = ledger.Open(ctx, c); err != nil {
		return err
	}
	n.close.add("the ledger", func(context.Context) error { return n.ledger.Close() })
	return nil
}

// lastCarry is how long the ledger may take for the last entries, also when
// running calls have used up the time for the end.
const lastCarry = 5 * time.Second

// carryLeft has the ledger take what an earlier process left in the journal. That is done
// before this one begins a life, which ends the last: whoever closes the calls of that
// one then, and be it another node because this one fails to start, knows what it knew.
func (n *Node) carryLeft(ctx context.Context) error {
	j, err := n.readJournal()
	if err != nil {
		return err
	}
	err = j.Flush(ctx)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCarry)
	defer cancel()
	return errors.Join(err, j.Close(closing))
}

func (n *Node) readJournal() (*journal.Journal, error) {
	return journal.Open(journal.Config{Dir: JournalDir(&n.cfg), Ledger: n.ledger, Queue: n.cfg.Journal.Queue, Size: int64(n.cfg.Journal.Size) << 20,
		Prompt: func(l events.Lane) bool { return n.router == nil || n.router.Told(l) }, Log: n.log})
}

func (n *Node) openJournal(context.Context) (err error) {
	if n.journal, err = n.readJournal(); err != nil {
		return err
	}
	n.close.add("the journal", func(ctx context.Context) error {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCarry)
		defer cancel()
		return n.journal.Close(ending)
	})
	return nil
}

func (n *Node) openCache(ctx context.Context) (err error) {
	s, err := storeConfig(&n.cfg, n.log)
	if err != nil {
		return err
	}
	s.Holds = n.roster.Holds
	if n.cache, err = openCache(ctx, s, n.ledger, n.cfg.Node, &n.witnesses, n.cfg.Redis.Inside()); err != nil {
		return err
	}
	n.close.add("the cache", func(context.Context) error { return n.cache.Close() })
	if err := n.cache.Ping(ctx); err != nil { // a node has to come up while Redis is away
		n.log.Error().Err(err).Msg("Redis does not answer: calls go by the ledger until it does")
	}
	return nil
}

func (n *Node) openProvision(ctx context.Context) (err error) {
	if n.files, err = prompts.OpenDir(PromptDir(&n.cfg)); err != nil {
		return err
	}
	n.office, err = provision.New(provision.Config{Ledger: n.ledger, Cache: n.cache, Plan: n.plan, Prompts: n.files, Node: n.cfg.Node, Known: n.witnesses.Known, Compare: n.cfg.Redis.Compare, Log: n.log})
	if err != nil {
		return err
	}
	n.background("provisioning", n.office.Run)
	return n.seed(ctx)
}

// openLookup starts the router, which also follows what changes in the ledger.
func (n *Node) openLookup(ctx context.Context) (err error) {
	refused, err := networks("events.refuse", n.cfg.Events.Refuse)
	if err != nil {
		return err
	}
	use, err := limits(&n.cfg.Guard)
	if err != nil {
		return err
	}
	asker := events.NewAsker(events.AskConfig{Refuse: refused})
	n.close.add("the connections to the apps' servers", func(context.Context) error { asker.Close(); return nil })
	n.router, err = lookup.New(ctx, lookup.Config{Ledger: n.ledger, Cache: n.cache, Plan: n.plan, Node: n.cfg.Node, Roster: n.roster, Witnesses: &n.witnesses, Log: n.log, Settings: n.sounds.Refresh,
		Journal: n.journal, Asker: asker, AnswerIn: n.cfg.Events.AnswerTimeout, TextAnswerIn: n.cfg.SMS.AnswerTimeout, Playable: n.playable,
		Guessing: store.Guessing{Most: n.cfg.Guard.WrongExtensions, Within: n.cfg.Guard.WrongWindow}, Use: use, Watch: n.watching.figures.Redis, Upkeep: n.cfg.Redis.Upkeep})
	if err != nil {
		return err
	}
	n.background("following the ledger", n.router.Run)
	return nil
}

func (n *Node) openMedia(context.Context) error {
	m, shown, err := mediaConfig(&n.cfg)
	if err != nil {
		return err
	}
	if n.engine, err = media.Open(m, n.log); err != nil {
		return err
	}
	n.shown = shown
	n.close.add("the media engine", func(context.Context) error { return n.engine.Close() })
	return nil
}

// openPusher starts the pushes. At the end they get a moment for the last
// events, which come when the last calls end.
func (n *Node) openPusher(context.Context) error {
	if !n.cfg.Events.Push {
		return nil
	}
	refused, err := networks("events.refuse", n.cfg.Events.Refuse)
	if err != nil {
		return err
	}
	c := events.Config{Timeout: n.cfg.Events.Timeout, Refuse: refused, RecordDomain: hostName(&n.cfg, n.shown), Pushed: n.pushed, Log: n.log,
		Now:   n.ledger.Now, // all nodes have one clock for what is due
		Holds: n.roster.Holds, Rests: n.rests}
	if n.library != nil {
		c.RecordURL = n.recordURL
	}
	p := events.NewPusher(n.ledger.Outbox().Held(n.roster.Life), c)
	n.background("the pusher", p.Run)
	n.close.add("the last pushes", n.flush)
	return nil
}

// flush waits until nothing that was written lately is still to be pushed.
func (n *Node) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.cfg.Events.Flush)
	defer cancel()
	const step = 50 * time.Millisecond
	if err := n.journal.Flush(ctx); err != nil {
		return nil // the journal says so when it is closed
	}
	for {
		due, err := n.unpushed(ctx)
		if err != nil || due == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			n.log.Warn().Int("events", due).Msg("not pushed yet: they are pushed after the next start")
			return nil
		case <-time.After(step):
		}
	}
}

// unpushed counts events of the last minute that were not tried yet.
func (n *Node) unpushed(ctx context.Context) (int, error) {
	page, err := n.ledger.Events(ctx, ledger.EventFilter{From: time.Now().Add(-time.Minute), Limit: 1000})
	if err != nil {
		if ctx.Err() != nil {
			return 0, nil
		}
		return 0, err
	}
	due := 0
	for _, e := range page.Events {
		if !e.Due.IsZero() && e.Done.IsZero() && e.Tries == 0 {
			due++
		}
	}
	return due, nil
}

func (n *Node) openSIP(context.Context) error {
	c := sipConfig(&n.cfg)
	c.Incarnation = n.roster.Incarnation
	c.Host, c.MediaIP, c.Plan, c.Texts = hostName(&n.cfg, n.shown), n.shown, n.plan, n.texts
	c.Watch = n.callWatch()
	var err error
	if c.Watchers, err = networks("sip.watchers", n.cfg.SIP.Watchers); err != nil {
		return err
	}
	if c.Trunks, err = trunks(n.cfg.Trunks); err != nil {
		return err
	}
	if c.Registrar, err = phones(&n.cfg, n.plan); err != nil {
		return err
	}
	if c.PhoneSecurity, err = sdp.SecurityNamed(n.cfg.Registrar.Security); err != nil {
		return fmt.Errorf("registrar.media_security: %w", err)
	}
	n.surviving(&c)
	if n.server, err = sip.Open(c, n.engine, n.router, n.journal, n.sounds, n.tapes, n.log); err != nil {
		return err
	}
	n.background("the orders of other nodes", n.followOrders)
	n.close.add("SIP", n.server.Shutdown)
	return nil
}

// phones is the registrar; nil if nobody may register.
func phones(cfg *config.Config, plan routing.Plan) (*registrar.Registrar, error) {
	if len(cfg.Registrar.Accounts) == 0 {
		return nil, nil
	}
	c := registrar.Config{Plan: plan, Realm: cfg.Registrar.Realm, MaxExpires: cfg.Registrar.Expires}
	for _, a := range cfg.Registrar.Accounts {
		c.Accounts = append(c.Accounts, registrar.Account{Number: routing.Number(a.Number), Password: a.Password})
	}
	r, err := registrar.New(c)
	if err != nil {
		return nil, fmt.Errorf("registrar.accounts: %w", err)
	}
	return r, nil
}
