package media

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
	"unsafe"

	"github.com/pion/rtcp"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"axgate/media/udp"
)

const (
	// datagramSize is more than any RTP or RTCP packet that is accepted; what is longer is dropped.
	datagramSize = 2048
	// batchSize is how many sockets one epoll_wait may announce.
	batchSize = 256
	// keepWaiting is how long, in ms, the worker may wait for the next packet without telling the scheduler.
	keepWaiting = 10
)

// worker is one goroutine that owns the sockets and the state of its calls. Everything in it but the queue is
// touched by that goroutine only; its buffers serve all its legs, one packet at a time.
type worker struct {
	engine  *Engine
	log     zerolog.Logger
	epoll   int
	wake    int // eventfd, edge-triggered: each write wakes once, and nobody has to read it
	queue   queue
	base    time.Time // worker time counts nanoseconds from here
	calls   map[*Call]struct{}
	sockets []*endpoint // by descriptor
	timers  timers
	stopped bool
	busy    bool // the last wait brought something: the next packet is near

	in  [datagramSize]byte            // the packet being handled
	law [headerSize + maxPayload]byte // its audio in the other law
	own [headerSize + maxFrame]byte   // a packet being made
	// sealed is a packet of a protected leg as it leaves.
	sealed [datagramSize]byte
	// The peer's report being read.
	sent     rtcp.SenderReport
	received rtcp.ReceiverReport
	ready    [batchSize]unix.EpollEvent
	batch    batch
}

// queue carries commands to the worker. It is the only state that goroutines share with it.
type queue struct {
	mu       sync.Mutex
	commands []func()
	spare    []func() // the slice that was carried out last, to be filled again
	woken    bool
	closed   bool
}

func newWorker(e *Engine, log zerolog.Logger) (*worker, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll set: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(epoll)
		return nil, fmt.Errorf("make an eventfd: %w", err)
	}
	w := &worker{engine: e, log: log, epoll: epoll, wake: wake, base: time.Now(), calls: make(map[*Call]struct{})}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(wake)}); err != nil {
		w.free()
		return nil, fmt.Errorf("watch the eventfd: %w", err)
	}
	if !e.cfg.OneByOne {
		if w.batch.ring, err = udp.OpenRing(outBatch); err != nil {
			log.Info().Err(err).Msg("the kernel takes media packets only one by one")
		}
	}
	return w, nil
}

func (w *worker) free() {
	_ = unix.Close(w.epoll)
	_ = unix.Close(w.wake)
	if w.batch.ring != nil {
		_ = w.batch.ring.Close()
	}
}

// now is the worker's time in nanoseconds.
func (w *worker) now() int64 { return int64(time.Since(w.base)) }

// enqueue hands a command to the worker; false: it has stopped.
func (w *worker) enqueue(command func()) bool { return w.put(command, true) }

// later is enqueue of a command that has nobody wait: it is carried out before the next one of enqueue.
func (w *worker) later(command func()) bool { return w.put(command, false) }

func (w *worker) put(command func(), wake bool) bool {
	q := &w.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.commands = append(q.commands, command)
	if wake && !q.woken {
		q.woken = true
		// It never waits, so the scheduler need not know. An eventfd refuses a write only when it is full, which takes
		// 2^64 of them.
		one := uint64(1)
		_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(w.wake), uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
	}
	return true
}

// run is the worker's loop. Sockets are served first, then commands, then timers: no socket goes away between two
// packets of one batch.
func (w *worker) run() {
	for !w.stopped {
		n, err := w.wait()
		if err != nil && err != unix.EINTR {
			w.log.Error().Err(err).Msg("media worker cannot wait for its sockets; its calls end")
			w.stop()
			break
		}
		if w.serve(w.ready[:max(n, 0)]) {
			w.obey()
		}
		now := w.now()
		for t := w.timers.due(now); t != nil; t = w.timers.due(now) {
			t.leg.expired(t.kind, now)
		}
		w.flush()
	}
	w.refuse()
	w.free()
}

// wait waits for sockets until the next deadline. While calls talk it does not tell the scheduler that it waits: that would
// wake Go's monitor thread after each wait, which then looks every 20 µs whether the wait is over, and costs as much as a
// sixth of the media. Its processor is not lent to others meanwhile, for at most keepWaiting; who stops the world, as the
// garbage collector does, ends the wait by the scheduler's signal.
func (w *worker) wait() (n int, err error) {
	timeout := w.timeout()
	if !w.busy {
		n, err = unix.EpollWait(w.epoll, w.ready[:], timeout)
	} else {
		if timeout < 0 || timeout > keepWaiting {
			timeout = keepWaiting
		}
		got, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(w.epoll), uintptr(unsafe.Pointer(&w.ready[0])), batchSize, uintptr(timeout), 0, 0)
		if n = int(got); errno != 0 {
			n, err = 0, errno
		}
	}
	w.busy = n > 0
	return n, err
}

// serve reads a datagram of each socket that has one; it tells whether commands wait.
func (w *worker) serve(ready []unix.EpollEvent) (woken bool) {
	now, n := w.now(), 0
	for i := range ready {
		fd := int(ready[i].Fd)
		switch {
		case fd == w.wake || fd >= len(w.sockets) || w.sockets[fd] == nil: // a socket whose leg's command is still queued
			woken = true
		case w.batch.ring != nil && w.sockets[fd].settled():
			w.batch.from[n] = w.sockets[fd]
			if n++; n == inBatch {
				w.batch.receive(w, n)
				n = 0
			}
		default:
			w.sockets[fd].ready(w, now)
		}
	}
	w.batch.receive(w, n)
	w.flush()
	return woken
}

// flush sends what waits.
func (w *worker) flush() { w.batch.flush(w) }

// timeout is the time to the next deadline in epoll's milliseconds, rounded up; -1: none.
func (w *worker) timeout() int {
	when, ok := w.timers.next()
	if !ok {
		return -1
	}
	return int(max(0, (when-w.now()+999_999)/1_000_000))
}

// obey carries out the commands that are queued now.
func (w *worker) obey() {
	q := &w.queue
	q.mu.Lock()
	commands := q.commands
	q.commands, q.spare = q.spare[:0], nil
	q.woken = false
	q.mu.Unlock()
	for _, command := range commands {
		command()
	}
	clear(commands)
	q.mu.Lock()
	q.spare = commands[:0]
	q.mu.Unlock()
}

// stop ends all calls; commands that come later find them closed.
func (w *worker) stop() {
	w.stopped = true
	for c := range w.calls {
		c.end(true)
	}
}

// refuse closes the queue and carries out what is still in it, since somebody may wait for it.
func (w *worker) refuse() {
	w.queue.mu.Lock()
	w.queue.closed = true
	w.queue.mu.Unlock()
	w.obey()
	w.stop()
}

// openPair opens and watches the sockets of a leg. It may be called from any goroutine.
func (w *worker) openPair(ip netip.Addr, port uint16) (rtp, control *udp.Socket, err error) {
	if rtp, err = udp.Open(netip.AddrPortFrom(ip, port)); err != nil {
		return nil, nil, err
	}
	if control, err = udp.Open(netip.AddrPortFrom(ip, port+1)); err != nil {
		_ = rtp.Close()
		return nil, nil, err
	}
	if err = errors.Join(w.watch(rtp), w.watch(control)); err != nil {
		_ = rtp.Close()
		_ = control.Close()
		return nil, nil, err
	}
	return rtp, control, nil
}

// watch puts a socket into the epoll set. It may be called from any goroutine; the socket is served once the worker has
// taken it.
func (w *worker) watch(s *udp.Socket) error {
	w.queue.mu.Lock()
	defer w.queue.mu.Unlock()
	if w.queue.closed {
		return ErrClosed
	}
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, s.FD(), &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(s.FD())}); err != nil {
		return fmt.Errorf("watch a media socket: %w", err)
	}
	return nil
}

// take serves an endpoint from now on.
func (w *worker) take(e *endpoint) {
	fd := e.sock.FD()
	if grow := fd + 1 - len(w.sockets); grow > 0 {
		w.sockets = append(w.sockets, make([]*endpoint, grow)...)
	}
	w.sockets[fd] = e
}

// drop closes an endpoint's socket, which leaves the epoll set thereby.
func (w *worker) drop(e *endpoint) {
	w.flush()
	w.sockets[e.sock.FD()] = nil
	if err := e.sock.Close(); err != nil {
		w.log.Error().Err(err).Msg("close a media socket")
	}
	e.sock = nil
}
