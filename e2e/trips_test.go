//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
)

func tripScenarios() []scenario {
	return []scenario{
		{"AX decides in one round trip", axTrips},
		{"AXB decides in one round trip", axbTrips},
		{"AXE decides in two round trips", axeTrips},
	}
}

// requests are those that Redis got about an X so far: looks ask for the X
// itself, which only decisions and loads do; all are all.
type requests struct{ looks, all int }

func (s *scene) requests(x string) requests {
	s.Helper()
	require.NoError(s, s.monitor.Sync(s.within(step), s.redis))
	var r requests
	for _, line := range s.monitor.Requests(redisKey(x)) {
		if !strings.Contains(line, `"eval`) {
			continue // of the test
		}
		r.all++
		if strings.Contains(line, `"`+redisKey(x)+`"`) {
			r.looks++
		}
	}
	return r
}

// settled waits until nothing more is asked about an X.
func (s *scene) settled(x string) requests {
	s.Helper()
	s.notBusy(x)
	last, since := s.requests(x), time.Now()
	require.Eventually(s, func() bool {
		if now := s.requests(x); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 500*time.Millisecond
	}, step, 100*time.Millisecond)
	require.NotZero(s, last.looks)
	return last
}

// sameCache repeats a measurement during which the cache was made void: then
// an X is loaded anew; and one that is wrong: the gate may have prolonged its busy
// marks meanwhile, as it does every few seconds.
func (s *scene) sameCache(x string, measure func() (got, want []requests)) {
	s.Helper()
	epoch := func() string { return s.redis.Client().HGet(s.ctx, "axgate:server", "epoch").Val() }
	var got, want []requests
	for range 5 {
		before := epoch()
		got, want = measure()
		if epoch() == before && slices.Equal(got, want) {
			return
		}
	}
	require.Equal(s, want, got, "%s", strings.Join(s.monitor.Requests(redisKey(x)), "\n"))
	require.Fail(s, "the cache does not stand still")
}

// axTrips: one request until A is called; busy marks of the AX X come on top
// only after the decision.
func axTrips(s *scene) {
	a, x, _ := s.oneA()
	who := s.stranger()
	s.sameCache(x, func() (got, want []requests) {
		first := s.dial(who, x) // brings X into the cache
		require.NoError(s, s.rings(a).Reject(486, 17))
		s.ended(first)
		before := s.settled(x)
		out := s.dial(who, x)
		in := s.reaches(a)
		got = append(got, s.requests(x))
		want = append(want, requests{before.looks + 1, before.all + 1})
		require.NoError(s, in.Reject(486, 17))
		s.ended(out)
		return got, want
	})
}

// axbTrips: one request in the whole call.
func axbTrips(s *scene) {
	a, b, x, _ := s.pair(appAXB)
	s.sameCache(x, func() (got, want []requests) {
		first := s.dial(a, x)
		require.NoError(s, s.rings(b).Reject(486, 17))
		s.ended(first)
		before := s.settled(x)
		out := s.dial(b, x)
		in := s.rings(a)
		s.answered(out, in)
		require.NoError(s, out.Hangup(s.within(step)))
		s.ended(in)
		return append(got, s.settled(x)), append(want, requests{before.looks + 1, before.all + 1})
	})
}

// axeTrips: one request until the caller is asked, one for the extension.
func axeTrips(s *scene) {
	a, x, _ := s.oneE(appAXE, "0001")
	who := s.stranger()
	s.sameCache(x, func() (got, want []requests) {
		first := s.types(who, x, "0001")
		require.NoError(s, s.rings(a).Reject(486, 17))
		s.ended(first)
		before := s.settled(x)
		out := s.dial(who, x)
		require.NoError(s, out.WaitAnswer(s.within(step)))
		got = append(got, s.requests(x))
		want = append(want, requests{before.looks + 1, before.all + 1})
		s.press(out, "0001", phone.Events)
		in := s.reaches(a)
		got = append(got, s.requests(x))
		want = append(want, requests{before.looks + 2, before.all + 2})
		require.NoError(s, in.Reject(486, 17))
		s.ended(out)
		return got, want
	})
}
