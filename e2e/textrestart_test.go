//go:build e2e

package e2e

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/e2e/carrier"
	"axgate/e2e/gate"
	"axgate/e2e/receiver"
)

// killedTexts kills axgate at each step of a text's way. After it was
// started again the text arrives once, and so does its notice.
func killedTexts(t *testing.T) {
	for _, sc := range []scenario{
		{"before the network answers", ownTexts(func(*gate.Config) {}, killedUnanswered)},
		{"before its answer is stored", ownTexts(func(*gate.Config) {}, killedAnswered)},
		{"before the 3GPP report", ownTexts(with3GPP, killedUnreported)},
		{"while the customer's server is asked", ownTexts(func(*gate.Config) {}, killedAsking)},
		{"between the parts of a long text", ownTexts(with3GPP, killedBetweenParts)},
	} {
		(&world{}).play(t, sc)
	}
}

// restartAfterLease kills axgate and starts it again when the time is over for
// which it had taken texts to work on them: its ledger says so.
func (s *scene) restartAfterLease() {
	s.Helper()
	require.NoError(s, s.gate.Kill())
	s.startAfterLease()
}

func (s *scene) startAfterLease() {
	s.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.gate.Data(), "axgate.db"))
	require.NoError(s, err)
	_, err = db.ExecContext(s.ctx, `UPDATE messages SET due_at = 1 WHERE due_at > 0 AND whole`)
	require.NoError(s, err)
	require.NoError(s, db.Close())
	require.NoError(s, s.gate.Serve(s.ctx))
}

// identities are the names of the requests that fit, each once.
func (s *scene) identities(fits func(carrier.Request) bool) (all []string) {
	for _, r := range s.behind.Once(fits) {
		all = append(all, r.Identity())
	}
	return all
}

// killedUnanswered: the text is at the network, which says nothing.
func killedUnanswered(s *scene) {
	r, n := relayedPair(s)
	s.behind.Answer(func(carrier.Request) int { return 0 })
	m := carrier.New(r.a, r.x[len("+86"):], []byte("你好 hello"))
	status, err := n.Send(s.within(2*step), s.gate.SIP(), m)
	require.NoError(s, err)
	require.Equal(s, 202, status)
	_, err = s.behind.Wait(s.within(2*step), 1, goesTo(r.b))
	require.NoError(s, err)

	s.restartAfterLease()
	seen := len(s.behind.Requests())
	s.behind.Answer(func(carrier.Request) int { return 202 })
	s.told(r.x, 1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	require.Greater(s, len(s.behind.Requests()), seen, "it was sent again")
	require.Len(s, s.identities(goesTo(r.b)), 1, "as the same request")
	for _, again := range s.behind.Requests() {
		require.Equal(s, "你好 hello", again.Body())
	}

	status, err = n.Send(s.within(2*step), s.gate.SIP(), m) // a sender who has not heard the answer
	require.NoError(s, err)
	require.Equal(s, 202, status)
	s.once(r, n)
	require.Len(s, s.identities(goesTo(r.b)), 2)
}

// once sends another text, which comes after all that might still be done with
// the first one, and checks that there was one notice of that.
func (s *scene) once(r *raised, n *carrier.Network) {
	s.Helper()
	require.Equal(s, 202, s.write(n, r.a, r.x, "and more"))
	first := s.told(r.x, 1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	second := s.told(r.x, 2, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	require.NotEqual(s, first.ID(), second.ID())
	require.Equal(s, "and more", s.delivered(r.b, r.x, 2))
}

// killedAnswered: the network has taken the text, and axgate dies of the
// answer.
func killedAnswered(s *scene) {
	r, n := relayedPair(s)
	taken, killed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.behind.Answer(func(carrier.Request) int {
		once.Do(func() {
			<-taken
			_ = s.gate.Kill()
			close(killed)
		})
		return 202
	})
	require.Equal(s, 202, s.write(n, r.a, r.x, "hello"))
	close(taken)
	<-killed
	s.startAfterLease()
	s.told(r.x, 1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	require.GreaterOrEqual(s, len(s.behind.Requests()), 2, "nobody knew that it had been taken")
	require.Len(s, s.identities(goesTo(r.b)), 1, "the network can tell")
	s.once(r, n)
	require.Len(s, s.identities(goesTo(r.b)), 2)
}

// killedUnreported: the network has the text, and has not said what became of
// it.
func killedUnreported(s *scene) {
	c := newServiceCenter(s.world)
	s.behind.Answer(func(carrier.Request) int { return 202 })
	r, n := relayedPair(s)
	bodies, err := carrier.Deliver(7, center, r.a, "你好")
	require.NoError(s, err)
	require.Equal(s, acks(7)[0], c.bring(s, n, r.x, bodies[0]))
	_, err = s.behind.Wait(s.within(2*step), 1, submits(r.b))
	require.NoError(s, err)

	require.NoError(s, s.gate.Kill())
	s.behind.Answer(c.take)
	s.startAfterLease()
	s.told(r.x, 1, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	require.Len(s, s.identities(submits(r.b)), 1)
	refs := make(map[byte]bool)
	tries := 0
	for _, request := range s.behind.Requests() {
		if m, err := carrier.ReadRelay([]byte(request.Body())); err == nil && submits(r.b)(request) {
			refs[m.Ref] = true
			tries++
		}
	}
	require.GreaterOrEqual(s, tries, 2)
	require.Len(s, refs, 1, "a phone that has it can tell")
	require.Equal(s, acks(8)[0], c.bring(s, n, r.x, renumbered(bodies[0], 8)), "the network has missed the report")
	require.Equal(s, acks(7), c.deliver(s, n, r.a, r.x, "再见"))
	s.told(r.x, 2, notice{app: textAXB, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	require.Len(s, s.identities(submits(r.b)), 2)
	c.close(s.T)
}

// killedAsking: axgate dies while the customer's server thinks.
func killedAsking(s *scene) {
	r := &raised{app: textAX, x: s.takeX(s.T, textAX), a: s.takeWriter(), b: s.takeWriter()}
	bindAX("")(s, r)
	s.getsTexts(r.b)
	s.ordered(r.x, func(ctx context.Context, _ receiver.Push) []byte { <-ctx.Done(); return nil })
	require.Equal(s, 202, s.write(s.writer(r.a), r.a, r.x, "hello"))
	asked := notice{app: textAX, direction: 1, binding: r.binding, sender: r.a}
	first := s.questioned(r.x, 1, asked)
	require.NoError(s, s.gate.Kill())
	s.ordered(r.x, forwarding(r.b, ""))
	s.startAfterLease()
	second := s.questioned(r.x, 2, asked)
	require.Equal(s, first.ID(), second.ID())
	require.Equal(s, "hello", s.delivered(r.b, r.x, 1))
	told := s.told(r.x, 1, notice{app: textAX, direction: 1, binding: r.binding, sender: r.a, receiver: r.b})
	require.Equal(s, first.ID(), told.ID())
}

// killedBetweenParts: what was acknowledged of a long text is not lost.
func killedBetweenParts(s *scene) {
	c := newServiceCenter(s.world)
	r, n := relayedPair(s)
	bodies, err := carrier.Deliver(7, center, r.a, chapter)
	require.NoError(s, err)
	require.Len(s, bodies, 2)
	require.Equal(s, acks(8)[0], c.bring(s, n, r.x, bodies[1]))
	s.restartAfterLease()
	require.Equal(s, acks(9)[0], c.bring(s, n, r.x, renumbered(bodies[1], 9)), "the network has missed the report")
	require.Equal(s, acks(7)[0], c.bring(s, n, r.x, bodies[0]))
	require.Equal(s, chapter, c.submitted(s, r.b, r.x, 2))
	s.told(r.x, 1, notice{app: textAXB, direction: 1, parts: 2, binding: r.binding, sender: r.a, receiver: r.b})
	c.close(s.T)
}
