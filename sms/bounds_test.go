package sms_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/routing"
	"axgate/sms"
)

// counts are what all nodes count together.
type counts struct {
	mu    sync.Mutex
	n     map[string]int
	fail  error
	ahead time.Duration // of their clock
}

func (c *counts) count(who string) (int, time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return 0, time.Time{}, c.fail
	}
	c.n[who]++
	return c.n[who], time.Now().Add(30*time.Second + c.ahead), nil
}

func (c *counts) CountTextTo(_ context.Context, x routing.X, _ time.Duration) (int, time.Time, error) {
	return c.count(string(x))
}

func (c *counts) CountTextFrom(_ context.Context, n routing.Number, _ time.Duration) (int, time.Time, error) {
	return c.count(string(n))
}

// TestRates: more texts of a sender or to an X in a minute than may be are
// refused for a while; nodes share their counts, and a node without them counts
// alone.
func TestRates(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		shared := &counts{n: map[string]int{}}
		w.office.Limits, w.office.PerSender, w.office.PerX = shared, 3, 5
		nodes := []*node{w.start(), w.start()}
		by := func(n *node, sender routing.Number) sms.Receipt {
			in := w.incoming("hello")
			in.Sender = sender
			return w.receive(n, in)
		}
		for i := range 3 {
			require.Equal(t, sms.Taken, by(nodes[i%2], anna).Outcome)
		}
		r := by(nodes[0], anna)
		require.Equal(t, sms.Limited, r.Outcome)
		require.Empty(t, r.ID)
		require.InDelta(t, 30, r.After.Seconds(), 5)
		for range 2 {
			require.Equal(t, sms.Taken, by(nodes[1], bert).Outcome, "what anna may not write is not counted to X")
		}
		require.Equal(t, sms.Limited, by(nodes[1], carl).Outcome, "X has had its five")

		shared.ahead = time.Hour
		require.Equal(t, time.Minute, by(nodes[1], carl).After, "what counts may have another clock")

		shared.fail = errors.New("away")
		for range 3 {
			require.Equal(t, sms.Taken, by(nodes[0], anna).Outcome)
		}
		require.Equal(t, sms.Limited, by(nodes[0], anna).Outcome)
	})
}

// crammed is a store that has more old twins than it forgets at a time.
type crammed struct {
	sms.Store
	asked, full atomic.Int32 // how often it was asked to forget, and has more
}

func (c *crammed) ForgetTwins(_ context.Context, _ time.Time, limit int) (int, error) {
	if c.asked.Add(1) <= c.full.Load() {
		return limit, nil
	}
	return 0, nil
}

// TestTwinsAreForgotten: old ones go as fast as they can come.
func TestTwinsAreForgotten(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		store := &crammed{Store: w.ledger}
		store.full.Store(5)
		w.office.Store = store
		w.start(&carrier{name: "trunk"})
		w.eventually("all are forgotten", func() bool { return store.asked.Load() == 6 })
	})
}

// TestWaitingRoom: no more texts wait for an X, and no more of a sender for
// their parts, than may.
func TestWaitingRoom(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		w.office.Waiting, w.office.Open = 5, 2
		n := w.start()
		part := func(ref int) sms.Receipt { return w.receive(n, w.inParts("abcd", 2, ref)[0]) }
		require.Equal(t, sms.Taken, part(1).Outcome)
		require.Equal(t, sms.Taken, part(2).Outcome)
		r := part(3)
		require.Equal(t, sms.Limited, r.Outcome)
		require.Positive(t, r.After)
		ids := []string{w.take(n, "1"), w.take(n, "2"), w.take(n, "3")}
		require.Equal(t, sms.Limited, w.receive(n, w.incoming("4")).Outcome)
		w.start(&carrier{name: "trunk"})
		for _, id := range ids {
			w.done(id, routing.TextSent)
		}
		w.take(n, "5")
	})
}

// TestDeadCarrier: a trunk that answers nothing holds up neither the texts that
// go elsewhere nor another app's.
func TestDeadCarrier(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		w.office.Send = 30 * time.Second
		dead := &carrier{name: "dead", reaches: func(n routing.Number) bool { return n == bert }, send: func(ctx context.Context, _ sms.Outgoing) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		well := &carrier{name: "well"}
		n := w.start(dead, well)
		for i := range 60 { // to bert, of different senders
			in := w.incoming("stuck")
			in.Sender = routing.Number(fmt.Sprintf("+86138000001%02d", i))
			w.rules.set(func(r *rules) {
				r.facts.ByCaller = &routing.Binding{ID: "b1", App: "app", Mode: routing.AXB, X: x, A: in.Sender, B: bert}
			})
			w.receive(n, in)
		}
		w.rules.set(func(r *rules) {
			r.facts.ByCaller = &routing.Binding{ID: "b2", App: "app", Mode: routing.AXB, X: x, A: anna, B: carl}
		})
		start := time.Now()
		w.done(w.take(n, "hello"), routing.TextSent)
		require.Less(t, time.Since(start), patience)
		require.Equal(t, []string{"hello"}, well.texts())
	})
}

// TestDeadServer: questions that wait for an app's server hold up no text that
// needs no answer.
func TestDeadServer(t *testing.T) {
	each(t, ax, func(t *testing.T, w *world) {
		w.rules.ask = func(ctx context.Context, _ events.Event) routing.MessageReply {
			<-ctx.Done()
			return routing.MessageReply{Late: true}
		}
		c := &carrier{name: "trunk"}
		n := w.start(c)
		for i := range 40 { // of anna by 40 X
			in := w.incoming("to whom?")
			in.X = routing.X(fmt.Sprintf("+86170100001%02d", i))
			require.Equal(t, sms.Taken, w.receive(n, in).Outcome)
		}
		w.eventually("the server is asked", func() bool { return w.rules.questions() == 16 })
		in := w.incoming("to anna")
		in.Sender = bert
		w.done(w.receive(n, in).ID, routing.TextSent)
		require.Equal(t, 16, w.rules.questions())
	})
}
