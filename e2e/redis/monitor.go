package redis

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Monitor listens to every request that a server gets (MONITOR).
type Monitor struct {
	conn net.Conn
	done chan struct{}

	mu    sync.Mutex
	lines []string
}

// Watch begins to listen.
func (s *Server) Watch(ctx context.Context) (*Monitor, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(conn)
	if _, err := conn.Write([]byte("MONITOR\r\n")); err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	if ok, err := r.ReadString('\n'); err != nil || ok != "+OK\r\n" {
		return nil, fmt.Errorf("MONITOR: %q, %w", ok, err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	m := &Monitor{conn: conn, done: make(chan struct{})}
	go m.read(r)
	return m, nil
}

func (m *Monitor) read(r *bufio.Reader) {
	defer close(m.done)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		m.mu.Lock()
		m.lines = append(m.lines, strings.TrimSpace(line))
		m.mu.Unlock()
	}
}

// Requests are the requests so far that contain a text, as MONITOR shows them,
// without the commands that scripts ran.
func (m *Monitor) Requests(text string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []string
	for _, line := range m.lines {
		if strings.Contains(line, text) && !strings.Contains(line, " lua] ") {
			found = append(found, line)
		}
	}
	return found
}

// Sync waits until every request that the server has served by now is in.
func (m *Monitor) Sync(ctx context.Context, s *Server) error {
	mark := fmt.Sprintf("sync-%d", time.Now().UnixNano())
	if err := s.c.Echo(ctx, mark).Err(); err != nil {
		return fmt.Errorf("mark MONITOR's output: %w", err)
	}
	for len(m.Requests(mark)) == 0 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("wait for MONITOR: %w", ctx.Err())
		}
	}
	return nil
}

// Close ends listening.
func (m *Monitor) Close() error {
	err := m.conn.Close()
	<-m.done
	return err
}
