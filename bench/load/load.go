package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"axgate/bench/load/message"
	"axgate/bench/load/meter"
	"axgate/bench/load/wire"
)

// side is where the phones of callers, or of callees, are.
type side struct {
	agent          *message.Agent
	sip, rtp, rtcp *wire.Socket
}

// tally counts what has happened.
type tally struct {
	begun, good, bad int
	why              map[string]int // of bad calls
	sent, received   int            // SIP messages
	ours, theirs     int            // of them, repeated
	strays           int            // messages of no call
	crowded          int            // calls that were due with no pair or place free
	refusedSends     int            // by the kernel
}

// load is all calls of a run. One goroutine does everything.
type load struct {
	plan     *plan
	sides    [sides]side
	target   wire.Address
	poll     *wire.Poll
	wheel    wheel
	random   *rand.Rand
	calls    []call
	free     []uint32
	busy     []int32 // by pair: the place of its call, or -1
	next     int
	live     int
	talking  int
	hold     time.Duration // below 0: until they are ended
	patience time.Duration
	media    media
	message  message.Message
	scratch  []byte
	from, to []byte
	lastEnd  int64

	tally                                           tally
	postDial, answer, afterDigits, pacing, reaction meter.Delays
}

// network is where the load speaks from, and whom to.
type network struct {
	Target  netip.AddrPort `required:"" help:"The SIP address of the system under test."`
	Callers netip.AddrPort `default:"127.0.2.1:5060" help:"The callers' SIP address."`
	Callees netip.AddrPort `default:"127.0.2.2:5060" help:"The callees' SIP address, to which the system under test sends its calls."`
	RTP     uint16         `name:"rtp" default:"30000" help:"The callers' RTP port, with RTCP on the next one; the callees' is two above."`
}

const (
	signalBuffer = 16 << 20
	audioBuffer  = 32 << 20
	reportBuffer = 1 << 20
)

// openLoad binds the sockets. places is how many calls there can be at a time.
func openLoad(p *plan, n *network, places int, patience time.Duration) (*load, error) {
	l := &load{
		plan: p, target: wire.To(n.Target), random: rand.New(rand.NewPCG(1, uint64(p.Pairs))), patience: patience,
		calls: make([]call, places), busy: make([]int32, p.Pairs), tally: tally{why: make(map[string]int)},
	}
	for i := range l.busy {
		l.busy[i] = -1
	}
	for i := range l.calls {
		l.calls[i].id.Place = uint32(i)
		l.free = append(l.free, uint32(places-1-i))
	}
	run := uint32(wire.Now() / int64(time.Millisecond))
	for i, at := range []netip.AddrPort{n.Callers, n.Callees} {
		rtp := netip.AddrPortFrom(at.Addr(), n.RTP+uint16(2*i))
		l.sides[i].agent = message.NewAgent(at, rtp, n.Target, run)
		if err := l.sides[i].open(at, rtp); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	var sockets []*wire.Socket
	for i := range l.sides {
		sockets = append(sockets, l.sides[i].sip, l.sides[i].rtp, l.sides[i].rtcp)
	}
	var err error
	if l.poll, err = wire.NewPoll(time.Millisecond, sockets...); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (s *side) open(sip, rtp netip.AddrPort) (err error) {
	if s.sip, err = wire.Listen(sip, signalBuffer); err != nil {
		return fmt.Errorf("SIP: %w", err)
	}
	if s.rtp, err = wire.Listen(rtp, audioBuffer); err != nil {
		return fmt.Errorf("RTP: %w", err)
	}
	if s.rtcp, err = wire.Listen(netip.AddrPortFrom(rtp.Addr(), rtp.Port()+1), reportBuffer); err != nil {
		return fmt.Errorf("RTCP: %w", err)
	}
	return nil
}

func (l *load) close() error {
	var errs []error
	for i := range l.sides {
		for _, s := range []*wire.Socket{l.sides[i].sip, l.sides[i].rtp, l.sides[i].rtcp} {
			if s != nil {
				errs = append(errs, s.Close())
			}
		}
	}
	if l.poll != nil {
		errs = append(errs, l.poll.Close())
	}
	return errors.Join(errs...)
}

// dropped is what the kernel has thrown away because this program was slow.
func (l *load) dropped() (sum int, err error) {
	for i := range l.sides {
		for _, s := range []*wire.Socket{l.sides[i].sip, l.sides[i].rtp} { // nobody reads RTCP for its content
			n, err := s.Dropped()
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return sum, nil
}

// until runs all calls until done says so, asked once per round, or ctx ends.
func (l *load) until(ctx context.Context, done func(now int64) bool) error {
	for ctx.Err() == nil {
		now := wire.Now()
		if done(now) {
			return nil
		}
		l.wheel.turn(now, l.happen)
		l.media.turn(l, now)
		if err := l.poll.Wait(l.read); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// start sets the clocks to now.
func (l *load) start() {
	ms := wire.Now() / int64(time.Millisecond)
	l.wheel.turned, l.media.turned = ms, ms
}

// read takes a batch from a socket; if there is more, the next round does it,
// so that what is due need not wait for all.
func (l *load) read(socket int) error {
	const perSide = 3
	i, s := socket/perSide, &l.sides[socket/perSide]
	var err error
	switch socket % perSide {
	case 0:
		_, err = s.sip.Receive(func(d []byte, from *wire.Address, at int64) { l.receive(i, d, from, at) })
	case 1:
		_, err = s.rtp.Receive(func(d []byte, _ *wire.Address, at int64) { l.media.came(l, i, d, at) })
	default:
		_, err = s.rtcp.Receive(func([]byte, *wire.Address, int64) {})
	}
	return err
}

// pace begins calls at a rate, and keeps how late each was.
type pace struct {
	every int64
	next  int64
	left  int
}

func newPace(perSecond float64, calls int) pace {
	return pace{every: int64(float64(time.Second) / perSecond), next: wire.Now(), left: calls}
}

func (p *pace) turn(l *load, now int64) {
	for p.left > 0 && p.next <= now {
		l.begin()
		l.pacing.Add(time.Duration(wire.Now() - p.next))
		p.next += p.every
		p.left--
	}
}
