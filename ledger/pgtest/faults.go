package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kill ends the server and all its sessions without notice. Run starts it again.
func (s *Server) Kill() error {
	err := s.signal(syscall.SIGKILL)
	<-s.ended
	return err
}

// Run starts the server again after Kill: it recovers what it has committed.
func (s *Server) Run() error {
	const tries, pause = 50, 100 * time.Millisecond
	var err error
	for range tries {
		// What the killed one shared may be in use for a moment still.
		if err = s.run(); err == nil {
			return nil
		}
		time.Sleep(pause)
	}
	return err
}

// Restart ends the sessions, then the server, and starts it again.
func (s *Server) Restart() error {
	return errors.Join(s.end(syscall.SIGINT), s.Run()) // a fast shutdown
}

// Freeze has the server and its sessions stand still until Thaw.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw lets them go on.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

// signal reaches the server and its sessions.
func (s *Server) signal(what syscall.Signal) error {
	// One that stands still begins no session that would be missed.
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	pid := strconv.Itoa(s.cmd.Process.Pid)
	list, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
	if err != nil {
		return fmt.Errorf("list PostgreSQL's sessions: %w", err)
	}
	if err := s.cmd.Process.Signal(what); err != nil {
		return fmt.Errorf("signal PostgreSQL: %w", err)
	}
	for _, word := range strings.Fields(string(list)) {
		session, err := strconv.Atoi(word)
		if err == nil {
			err = syscall.Kill(session, what)
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal a session of PostgreSQL: %w", err)
		}
	}
	return nil
}
