package events_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

// statuses are those that a server was told and took, by number in their
// order, and the numbers in each message.
func statuses(t *testing.T, s *server, path string) (of map[string][]string, sizes []int) {
	of = map[string][]string{}
	for _, p := range s.pushes() {
		if p.kind != "numStatus" || p.status != 200 {
			continue
		}
		require.Equal(t, path, p.path)
		var m struct {
			NumInfo []struct{ Number, Status, Cause string }
		}
		require.NoError(t, json.Unmarshal([]byte(p.body), &m))
		sizes = append(sizes, len(m.NumInfo))
		here := map[string]bool{}
		for _, n := range m.NumInfo {
			require.False(t, here[n.Number], "a number is in a message once")
			here[n.Number] = true
			of[n.Number] = append(of[n.Number], n.Status+n.Cause)
		}
	}
	return of, sizes
}

func (w *world) number(app string, i int) routing.X {
	x := routing.X(fmt.Sprintf("+8617010%06d", i))
	_, err := w.AddNumber(w.Context(), ledger.Number{XNumber: routing.XNumber{X: x, App: app}, Voice: true}, t0)
	require.NoError(w, err)
	return x
}

func (w *world) becomes(x routing.X, status routing.NumberStatus, cause string) {
	w.Helper()
	_, _, err := w.SetStatus(w.Context(), x, status, cause, w.clock.now())
	require.NoError(w, err)
}

func pushes(address func(*ledger.App)) func(*ledger.App) {
	return func(a *ledger.App) {
		a.PushNumbers = true
		address(a)
	}
}

// TestNumberStatus: what each change of an X is to its app.
func TestNumberStatus(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to, pushes(func(a *ledger.App) { a.NumberURL = to.URL + "/numbers" }))
		w.app("silent", to)
		x, quiet := w.number("app", 1), w.number("silent", 2)
		want := []string{}
		for _, step := range []struct {
			status routing.NumberStatus
			cause  string
			told   string // empty: nothing
		}{
			{routing.StatusNormal, "", ""}, {routing.StatusPaused, "", "9"}, {routing.StatusPaused, "arrears", ""}, {routing.StatusFrozen, "", "11"},
			{routing.StatusUnavailable, "5", "105"}, {routing.StatusUnavailable, "2", "102"}, {routing.StatusUnavailable, "2", ""},
			{routing.StatusUnavailable, "we do not say", "10"}, {routing.StatusTransfer, "", "103"}, {routing.StatusNormal, "6", "5"}, {routing.StatusReturned, "", "101"},
		} {
			w.becomes(x, step.status, step.cause)
			w.becomes(quiet, step.status, step.cause)
			if step.told != "" {
				want = append(want, step.told)
			}
		}
		w.number("app", 1) // it is granted anew
		want = append(want, "5")
		w.run()
		eventually(t, "all is told", func() bool { of, _ := statuses(t, to, "/numbers"); return len(of[string(x)]) == len(want) })
		of, _ := statuses(t, to, "/numbers")
		require.Equal(t, map[string][]string{string(x): want}, of)
		log := w.log(events.NumberSession("app", string(x)))
		require.Len(t, log, len(want))
		require.JSONEq(t, `{"number":"`+string(x)+`","status":"9"}`, string(log[0].Body))
		for _, e := range log {
			require.Equal(t, events.NumStatus, e.Kind)
		}
		require.Empty(t, w.log(events.NumberSession("silent", string(quiet))), "an app that did not ask is owed nothing")
	})
}

// TestNumbersMerge: many numbers are told of in few messages, at the status
// address where there is no other, and those of the next app by themselves.
func TestNumbersMerge(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		const many = 250
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to, pushes(func(*ledger.App) {}))
		w.app("next", to, pushes(func(*ledger.App) {}))
		for i := range many {
			w.becomes(w.number("app", i), routing.StatusPaused, "")
		}
		w.becomes(w.number("next", many), routing.StatusPaused, "")
		w.run()
		eventually(t, "all is told", func() bool { of, _ := statuses(t, to, "/status"); return len(of) == many+1 })
		of, sizes := statuses(t, to, "/status")
		for x, list := range of {
			require.Equal(t, []string{"9"}, list, x)
		}
		require.LessOrEqual(t, len(sizes), many/100+3, "%v", sizes)
		require.Contains(t, sizes, 1, "another app's has its own")
		require.Contains(t, sizes, 100)
	})
}

// TestNumbersInOrder: behind a change that nobody took the later ones of the
// number wait, and they alone: other numbers and calls go on.
func TestNumbersInOrder(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to, pushes(func(a *ledger.App) { a.NumberURL = to.URL + "/numbers" }))
		x, other := w.number("app", 1), w.number("app", 2)
		to.answers(func(p push) int {
			if p.kind == "numStatus" {
				return 500
			}
			return 200
		})
		w.run()
		w.becomes(x, routing.StatusPaused, "")
		session := events.NumberSession("app", string(x))
		first := w.log(session)[0].Seq
		eventually(t, "it fails", func() bool { return w.log(session)[0].Tries == 1 })
		w.becomes(x, routing.StatusNormal, "")
		w.becomes(x, routing.StatusReturned, "")
		w.call("app", "one", 1, all...)
		for seq := range all {
			w.settled("one", seq+1, "1 tries, done")
		}
		to.answers(func(push) int { return 200 })
		w.becomes(other, routing.StatusFrozen, "")
		eventually(t, "the other number", func() bool { of, _ := statuses(t, to, "/numbers"); return len(of[string(other)]) == 1 })
		of, _ := statuses(t, to, "/numbers")
		require.Empty(t, of[string(x)], "its first is due in a minute")
		w.clock.move(time.Minute)
		eventually(t, "in order", func() bool { of, _ := statuses(t, to, "/numbers"); return len(of[string(x)]) == 3 })
		of, _ = statuses(t, to, "/numbers")
		require.Equal(t, []string{"9", "5", "101"}, of[string(x)])
		require.Equal(t, first, w.log(session)[0].Seq)
		require.Equal(t, 2, w.log(session)[0].Tries)
	})
}

// TestNumbersClaimedTogether: of changes that one pusher has in hand, those
// behind a failed one wait with it.
func TestNumbersClaimedTogether(t *testing.T) {
	w, to := newWorld(t, ledgertest.SQLite(t)), newServer(t)
	w.app("app", to, pushes(func(*ledger.App) {}))
	x := w.number("app", 1)
	for _, status := range []routing.NumberStatus{routing.StatusPaused, routing.StatusNormal, routing.StatusFrozen} {
		w.becomes(x, status, "")
	}
	refused := false
	to.answers(func(push) int {
		if !refused {
			refused = true
			return 500
		}
		return 200
	})
	w.run()
	session := events.NumberSession("app", string(x))
	eventually(t, "the first fails", func() bool { return w.log(session)[0].Tries == 1 })
	time.Sleep(50 * time.Millisecond)
	of, _ := statuses(t, to, "/status")
	require.Empty(t, of)
	w.clock.move(time.Minute)
	eventually(t, "in order", func() bool { of, _ := statuses(t, to, "/status"); return len(of[string(x)]) == 3 })
	of, _ = statuses(t, to, "/status")
	require.Equal(t, []string{"9", "5", "11"}, of[string(x)])
}

// TestNumberWithoutAddress: there is nobody to tell.
func TestNumberWithoutAddress(t *testing.T) {
	w := newWorld(t, ledgertest.SQLite(t))
	w.app("app", newServer(t), pushes(func(a *ledger.App) { a.StatusURL, a.NumberURL = "", "" }))
	x := w.number("app", 1)
	w.becomes(x, routing.StatusPaused, "")
	w.run()
	eventually(t, "it is dropped", func() bool { e := w.log(events.NumberSession("app", string(x)))[0]; return e.Due.IsZero() })
	require.Equal(t, "not pushed: the app has no address for it", w.log(events.NumberSession("app", string(x)))[0].Failure)
}
