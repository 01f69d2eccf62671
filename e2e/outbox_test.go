//go:build e2e

package e2e

import (
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/e2e/receiver"
)

func outboxScenarios() []scenario {
	return []scenario{{"the receiver is dead and axgate killed twice", own(func(*gate.Config) {}, deadReceiver)}}
}

// deadReceiver has the customer's server die, first its status address alone,
// and axgate killed twice before it is back. Every event arrives then, in its
// order, and what was taken before does not come again.
func deadReceiver(s *scene) {
	var statusDead, feeDead atomic.Bool
	s.customer.Answer(func(p receiver.Push) int {
		if p.Path == "/status" && statusDead.Load() || p.Path == "/fee" && feeDead.Load() {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	_, _, x, _ := s.pair(appAXB)
	call := func() { // somebody who is not bound
		who := s.stranger()
		s.refusedWith(s.dial(who, x), 403, 21)
	}
	billed := func(n int) bool {
		fees := 0
		for _, c := range s.customer.Of(x) {
			fees += c.Fees
		}
		return fees == n
	}
	statusDead.Store(true)
	call()
	require.Eventually(s, func() bool { return billed(1) }, step, 20*time.Millisecond, "a dead status address delays the fee event")
	require.Eventually(s, func() bool {
		return slices.ContainsFunc(s.logged(s.customer.Of(x)[0].Session), func(e logged) bool { return e.EventType == "fee" && !e.Push.Taken.IsZero() })
	}, step, 50*time.Millisecond, "it is not noted that it was taken: it would come again")
	feeDead.Store(true)
	call()
	for range 2 {
		require.NoError(s, s.gate.Kill())
		require.NoError(s, s.gate.Serve(s.ctx))
		call()
	}
	statusDead.Store(false)
	feeDead.Store(false)
	const first, lease = time.Minute, time.Minute // until an event is pushed again; what the dead process held
	require.Eventually(s, func() bool {
		all := s.customer.Of(x)
		for _, c := range all {
			if c.Fees == 0 || len(c.Events) < 2 {
				return false
			}
		}
		return len(all) == 4
	}, first+lease+2*step, 200*time.Millisecond, "an event did not arrive")
	for _, c := range s.customer.Of(x) {
		require.Equal(s, []string{"callin", "disconnect"}, c.Types(), "in their order, once")
		require.Equal(s, 1, c.Fees, "once")
	}
}
