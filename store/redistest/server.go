// Package redistest starts real Redis servers for tests: single ones, sets that
// Sentinels watch, and clusters. They listen on loopback, keep nothing on a disk
// unless told, and die with the test.
package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a redis-server process.
type Server struct {
	Addr string // host:port
	t    testing.TB
	dir  string
	args []string
	cmd  *exec.Cmd
}

// patience is waited out by no test that passes: each election of Sentinels that comes
// to nothing, as on a busy machine, costs 4 s.
const patience = 40 * time.Second

// Start runs a redis-server with more options than those of this package. With
// -short there is none, and the test is skipped.
func Start(t testing.TB, options ...string) *Server {
	t.Helper()
	s := prepare(t, options...)
	s.Run()
	return s
}

func prepare(t testing.TB, options ...string) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: no redis-server")
	}
	port := FreePort(t)
	s := &Server{t: t, dir: t.TempDir(), Addr: net.JoinHostPort("127.0.0.1", port)}
	s.args = append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "no", "--loglevel", "warning",
		"--repl-diskless-sync-delay", "0"}, options...)
	t.Cleanup(s.Kill)
	return s
}

// Run starts the process, again after Kill: it begins with what Save left.
func (s *Server) Run() {
	s.t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		s.t.Fatal("redis-server is missing: apt-get install redis-server, or run with -short")
	}
	s.cmd = exec.Command(path, s.args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	Await(s.t, "redis-server answers", func() bool { return s.Try("ping") == nil })
}

// Kill ends the process without notice.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// Runs tells whether the process was started and not killed since.
func (s *Server) Runs() bool { return s.cmd != nil }

// Stop has the process stand still until Continue.
func (s *Server) Stop() { s.signal(syscall.SIGSTOP) }

// Continue lets it go on.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(what os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(what); err != nil {
		s.t.Fatal(err)
	}
}

// Ask sends a command to this server and no other, and returns the answer.
func (s *Server) Ask(args ...any) any {
	s.t.Helper()
	v, err := s.ask(args...)
	if err != nil {
		s.t.Fatalf("%s: %v: %v", s.Addr, args, err)
	}
	return v
}

// Try is Ask where failure is no news.
func (s *Server) Try(args ...any) error {
	_, err := s.ask(args...)
	return err
}

func (s *Server) ask(args ...any) (any, error) {
	c := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true, DialTimeout: time.Second, ReadTimeout: 2 * time.Second})
	defer func() { _ = c.Close() }()
	return c.Do(context.Background(), args...).Result()
}

// IsMaster tells whether the server answers and is a master.
func (s *Server) IsMaster() bool {
	v, err := s.ask("role")
	list, _ := v.([]any)
	return err == nil && len(list) > 0 && list[0] == "master"
}

// Await waits with patience.
func Await(t testing.TB, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("it did not come to be: %s", what)
		}
	}
}

// Set is a master, its replicas and three Sentinels that watch them.
type Set struct {
	Name      string // by which the Sentinels know the master
	Servers   []*Server
	Sentinels []string // host:port
	watchers  []*Server
}

// StartSet runs a set: a server that is silent for half a second is down.
func StartSet(t testing.TB, replicas int) *Set {
	t.Helper()
	set := &Set{Name: "bindings", Servers: []*Server{Start(t)}}
	master := set.Servers[0]
	host, port, _ := net.SplitHostPort(master.Addr)
	for range replicas {
		set.Servers = append(set.Servers, Start(t, "--replicaof", host+" "+port))
	}
	for _, r := range set.Servers[1:] {
		Await(t, "a replica is in step", func() bool { return inStep(r) })
	}
	for range 3 {
		w := prepare(t)
		path := filepath.Join(w.dir, "sentinel.conf")
		text := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nloglevel warning\nsentinel monitor %s %s %s 2\nsentinel down-after-milliseconds %[3]s 500\nsentinel failover-timeout %[3]s 2000\n",
			portOf(w.Addr), w.dir, set.Name, host, port)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		w.args = []string{path, "--sentinel"}
		w.Run()
		set.watchers = append(set.watchers, w)
		set.Sentinels = append(set.Sentinels, w.Addr)
	}
	for _, w := range set.watchers {
		Await(t, "the Sentinels know each other and the replicas", func() bool {
			return w.Try("sentinel", "ckquorum", set.Name) == nil && len(w.list("replicas", set.Name)) == replicas && len(w.list("sentinels", set.Name)) == 2
		})
	}
	return set
}

func (s *Server) list(what, name string) []any {
	v, _ := s.ask("sentinel", what, name)
	list, _ := v.([]any)
	return list
}

func inStep(replica *Server) bool {
	v, err := replica.ask("role")
	list, _ := v.([]any)
	return err == nil && len(list) == 5 && list[3] == "connected"
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// Watchers are the Sentinels themselves.
func (s *Set) Watchers() []*Server { return s.watchers }

// Settle waits until so many servers are replicas in step with their master.
func (s *Set) Settle(replicas int) {
	s.Servers[0].t.Helper()
	Await(s.Servers[0].t, "the replicas are in step", func() bool {
		n := 0
		for _, one := range s.Servers {
			if one.cmd != nil && inStep(one) {
				n++
			}
		}
		return n == replicas
	})
}

// Master is the server that most Sentinels take for the master; nil: they do not
// agree, or name none that answers as one.
func (s *Set) Master() *Server {
	votes := map[string]int{}
	for _, w := range s.watchers {
		v, _ := w.ask("sentinel", "get-master-addr-by-name", s.Name)
		if at, _ := v.([]any); len(at) == 2 {
			votes[fmt.Sprintf("%v:%v", at[0], at[1])]++
		}
	}
	for _, one := range s.Servers {
		if votes[one.Addr] >= 2 && one.cmd != nil && one.IsMaster() {
			return one
		}
	}
	return nil
}
