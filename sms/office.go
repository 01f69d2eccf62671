package sms

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"axgate/events"
	"axgate/routing"
)

// Rules decide about texts by what is stored now.
type Rules interface {
	// DecideMessage tells what comes next with a text.
	DecideMessage(ctx context.Context, m routing.Message) (routing.MessageDecision, error)
	// AskMessage puts the question of a text to the app's server, and waits for
	// the answer as long as that may take.
	AskMessage(ctx context.Context, app *routing.App, question events.Event) routing.MessageReply
	// DecideMessageReply tells what comes next after the answer.
	DecideMessageReply(ctx context.Context, m routing.Message, r routing.MessageReply) (routing.MessageDecision, error)
}

// Limits count texts over all nodes.
type Limits interface {
	// CountTextTo counts a text to X, and tells how many it were in the span that
	// ends at until.
	CountTextTo(ctx context.Context, x routing.X, span time.Duration) (n int, until time.Time, err error)
	// CountTextFrom is the same for a sender.
	CountTextFrom(ctx context.Context, n routing.Number, span time.Duration) (count int, until time.Time, err error)
}

// Config is what an office needs. Zero values mean their defaults; rates of 0
// mean no limit.
type Config struct {
	Rules  Rules
	Store  Store
	Limits Limits // nil: this node counts alone

	PerSender int           // texts of a sender per minute, parts counted one by one
	PerX      int           // texts to an X per minute, likewise
	MaxParts  int           // of a text; 10
	Validity  time.Duration // how long it is tried; 10 min
	Assemble  time.Duration // how long parts are waited for; 5 min

	Waiting int             // texts to one X that are not done; 1,000
	Open    int             // texts of one sender to X whose parts are not all there; 8
	Retries []time.Duration // pauses between tries, the last one again and again; 5, 15, 60, 180 s
	Send    time.Duration   // the longest that a carrier may take for a piece; 2 min
	Lease   time.Duration   // after how long a text is due again whose office died; 20 s
	Poll    time.Duration   // how often it is looked for texts that became due; 500 ms
	Grace   time.Duration   // how long sends under way may take at the end; 5 s

	// Done is told of each text that has ended, sent or not; it must not block.
	// nil: nobody is.
	Done func(result routing.SendResult)

	// Rests tells whether other nodes send what is due: this one ends what it has begun, and
	// begins nothing more. nil: never.
	Rests func() bool

	// Now is the clock that the offices of a store share: leases, and what is due, go by it.
	// nil: time.Now.
	Now func() time.Time
	Log zerolog.Logger
}

func (c *Config) defaults() {
	span := func(d *time.Duration, usual time.Duration) {
		if *d <= 0 {
			*d = usual
		}
	}
	count := func(n *int, usual int) {
		if *n <= 0 {
			*n = usual
		}
	}
	count(&c.MaxParts, 10)
	count(&c.Waiting, 1000)
	count(&c.Open, 8)
	span(&c.Validity, 10*time.Minute)
	span(&c.Assemble, 5*time.Minute)
	span(&c.Send, 2*time.Minute)
	span(&c.Lease, 20*time.Second)
	span(&c.Poll, 500*time.Millisecond)
	span(&c.Grace, 5*time.Second)
	if len(c.Retries) == 0 {
		c.Retries = []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 3 * time.Minute}
	}
	if c.Done == nil {
		c.Done = func(routing.SendResult) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rests == nil {
		c.Rests = func() bool { return false }
	}
}

// Office takes texts and sends them. It is safe for use by many goroutines.
type Office struct {
	cfg   Config
	quota *quota
	desks chan struct{} // texts that are being taken
	wake  chan struct{} // texts are due
}

// mostTaken bounds the texts that are being taken at once: the writer of the
// ledger is there for calls too.
const mostTaken = 1000

// New makes an office. Receive takes texts at once; Run sends them.
func New(cfg Config) (*Office, error) {
	cfg.defaults()
	if cfg.Rules == nil || cfg.Store == nil {
		return nil, errors.New("open the office of texts: it needs rules and a store")
	}
	return &Office{
		cfg: cfg, quota: newQuota(cfg.Limits, cfg.Now, cfg.Log),
		desks: make(chan struct{}, mostTaken), wake: make(chan struct{}, 1),
	}, nil
}

// rouse lets Run look at once.
func (o *Office) rouse() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
