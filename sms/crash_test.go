package sms_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/routing"
	"axgate/sms"
)

func eventsOf(session string) ledger.EventFilter { return ledger.EventFilter{Session: session} }

// short makes leases end soon: what a node that died held is due again.
func short(w *world) {
	w.office.Lease = time.Second
}

// die closes the ledger under a node that works, and opens it for the next one.
func (w *world) die(n *node) {
	w.t.Helper()
	require.NoError(w.t, w.ledger.Close())
	n.stop()
	w.open()
}

// TestDiedBeforeAnything: a text that was taken is sent by whoever comes next.
func TestDiedBeforeAnything(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		n := w.start()
		id := w.take(n, "hello")
		w.die(n)
		c := &carrier{name: "trunk"}
		w.start(c)
		w.done(id, routing.TextSent)
		require.Equal(t, 0, c.got()[0].Try)
	})
}

// TestDiedWhileSending: pieces that are known to be sent are not sent again, and
// whoever goes on says that a try was begun, by the same carrier.
func TestDiedWhileSending(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		short(w)
		reached := make(chan struct{}, 1)
		dying := &carrier{name: "two", size: 2}
		dying.send = func(ctx context.Context, o sms.Outgoing) error {
			if o.Piece < 2 {
				return nil
			}
			reached <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		n := w.start(dying)
		id := w.take(n, "abcdefgh")
		<-reached
		w.die(n)
		require.Equal(t, []int{0, 1, 2}, dying.pieces())
		require.Equal(t, 2, w.message(id).Sent)

		other, next := &carrier{name: "one"}, &carrier{name: "two", size: 2}
		w.start(other, next)
		w.done(id, routing.TextSent)
		require.Equal(t, []int{2, 3}, next.pieces())
		for _, o := range next.got() {
			require.Equal(t, id, o.ID)
			require.Positive(t, o.Try)
		}
		require.Empty(t, other.got())
	})
}

// TestDiedWhileAsking: the app's server is asked again, by the same question.
func TestDiedWhileAsking(t *testing.T) {
	each(t, ax, func(t *testing.T, w *world) {
		short(w)
		reached := make(chan struct{}, 1)
		w.rules.ask = func(ctx context.Context, _ events.Event) routing.MessageReply {
			reached <- struct{}{}
			<-ctx.Done()
			return routing.MessageReply{Late: true, Silent: "the end"}
		}
		c := &carrier{name: "trunk"}
		n := w.start(c)
		id := w.take(n, "hello")
		<-reached
		w.die(n)
		w.rules.set(func(r *rules) {
			r.ask = func(context.Context, events.Event) routing.MessageReply {
				return routing.MessageReply{Called: string(carl), Calling: string(anna)}
			}
		})
		w.start(c)
		w.done(id, routing.TextSent)
		require.Len(t, c.got(), 1)
		require.Equal(t, 2, w.rules.questions())
		require.Equal(t, string(w.rules.asked[0].Body), string(w.rules.asked[1].Body))
	})
}

// TestDiedBetweenParts: parts that were taken wait for the others.
func TestDiedBetweenParts(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		n := w.start()
		list := w.inParts("one two three", 5, 3)
		id := w.receive(n, list[2]).ID
		w.die(n)
		n = w.start()
		require.Equal(t, sms.Repeated, w.receive(n, list[2]).Outcome)
		w.receive(n, list[0])
		w.die(n)
		c := &carrier{name: "trunk"}
		n = w.start(c)
		w.receive(n, list[1])
		w.done(id, routing.TextSent)
		require.Equal(t, []string{"one two three"}, c.texts())
	})
}

// TestOrderlyEnd: a node that ends gives back what it has not done, at once, and
// a send that ends meanwhile counts.
func TestOrderlyEnd(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		w.office.Grace = 10 * time.Second
		reached, release := make(chan struct{}, 1), make(gate)
		c := &carrier{name: "trunk", size: 2}
		c.send = func(ctx context.Context, o sms.Outgoing) error {
			reached <- struct{}{}
			return release.wait(ctx)
		}
		n := w.start(c)
		id := w.take(n, "abcd")
		<-reached
		second := w.take(n, "behind it")
		ended := make(chan struct{})
		go func() { n.stop(); close(ended) }()
		time.AfterFunc(100*time.Millisecond, func() { close(release) })
		<-ended
		m := w.message(id)
		require.Equal(t, 1, m.Sent)
		require.False(t, m.Due.After(time.Now()), "nobody has to wait for the lease")
		next := &carrier{name: "trunk", size: 2}
		w.start(next)
		w.done(id, routing.TextSent)
		w.done(second, routing.TextSent)
		require.Equal(t, 1, next.pieces()[0])
	})
}

// deaf is a store that an office cannot reach any more once it is cut off.
type deaf struct {
	sms.Store
	cut atomic.Bool
}

func (d *deaf) SaveText(ctx context.Context, t *sms.Text, due time.Time, evs ...events.Event) (bool, error) {
	if d.cut.Load() {
		return false, errors.New("the store cannot be reached")
	}
	return d.Store.SaveText(ctx, t, due, evs...)
}

func (d *deaf) ClaimTexts(ctx context.Context, now, lease time.Time, room func(string) int) ([]sms.Text, bool, error) {
	if d.cut.Load() {
		return nil, false, errors.New("the store cannot be reached")
	}
	return d.Store.ClaimTexts(ctx, now, lease, room)
}

// TestTakenOver: a node that cannot hold a text any more sends no further piece
// of it; another one goes on, and the text is told of once.
func TestTakenOver(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		short(w)
		store := &deaf{Store: w.ledger}
		reached := make(chan struct{}, 1)
		cutOff := &carrier{name: "trunk", size: 3}
		cutOff.send = func(ctx context.Context, _ sms.Outgoing) error {
			reached <- struct{}{}
			<-ctx.Done()
			return nil // it went out at the last moment
		}
		w.office.Store = store
		first := w.start(cutOff)
		id := w.take(first, "abcdef")
		<-reached
		store.cut.Store(true)
		w.office.Store = nil
		next := &carrier{name: "trunk", size: 3}
		w.start(next)
		w.done(id, routing.TextSent)
		store.cut.Store(false)
		first.stop()
		w.done(id, routing.TextSent)
		require.Equal(t, []int{0}, cutOff.pieces())
		require.Equal(t, []int{0, 1}, next.pieces())
		require.Positive(t, next.got()[0].Try)
	})
}

// TestLongSend: a text is held for as long as its carrier is at it.
func TestLongSend(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		t.Parallel()
		w.office.Lease = 4 * time.Second // an fsync may take longer than three quarters of a second
		c := &carrier{name: "trunk", send: func(context.Context, sms.Outgoing) error {
			time.Sleep(8 * time.Second)
			return nil
		}}
		n := w.start(c)
		w.start(c)
		w.done(w.take(n, "hello"), routing.TextSent)
		require.Len(t, c.got(), 1)
	})
}
