package pgtest

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Way is a way to a server of New that counts journeys there and back, and has each take its
// time.
type Way struct {
	DSN string // by this way

	to       string // the server's socket
	at       net.Listener
	journeys atomic.Int64
	takes    atomic.Int64 // a journey, in ns
	work     sync.WaitGroup

	mu     sync.Mutex
	open   []net.Conn
	closed bool
}

// NewWay makes a way to a database, which ends with the test.
func NewWay(t testing.TB, dsn string) *Way {
	t.Helper()
	const socket = ".s.PGSQL.5432"
	was, rest, _ := strings.Cut(strings.TrimPrefix(dsn, "host="), " ")
	dir, err := os.MkdirTemp("", "way")
	if err != nil {
		t.Fatal(err)
	}
	w := &Way{DSN: "host=" + dir + " " + rest, to: filepath.Join(was, socket)}
	if w.at, err = net.Listen("unix", filepath.Join(dir, socket)); err != nil {
		t.Fatal(err)
	}
	w.work.Go(w.accept)
	t.Cleanup(func() {
		w.end()
		_ = os.RemoveAll(dir)
	})
	return w
}

// Take has each journey take so long from now on.
func (w *Way) Take(d time.Duration) { w.takes.Store(int64(d)) }

// Journeys is how many there were.
func (w *Way) Journeys() int { return int(w.journeys.Load()) }

func (w *Way) accept() {
	for {
		client, err := w.at.Accept()
		if err != nil {
			return // it is closed
		}
		server, err := net.Dial("unix", w.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		if !w.keep(client, server) {
			return
		}
		var asked atomic.Bool
		w.work.Go(func() {
			pump(client, server, func() {
				if asked.CompareAndSwap(false, true) {
					w.journeys.Add(1)
					time.Sleep(time.Duration(w.takes.Load()))
				}
			})
		})
		w.work.Go(func() { pump(server, client, func() { asked.Store(false) }) })
	}
}

// keep notes connections that end with the way.
func (w *Way) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, conns...)
	if w.closed {
		for _, c := range conns {
			_ = c.Close()
		}
	}
	return !w.closed
}

func (w *Way) end() {
	_ = w.at.Close()
	w.mu.Lock()
	w.closed = true
	for _, c := range w.open {
		_ = c.Close()
	}
	w.mu.Unlock()
	w.work.Wait()
}

// pump carries what comes, each piece after it was told of, until one side ends.
func pump(from, to net.Conn, comes func()) {
	defer func() { _, _ = from.Close(), to.Close() }()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			comes()
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
