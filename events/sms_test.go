package events_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// text writes the question of a text and its notices, as many as are wanted.
func (w *world) text(app, id string, notices int) {
	w.Helper()
	s := events.SMS{ID: id, App: app, Calling: "+8613800000001", Called: "+8613800000002", X: "+8617010000001", At: t0, SplitNum: 1, Direction: 1}
	evs := []events.Event{events.NewSMSQuestion(s, 1)}
	for i := range notices {
		evs = append(evs, events.NewSMSNotice(s, i+2))
	}
	ledgertest.Record(w, w.Ledger, events.Call{Session: id, Node: "n", App: app, SP: "demo", Mode: "AX", X: s.X, In: t0}, evs...)
}

func texting(a *ledger.App) {
	a.SMSURL, a.SMSControlURL = strings.Replace(a.StatusURL, "/status", "/sms", 1), strings.Replace(a.StatusURL, "/status", "/control", 1)
}

// texts are the pushes that concern a text.
func texts(s *server, id string) (list []push) {
	for _, p := range s.pushes() {
		if strings.Contains(p.body, `"smsIdentifier":"`+id+`"`) {
			list = append(list, p)
		}
	}
	return list
}

// TestSMSNotices: a notice goes to the address for texts, each by itself and
// signed; a question goes nowhere, and is not pushed by a replay either.
func TestSMSNotices(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		const many = 60
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to, texting)
		w.run(func(c *events.Config) { c.Poll = time.Hour }) // woken only
		for i := range many {
			w.text("app", fmt.Sprint("sms-", i), 1)
		}
		for i := range many {
			w.settled(fmt.Sprint("sms-", i), 2, "1 tries, done")
		}
		require.Len(t, to.pushes(), many)
		for i := range many {
			got := texts(to, fmt.Sprint("sms-", i))
			require.Len(t, got, 1)
			require.Equal(t, "/sms", got[0].path)
			require.JSONEq(t, fmt.Sprintf(`{"appKey":"app","smsEvent":{"smsIdentifier":"sms-%d","notificationMode":"Notify","calling":"+8613800000001",
				"called":"+8613800000002","virtualNumber":"+8617010000001","event":"TextSMS","timeStamp":"2026-01-02T03:04:05.000Z",
				"extInfo":{"extParas":[{"key":"splitNum","value":"1"},{"key":"direction","value":"1"}]},"sendResult":0}}`, i), got[0].body)
			require.Equal(t, []string{"application/json;charset=UTF-8"}, got[0].header["Content-Type"])
			require.Equal(t, []string{`WSSE realm="SDP",profile="UsernameToken",type="Appkey"`}, got[0].header["Authorization"])
			require.Regexp(t, username, got[0].header.Get("X-WSSE"))
		}
		n, err := w.Replay(t.Context(), ledger.ReplayFilter{Session: "sms-7", From: t0, To: t0.Add(time.Hour)}, w.clock.now())
		require.NoError(t, err)
		require.Equal(t, 1, n, "the question was asked once, and nobody waits for an answer")
		eventually(t, "the notice once more", func() bool { return len(texts(to, "sms-7")) == 2 })
		w.settled("sms-7", 2, "1 tries, done")
		w.settled("sms-7", 1, "0 tries, never again")
		require.NotContains(t, fmt.Sprint(to.pushes()), "Block")
	})
}

// TestSMSRetries: a notice that fails is pushed again at the six steps, and
// what is behind it of the same text waits; other texts and calls do not.
func TestSMSRetries(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to, texting)
		to.answers(func(p push) int {
			if strings.Contains(p.body, `"sms-bad"`) {
				return 500
			}
			return 200
		})
		w.run()
		w.text("app", "sms-bad", 2)
		w.settled("sms-bad", 2, "1 tries, due after 1m0s: HTTP status 500")
		w.text("app", "sms-good", 2)
		w.call("app", "call", 1, all...)
		w.settled("sms-good", 3, "1 tries, done")
		w.settled("call", len(all), "1 tries, done")
		for i, next := range []string{"due after 4m0s", "due after 9m0s", "due after 1h46m0s", "due after 3h23m0s", "due after 5h0m0s", "never again"} {
			w.clock.move([]time.Duration{1, 3, 5, 97, 97, 97}[i] * time.Minute)
			w.settled("sms-bad", 2, fmt.Sprintf("%d tries, %s: HTTP status 500", i+2, next))
		}
		eventually(t, "then the next of the text", func() bool { return w.log("sms-bad")[2].Tries > 0 })
		require.GreaterOrEqual(t, len(texts(to, "sms-bad")), 8)
		for _, p := range texts(to, "sms-bad") {
			require.Equal(t, "/sms", p.path)
		}
	})
}

// TestSMSLane: a server for texts that is dead costs the calls nothing, and the
// other way.
func TestSMSLane(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to, texting)
		release := make(chan struct{})
		to.answers(func(p push) int {
			if p.path == "/sms" {
				<-release
			}
			return 200
		})
		w.run()
		for i := range 40 { // more than may be under way
			w.text("app", fmt.Sprint("sms-", i), 1)
		}
		for i := range 5 {
			w.call("app", fmt.Sprint("call-", i), 1, all...)
		}
		for i := range 5 {
			w.settled(fmt.Sprint("call-", i), len(all)-1, "1 tries, done")
		}
		close(release)
		for i := range 40 {
			w.settled(fmt.Sprint("sms-", i), 2, "1 tries, done")
		}
	})
}

// TestSMSWithoutAddress: the status address does not stand in for that of texts.
func TestSMSWithoutAddress(t *testing.T) {
	w, to := newWorld(t, ledgertest.SQLite(t)), newServer(t)
	w.app("app", to)
	w.run()
	w.text("app", "sms-1", 1)
	w.settled("sms-1", 2, "0 tries, never again: not pushed: the app has no address for it")
	require.Empty(t, to.pushes())
}
