package media

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"axgate/media/ports"
	"axgate/media/udp"
)

// ErrNoPorts says that the whole port range was walked and no pair could be reserved; it is wrapped with the figures.
var ErrNoPorts = ports.ErrExhausted

// ErrClosed says that the call or the engine is closed.
var ErrClosed = errors.New("media call is closed")

// Defaults of Config.
const (
	defaultLatchWindow = 5 * time.Second
	defaultQuarantine  = 2 * time.Second
	defaultInactive    = 60 * time.Second
	maxWorkers         = 256
)

// Config says where and how an Engine works.
type Config struct {
	IP netip.Addr // the local address that sockets are bound to
	// PortMin and PortMax bound the ports: RTP on even ones, RTCP on the odd one above.
	PortMin, PortMax uint16
	Workers          int           // goroutines that never rest while calls talk; 0: one
	LatchWindow      time.Duration // how long after Point a peer behind a NAT may be found; 0: 5 s
	Quarantine       time.Duration // the least time that a released port pair rests before it is used again; 0: 2 s
	Inactive         time.Duration // without valid RTP for so long a peer is Gone; 0: 60 s
	// OneByOne: each packet has system calls of its own, even where the kernel takes many at once (io_uring).
	OneByOne bool
}

func (c *Config) complete() error {
	if !c.IP.IsValid() || c.IP.IsMulticast() || c.IP.Zone() != "" {
		return fmt.Errorf("media address %q: it must be a local IP address without a zone", c.IP)
	}
	c.IP = c.IP.Unmap()
	if c.Workers < 0 || c.Workers > maxWorkers {
		return fmt.Errorf("%d media workers: must be 1 to %d, or 0 for one", c.Workers, maxWorkers)
	}
	c.Workers = max(c.Workers, 1)
	for _, d := range []struct {
		name  string
		value *time.Duration
		unset time.Duration
	}{
		{"latch window", &c.LatchWindow, defaultLatchWindow},
		{"port quarantine", &c.Quarantine, defaultQuarantine},
		{"inactivity limit", &c.Inactive, defaultInactive},
	} {
		if *d.value < 0 {
			return fmt.Errorf("media %s %v: must not be negative", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.unset
		}
	}
	return nil
}

// Engine anchors the media of calls. It is safe for use by several goroutines.
type Engine struct {
	cfg     Config
	ports   *ports.Pool
	workers []*worker
	turn    atomic.Uint32
	running sync.WaitGroup
	once    sync.Once
}

// Open starts the workers. The address is tried at once, so that one that is not local is an error here and not in a call.
func Open(cfg Config, log zerolog.Logger) (*Engine, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	pool, err := ports.New(cfg.PortMin, cfg.PortMax, cfg.Quarantine)
	if err != nil {
		return nil, err
	}
	probe, err := udp.Open(netip.AddrPortFrom(cfg.IP, 0))
	if err != nil {
		return nil, fmt.Errorf("open media on %v: %w", cfg.IP, err)
	}
	_ = probe.Close()
	e := &Engine{cfg: cfg, ports: pool}
	for i := range cfg.Workers {
		w, err := newWorker(e, log.With().Int("worker", i).Logger())
		if err != nil {
			for _, w := range e.workers {
				w.free()
			}
			return nil, fmt.Errorf("open media: %w", err)
		}
		e.workers = append(e.workers, w)
	}
	for _, w := range e.workers {
		e.running.Go(w.run)
	}
	return e, nil
}

// Close ends all calls (their Events are closed) and the workers, and returns when no socket is left.
func (e *Engine) Close() error {
	e.once.Do(func() {
		for _, w := range e.workers {
			w.enqueue(w.stop)
		}
	})
	e.running.Wait()
	return nil
}

// NewCall makes a call on one of the workers, without sockets yet. On a closed engine the call is closed from the start.
func (e *Engine) NewCall() *Call {
	return newCall(e.workers[int(e.turn.Add(1))%len(e.workers)])
}

// Ports is how many legs could have ports at once.
func (e *Engine) Ports() int { return e.ports.Pairs() }

// Moves waits until every worker has carried out a command, or has ended.
func (e *Engine) Moves(ctx context.Context) error {
	for i, w := range e.workers {
		done := make(chan struct{})
		if !w.enqueue(func() { close(done) }) {
			continue
		}
		select {
		case <-done:
		case <-ctx.Done():
			return fmt.Errorf("media worker %d stands still: %w", i, ctx.Err())
		}
	}
	return nil
}

// PortsFree is how many legs could be reserved now.
func (e *Engine) PortsFree() int { return e.ports.Free() }
