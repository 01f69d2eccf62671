package events_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/vault"
)

// lines are those of a log.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(p))
	return len(p), nil
}

// with counts the lines with both texts.
func (l *lines) with(one, other string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.all {
		if strings.Contains(line, one) && strings.Contains(line, other) {
			n++
		}
	}
	return n
}

// TestUnopenedSecret: events of an app whose secret this node has no key for wait, and keep
// nobody else waiting; the log is told of it once, again after ten minutes, and when it is
// over.
func TestUnopenedSecret(t *testing.T) {
	cfg := ledgertest.SQLite(t)
	ring := func(lines ...string) *vault.Ring {
		r, err := vault.ReadRing(strings.NewReader(strings.Join(lines, "\n")))
		require.NoError(t, err)
		return r
	}
	one, err := vault.NewKey("one")
	require.NoError(t, err)
	two, err := vault.NewKey("two")
	require.NoError(t, err)
	cfg.Ring = ring(one)
	w, to := newWorld(t, cfg), newServer(t)
	other := func(lines ...string) *world { // a node with these keys, the newest last
		c := cfg
		c.Ring = ring(lines...)
		l, err := ledger.Open(t.Context(), c)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		return &world{TB: t, Ledger: l, clock: w.clock}
	}
	other(one, two).app("sealed", to)
	other(one, two).app("second", to)
	w.app("well", to)
	var log lines
	told := func(app string) int { return log.with("addresses cannot be read", `"app":"`+app+`"`) }
	w.run(func(c *events.Config) { c.Log = zerolog.New(&log) })

	for i := range 5 {
		for _, session := range []string{"one", "another"} {
			w.call("sealed", session, i+1, events.CallIn)
		}
		w.call("second", "third", i+1, events.CallIn)
		for _, session := range []string{"one", "another", "third"} {
			w.settled(session, 1, "0 tries, due after "+(time.Duration(i+1)*time.Second).String())
		}
		w.clock.move(time.Second)
	}
	w.call("well", "two", 1, events.CallIn)
	w.settled("two", 1, "1 tries, done")
	require.Equal(t, 1, told("sealed"))
	require.Equal(t, 1, told("second"))
	require.Equal(t, 1, log.with(`key \"two\"`, `"app":"sealed"`), "the key that it wants is named")

	w.clock.move(10 * time.Minute)
	eventually(t, "it is told again", func() bool { return told("sealed") == 2 && told("second") == 2 })

	_, err = other(two, one).ChangeApp(t.Context(), "sealed", func(a *ledger.App) error { a.Secret = "one that all can open"; return nil })
	require.NoError(t, err)
	eventually(t, "it is pushed", func() bool {
		w.clock.move(time.Second)
		return !w.log("one")[4].Done.IsZero()
	})
	require.Equal(t, 2, told("sealed"))
	require.Equal(t, 1, log.with("can be read again", `"app":"sealed"`))
	require.Zero(t, log.with("can be read again", `"app":"second"`))
}
