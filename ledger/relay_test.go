package ledger_test

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// relay leads from an address to the socket of a PostgreSQL that listens on none.
type relay struct {
	net.Addr
	silent atomic.Bool // it takes everything and says nothing
}

// muted is one direction of a connection.
type muted struct {
	io.Writer
	by *relay
}

func (m muted) Write(b []byte) (int, error) {
	if m.by.silent.Load() {
		return len(b), nil
	}
	return m.Writer.Write(b)
}

// newRelay leads to the database of a DSN of pgtest.
func newRelay(t *testing.T, at, dsn string) *relay {
	t.Helper()
	r := &relay{}
	words := strings.Fields(dsn)
	socket := filepath.Join(strings.TrimPrefix(words[0], "host="), ".s.PGSQL."+strings.TrimPrefix(words[1], "port="))
	l, err := net.Listen("tcp", at)
	require.NoError(t, err)
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	both := func(a, b net.Conn) {
		mu.Lock()
		open = append(open, a, b)
		mu.Unlock()
		for _, to := range [][2]net.Conn{{a, b}, {b, a}} {
			all.Go(func() {
				_, _ = io.Copy(muted{to[0], r}, to[1])
				_ = to[0].Close()
			})
		}
	}
	all.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("unix", socket)
			if err != nil {
				_ = from.Close()
				continue
			}
			both(from, to)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	r.Addr = l.Addr()
	return r
}

// relayed is dsn with the addresses of relays instead of its own.
func relayed(dsn string, addresses ...net.Addr) string {
	var hosts, ports []string
	for _, a := range addresses {
		host, port, _ := net.SplitHostPort(a.String())
		hosts, ports = append(hosts, host), append(ports, port)
	}
	return "host=" + strings.Join(hosts, ",") + " port=" + strings.Join(ports, ",") + " sslmode=disable " + strings.Join(strings.Fields(dsn)[2:], " ")
}
