package wire

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// TestResponseOverANewConnection: a sender whose connection is gone gets its
// responses, and their repetitions, over one to where its Via says that it
// listens; a stranger does not (RFC 3261 section 18.2.2).
func TestResponseOverANewConnection(t *testing.T) {
	for _, known := range []bool{true, false} {
		h := newCollector()
		s, err := Open(Config{TCP: "127.0.0.1:0", Flood: Flood{Rate: 1000, Known: func(Peer) bool { return known }}}, zerolog.Nop())
		require.NoError(t, err)
		s.Serve(h)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		p := newStream(t, s)
		msg := newRaw(t).request("INVITE", "gone", 1, "")
		_, rest, _ := strings.Cut(msg, ";branch")
		line, _, _ := strings.Cut(msg, "\r\n")
		p.send(line + "\r\nVia: SIP/2.0/TCP " + l.Addr().String() + ";branch" + rest)
		tx := <-h.txs
		require.NoError(t, p.c.Close())
		require.Eventually(t, func() bool { return s.tcp.find(tx.From) == nil }, 15*time.Second, time.Millisecond)
		res := Reply(tx.Request, 200, "OK")
		if err := tx.Respond(res); !known {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		c, err := l.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetReadDeadline(time.Now().Add(15*time.Second)))
		in := bufio.NewScanner(c)
		require.True(t, in.Scan())
		require.Equal(t, "SIP/2.0 200 OK", in.Text())
		require.NoError(t, tx.Repeat(res))
		for in.Scan() && in.Text() != "SIP/2.0 200 OK" {
		}
		require.NoError(t, in.Err())
		require.Equal(t, "SIP/2.0 200 OK", in.Text())
	}
}
