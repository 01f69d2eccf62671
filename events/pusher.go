package events

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Config is what a Pusher needs to know. Zero values mean their defaults.
type Config struct {
	RecordDomain string // recordDomain of fee events with a recording

	// RecordURL makes recordFileDownloadUrl for the app and the name of a
	// recording, for receivers that asked for it; nil: it is left out.
	RecordURL func(app, object string) string

	Retries    []time.Duration // after the first attempt; default: 1, 4, 9, 106, 203, 300 minutes
	Timeout    time.Duration   // of one push; 5 s
	PerAddress int             // pushes under way at once per address and app; 16
	Poll       time.Duration   // how often it looks for what is due without being woken; 500 ms

	// Pushed is told of each attempt, and of each event that is given up without
	// one; it must not block. nil: nobody is.
	Pushed func(Pushed)

	// Holds tells whether this node is known to be alive: others push what it holds when it is
	// not. nil: always.
	Holds func() bool
	// Rests tells whether others push what is due: this one ends what it holds, and takes
	// nothing more. nil: never.
	Rests func() bool

	Refuse  []netip.Prefix   // networks that no push goes to
	RootCAs *x509.CertPool   // who vouches for https receivers; nil: the system's
	Now     func() time.Time // time.Now
	Log     zerolog.Logger
}

func (c *Config) defaults() {
	if len(c.Retries) == 0 {
		for _, minutes := range []time.Duration{1, 4, 9, 106, 203, 300} {
			c.Retries = append(c.Retries, minutes*time.Minute)
		}
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.PerAddress <= 0 {
		c.PerAddress = 16
	}
	if c.Poll <= 0 {
		c.Poll = 500 * time.Millisecond
	}
	if c.Pushed == nil {
		c.Pushed = func(Pushed) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Holds == nil {
		c.Holds = func() bool { return true }
	}
	if c.Rests == nil {
		c.Rests = func() bool { return false }
	}
}

// Pusher delivers what is due in an outbox.
type Pusher struct {
	outbox   Outbox
	cfg      Config
	client   *http.Client
	work     sync.WaitGroup // deliveries under way
	ended    chan ended
	outcomes chan Outcome
	again    chan struct{} // outcomes were stored: more may be due
	together int           // store's own: how many outcomes are stored at once

	// Run's own.
	lanes     map[Lane]*lane
	receivers map[string]*Receiver
	settings  int64
	checked   time.Time            // when settings was read
	down      bool                 // the outbox was, when it was last asked
	unread    map[string]time.Time // apps whose addresses cannot be read, and when the log was told
}

// lane is the state of an address: how many pushes are under way and how many
// may be. An address that fails gets fewer at once, down to one, so that a dead
// one costs nothing.
type lane struct {
	busy, limit int
	failing     bool
}

type ended struct {
	lane    Lane
	took    bool   // the receiver took something
	failure string // of the last attempt that failed
}

// NewPusher makes a pusher for an outbox; Run starts it.
func NewPusher(outbox Outbox, cfg Config) *Pusher {
	cfg.defaults()
	return &Pusher{
		outbox: outbox, cfg: cfg, client: NewClient(&cfg),
		ended: make(chan ended, 64), outcomes: make(chan Outcome, mostOutcomes), again: make(chan struct{}, 1), together: mostOutcomes,
		lanes: map[Lane]*lane{}, receivers: map[string]*Receiver{}, unread: map[string]time.Time{},
	}
}

// Run pushes until ctx ends. Then the pushes under way are ended, each within
// its time limit, what was claimed but not pushed is given back, and all
// outcomes are stored before it returns. It is called once.
func (p *Pusher) Run(ctx context.Context) {
	stored := make(chan struct{})
	go func() {
		defer close(stored)
		p.store(ctx)
	}()
	p.loop(ctx)
	p.drain()
	close(p.outcomes)
	<-stored
	p.client.CloseIdleConnections()
}

// gap keeps rounds apart under load: what comes in between goes together.
const gap = 10 * time.Millisecond

func (p *Pusher) loop(ctx context.Context) {
	poll := time.NewTicker(p.cfg.Poll)
	defer poll.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	resting, wanted := true, true // a round is due once the pause is over
	for {
		if wanted && !resting {
			wanted = p.round(ctx)
			resting = true
			pause.Reset(gap)
		}
		select {
		case <-ctx.Done():
			return
		case <-p.outbox.Wake():
			wanted = true
		case <-poll.C:
			wanted = true
		case <-p.again:
			wanted = true
		case <-pause.C:
			resting = false
		case e := <-p.ended:
			p.endOf(e)
			wanted = true
		}
	}
}

// drain waits for the deliveries under way.
func (p *Pusher) drain() {
	idle := make(chan struct{})
	go func() {
		p.work.Wait()
		close(idle)
	}()
	for {
		select {
		case e := <-p.ended:
			p.endOf(e)
		case <-idle:
			return
		}
	}
}

// round claims what the lanes have room for and starts its delivery. more
// tells that another round may find something at once.
func (p *Pusher) round(ctx context.Context) (more bool) {
	if !p.cfg.Holds() || p.cfg.Rests() {
		return false
	}
	now := p.cfg.Now()
	lease := now.Add(leaseOf(p.cfg.Timeout))
	taken, more, err := p.outbox.Claim(ctx, now, lease, p.room)
	if err == nil && len(taken) > 0 {
		err = p.refresh(ctx)
	}
	if err != nil && ctx.Err() == nil && !p.down {
		p.cfg.Log.Error().Err(err).Msg("the outbox cannot be read: nothing is pushed until it can")
	}
	if ctx.Err() == nil {
		p.down = err != nil
	}
	for _, b := range batches(taken) {
		p.start(ctx, b)
	}
	return more && err == nil
}

// leaseOf is how long a claim holds: long enough for all events of a session at
// a slow receiver, one after the other.
func leaseOf(timeout time.Duration) time.Duration { return 12 * timeout }

// room is how much of a lane may be claimed now.
func (p *Pusher) room(l Lane) int {
	s := p.lane(l)
	free := max(0, s.limit-s.busy)
	switch l.Target {
	case ToFee:
		return free * mostFees
	case ToNumber:
		return free * mostNumbers
	}
	return free
}

func (p *Pusher) lane(l Lane) *lane {
	s := p.lanes[l]
	if s == nil {
		s = &lane{limit: p.cfg.PerAddress}
		p.lanes[l] = s
	}
	return s
}

// start begins a delivery; if the receiver is not known, its events are given
// back.
func (p *Pusher) start(ctx context.Context, batch []Claimed) {
	l := batch[0].Lane()
	r, err := p.receiver(ctx, l.App)
	if ctx.Err() == nil {
		p.wasRead(l.App, err)
	}
	p.lane(l).busy++
	p.work.Go(func() {
		e := ended{lane: l}
		switch {
		case r == nil:
			p.giveBack(batch, p.cfg.Now().Add(time.Second))
		case l.Target == ToFee:
			p.pushFees(ctx, r, batch, &e)
		case l.Target == ToNumber:
			p.pushNumbers(ctx, r, batch, &e)
		default:
			p.pushSession(ctx, r, batch, &e)
		}
		p.ended <- e
	})
}

// unreadStep is between two lines of the log about an app whose addresses cannot be read.
// Its events come again every second.
const unreadStep = 10 * time.Minute

// wasRead notes whether an app's addresses could be read.
func (p *Pusher) wasRead(app string, err error) {
	now := p.cfg.Now()
	told, unread := p.unread[app]
	switch {
	case err != nil && (!unread || now.Sub(told) >= unreadStep):
		p.cfg.Log.Error().Err(err).Str("app", app).Msg("the app's addresses cannot be read: its events wait until they can")
		p.unread[app] = now
	case err == nil && unread:
		p.cfg.Log.Info().Str("app", app).Msg("the app's addresses can be read again")
		delete(p.unread, app)
	}
}

// endOf notes how a delivery went.
func (p *Pusher) endOf(e ended) {
	s := p.lane(e.lane)
	s.busy--
	log := p.cfg.Log.With().Str("app", e.lane.App).Str("target", string(e.lane.Target)).Logger()
	switch {
	case e.failure != "":
		s.limit = max(1, s.limit/2)
		if !s.failing {
			log.Warn().Str("failure", e.failure).Msg("the receiver takes no pushes: they are repeated")
		}
		s.failing = true
	case e.took:
		s.limit = min(p.cfg.PerAddress, 2*s.limit)
		if s.failing {
			log.Info().Msg("the receiver takes pushes again")
		}
		s.failing = false
	}
}

// settingsAge is how old what is known of the receivers may be.
const settingsAge = time.Second

// refresh forgets the receivers if the settings changed.
func (p *Pusher) refresh(ctx context.Context) error {
	if time.Since(p.checked) < settingsAge {
		return nil
	}
	mark, err := p.outbox.Settings(ctx)
	if err != nil {
		return err
	}
	if mark != p.settings {
		clear(p.receivers)
	}
	p.settings, p.checked = mark, time.Now()
	return nil
}

func (p *Pusher) receiver(ctx context.Context, app string) (*Receiver, error) {
	if r := p.receivers[app]; r != nil {
		return r, nil
	}
	r, err := p.outbox.Receiver(ctx, app)
	if err != nil {
		return nil, err
	}
	p.receivers[app] = &r
	return &r, nil
}
