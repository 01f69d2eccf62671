package media

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

// pair is the sockets of a port pair. Between calls they stay open and bound, but are as deaf as closed ones.
type pair struct {
	port         uint16
	rtp, control *udp.Socket
	worker       *worker // in whose epoll set they are
}

// openPair opens and watches the sockets of a pair. It may be called from any goroutine.
func openPair(w *worker, port uint16) (*pair, error) {
	ip := w.engine.cfg.IP
	p := &pair{port: port, worker: w}
	var err error
	if p.rtp, err = udp.Open(netip.AddrPortFrom(ip, port)); err != nil {
		return nil, err
	}
	if p.control, err = udp.Open(netip.AddrPortFrom(ip, port+1)); err != nil {
		_ = p.rtp.Close()
		return nil, err
	}
	if err = errors.Join(w.watch(p.rtp), w.watch(p.control)); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// close closes the sockets. A worker that knows them forgets them first.
func (p *pair) close() error { return errors.Join(p.rtp.Close(), p.control.Close()) }

// rest makes the sockets deaf.
func (p *pair) rest() error { return errors.Join(p.rtp.Rest(), p.control.Rest()) }

// wake makes the sockets of a pair that rests those of a new call on w, with nothing of the call before in them.
func (p *pair) wake(w *worker) error {
	if err := p.move(w); err != nil {
		return err
	}
	return errors.Join(p.rtp.Wake(), p.control.Wake())
}

// move has the sockets watched by w. Their worker of before may find them announced once more, and drops what came.
func (p *pair) move(w *worker) error {
	from := p.worker
	if from == w {
		return nil
	}
	if err := errors.Join(from.unwatch(p.rtp), from.unwatch(p.control)); err != nil {
		return err
	}
	rtp, control := p.rtp, p.control
	from.later(func() {
		from.forget(rtp)
		from.forget(control)
	})
	p.worker = w
	return errors.Join(w.watch(p.rtp), w.watch(p.control))
}

// stock keeps the sockets of pairs that rest, so that a call need not open and close them.
type stock struct {
	most int // pairs

	mu     sync.Mutex
	kept   map[uint16]*pair
	closed bool
}

// newStock makes a stock that takes at most half of the descriptors that the process may have.
func newStock() (*stock, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, fmt.Errorf("ask for the limit of descriptors: %w", err)
	}
	return &stock{most: int(min(limit.Cur/4, 1<<15)), kept: make(map[uint16]*pair)}, nil
}

// keep takes a pair that rests; false: it is to be closed.
func (s *stock) keep(p *pair) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.kept) >= s.most {
		return false
	}
	s.kept[p.port] = p
	return true
}

// take gives the pair of a port out; nil: it is not open.
func (s *stock) take(port uint16) *pair {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.kept[port]
	delete(s.kept, port)
	return p
}

// close closes all pairs; their workers have ended.
func (s *stock) close() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for port, p := range s.kept {
		err = errors.Join(err, p.close())
		delete(s.kept, port)
	}
	return err
}

// sockets gives a call on w the sockets of a port: those that rest, or new ones.
func (e *Engine) sockets(w *worker, port uint16) (*pair, error) {
	p := e.stock.take(port)
	if p == nil {
		return openPair(w, port)
	}
	err := p.wake(w)
	if err == nil {
		return p, nil
	}
	w.log.Warn().Err(err).Uint16("port", port).Msg("media sockets are closed instead of used again")
	retire(p)
	return nil, fmt.Errorf("use the sockets of port %d again: %w", port, unix.EADDRINUSE) // they are not closed yet: another port
}

// retire closes a pair that no leg has, on its worker.
func retire(p *pair) {
	w := p.worker
	if !w.later(func() { w.drop(p) }) {
		_ = p.close() // nobody waits for the sockets any more
	}
}

// ahead opens the pairs that calls take first. What fails is left to the calls.
func (e *Engine) ahead(most int) {
	for i, port := range e.ports.Line(min(most, e.stock.most)) {
		w := e.workers[i/2%len(e.workers)] // two legs to a call
		p, err := openPair(w, port)
		if err != nil {
			if errors.Is(err, unix.EADDRINUSE) {
				continue
			}
			return
		}
		if p.rest() != nil || !e.stock.keep(p) {
			_ = p.close()
			return
		}
		w.park(p)
	}
}
