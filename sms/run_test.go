package sms_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/routing"
	"axgate/sms"
)

// TestTriedAgain: what may help later is tried again with the same piece, and
// the sender's later texts do not wait for it.
func TestTriedAgain(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		w.office.Retries = []time.Duration{300 * time.Millisecond}
		var later atomic.Bool // the second text was sent
		tries := 0
		c := &carrier{name: "trunk"}
		c.send = func(_ context.Context, o sms.Outgoing) error {
			if o.Text != "first" {
				return nil
			}
			if tries++; tries < 3 || !later.Load() {
				return temporary(503)
			}
			return nil
		}
		n := w.start(c)
		first := w.take(n, "first")
		w.eventually("the first text failed", func() bool { return w.message(first).Fails > 0 })
		second := w.take(n, "second")
		w.done(second, routing.TextSent)
		require.True(t, w.message(first).Done.IsZero())
		later.Store(true)
		w.done(first, routing.TextSent)
		var seen, want []string
		for _, o := range c.got() {
			if o.Text == "first" {
				want = append(want, fmt.Sprint("true 0 ", len(want)))
				seen = append(seen, fmt.Sprint(o.ID == first, o.Piece, o.Try))
			}
		}
		require.GreaterOrEqual(t, len(seen), 3)
		require.Equal(t, want, seen)
	})
}

// TestOrderIsKept: a later text does not overtake an earlier one of its sender
// to X that is on its way; those of others do.
func TestOrderIsKept(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		hold := make(gate)
		c := &carrier{name: "trunk"}
		c.send = func(ctx context.Context, o sms.Outgoing) error {
			if o.Text == "0" {
				return hold.wait(ctx)
			}
			return nil
		}
		nodes := []*node{w.start(c), w.start(c)}
		var ids []string
		for i := range 20 {
			ids = append(ids, w.take(nodes[i%2], fmt.Sprint(i)))
		}
		other := w.incoming("other")
		other.Sender = bert
		w.done(w.receive(nodes[0], other).ID, routing.TextSent)
		require.Subset(t, []string{"0", "other"}, c.texts())
		close(hold)
		want := []string{}
		for i, id := range ids {
			w.done(id, routing.TextSent)
			want = append(want, fmt.Sprint(i))
		}
		got := []string{}
		for _, text := range c.texts() {
			if text != "other" {
				got = append(got, text)
			}
		}
		require.Equal(t, want, got)
	})
}

// TestCarriersInTurn: the first that reaches the receiver has the text; another
// one only if it is known that the first has sent nothing.
func TestCarriersInTurn(t *testing.T) {
	unknown := errors.New("no answer")
	type one struct {
		first       []error // of the first carrier's tries
		result      routing.SendResult
		first1, all int // texts that the first, and all, were given
	}
	cases(t, map[string]one{
		"temporary":          {[]error{temporary(503)}, routing.TextSent, 1, 2},
		"for good":           {[]error{permanent(404)}, routing.TextNotSent, 1, 1},
		"nobody knows":       {[]error{unknown, nil}, routing.TextSent, 2, 2},
		"and then temporary": {[]error{unknown, temporary(503), temporary(503), nil}, routing.TextSent, 4, 4},
	}, axb, func(t *testing.T, w *world, c one) {
		first := &carrier{name: "one"}
		first.send = func(context.Context, sms.Outgoing) error { return c.first[len(first.got())-1] }
		never := &carrier{name: "none", reaches: func(routing.Number) bool { return false }}
		second := &carrier{name: "two"}
		n := w.start(never, first, second)
		w.done(w.take(n, "hello"), c.result)
		require.Len(t, first.got(), c.first1)
		require.Len(t, second.got(), c.all-c.first1)
		require.Empty(t, never.got())
	})
}

// TestPartlySent: a text of which some pieces arrived and others cannot ends
// with 9, and the rest is tried over the carrier that has begun.
func TestPartlySent(t *testing.T) {
	type one struct {
		second error
		result routing.SendResult
		pieces []int
	}
	cases(t, map[string]one{
		"for good":  {permanent(488), routing.TextPartlySent, []int{0, 1}},
		"for while": {temporary(480), routing.TextSent, []int{0, 1, 1, 2}},
	}, axb, func(t *testing.T, w *world, c one) {
		one := &carrier{name: "one", size: 4}
		one.send = func(_ context.Context, o sms.Outgoing) error {
			if len(one.got()) == 2 {
				return c.second
			}
			return nil
		}
		two := &carrier{name: "two"}
		n := w.start(one, two)
		told := w.done(w.take(n, "abcdefghij"), c.result)
		require.Equal(t, c.pieces, one.pieces())
		require.Empty(t, two.got())
		require.Equal(t, c.result == routing.TextSent, told.Called != "")
	})
}

// TestTimeIsOver: a text that cannot be sent ends with 10, or 9 if pieces of it
// arrived.
func TestTimeIsOver(t *testing.T) {
	each(t, axb, func(t *testing.T, w *world) {
		w.office.Validity = 3 * time.Second
		one := &carrier{name: "one", size: 4}
		one.send = func(_ context.Context, o sms.Outgoing) error {
			if o.Text == "hell" || o.Piece > 0 {
				return temporary(480)
			}
			return nil
		}
		n := w.start(one)
		of := w.incoming("hello")
		of.Sender = bert
		none, some := w.take(n, "hell"), w.receive(n, of).ID
		w.done(none, routing.TextNotSent)
		w.done(some, routing.TextPartlySent)
		require.Greater(t, w.message(none).Tries, 1)
		require.Equal(t, "one: status 480", w.message(none).Failure)
	})
}

// TestDecidedAnew: what changed since a text was taken is obeyed at its next
// try.
func TestDecidedAnew(t *testing.T) {
	type one struct {
		change func(r *rules)
		result routing.SendResult
	}
	cases(t, map[string]one{
		"unbound":          {func(r *rules) { r.facts.ByCaller = nil }, routing.TextNoBinding},
		"paused":           {func(r *rules) { r.app.Paused = true }, routing.TextNotCommercial},
		"blacklisted":      {func(r *rules) { r.facts.Blacklisted = true }, routing.TextBlacklisted},
		"bound to another": {func(r *rules) { b := *r.facts.ByCaller; b.B = carl; r.facts.ByCaller = &b }, routing.TextNoBinding},
		"X is gone":        {func(r *rules) { r.facts.Known = false }, routing.TextXSuspended},
		"X is another's":   {func(r *rules) { r.app.Key, r.facts.App = "other", "other" }, routing.TextNoBinding},
	}, axb, func(t *testing.T, w *world, c one) {
		w.office.Retries = []time.Duration{time.Second}
		w.rules.app.SMSContent = true
		first := &carrier{name: "one", send: func(context.Context, sms.Outgoing) error { w.rules.set(c.change); return temporary(503) }}
		n := w.start(first)
		told := w.done(w.take(n, "hello"), c.result)
		require.Len(t, first.got(), 1)
		require.Empty(t, told.Called)
	})
}

// TestQuestion: the app's server is asked once about a text, whatever happens
// after it.
func TestQuestion(t *testing.T) {
	type one struct {
		reply  routing.MessageReply
		result routing.SendResult
	}
	cases(t, map[string]one{
		"forward":  {routing.MessageReply{Called: string(carl), Calling: string(anna), User: "u"}, routing.TextSent},
		"discard":  {routing.MessageReply{Discard: true}, routing.TextDiscarded},
		"late":     {routing.MessageReply{Late: true}, routing.TextNotAnswered},
		"garbage":  {routing.MessageReply{Silent: "no \x00 JSON \xff" + strings.Repeat("long", 100)}, routing.TextNotSent},
		"nobody":   {routing.MessageReply{Calling: string(anna)}, routing.TextNotSent},
		"mistaken": {routing.MessageReply{Called: string(carl), Calling: string(bert)}, routing.TextNotSent},
	}, ax, func(t *testing.T, w *world, c one) {
		w.rules.ask = func(_ context.Context, question events.Event) routing.MessageReply {
			page, err := w.ledger.Events(context.Background(), eventsOf(question.Session))
			if err != nil || len(page.Events) != 1 || page.Events[0].Kind != events.SMSBlock {
				t.Error("the question is not in the log before it is asked", err)
			}
			return c.reply
		}
		one := &carrier{name: "one"}
		one.send = func(context.Context, sms.Outgoing) error {
			if len(one.got()) < 3 {
				return temporary(503)
			}
			return nil
		}
		n := w.start(one)
		told := w.done(w.take(n, "hello"), c.result)
		require.Equal(t, 1, w.rules.questions())
		if c.result == routing.TextSent {
			require.Len(t, one.got(), 3)
			require.Equal(t, carl, one.got()[2].Receiver)
			require.Equal(t, "u", told.UserData)
		} else {
			require.Empty(t, one.got())
		}
	})
}
