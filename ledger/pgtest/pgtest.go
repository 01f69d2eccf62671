// Package pgtest runs a PostgreSQL of its own for tests.
package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"database/sql"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Server is a running PostgreSQL.
type Server struct {
	dir  string
	port string
	bin  string   // directory of its programs
	args []string // of the server
	attr *syscall.SysProcAttr
	made atomic.Int64

	cmd   *exec.Cmd
	ended chan struct{} // closed when the process is gone
}

// Start makes a cluster in a temporary directory and starts it on a Unix
// socket there. It does not wait for the disk; settings such as fsync=on say
// otherwise. Call Stop in the end.
func Start(settings ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, fmt.Errorf("make a directory for PostgreSQL: %w", err)
	}
	s := &Server{dir: dir, bin: bin, port: "5432"}
	if s.attr, err = s.owner(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", s.data(), "-U", "test", "-A", "trust", "-N", "--encoding=UTF8", "--locale=C.UTF-8")
	initdb.SysProcAttr, initdb.Dir = s.attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(dir))
	}
	s.args = []string{"-D", s.data(), "-k", dir}
	for _, setting := range append([]string{"listen_addresses=", "max_connections=60", "fsync=off"}, settings...) {
		s.args = append(s.args, "-c", setting)
		if port, ok := strings.CutPrefix(setting, "port="); ok {
			s.port = port
		}
	}
	if err := s.run(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// run starts the process and waits until it answers.
func (s *Server) run() error {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return fmt.Errorf("make PostgreSQL's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), s.args...)
	s.cmd.SysProcAttr, s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.attr, s.dir, log, log
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it reports the signal
	}()
	if err := s.await(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("%w: %s", err, text), s.end(syscall.SIGQUIT))
	}
	return nil
}

// end signals the process and waits until it is gone.
func (s *Server) end(how os.Signal) error {
	err := s.cmd.Process.Signal(how)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-s.ended
	return err
}

// Stop ends the server and removes its directory.
func (s *Server) Stop() error {
	err := s.end(syscall.SIGQUIT) // at once, without a checkpoint
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Database makes an empty database and returns its connection string.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	dsn, err := s.Make()
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// Make is Database outside of tests.
func (s *Server) Make() (dsn string, err error) { return s.make("") }

func (s *Server) make(how string) (dsn string, err error) {
	name := "t" + strconv.FormatInt(s.made.Add(1), 10)
	db, err := sql.Open("pgx", s.dsn("postgres"))
	if err == nil {
		_, err = db.Exec("CREATE DATABASE " + name + " " + how)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		return "", fmt.Errorf("make a PostgreSQL database: %w", err)
	}
	return s.dsn(name), nil
}

func (s *Server) dsn(name string) string {
	return fmt.Sprintf("host=%s port=%s user=test dbname=%s", s.dir, s.port, name)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// owner gives the directory to another user if we are root: PostgreSQL does
// not run as root.
func (s *Server) owner() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(s.dir, int(uid), int(gid))); err != nil {
		return nil, fmt.Errorf("give the directory to postgres: %w", err)
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, nil
}

func (s *Server) await() error {
	db, err := sql.Open("pgx", s.dsn("postgres"))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = db.Close() }()
	const patience, step = 30 * time.Second, 50 * time.Millisecond
	for deadline := time.Now().Add(patience); ; time.Sleep(step) {
		if err = db.Ping(); err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("PostgreSQL ended at its start: %w", err)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not come up: %w", err)
		}
	}
}

// programs finds the directory of initdb and postgres, the newest if there are
// several.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("initdb is missing: install the package postgresql")
	}
	major := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4])
		return n
	}
	sort.Slice(found, func(i, j int) bool { return major(found[i]) > major(found[j]) })
	return filepath.Dir(found[0]), nil
}
