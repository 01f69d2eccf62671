package pgtest

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// shared is the server of the tests of a package.
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// New makes an empty database on a server that the tests of a package share,
// and returns its connection string. The first one starts the server; the
// package's TestMain has to call Main, which ends it.
func New(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = Start() })
	if shared.err != nil {
		t.Fatalf("start PostgreSQL: %v", shared.err)
	}
	return shared.server.Database(t)
}

// Like makes a database that begins as a copy of another one of New, which
// nobody may be connected to meanwhile.
func Like(t testing.TB, dsn string) string {
	t.Helper()
	copied, err := shared.server.make("TEMPLATE " + dsn[strings.LastIndexByte(dsn, '=')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

// Main runs the tests of a package, ends the server that they share, and the
// process: with a failure if a goroutine is left, but for those that the options say.
func Main(m *testing.M, mayStay ...goleak.Option) {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
			code = 1
		}
	}
	if code == 0 {
		if err := goleak.Find(mayStay...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
