//go:build e2e

package e2e

import (
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

// looks counts the requests that Redis got about an X itself: the decisions.
// Busy marks and records have keys of their own.
func (s *scene) looks(x string) int {
	return len(s.monitor.Requests(`"` + redisKey(x) + `"`))
}

// about counts all requests about an X.
func (s *scene) about(x string) int { return len(s.monitor.Requests(redisKey(x))) }

// warmed makes a first call, which brings X into the cache.
func (s *scene) warmed(c *phone.Call, x string) (looks, about int) {
	s.Helper()
	s.ended(c)
	s.notBusy(x)
	require.NotZero(s, s.looks(x))
	return s.looks(x), s.about(x)
}

func axTrips(s *scene) {
	a, x, _ := s.oneA()
	first := s.dial(s.stranger(), x)
	require.NoError(s, s.rings(a).Reject(486, 17))
	looks, about := s.warmed(first, x)
	out := s.dial(s.stranger(), x)
	in := s.reaches(a)
	require.Equal(s, []int{looks + 1, about + 1}, []int{s.looks(x), s.about(x)}, "requests until A's phone is called")
	require.NoError(s, in.Ring())
	s.answered(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.ended(in)
	s.notBusy(x)
	require.Equal(s, looks+1, s.looks(x), "requests of the whole call")
}

func axbTrips(s *scene) {
	a, b, x, _ := s.pair(appAXB)
	first := s.dial(a, x)
	require.NoError(s, s.rings(b).Reject(486, 17))
	looks, about := s.warmed(first, x)
	out := s.dial(b, x)
	in := s.rings(a)
	s.answered(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.ended(in)
	require.Equal(s, []int{looks + 1, about + 1}, []int{s.looks(x), s.about(x)}, "requests of the whole call")
}

func axeTrips(s *scene) {
	a, x, _ := s.oneE(appAXE, "0001")
	who := s.stranger()
	first := s.types(who, x, "0001")
	require.NoError(s, s.rings(a).Reject(486, 17))
	looks, about := s.warmed(first, x)
	out := s.dial(who, x)
	require.NoError(s, out.WaitAnswer(s.within(step)))
	require.Equal(s, []int{looks + 1, about + 1}, []int{s.looks(x), s.about(x)}, "requests until the caller is asked")
	s.press(out, "0001", phone.Events)
	in := s.reaches(a)
	require.Equal(s, []int{looks + 2, about + 2}, []int{s.looks(x), s.about(x)}, "requests until A's phone is called")
	require.NoError(s, in.Reject(486, 17))
	s.clearedWith(out, 17)
}
