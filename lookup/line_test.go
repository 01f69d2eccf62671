package lookup_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/provision"
	"axgate/routing"
)

// line is the network between node and Redis, which can be cut.
type line struct {
	listener net.Listener
	to       string
	done     sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func lay(t testing.TB, to string) *line {
	l := &line{to: to, conns: map[net.Conn]bool{}}
	var err error
	l.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.done.Go(l.serve)
	t.Cleanup(func() {
		require.NoError(t, l.listener.Close())
		l.set(true)
		l.done.Wait()
	})
	return l
}

func (l *line) serve() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.to)
		if err != nil || !l.keep(near, far) {
			_ = near.Close()
			if far != nil {
				_ = far.Close()
			}
			continue
		}
		for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
			l.done.Go(func() {
				_, _ = io.Copy(pair[0], pair[1])
				_, _ = pair[0].Close(), pair[1].Close()
			})
		}
	}
}

func (l *line) keep(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		l.conns[c] = true
	}
	return !l.cut
}

// set cuts the line or mends it.
func (l *line) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for c := range l.conns {
			_ = c.Close()
		}
		clear(l.conns)
	}
}

// TestTheLineToRedisIsCut: the same Redis is there again with its state from
// before, so that what happened meanwhile must have made it void: the use of a
// temporary callee, a callback record, a modification, an unbind.
func TestTheLineToRedisIsCut(t *testing.T) {
	redis := startRedis(t)
	l := lay(t, redis.Addr)
	w := newWorldOn(t, redis, l.listener.Addr().String())
	p := w.pair(anna, bert)
	q := w.pair(carl, dora)
	b := w.ax(anna)
	_, err := w.office.SetTemporary(w.ctx, "AX", provision.TemporaryCallee{AX: provision.AX{SubscriptionID: b.ID}, CalleeNum: carl})
	require.NoError(t, err)
	e := w.axe(anna)
	require.Equal(t, bert, dials(w.decide("s1", xAXB, anna)))
	require.Equal(t, dora, dials(w.decide("s1", xAXB, carl)))
	require.NoError(t, w.router.Rang(w.ctx, asks("s2", xAXE, carl), w.typed("s2", carl, e.Ext)))
	w.release("s2")
	require.Equal(t, carl, dials(w.decide("s2", xAXE, anna)))
	w.release("s2")
	temporary := w.decide("s3", xAX, anna)
	require.Equal(t, carl, dials(temporary))
	w.release("s3")

	other := "+8613800000009"
	for _, step := range []struct {
		what  string
		cut   func() error // what happens while the line is cut
		check func()       // and must be so afterwards
	}{
		{"the use of a temporary callee", func() error { return w.router.Answered(w.ctx, asks("s3", xAX, anna), temporary) },
			func() { require.Equal(t, "no_temporary_callee", dials(w.decide("c", xAX, anna))) }},
		{"a callback record", func() error { return w.router.Rang(w.ctx, asks("s5", xAXE, dora), w.typed("s5", dora, e.Ext)) },
			func() { require.Equal(t, dora, dials(w.decide("c", xAXE, anna))) }},
		{"a modification", func() error {
			_, err := w.office.ModifyAXB(w.ctx, "AXB", provision.ModifyAXB{SubscriptionID: q.ID, CalleeNum: &other})
			return err
		}, func() { require.Equal(t, other, dials(w.decide("c", xAXB, carl))) }},
		{"an unbind", func() error { return w.office.UnbindAXB(w.ctx, "AXB", p.ID, "") },
			func() { require.Equal(t, "no_binding_axb", dials(w.decide("c", xAXB, anna))) }},
	} {
		for _, x := range []routing.X{xAX, xAXB, xAXE} { // so that the cache has them all
			_, err := w.router.Peek(w.ctx, asks("warm", x, carl))
			require.NoError(t, err)
		}
		l.set(true)
		require.NoError(t, step.cut(), step.what)
		w.router.Release("s5")
		step.check()
		l.set(false)
		w.release("c")
		w.answers()
		step.check()
		w.release("c")
	}
	report, err := w.office.Verify(w.ctx, false)
	require.NoError(t, err)
	require.Zero(t, report.Differ, "%+v", report.Differences)
	require.Positive(t, report.Compared)
}
