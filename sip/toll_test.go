package sip

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/lookup/usage"
	"axgate/routing"
)

// openTo is a world whose calls are counted; the rules say what becomes of
// those beyond the limits.
func openTo(t *testing.T, l routing.Limits) *world {
	w := open(t)
	plan := routing.ChinaPlan()
	w.router.use = usage.New(usage.Config{Limits: l, Node: "n1", Log: zerolog.Nop()})
	w.router.decides(func(q routing.Question) (routing.Decision, error) {
		d := connect(q)
		over, err := w.router.use.Enter(context.Background(), q.Session, d.App.SP, q.X)
		if over == routing.Within {
			return d, err
		}
		d.Binding.App = d.App.Key
		f := routing.Facts{Known: true, App: d.App.Key, Status: routing.StatusNormal, Bindings: 1, ByCaller: d.Binding, Over: over}
		return routing.Decide(&plan, d.App, q, f), err
	})
	return w
}

// withinAMinute waits for the next minute of the clock if this one is almost over: a
// rate is counted anew with each.
func withinAMinute() {
	const enough = 10 * time.Second
	now := time.Now()
	if next := now.Truncate(time.Minute).Add(time.Minute); next.Sub(now) < enough {
		time.Sleep(next.Sub(now))
	}
}

// over makes a call that is refused for a limit.
func (w *world) over(status, code int, cause string) {
	w.t.Helper()
	got := w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(status)
	require.Equal(w.t, "Q.850;cause="+cause, got.get("Reason"))
	require.Empty(w.t, got.get("Retry-After"))
	rec := w.ends(code, code)
	require.Equal(w.t, "bind1", rec.Binding)
	require.Equal(w.t, int(routing.FromA), rec.Direction)
	require.Empty(w.t, rec.Callee)
}

// TestTollLimits: each limit has its status, cause and codes, and the callee is
// not rung.
func TestTollLimits(t *testing.T) {
	t.Parallel()
	midnight := routing.Night{From: 0, To: 24*time.Hour - 1}
	for name, c := range map[string]struct {
		limits       routing.Limits
		status, code int
		cause        string
	}{
		"calls of the account": {routing.Limits{Account: routing.Limit{Calls: 1}}, 486, 7109, "17"},
		"calls of X":           {routing.Limits{X: routing.Limit{Calls: 1}}, 486, 8049, "17"},
		"rate of the account":  {routing.Limits{Account: routing.Limit{Rate: 1}}, 480, 7001, "31"},
		"rate of X":            {routing.Limits{X: routing.Limit{Rate: 1}}, 480, 7003, "31"},
		"talk of the account":  {routing.Limits{Account: routing.Limit{Talk: 1}}, 403, 8044, "21"},
		"talk of X":            {routing.Limits{X: routing.Limit{Talk: 1}}, 403, 8044, "21"},
		"the night":            {routing.Limits{X: routing.Limit{NightCalls: 1}, Night: midnight}, 403, 8050, "21"},
	} {
		t.Run(name, func(t *testing.T) {
			w := openTo(t, c.limits)
			if c.limits.Account.Rate+c.limits.X.Rate > 0 {
				withinAMinute()
			}
			a, b := w.talk()
			eventually(t, "the talk is counted", func() bool {
				w.router.mu.Lock()
				defer w.router.mu.Unlock()
				return len(w.router.answered) == 1
			})
			w.over(c.status, c.code, c.cause)
			a.bye()
			b.hungUp()
			require.Equal(t, uint64(1), w.router.use.Counts().Refused)
		})
	}
}

// TestTollCountIsGivenBack: however a call ends, the next one has its place.
func TestTollCountIsGivenBack(t *testing.T) {
	one := routing.Limits{Account: routing.Limit{Calls: 1}, X: routing.Limit{Calls: 1}}
	w := openTo(t, one)
	free := func(how string) {
		t.Helper()
		eventually(t, "the call is over", func() bool { return w.open() == 0 })
		e, err := w.router.use.Enter(t.Context(), "probe", "", numX)
		require.NoError(t, err)
		require.Equal(t, routing.Within, e, how)
		w.router.use.Leave("probe")
	}
	a, b := w.talk()
	w.over(486, 7109, "17")
	a.bye()
	b.hungUp()
	free("the caller hangs up")

	a, b = w.talk()
	b.bye()
	a.hungUp()
	free("the callee hangs up")

	for _, status := range []int{486, 603, 404, 480} {
		a = w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring().says(status, "")
		a.fails(status)
		free("the callee refuses")
	}

	a = w.a.dial(numX, numA, w.mouthA.sdp(1))
	b = w.b.ring()
	b.says(180, "")
	a.response(180, "INVITE")
	a.cancel()
	a.fails(487)
	b.cancelled()
	b.says(487, "")
	free("the caller gives up")

	counts := w.router.said()
	w.router.decides(func(q routing.Question) (routing.Decision, error) {
		d, _ := counts(q)
		return d, errors.New("neither cache nor ledger answers")
	})
	w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(500)
	free("nothing can be looked up")
	w.router.decides(counts)

	a, b = w.talk()
	done := make(chan error, 1)
	go func() { done <- w.srv.Shutdown(expired()) }()
	b.hungUp()
	a.hungUp()
	require.NoError(t, <-done)
	free("the node ends")
}
