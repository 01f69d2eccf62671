package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"axgate/lab"
	"axgate/ledger/ledgertest"
	"axgate/node"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// buffer may be read while a program writes to it.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// running is the program, as a process of its own would be.
type running struct {
	*program
	out, errs *buffer
	code      chan int
}

func start(args ...string) *running {
	r := &running{out: &buffer{}, errs: &buffer{}, code: make(chan int, 1)}
	r.program = &program{stdout: r.out, stderr: r.errs, signals: make(chan os.Signal, 4)}
	go func() { r.code <- r.run(context.Background(), args) }()
	return r
}

func (r *running) ended(t *testing.T) int {
	t.Helper()
	select {
	case code := <-r.code:
		return code
	case <-time.After(time.Minute):
		require.FailNow(t, "the program does not end", "%s\n%s", r.out, r.errs)
		return -1
	}
}

// succeed runs a command to its end and gives what it printed.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	r := start(args...)
	require.Zero(t, r.ended(t), "%s\n%s", r.out, r.errs)
	return r.out.String()
}

// fail runs a command that has to fail with this code and gives its message.
func fail(t *testing.T, code int, args ...string) string {
	t.Helper()
	r := start(args...)
	require.Equal(t, code, r.ended(t), "%s\n%s", r.out, r.errs)
	require.NotContains(t, r.errs.String(), "goroutine", "a panic")
	return r.errs.String()
}

// ports counts what sipPort has given; processes begin at different ones.
var ports atomic.Int64

// sipPort is a free port below those that the system gives: nobody binds it between now and
// the start of a server.
func sipPort(t *testing.T) int {
	t.Helper()
	const first, all = 10000, 9000
	for range 100 {
		port := first + (int64(os.Getpid())*100+ports.Add(1))%all
		at := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
		if canListen("udp", at) == nil && canListen("tcp", at) == nil {
			return int(port)
		}
	}
	require.FailNow(t, "no port is free")
	return 0
}

// write makes a configuration on free ports in a directory of its own.
func write(t *testing.T, more string) (file string) {
	t.Helper()
	dir := t.TempDir()
	sip := sipPort(t)
	text := fmt.Sprintf(`
node: test
data: %[1]s/data
log: {format: json}
sip: {udp: "127.0.0.1:%[2]d", tcp: "127.0.0.1:%[2]d", drain: 2s}
media: {ip: 127.0.0.1, ports: 41000-41400}
redis: {embedded: "127.0.0.1:0"}
http: {listen: "127.0.0.1:0"}
registrar:
  accounts:
    - {number: "+8613800000001", password: test-password}
    - {number: "+8613800000002", password: test-password}
apps:
  - {key: axb, secret: s1, mode: AXB, recording: true, informs: true}
  - {key: ax, secret: s2, mode: AX}
  - {key: axe, secret: s3, mode: AXE}
  - {key: axyb, secret: s4, mode: AXYB}
numbers:
  - {x: "+8617010000001", app: axb}
  - {x: "+8617010000002", app: ax}
  - {x: "+8617010000003", app: axe}
  - {x: "+8617010000004", app: axyb, area_code: "0755"}
  - {x: "+8617010000005", app: axyb, area_code: "0755"}
%[3]s`, dir, sip, more)
	file = filepath.Join(dir, "axgate.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// begin puts an empty ledger into a data directory that is not there yet: to make one
// takes longer than most tests.
func begin(t *testing.T, data string) {
	t.Helper()
	if err := os.Mkdir(data, 0o700); err == nil {
		ledgertest.Put(t, filepath.Join(data, "axgate.db"))
	}
}

// serve runs the server and waits until commands can find it.
func serve(t *testing.T, file string) *running {
	t.Helper()
	data := filepath.Join(filepath.Dir(file), "data")
	begin(t, data)
	r := start("serve", "--config", file)
	require.Eventually(t, func() bool {
		select {
		case code := <-r.code:
			r.code <- code
			return true
		default:
		}
		_, ok := node.FindRunning(data)
		return ok
	}, 20*time.Second, 20*time.Millisecond)
	_, ok := node.FindRunning(data)
	require.True(t, ok, "%s", r.errs)
	return r
}

// TestServe: bindings made beside a running server count for its calls, and
// none is left at the end.
func TestServe(t *testing.T) {
	t.Parallel()
	file := write(t, "")
	server := serve(t, file)
	at := func(args ...string) []string { return append(args, "--config", file) }

	var bound struct {
		ID string `json:"subscriptionId"`
		X  string `json:"x"`
	}
	out := succeed(t, at("bind", "axb", "--json", "--x", "+8617010000001", "--a", "+8613800000001", "--b", "+8613800000002")...)
	require.NoError(t, json.Unmarshal([]byte(out), &bound), out)
	require.NotEmpty(t, bound.ID)
	require.Equal(t, "+8617010000001", bound.X)
	require.Contains(t, fail(t, 1, at("bind", "axb", "--x", "+8617010000001", "--a", "+8613800000001", "--b", "+8613800000009")...), "1012010")
	require.Contains(t, succeed(t, at("bindings", "--x", "+8617010000001")...), bound.ID)

	var told told
	out = succeed(t, at("call", "--json", "--from", "+8613800000001", "--x", "+8617010000001")...)
	require.NoError(t, json.Unmarshal([]byte(out), &told), out)
	require.True(t, told.Answered, out)
	require.Equal(t, "+8617010000001", told.CallerID)
	require.Greater(t, told.Heard.Caller, 0.85)
	require.Greater(t, told.Heard.Callee, 0.85)
	require.Empty(t, told.Leaks)
	require.NotNil(t, told.Call)
	require.Equal(t, bound.ID, told.Call.SubscriptionID)
	require.Len(t, told.Events, 6)

	require.Contains(t, succeed(t, at("unbind", "--id", bound.ID)...), bound.ID)
	out = succeed(t, at("call", "--json", "--from", "+8613800000001", "--x", "+8617010000001")...)
	told.Answered = true
	require.NoError(t, json.Unmarshal([]byte(out), &told), out)
	require.False(t, told.Answered)
	require.Equal(t, 403, told.Statuses[len(told.Statuses)-1])
	require.Equal(t, 8014, told.Call.StateCode)
	require.Contains(t, fail(t, 1, at("unbind", "--id", bound.ID)...), "the binding has ended: unbound")

	require.Contains(t, fail(t, exitUsage, at("bind", "axb", "--x", "+8617010000001", "--a", "+8613800000001", "--b", "nobody")...), `--b: "nobody"`)
	require.Equal(t, "there are none\n", succeed(t, at("blacklist", "list", "--x", "+8617010000001")...))
	require.Equal(t, "+8613800000009 is blacklisted on +8617010000001\n", succeed(t, at("blacklist", "add", "--x", "17010000001", "--number", "13800000009")...))
	require.Equal(t, "NUMBER\n+8613800000009\n", succeed(t, at("blacklist", "list", "--x", "+8617010000001")...))

	report := succeed(t, at("doctor")...)
	require.NotContains(t, report, "fail ")
	require.Contains(t, report, "answers OPTIONS")
	require.Regexp(t, `ok +http +127\.0\.0\.1:\d+ takes connections`, report)

	server.signals <- syscall.SIGTERM
	require.Zero(t, server.ended(t), "%s", server.errs)
	_, ok := node.FindRunning(filepath.Join(filepath.Dir(file), "data"))
	require.False(t, ok)
	for _, real := range []string{"13800000001", "13800000002"} {
		require.NotContains(t, server.errs.String(), real, "real numbers in the log")
	}
}

// TestCommandsWithoutServer: bindings can be made before the server runs, and
// count from its start.
func TestCommandsWithoutServer(t *testing.T) {
	file := write(t, "")
	succeed(t, "doctor", "--config", file)
	require.Contains(t, fail(t, 1, "bind", "ax", "--config", file, "--x", "+8617010000002", "--a", "+8613800000001"), "not a number of ours",
		"the configured numbers are there from the first start of the server")
	server := serve(t, file)
	server.signals <- syscall.SIGINT
	require.Zero(t, server.ended(t), "%s", server.errs)
	succeed(t, "bind", "ax", "--config", file, "--x", "+8617010000002", "--a", "+8613800000001")
	out := succeed(t, "call", "--explain", "--config", file, "--x", "+8617010000002", "--from", "+8613800000002")
	require.Contains(t, out, "call +8613800000001, showing +8617010000002")
	require.Contains(t, out, "the ledger")
	succeed(t, "temp", "--config", file, "--x", "+8617010000002", "--callee", "+8613800000002", "--duration", "100")
	out = succeed(t, "call", "--explain", "--config", file, "--x", "+8617010000002", "--from", "+8613800000001")
	require.Contains(t, out, "call +8613800000002, showing +8617010000002")
}

// TestBadStarts: what keeps the server from starting is told in one line.
func TestBadStarts(t *testing.T) {
	busy, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	blocked := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(blocked, nil, 0o600))
	for name, c := range map[string]struct {
		env  string
		want string
	}{
		"data directory": {"AXGATE_DATA=" + blocked, blocked},
		"port in use":    {"AXGATE_SIP_UDP=" + busy.LocalAddr().String(), busy.LocalAddr().String()},
		"media address":  {"AXGATE_MEDIA_IP=192.0.2.1", "192.0.2.1"},
		"plan":           {"AXGATE_PLAN_MOBILE=1[3", "plan.mobile"},
		"trunk":          {"AXGATE_TRUNKS_0_NAME=t", "trunks[0]"},
		"value":          {"AXGATE_SIP_DRAIN=soon", "sip.drain"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &running{out: &buffer{}, errs: &buffer{}, code: make(chan int, 1)}
			r.program = &program{stdout: r.out, stderr: r.errs, signals: make(chan os.Signal, 4), environ: []string{c.env}}
			file := write(t, "")
			go func() { r.code <- r.run(context.Background(), []string{"serve", "--config", file}) }()
			require.Equal(t, exitFailed, r.ended(t), "%s", r.errs)
			lines := strings.Split(strings.TrimSpace(r.errs.String()), "\n")
			last := lines[len(lines)-1]
			require.True(t, strings.HasPrefix(last, "axgate: "), "%s", r.errs)
			require.Contains(t, last, c.want)
			require.Equal(t, 1, strings.Count(r.errs.String(), "axgate: "), "one message: %s", r.errs)
		})
	}
}

// TestTwoServers: a data directory has one server.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	file := write(t, "")
	server := serve(t, file)
	require.Contains(t, fail(t, 1, "serve", "--config", file), "another axgate runs on this data directory")
	server.signals <- syscall.SIGTERM
	require.Zero(t, server.ended(t))
}

// TestExplainExtension: an extension counts only for those who are asked for one.
func TestExplainExtension(t *testing.T) {
	t.Parallel()
	file := write(t, `bindings:
  - {app: axe, x: "+8617010000003", a: "+8613800000001", ext: "0001"}`)
	server := serve(t, file)
	explain := func(from, ext string) string {
		return succeed(t, "call", "--explain", "--config", file, "--x", "+8617010000003", "--from", from, "--ext", ext)
	}
	require.Contains(t, explain("+8613800000002", "0001"), "call +8613800000001")
	require.Contains(t, explain("+8613800000002", "0002"), "has no extension 0002")
	require.Contains(t, explain("+8613800000001", "0001"), "call back")
	require.NotContains(t, explain("+8613800000001", "0001"), "by itself")
	out := succeed(t, "call", "--config", file, "--x", "+8617010000003", "--from", "+8613800000002", "--ext", "0001")
	require.Contains(t, out, "asks for the extension")
	require.Regexp(t, `heard +the callee's voice by the caller (1\.0|0\.9)`, out)
	server.signals <- syscall.SIGTERM
	require.Zero(t, server.ended(t), "%s", server.errs)
}

// TestLabInterrupted: a lab that is ended in the middle of its demonstration
// has ended well; one that was for the demonstration has not.
func TestLabInterrupted(t *testing.T) {
	for want, once := range map[int][]string{0: nil, exitFailed: {"--once"}} {
		r := start(append([]string{"lab", "--data", t.TempDir()}, once...)...)
		require.Eventually(t, func() bool { return strings.Contains(r.out.String(), " dials ") }, 20*time.Second, 20*time.Millisecond)
		r.signals <- syscall.SIGINT
		require.Equal(t, want, r.ended(t), "%s\n%s", r.out, r.errs)
		require.Contains(t, r.out.String()+r.errs.String(), "ended in the middle of the demonstration")
		require.NotContains(t, r.errs.String(), "context canceled")
	}
}

// TestCallProblems: what is otherwise than decided is told.
func TestCallProblems(t *testing.T) {
	const x = "+8617010000001"
	good := lab.Outcome{Answered: true, Rang: true, Heard: lab.Correlation{Caller: 1, Callee: 1}}
	good.Seen.FromUser = x
	for want, spoil := range map[string]func(*told, *lab.Outcome){
		"was not answered":        func(_ *told, o *lab.Outcome) { o.Answered = false },
		"nobody was to be called": func(t *told, _ *lab.Outcome) { t.Decision.Step = "refuse" },
		"not X":                   func(_ *told, o *lab.Outcome) { o.Seen.FromUser = "+8613800000001" },
		"can read the caller":     func(_ *told, o *lab.Outcome) { o.Leaks = []string{"From: x"} },
		"do not hear each other":  func(_ *told, o *lab.Outcome) { o.Heard.Callee = 0.1 },
		"":                        func(*told, *lab.Outcome) {},
	} {
		call, out := told{Decision: lab.Decided{Step: "dial"}}, good
		spoil(&call, &out)
		call.adopt(&out, x, true)
		if want == "" {
			require.Empty(t, call.Problems)
			continue
		}
		require.Len(t, call.Problems, 1, want)
		require.Contains(t, call.Problems[0], want)
	}
}

// TestLab is the demonstration that a new user sees, on free ports.
func TestLab(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a whole call takes its time")
	}
	var r struct {
		OK       bool
		CallerID string `json:"callerId"`
		Events   []any
		Fee      map[string]any
		Texts    []lab.Texted
	}
	out := succeed(t, "lab", "--once", "--json", "--data", t.TempDir())
	require.NoError(t, json.Unmarshal([]byte(out), &r), out)
	require.True(t, r.OK, out)
	require.Equal(t, "+8617010000001", r.CallerID)
	require.Len(t, r.Events, 5)
	require.Equal(t, "+8617010000001", r.Fee["bindNum"])
	require.Len(t, r.Texts, 2)
	require.Equal(t, "+8617010000001", r.Texts[1].Shown)
}
