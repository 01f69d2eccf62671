//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"

	"axgate/e2e/receiver"
)

// blockScenarios are those in which the customer's server is asked about a
// text, and does not say at once whom it is for.
func blockScenarios() []scenario {
	says := func(format string) func(*raised) ordering {
		return func(r *raised) ordering {
			return func(context.Context, receiver.Push) []byte {
				return []byte(strings.NewReplacer("A", r.a, "B", r.b, "X", r.x).Replace(format))
			}
		}
	}
	discards := func(*raised) ordering {
		return func(context.Context, receiver.Push) []byte { return receiver.Discard() }
	}
	sleeps := func(*raised) ordering {
		return func(ctx context.Context, _ receiver.Push) []byte { <-ctx.Done(); return nil }
	}
	unasked := func(s *scene, r *raised) { r.taken = true } // nobody hears the question
	withUser := func(s *scene, r *raised) {
		r.user = "b3JkZXI0Mg=="
		asks(func(r *raised) ordering { return forwarding(r.b, r.user) })(s, r)
	}
	const route = `{"actions":[{"operation":"vNumberRoute","message":{"called":"%s","calling":"%s"}}]}`
	rows := []textRow{
		{name: "forwarded", app: textAX, set: then(bindAX("hello"), withUser), dir: 1},
		{name: "forwarded, one action that is no list", app: textAX, dir: 1,
			set: then(bindAX("hello"), asks(says(`{"actions":{"operation":"vNumberRoute","message":{"called":"B","calling":"A"}}}`)))},
		{name: "discarded", app: textAX, set: then(bindAX("hello"), asks(discards)), want: 6, dir: 1},
		{name: "slow", app: textHasty, set: then(bindAX("hello"), asks(sleeps)), want: 7, dir: 1},
		{name: "dead", app: textDead, set: then(bindAX("hello"), unasked), want: 7, dir: 1},
		{name: "refused", app: textAX, set: then(bindAX("hello"), refuses(http.StatusServiceUnavailable)), want: 7, dir: 1},
		{name: "no answer", app: textAX, set: then(bindAX("hello"), asks(says(""))), want: 10, dir: 1},
		{name: "garbage", app: textAX, set: then(bindAX("hello"), asks(says("<html>no</html>"))), want: 10, dir: 1},
		{name: "unknown operation", app: textAX, set: then(bindAX("hello"), asks(says(`{"actions":[{"operation":"forward"}]}`))), want: 10, dir: 1},
		{name: "nobody named", app: textAX, set: then(bindAX("hello"), asks(says(`{"actions":[{"operation":"vNumberRoute"}]}`))), want: 10, dir: 1},
		{name: "another sender", app: textAX, set: then(bindAX("hello"), asks(says(fmt.Sprintf(route, "B", "B")))), want: 10, dir: 1},
		{name: "a fixed line", app: textAX, set: then(bindAX("hello"), asks(says(fmt.Sprintf(route, "+8675528000001", "A")))), want: 10, dir: 1},
		{name: "back to the sender", app: textAX, set: then(bindAX("hello"), asks(says(fmt.Sprintf(route, "A", "A")))), want: 10, dir: 1},
		{name: "an X", app: textAX, set: then(bindAX("hello"), asks(says(fmt.Sprintf(route, "X", "A")))), want: 10, dir: 1},
		{name: "X mode, forwarded", app: textX, set: withUser},
		{name: "X mode, discarded", app: textX, set: asks(discards), want: 6},
		{name: "X mode, late", app: textXElse, set: then(asks(sleeps), func(s *scene, r *raised) { r.b = textFallback })},
	}
	var all []scenario
	for _, row := range rows {
		all = append(all, scenario{"text block: " + row.name, row.play})
	}
	return append(all, scenario{"text block: calls go on", blockedTextsAndCalls})
}

// refuses has the customer's server answer the question with a status.
func refuses(status int) func(*scene, *raised) {
	return func(s *scene, r *raised) {
		r.taken = true
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refused[r.x] = status
	}
}

// blockedTextsAndCalls: while the customer's server does not say what to do
// with many texts, other texts and calls go on.
func blockedTextsAndCalls(s *scene) {
	const many = 50
	r := &raised{app: textAX, x: s.takeX(s.T, textAX), a: s.takeWriter(), b: s.takeWriter()}
	bindAX("")(s, r)
	release := make(chan struct{})
	s.ordered(r.x, func(ctx context.Context, p receiver.Push) []byte {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return receiver.Discard()
	})
	w := s.writer(r.a)
	for range many {
		require.Equal(s, 202, s.write(w, r.a, r.x, "hello"))
	}
	s.questioned(r.x, 1, notice{app: textAX, direction: 1, binding: r.binding, sender: r.a})

	a, b, x, id := s.pair(textAXB)
	out, in := s.connect(a, b, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	status, err := a.Text(s.within(step), strings.TrimPrefix(x, "+86"), "meanwhile")
	require.NoError(s, err)
	require.Equal(s, 202, status)
	s.told(x, 1, notice{app: textAXB, direction: 1, binding: id, sender: a.Number(), receiver: b.Number()})
	require.Empty(s, s.customer.NoticesOf(r.x))

	close(release)
	for i := range many {
		s.told(r.x, i+1, notice{app: textAX, result: 6, direction: 1, binding: r.binding, sender: r.a})
	}
	require.Empty(s, append(s.deliveredTo(r.a), s.deliveredTo(r.b)...))
}
