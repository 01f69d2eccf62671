package wire

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Now is the time in ns since 1970, by the clock of arrivals.
func Now() int64 { return time.Now().UnixNano() }

// Poll waits for sockets and for a clock that ticks.
type Poll struct {
	fd, clock int
	events    [16]unix.EpollEvent
	ticks     [8]byte
}

// NewPoll waits for these sockets, and is woken at least once per tick.
func NewPoll(tick time.Duration, sockets ...*Socket) (*Poll, error) {
	p := &Poll{fd: -1, clock: -1}
	if err := p.open(tick, sockets); err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("make a poll: %w", err)
	}
	return p, nil
}

func (p *Poll) open(tick time.Duration, sockets []*Socket) (err error) {
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if p.clock, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return err
	}
	every := unix.NsecToTimespec(tick.Nanoseconds())
	if err := unix.TimerfdSettime(p.clock, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return err
	}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, p.clock, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1}); err != nil {
		return err
	}
	for i, s := range sockets {
		if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}); err != nil {
			return err
		}
	}
	return nil
}

// Wait waits for a tick or a socket, and gives the index of each socket that
// has something.
func (p *Poll) Wait(ready func(i int) error) error {
	n, err := unix.EpollWait(p.fd, p.events[:], -1)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wait for sockets: %w", err)
	}
	for i := range n {
		if p.events[i].Fd < 0 {
			// It goes on ticking only when it is read; EAGAIN does not matter.
			_, _ = unix.Read(p.clock, p.ticks[:])
			continue
		}
		if err := ready(int(p.events[i].Fd)); err != nil {
			return err
		}
	}
	return nil
}

// Close ends it; the sockets stay open.
func (p *Poll) Close() error {
	var errs []error
	for _, fd := range []int{p.fd, p.clock} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}
