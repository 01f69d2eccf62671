package events_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

// pace is how many times as fast as the true one the clock of this test is: ten
// minutes pass in 20 s, so that the true table of retries is gone through.
const pace = 30

// fast is that clock, which all processes of the test share. It leaps over the
// long steps of the table once a file is there.
func fast(began time.Time, leap string) func() time.Time {
	return func() time.Time {
		at := began.Add(pace * time.Since(began))
		if _, err := os.Stat(leap); err == nil {
			at = at.Add(106 * time.Minute)
		}
		return at
	}
}

// mortal is a customer's server that can die: then nobody listens.
type mortal struct {
	t       *testing.T
	address string
	mu      sync.Mutex
	server  *http.Server
	taken   []taken
}

// taken is an event that was answered with success.
type taken struct {
	path, session, kind string
	at                  time.Time
}

func (m *mortal) live() {
	l, err := net.Listen("tcp", m.address)
	require.NoError(m.t, err)
	m.address = l.Addr().String()
	m.server = &http.Server{Handler: m}
	go func() { _ = m.server.Serve(l) }()
}

func (m *mortal) die() { require.NoError(m.t, m.server.Close()) }

func (m *mortal) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	var msg struct {
		EventType  string
		StatusInfo struct{ SessionID string }
		FeeLst     []struct{ SessionID string }
	}
	if err := json.Unmarshal(body, &msg); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	time.Sleep(10 * time.Millisecond) // so that some are under way whenever the sender is killed
	m.mu.Lock()
	defer m.mu.Unlock()
	if msg.EventType != "fee" {
		m.taken = append(m.taken, taken{req.URL.Path, msg.StatusInfo.SessionID, msg.EventType, time.Now()})
	}
	for _, f := range msg.FeeLst {
		m.taken = append(m.taken, taken{req.URL.Path, f.SessionID, "fee", time.Now()})
	}
	if len(msg.FeeLst) > 50 {
		m.t.Errorf("%d records in one message", len(msg.FeeLst))
	}
}

// times counts how often each event of an address was taken.
func (m *mortal) times(path string) map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := map[string]int{}
	for _, e := range m.taken {
		if e.path == path {
			n[e.session+" "+e.kind]++
		}
	}
	return n
}

// sender is a process that carries calls and pushes their events.
type sender struct {
	t    *testing.T
	cmd  *exec.Cmd
	mu   sync.Mutex
	told []string // sessions that are durable
	read sync.WaitGroup
}

func startSender(t *testing.T, cfg ledger.Config, began time.Time, leap, name string) *sender {
	s := &sender{t: t, cmd: exec.Command(os.Args[0], "-test.run=^TestHelperSends$", "-test.short")}
	s.cmd.Env = append(os.Environ(), "AXGATE_TEST_SENDER="+name, "AXGATE_TEST_DRIVER="+cfg.Driver, "AXGATE_TEST_PATH="+cfg.Path, "AXGATE_TEST_DSN="+cfg.DSN,
		"AXGATE_TEST_LEAP="+leap, "AXGATE_TEST_BEGAN="+strconv.FormatInt(began.UnixNano(), 10))
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	s.read.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			s.mu.Lock()
			s.told = append(s.told, lines.Text())
			s.mu.Unlock()
		}
	})
	return s
}

func (s *sender) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.told)
}

// kill ends it with SIGKILL and gives the calls it was told are durable.
func (s *sender) kill() []string {
	require.NoError(s.t, s.cmd.Process.Kill())
	s.read.Wait()
	require.ErrorContains(s.t, s.cmd.Wait(), "killed")
	return s.calls()
}

// TestDeadForTenMinutes: a receiver is dead for ten minutes, and the process
// that pushes is killed twice in between. Each event arrives, in the order of
// its call; none arrives again that was noted as taken before a kill; and who
// has no living status address gets fee events all the while.
func TestDeadForTenMinutes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: half a minute for each kind of ledger")
	}
	each(t, func(t *testing.T, cfg ledger.Config) {
		t.Parallel()
		began, leap := time.Now(), filepath.Join(t.TempDir(), "leap")
		w := newWorld(t, cfg)
		mortals := map[string]*mortal{"app": {t: t, address: "127.0.0.1:0"}, "feeonly": {t: t, address: "127.0.0.1:0"}}
		for app, m := range mortals {
			m.live()
			defer func() { _ = m.server.Close() }()
			a := ledger.App{App: routing.App{Key: app, SP: "demo", Mode: routing.AXB}, Secret: "s", Created: t0, Signing: ledger.SignWSSE,
				StatusURL: "http://" + m.address + "/status", FeeURL: "http://" + m.address + "/fee"}
			if app == "feeonly" {
				a.StatusURL = "http://127.0.0.1:1/nobody"
			}
			_, err := w.CreateApp(t.Context(), a)
			require.NoError(t, err)
		}
		dies, fees := mortals["app"], mortals["feeonly"]
		acknowledged := map[string]int{} // how often it was taken when that was noted
		note := func() {
			for app, m := range mortals {
				seen := m.times("/status")
				maps.Copy(seen, m.times("/fee"))
				for _, k := range w.noted(app) {
					if acknowledged[k] == 0 {
						acknowledged[k] = seen[k]
						require.Positive(t, seen[k], "%s is noted as taken", k)
					}
				}
			}
		}
		var told []string
		s := startSender(t, cfg, began, leap, "first")
		eventually(t, "calls", func() bool { return len(s.calls()) >= 20 && len(dies.times("/fee")) >= 5 })
		dies.die()
		died := time.Now()
		for _, next := range []string{"second", "third"} {
			time.Sleep(6 * time.Second) // three minutes of the fast clock
			told = append(told, s.kill()...)
			note()
			s = startSender(t, cfg, began, leap, next)
		}
		eventually(t, "fee events while the status address is dead", func() bool {
			have := fees.times("/fee")
			return !slices.ContainsFunc(told, func(session string) bool { return session[0] == 'f' && have[session+" fee"] == 0 })
		})
		require.Less(t, pace*time.Since(died), 100*time.Minute, "the machine is too slow for this test: the next step of the table comes at 106 minutes")
		time.Sleep(10*time.Minute/pace - time.Since(died))
		dies.live()
		eventually(t, "what is tried for the first time", func() bool {
			return slices.ContainsFunc(s.calls(), func(session string) bool { return dies.times("/fee")[session+" fee"] > 0 })
		})
		require.NoError(t, os.WriteFile(leap, nil, 0o600))
		told = append(told, s.calls()...)
		require.Greater(t, len(told), 20) // how many more, the disk says
		require.Eventually(t, func() bool {
			have, fee := dies.times("/status"), dies.times("/fee")
			for _, session := range told {
				if session[0] == 'a' && (fee[session+" fee"] == 0 || have[session+" disconnect"] == 0) {
					return false
				}
			}
			return true
		}, time.Minute, 100*time.Millisecond, "an event did not arrive")
		told = append(told, s.kill()...)
		note()
		repeated := 0
		for app, m := range mortals {
			for _, path := range []string{"/status", "/fee"} {
				for k, n := range m.times(path) {
					if was := acknowledged[k]; was > 0 {
						require.Equal(t, was, n, "%s of %s came again after it was noted as taken", k, app)
					}
					repeated += n - 1
				}
			}
		}
		dies.inOrder()
		t.Logf("%d calls, %d pushes taken, %d repeated because of a kill", len(told), len(dies.taken)+len(fees.taken), repeated)
	})
}

// inOrder checks that events came in the order of their call.
func (m *mortal) inOrder() {
	first := map[string][]string{}
	for _, e := range m.taken {
		if e.path == "/status" && !slices.Contains(first[e.session], e.kind) {
			first[e.session] = append(first[e.session], e.kind)
		}
	}
	for session, kinds := range first {
		require.Equal(m.t, told[:len(kinds)], kinds, session)
	}
}

// noted lists the events of an app that are stored as taken.
func (w *world) noted(app string) (list []string) {
	for f := (ledger.EventFilter{App: app, Limit: 1000}); ; {
		page, err := w.Events(w.Context(), f)
		require.NoError(w, err)
		for _, e := range page.Events {
			if !e.Done.IsZero() {
				list = append(list, e.Session+" "+string(e.Kind))
			}
		}
		if f.After = page.Next; f.After == "" {
			return list
		}
	}
}

// TestHelperSends is the process that is killed: it carries calls of both apps,
// names each that is durable, and pushes.
func TestHelperSends(t *testing.T) {
	name := os.Getenv("AXGATE_TEST_SENDER")
	if name == "" {
		t.Skip("it is run by TestDeadForTenMinutes")
	}
	ns, err := strconv.ParseInt(os.Getenv("AXGATE_TEST_BEGAN"), 10, 64)
	require.NoError(t, err)
	now := fast(time.Unix(0, ns), os.Getenv("AXGATE_TEST_LEAP"))
	l, err := ledger.Open(t.Context(), ledger.Config{Driver: os.Getenv("AXGATE_TEST_DRIVER"), Path: os.Getenv("AXGATE_TEST_PATH"), DSN: os.Getenv("AXGATE_TEST_DSN")})
	require.NoError(t, err)
	go events.NewPusher(l.Outbox(), events.Config{Now: now}).Run(context.Background())
	for i := 0; ; i++ {
		app := []string{"app", "feeonly"}[i%2]
		at := now()
		c := events.Call{Session: fmt.Sprint(app, "-", name, i), Node: "n", App: app, SP: "demo", Mode: "AXB", X: "+8617010000001",
			Caller: "+8613800000001", Callee: "+8613800000002", In: at, Out: at, Alerting: at, Answered: at, Ended: at}
		var evs []events.Event
		for seq, k := range all[:5] {
			evs = append(evs, events.NewCallEvent(c, seq+1, k, at, ""))
		}
		ledgertest.Record(t, l, c, append(evs, events.NewFee(c, 6))...)
		fmt.Println(c.Session)
		time.Sleep(100 * time.Millisecond)
	}
}
