package media

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"axgate/media/dtmf"
	"axgate/media/record"
	"axgate/media/tone"
	"axgate/media/udp"
)

// eventBacklog is how many events wait for a call's owner; more are counted and dropped.
const eventBacklog = 32

// Call is the media of one call with its two legs. Its methods may be called from any goroutine until and after Close.
type Call struct {
	worker *worker
	plays  atomic.Uint64
	events chan Event
	done   chan struct{} // closed when the worker has ended the call

	reserving sync.Mutex
	ports     [2]uint16 // 0: not reserved

	// What follows belongs to the worker; result may be read after done.
	legs    [2]leg
	connect [2]bool // whether a side hears the other one
	rec     *record.Recording
	ended   bool
	result  *[2]Stats
}

func newCall(w *worker) *Call {
	c := &Call{worker: w, events: make(chan Event, eventBacklog), done: make(chan struct{})}
	for side := range c.legs {
		c.legs[side].init(c, Side(side))
	}
	if !w.later(func() { w.calls[c] = struct{}{} }) {
		c.over(new([2]Stats))
	}
	return c
}

// command lets the worker carry out f unless the call is over.
func (c *Call) command(f func()) bool {
	return c.worker.enqueue(func() {
		if !c.ended {
			f()
		}
	})
}

func (c *Call) isOver() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Reserve binds the port pair of a leg and returns the RTP port, for the SDP. The pair is the leg's until Close: asking
// again returns the same. When the whole range was walked in vain the error is ErrNoPorts.
func (c *Call) Reserve(side Side) (port uint16, err error) {
	if !side.valid() {
		return 0, fmt.Errorf("reserve media ports: no %v in a call", side)
	}
	c.reserving.Lock()
	defer c.reserving.Unlock()
	if c.isOver() {
		return 0, fmt.Errorf("reserve media ports of the %v: %w", side, ErrClosed)
	}
	if c.ports[side] != 0 {
		return c.ports[side], nil
	}
	w := c.worker
	pool, ip := w.engine.ports, w.engine.cfg.IP
	var rtp, control *udp.Socket
	port, err = pool.Take(func(port uint16) (err error) {
		rtp, control, err = w.openPair(ip, port)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reserve media ports of the %v: %w", side, err)
	}
	discard := func() {
		_ = rtp.Close()
		_ = control.Close()
		pool.Release(port)
	}
	accepted := w.later(func() {
		if c.ended {
			discard()
			return
		}
		c.legs[side].open(rtp, control, port)
	})
	if !accepted {
		discard()
		return 0, fmt.Errorf("reserve media ports of the %v: %w", side, ErrClosed)
	}
	c.ports[side] = port
	return port, nil
}

// Point applies the peer's SDP to a leg, the first or a new one. The leg latches anew, and its window starts; where the
// peer begins to send only when the call is answered, Expect opens it again. What the peer hears stays one stream. Silence is
// sent at once, so that NATs open and nobody waits for the first packet.
func (c *Call) Point(side Side, s Stream) error {
	if !side.valid() {
		return fmt.Errorf("point media: no %v in a call", side)
	}
	if err := s.complete(c.worker.engine.cfg.IP); err != nil {
		return fmt.Errorf("point media of the %v: %w", side, err)
	}
	c.reserving.Lock()
	reserved := c.ports[side] != 0
	c.reserving.Unlock()
	if !reserved {
		return fmt.Errorf("point media of the %v: its ports are not reserved", side)
	}
	if c.isOver() || !c.command(func() { c.legs[side].point(s, c.worker.now()) }) {
		return fmt.Errorf("point media of the %v: %w", side, ErrClosed)
	}
	return nil
}

// Expect tells that a side may begin to send only now, since it answered or was answered: if its source was not found yet,
// the latch window starts anew. A source that was found stays. How long it is silent counts from here.
func (c *Call) Expect(side Side) {
	if side.valid() {
		c.command(func() { c.legs[side].expect(c.worker.now()) })
	}
}

// Play plays a clip to a side from its beginning, in place of what plays there. To a side with a Passed codec nothing can
// be played: it is done at once. While it plays the other side is not
// heard. It ends with one PlayDone event with the id returned: played to the end, replaced, or made Quiet; on a closed call
// there is none.
func (c *Call) Play(side Side, clip Clip) (id uint64) {
	id = c.plays.Add(1)
	if side.valid() {
		c.command(func() { c.legs[side].play(clip, id, c.worker.now()) })
	}
	return id
}

// Tone plays a tone to a side until Quiet, Play, or audio of the other side takes its place.
func (c *Call) Tone(side Side, p tone.Pattern) {
	if side.valid() {
		c.command(func() { c.legs[side].sound(p, c.worker.now()) })
	}
}

// Quiet ends what Play or Tone plays to a side.
func (c *Call) Quiet(side Side) {
	if side.valid() {
		c.command(func() { c.legs[side].quiet() })
	}
}

// Connect says which side hears the other: toCaller forwards the callee's audio and digits to the caller, toCallee the
// caller's to the callee. A side that was Gone while nobody listened to it is waited for anew.
func (c *Call) Connect(toCaller, toCallee bool) {
	c.command(func() {
		c.bridge(Caller, toCaller)
		c.bridge(Callee, toCallee)
	})
}

func (c *Call) bridge(to Side, on bool) {
	if c.connect[to] == on {
		return
	}
	c.connect[to] = on
	c.legs[to].out.relay.on = false
	if on {
		c.legs[to.other()].awaited(c.worker.now())
	}
}

// Listen turns the detector of in-band tones on or off for what a side sends. Digits that come as telephone-events are
// always reported, and from a side that sends such, tones are not.
func (c *Call) Listen(side Side, inband bool) {
	if side.valid() {
		c.command(func() { c.legs[side].keys.listen(inband) })
	}
}

// Cross says whether the engine sends the telephone-events of a side on to the other one (see Connect), which it does until
// it is told not to; they are reported all the same. When Cross returns it is so. silent is for how long the side has sent
// none; one that never did is silent for ever.
func (c *Call) Cross(side Side, on bool) (silent time.Duration) {
	const ever = math.MaxInt64
	if !side.valid() {
		return ever
	}
	done := make(chan time.Duration, 1)
	if c.command(func() {
		k := &c.legs[side].keys
		k.kept = !on
		if silent := time.Duration(ever); !k.events {
			done <- silent
		} else {
			done <- time.Duration(c.worker.now() - k.heardAt)
		}
	}) {
		select {
		case silent := <-done:
			return silent
		case <-c.done:
		}
	}
	return ever
}

// SendDigit sends a digit (0-9 * # A-D) of duration d to a side, as telephone-event or, if that was not negotiated, as a
// tone, or as Stream.Digits says; a side with a Passed codec and no telephone-events gets none. Digits queue; 0 or a short d is made long enough to be heard, a long one cut at 20 s. Other characters are ignored.
func (c *Call) SendDigit(side Side, digit byte, d time.Duration) {
	code, ok := dtmf.Event(digit)
	if !ok || !side.valid() {
		return
	}
	want := uint32(min(max(d, 0), maxPress) / sampleTime)
	c.command(func() { c.legs[side].dial(press{code: code, want: want}, c.worker.now()) })
}

// Record feeds what both legs send to r while they are connected both ways. nil stops it: when Record returns, r gets
// nothing more.
func (c *Call) Record(r *record.Recording) {
	if r != nil {
		c.command(func() { c.rec = r })
		return
	}
	stopped := make(chan struct{})
	if c.command(func() { c.rec = nil; close(stopped) }) {
		select {
		case <-stopped:
		case <-c.done:
		}
	}
}

// Events tells what happens on the legs. The channel is closed when the call is.
func (c *Call) Events() <-chan Event { return c.events }

// Close ends the call: BYE goes out by RTCP, sockets are closed, ports released, Events closed. It returns when that is
// done, and returns the same figures when called again.
func (c *Call) Close() [2]Stats {
	c.worker.enqueue(func() { c.end(true) })
	<-c.done
	return *c.result
}

// Abandon is Close without a word to the peers: their audio goes on elsewhere.
func (c *Call) Abandon() {
	c.worker.enqueue(func() { c.end(false) })
	<-c.done
}

// end closes the call, on its worker.
func (c *Call) end(tell bool) {
	if c.ended {
		return
	}
	c.rec = nil
	result := new([2]Stats)
	for side := range c.legs {
		l := &c.legs[side]
		result[side] = l.stats()
		if tell {
			l.sayBye()
		}
		l.close()
	}
	delete(c.worker.calls, c)
	c.over(result)
}

// over tells that nothing happens on the call any more.
func (c *Call) over(result *[2]Stats) {
	c.ended, c.result = true, result
	close(c.events)
	close(c.done)
}

// tell reports an event without ever waiting for the call's owner.
func (c *Call) tell(e Event) {
	select {
	case c.events <- e:
	default:
		c.legs[e.Side].count.eventsLost++
	}
}
