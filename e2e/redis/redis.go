// Package redis runs a real redis-server for tests and listens to what is
// asked of it.
package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	client "github.com/redis/go-redis/v9"

	"axgate/e2e/ports"
)

// Server is a running redis-server without persistence.
type Server struct {
	Addr string
	cmd  *exec.Cmd
	c    *client.Client
	out  *os.File
}

// Start runs a redis-server on a free port of 127.0.0.1.
func Start(ctx context.Context, dir string) (*Server, error) {
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("redis-server is needed (apt-get install redis-server): %w", err)
	}
	port, err := ports.Take(1)
	if err != nil {
		return nil, err
	}
	out, err := os.Create(filepath.Join(dir, "redis.log"))
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: "127.0.0.1:" + strconv.Itoa(port), out: out}
	s.cmd = exec.Command(bin, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "", "--appendonly", "no", "--dir", dir)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	s.c = client.NewClient(&client.Options{Addr: s.Addr})
	for s.c.Ping(ctx).Err() != nil {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("redis-server does not answer: %w", ctx.Err()), s.Close())
		}
	}
	return s, nil
}

// Client talks to the server.
func (s *Server) Client() *client.Client { return s.c }

// Memory is how many bytes the server uses for what it keeps.
func (s *Server) Memory(ctx context.Context) (n int64, err error) {
	info, err := s.c.InfoMap(ctx, "memory").Result()
	if err == nil {
		_, err = fmt.Sscan(info["Memory"]["used_memory"], &n)
	}
	if err != nil {
		return 0, fmt.Errorf("ask redis-server for its memory: %w", err)
	}
	return n, nil
}

// PID is its process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Kill ends the server without notice; Close is still due.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill redis-server: %w", err)
	}
	return nil
}

// Close ends the server.
func (s *Server) Close() error {
	err := s.c.Close()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	return errors.Join(err, s.out.Close())
}
