package events_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// TestPushes: each event reaches its address in its order, once.
func TestPushes(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to)
		stop := w.run(func(c *events.Config) { c.Poll = time.Hour }) // woken only
		for i, k := range all {
			w.call("app", "one", i+1, k)
		}
		for i := range 20 {
			w.call("app", fmt.Sprint("call", i), 1, all...)
		}
		for i := range all {
			w.settled("one", i+1, "1 tries, done")
			w.settled("call19", i+1, "1 tries, done")
		}
		eventually(t, "all", func() bool {
			n := 0
			for _, p := range to.pushes() {
				n += len(p.ids)
			}
			return n == 21*6
		})
		stop()
		for _, session := range []string{"one", "call0", "call19"} {
			kinds := to.kinds(session)
			require.Contains(t, kinds, "fee")
			kinds = slices.DeleteFunc(kinds, func(k string) bool { return k == "fee" })
			require.Equal(t, told, kinds)
		}
		for _, p := range to.pushes() {
			require.Equal(t, "/"+map[bool]string{true: "fee", false: "status"}[p.kind == "fee"], p.path)
			require.Equal(t, []string{"application/json;charset=UTF-8"}, p.header["Content-Type"])
			require.EqualValues(t, len(p.body), p.length, "Content-Length")
			require.NotContains(t, p.body, "callRelDirection", "not asked for")
		}
	})
}

var username = regexp.MustCompile(`^UsernameToken Username="([^"]*)", PasswordDigest="([^"]*)", Nonce="([0-9A-Za-z]{16,128})", Created="([^"]*)"$`)

// TestSigning recomputes what the receiver gets.
func TestSigning(t *testing.T) {
	w, to := newWorld(t, ledgertest.SQLite(t)), newServer(t)
	w.app("wsse", to)
	w.app("aksk", to, func(a *ledger.App) { a.Signing, a.SendReleasedBy = ledger.SignAKSK, true })
	w.run()
	w.call("wsse", "one", 1, events.CallIn, events.Disconnect)
	w.call("aksk", "two", 1, events.Disconnect)
	eventually(t, "pushes", func() bool { return len(to.pushes()) == 3 })
	nonces := map[string]bool{}
	for _, p := range to.pushes() {
		scheme, key := "WSSE", "wsse"
		if p.ids[0] == "two" {
			scheme, key = "AKSK", "aksk"
			require.Contains(t, p.body, `"callRelDirection":1`)
		}
		require.Equal(t, []string{scheme + ` realm="SDP",profile="UsernameToken",type="Appkey"`}, p.header["Authorization"])
		m := username.FindStringSubmatch(p.header.Get("X-" + scheme))
		require.NotNil(t, m, p.header)
		require.Equal(t, key, m[1])
		require.Equal(t, "2026-01-02T04:04:05Z", m[4])
		secret := "secret of " + key
		sum := sha256.Sum256([]byte(m[3] + m[4] + secret))
		digest := sum[:]
		if scheme == "AKSK" {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(m[3] + m[4]))
			digest = mac.Sum(nil)
		}
		require.Equal(t, base64.StdEncoding.EncodeToString(digest), m[2])
		nonces[m[3]] = true
	}
	require.Len(t, nonces, 3)
}

// TestSettingsFollowed: a renewed secret and a new address count for the next
// push, without a restart.
func TestSettingsFollowed(t *testing.T) {
	w, before, after := newWorld(t, ledgertest.SQLite(t)), newServer(t), newServer(t)
	w.app("app", before)
	w.run()
	w.call("app", "one", 1, events.CallIn)
	w.settled("one", 1, "1 tries, done")
	_, err := w.ChangeApp(t.Context(), "app", func(a *ledger.App) error {
		a.StatusURL, a.Secret = after.URL, "new"
		return nil
	})
	require.NoError(t, err)
	eventually(t, "the new address", func() bool {
		w.call("app", fmt.Sprint("call", time.Now().UnixNano()), 1, events.CallIn)
		return len(after.pushes()) > 0
	})
	m := username.FindStringSubmatch(after.pushes()[0].header.Get("X-WSSE"))
	sum := sha256.Sum256([]byte(m[3] + m[4] + "new"))
	require.Equal(t, base64.StdEncoding.EncodeToString(sum[:]), m[2])
}

// TestRetries: an event that fails is pushed again at the steps after the first
// attempt, and holds back its session, but no other, nor the fee event.
func TestRetries(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to)
		to.answers(func(p push) int {
			if p.kind == "callout" && p.ids[0] == "bad" {
				return 500
			}
			return 204
		})
		w.run()
		w.call("app", "bad", 1, events.CallIn, events.CallOut, events.Alerting)
		w.settled("bad", 1, "1 tries, done")
		w.settled("bad", 2, "1 tries, due after 1m0s: HTTP status 500")
		w.call("app", "bad", 4, events.Answer, events.Disconnect, events.Fee)
		w.settled("bad", 6, "1 tries, done")
		w.call("app", "good", 1, all...)
		for seq := range all {
			w.settled("good", seq+1, "1 tries, done")
		}
		require.Equal(t, []string{"callin", "callout", "fee"}, to.kinds("bad"))

		for i, s := range []struct {
			move time.Duration // since the step before
			want string
		}{
			{time.Minute, "2 tries, due after 4m0s: HTTP status 500"},
			{3 * time.Minute, "3 tries, due after 9m0s: HTTP status 500"},
			{5 * time.Minute, "4 tries, due after 1h46m0s: HTTP status 500"},
			{97 * time.Minute, "5 tries, due after 3h23m0s: HTTP status 500"},
			{97 * time.Minute, "6 tries, due after 5h0m0s: HTTP status 500"},
			{97 * time.Minute, "7 tries, never again: HTTP status 500"},
		} {
			w.clock.move(s.move - time.Second)
			time.Sleep(60 * time.Millisecond)
			require.Equal(t, i+1, w.log("bad")[1].Tries, "not before its time")
			w.clock.move(time.Second)
			w.settled("bad", 2, s.want)
		}
		for seq := 3; seq <= 5; seq++ {
			w.settled("bad", seq, "1 tries, done")
		}
		kinds := to.kinds("bad")
		require.Equal(t, []string{"alerting", "answer", "disconnect"}, kinds[len(kinds)-3:])
		require.Len(t, kinds, 1+7+1+3)

		to.answers(func(push) int { return 200 })
		n, err := w.Replay(t.Context(), ledger.ReplayFilter{From: t0, To: t0.Add(time.Second), Missed: true}, w.clock.now())
		require.NoError(t, err)
		require.Equal(t, 1, n)
		w.settled("bad", 2, "1 tries, done")
		n, err = w.Replay(t.Context(), ledger.ReplayFilter{From: t0, To: t0.Add(time.Second), App: "app", Session: "good"}, w.clock.now())
		require.NoError(t, err)
		require.Equal(t, 6, n)
		eventually(t, "replayed", func() bool { return len(to.kinds("good")) == 12 })
		again := slices.DeleteFunc(to.kinds("good")[6:], func(k string) bool { return k == "fee" })
		require.Equal(t, told, again)
		n, err = w.Replay(t.Context(), ledger.ReplayFilter{From: t0.Add(time.Second), To: t0.Add(time.Hour)}, w.clock.now())
		require.NoError(t, err)
		require.Zero(t, n)
		_, err = w.Replay(t.Context(), ledger.ReplayFilter{From: t0, To: t0}, w.clock.now())
		require.ErrorContains(t, err, "time range is empty")
	})
}

// TestRecovers: once a failing receiver is well, the session goes on.
func TestRecovers(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to)
		to.answers(func(push) int { return 503 })
		w.run()
		w.call("app", "one", 1, all[:3]...)
		w.settled("one", 1, "1 tries, due after 1m0s: HTTP status 503")
		w.call("app", "one", 4, all[3:]...)
		w.settled("one", 6, "1 tries, due after 1m0s: HTTP status 503")
		to.answers(func(push) int { return 200 })
		w.clock.move(time.Minute)
		for i, want := range []int{2, 1, 1, 1, 1, 2} {
			w.settled("one", i+1, fmt.Sprintf("%d tries, done", want))
		}
		kinds := slices.DeleteFunc(to.kinds("one"), func(k string) bool { return k == "fee" })
		require.Equal(t, append([]string{"callin"}, told...), kinds)
	})
}

// TestMerged: fee events that fall together go together, 50 at most; those that
// were refused together go in smaller messages.
func TestMerged(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("app", to)
		w.app("other", to)
		to.answers(func(p push) int {
			if slices.Contains(p.ids, "call7") {
				return 400
			}
			return 200
		})
		for i := range 120 {
			w.call("app", fmt.Sprint("call", i), 1, events.Fee)
		}
		w.call("other", "others", 1, events.Fee)
		w.run()
		w.settled("others", 1, "1 tries, done")
		w.settled("call7", 1, "1 tries, due after 1m0s: HTTP status 400")
		done := func() (n int) {
			for i := range 120 {
				if !w.log(fmt.Sprint("call", i))[0].Done.IsZero() {
					n++
				}
			}
			return n
		}
		eventually(t, "70 of 120", func() bool { return done() == 70 })
		require.Len(t, to.pushes(), 4)
		for _, p := range to.pushes() {
			require.Contains(t, []int{1, 20, 50}, len(p.ids))
		}
		w.clock.move(time.Minute)
		eventually(t, "all but a dozen", func() bool { return done() >= 108 && done() < 120 })
		w.clock.move(3 * time.Minute)
		eventually(t, "all but three", func() bool { return done() >= 117 })
		w.clock.move(5 * time.Minute)
		eventually(t, "all but the one", func() bool { return done() == 119 })
		w.settled("call7", 1, "4 tries, due after 1h46m0s: HTTP status 400")
	})
}

// TestSlowAndDead: receivers that do not answer, or are not there, or answer
// for ever, keep nobody else waiting.
func TestSlowAndDead(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to, slow := newWorld(t, cfg), newServer(t), newServer(t)
		free := make(chan struct{})
		var under, most atomic.Int64
		slow.answers(func(push) int {
			for n := under.Add(1); ; {
				if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			<-free
			under.Add(-1)
			return 200
		})
		defer close(free)
		gone, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, gone.Close())
		w.app("healthy", to)
		w.app("slow", slow)
		w.app("slowfee", to, func(a *ledger.App) { a.FeeURL = slow.URL })
		w.app("slowcallin", to, func(a *ledger.App) { a.CallInURL = slow.URL })
		w.app("dead", to, func(a *ledger.App) {
			a.StatusURL, a.FeeURL = "http://"+gone.Addr().String(), "http://"+gone.Addr().String()
		})
		w.app("malformed", to, func(a *ledger.App) { a.StatusURL, a.FeeURL = "http://%zz", "gopher://x" })
		w.call("slowcallin", "before", 2, events.CallOut)
		for i := range 40 {
			for _, app := range []string{"slow", "slowfee", "slowcallin", "dead", "malformed"} {
				w.call(app, fmt.Sprint(app, i), 1, all...)
			}
		}
		w.run(func(c *events.Config) { c.Timeout, c.PerAddress = 10*time.Second, 4 })
		eventually(t, "slow pushes", func() bool { return under.Load() >= 4 })
		for i := range 40 {
			w.call("healthy", fmt.Sprint("healthy", i), 1, all...)
		}
		for seq := range all {
			w.settled("healthy39", seq+1, "1 tries, done")
		}
		w.settled("slowfee39", 5, "1 tries, done")
		w.settled("slowcallin39", 6, "1 tries, done")
		require.Equal(t, []string{"callout"}, to.kinds("before"), "a dead callin address keeps only its own sessions waiting")
		eventually(t, "dead", func() bool { return w.log("dead39")[0].Tries == 1 && w.log("dead39")[5].Tries == 1 })
		require.Contains(t, w.log("dead39")[0].Failure, "connection refused")
		require.NotContains(t, w.log("dead39")[0].Failure, "http://")
		eventually(t, "malformed", func() bool { return w.log("malformed39")[0].Tries == 1 && w.log("malformed39")[5].Tries == 1 })
		require.Equal(t, "the address is malformed", w.log("malformed39")[0].Failure)
		require.Contains(t, w.log("malformed39")[5].Failure, "unsupported protocol scheme")
		require.LessOrEqual(t, most.Load(), int64(4*4), "per address and app")
	})
}

// TestTimeLimit: a receiver that does not answer in time has failed.
func TestTimeLimit(t *testing.T) {
	w, slow := newWorld(t, ledgertest.SQLite(t)), newServer(t)
	free := make(chan struct{})
	slow.answers(func(push) int { <-free; return 200 })
	defer close(free)
	w.app("app", slow)
	w.run(func(c *events.Config) { c.Timeout = 50 * time.Millisecond })
	w.call("app", "one", 1, events.CallIn, events.CallOut)
	w.settled("one", 1, "1 tries, due after 1m0s: no answer in time")
	require.Zero(t, w.log("one")[1].Tries)
}

// TestRedirect: the events of a call go nowhere that nobody configured.
func TestRedirect(t *testing.T) {
	w, to := newWorld(t, ledgertest.SQLite(t)), newServer(t)
	to.answers(func(push) int { return 307 })
	w.app("app", to)
	w.run()
	w.call("app", "one", 1, events.CallIn)
	w.settled("one", 1, "1 tries, due after 1m0s: HTTP status 307: redirects are not followed")
	require.Len(t, to.pushes(), 1)
}

// TestTLS: a certificate that nobody vouches for is refused.
func TestTLS(t *testing.T) {
	w, to := newWorld(t, ledgertest.SQLite(t)), newServer(t, true)
	to.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of us
	w.app("app", to)
	stop := w.run()
	w.call("app", "one", 1, events.CallIn)
	eventually(t, "refused", func() bool { return strings.Contains(w.log("one")[0].Failure, "certificate") })
	require.Empty(t, to.pushes())
	stop()
	roots := x509.NewCertPool()
	roots.AddCert(to.Certificate())
	w.run(func(c *events.Config) { c.RootCAs = roots })
	w.clock.move(time.Minute)
	w.settled("one", 1, "2 tries, done")
}

// TestNoAddress: nothing is pushed, and nothing is owed.
func TestNoAddress(t *testing.T) {
	each(t, func(t *testing.T, cfg ledger.Config) {
		w, to := newWorld(t, cfg), newServer(t)
		w.app("none", to, func(a *ledger.App) { a.StatusURL, a.FeeURL = "", "" })
		w.app("callin", to, func(a *ledger.App) { a.StatusURL, a.CallInURL = "", to.URL+"/callin" })
		w.run()
		w.call("none", "one", 1, all...)
		w.call("callin", "two", 1, all...)
		for seq := range all {
			w.settled("one", seq+1, "0 tries, never again")
		}
		w.settled("two", 1, "1 tries, done")
		w.settled("two", 5, "0 tries, never again")
		w.settled("two", 6, "1 tries, done")
		require.Len(t, to.pushes(), 2)
		w.call("nobody", "three", 1, events.CallIn)
		w.settled("three", 1, "0 tries, never again: not pushed: the app has no address for it")

		_, err := w.ChangeApp(t.Context(), "none", func(a *ledger.App) error { a.StatusURL = to.URL + "/status"; return nil })
		require.NoError(t, err)
		w.call("none", "four", 1, events.Answer)
		w.settled("four", 1, "1 tries, done")
	})
}
