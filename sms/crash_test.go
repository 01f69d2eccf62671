package sms_test

import (
	"context"
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
	w.office.Lease, w.office.Send = time.Second, 900*time.Millisecond
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

// TestTakenOver: a node that was away for longer than its lease finds that
// another one has sent the text, which is told of once.
func TestTakenOver(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		short(w)
		reached, release := make(chan struct{}, 1), make(chan struct{})
		slow := &carrier{name: "trunk", size: 3, send: func(context.Context, sms.Outgoing) error {
			reached <- struct{}{}
			<-release // whatever its context says
			return nil
		}}
		w.office.Poll = time.Hour // only the other one looks
		first := w.start(slow)
		w.office.Poll = 20 * time.Millisecond
		id := w.take(first, "abcdef")
		<-reached
		quick := &carrier{name: "trunk", size: 3}
		w.start(quick)
		w.done(id, routing.TextSent)
		close(release)
		first.stop()
		w.done(id, routing.TextSent)
		require.Equal(t, []int{0}, slow.pieces(), "it sends no more once the text is somebody else's")
		require.Equal(t, []int{0, 1}, quick.pieces())
	})
}
