package pgtest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Link is a way to a server that loses what it is told to lose.
type Link struct {
	DSN string // of the database, by this way

	server string // its socket
	mu     sync.Mutex
	lose   []byte // the statement that is waited for
	how    Loss
	cut    bool // nothing gets through any more
	conns  map[net.Conn]struct{}
}

// Loss is how a statement is lost, with its connection.
type Loss int

const (
	LostAnswer   Loss = iota // the server does what it says
	LostQuestion             // the server never hears of it
	LostServer               // like LostAnswer, and nothing gets through from then on
)

// NewLink makes a way to a database of New.
func NewLink(t testing.TB, dsn string) *Link {
	t.Helper()
	const name = ".s.PGSQL.5432"
	dir := t.TempDir()
	rest, found := strings.CutPrefix(dsn, "host=")
	host, rest, _ := strings.Cut(rest, " ")
	if !found || !strings.Contains(rest, "port=5432") {
		t.Fatalf("%s leads to no socket of port 5432", dsn)
	}
	at, err := net.Listen("unix", filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{DSN: "host=" + dir + " " + rest, server: filepath.Join(host, name), conns: map[net.Conn]struct{}{}}
	var all sync.WaitGroup
	all.Go(func() { l.accept(at, &all) })
	t.Cleanup(func() {
		_ = at.Close()
		l.cutAll()
		all.Wait()
	})
	return l
}

// Lose loses the next statement of these words, and the connection that it is on.
func (l *Link) Lose(statement string, how Loss) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lose, l.how = []byte(statement+"\x00"), how
}

func (l *Link) accept(at net.Listener, all *sync.WaitGroup) {
	for {
		client, err := at.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", l.server)
		if err != nil || !l.add(client, server) {
			_ = client.Close()
			continue
		}
		deaf := make(chan struct{}) // closed: what the server says is lost
		all.Go(func() { l.ask(client, server, deaf) })
		all.Go(func() { l.answer(client, server, deaf) })
	}
}

// ask brings to the server what its client says.
func (l *Link) ask(client, server net.Conn, deaf chan struct{}) {
	defer func() { _ = errors.Join(client.Close(), server.Close()) }()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		loss, lost := l.loses(buf[:n])
		if lost && loss == LostQuestion {
			return
		}
		if lost {
			close(deaf)
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
		if lost && loss == LostServer {
			l.cutAll()
			return
		}
		if lost { // the answer ends the connection
			_, _ = io.Copy(io.Discard, client)
			return
		}
	}
}

// answer brings to the client what the server says, until that is to be lost.
func (l *Link) answer(client, server net.Conn, deaf chan struct{}) {
	defer func() { _ = errors.Join(client.Close(), server.Close()) }()
	buf := make([]byte, 64<<10)
	for {
		n, err := server.Read(buf)
		if err != nil {
			return
		}
		select {
		case <-deaf:
			return
		default:
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// loses tells whether a statement is the one to lose.
func (l *Link) loses(said []byte) (how Loss, lost bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lose == nil || !bytes.Contains(said, l.lose) {
		return 0, false
	}
	l.lose, l.cut = nil, l.how == LostServer
	return l.how, true
}

func (l *Link) add(both ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range both {
		if l.cut {
			_ = c.Close()
			continue
		}
		l.conns[c] = struct{}{}
	}
	return !l.cut
}

func (l *Link) cutAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		_ = c.Close()
	}
}
