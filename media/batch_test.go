package media

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Packets one by one are those of a kernel without io_uring; a bridge is the same either way.
func TestOneByOne(t *testing.T) {
	e := openEngine(t, func(c *Config) { c.OneByOne = true })
	require.Nil(t, e.workers[0].batch.ring)
	talkBothWays(t, e)
}

// A ring that fails is given up, and the calls go on.
func TestRingIsLost(t *testing.T) {
	e := openEngine(t)
	w := e.workers[0]
	if w.batch.ring == nil {
		t.Skip("no io_uring here")
	}
	talkBothWays(t, e, func(c *Call) {
		ask(t, c, func() bool {
			l := &c.legs[Caller]
			w.batch.send(w, &l.rtp, []byte{0x80})
			w.batch.abandon(w, ErrClosed)
			return true
		})
	})
	require.Nil(t, w.batch.ring)
}

func talkBothWays(t *testing.T, e *Engine, between ...func(*Call)) {
	t.Helper()
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMU)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	c.Connect(true, true)
	settle(t, c)
	for _, sample := range []byte{0x11, 0x12, 0x13} {
		a.talk(3, sample)
		b.talk(3, sample)
		b.hears("the caller", has(convert(PCMU, []byte{sample})[0]))
		a.hears("the callee", has(convert(PCMA, []byte{sample})[0]))
		for _, f := range between {
			f(c)
		}
		between = nil
	}
	stats := c.Close()
	require.Zero(t, stats[Caller].SendErrors+stats[Callee].SendErrors)
}

// More sockets at once than a batch takes: each packet comes through once.
func TestManyAtOnce(t *testing.T) {
	p := newPath(t, PCMA, PCMA)
	const packets = 2*inBatch + 9 // no more than a socket of the kernel holds
	p.put(8, frameOf(0x11, 160))
	p.serve(&p.c.legs[Caller].rtp)
	heard := p.hearing(t)
	for range packets {
		p.put(8, frameOf(0x11, 160))
	}
	for i := range p.w.ready {
		p.w.ready[i].Fd = int32(p.c.legs[Caller].rtp.sock.FD())
	}
	p.w.serve(p.w.ready[:packets])
	heard = append(heard, p.hearing(t)...)
	require.Equal(t, 1+packets, len(heard))
	for i := range packets {
		require.Equal(t, heard[i].SequenceNumber+1, heard[i+1].SequenceNumber)
	}
}

// The collector stops the world while the worker waits for packets of a call that talks.
func TestCollectorNeedNotWait(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	c.Connect(true, true)
	settle(t, c)
	var worst time.Duration
	for range 20 {
		a.talk(1, 0x11)
		begun := time.Now()
		runtime.GC()
		worst = max(worst, time.Since(begun))
	}
	b.hears("the caller", has(0x11))
	require.Less(t, worst, 5*time.Second)
	c.Close()
}
