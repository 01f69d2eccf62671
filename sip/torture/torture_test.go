package torture

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"axgate/events"
	"axgate/media"
	"axgate/media/record"
	"axgate/routing"
	"axgate/sip"
	"axgate/sip/registrar"
	"axgate/sip/trunk"
)

var update = flag.Bool("update", false, "write docs/sip-torture.md anew")

// TestMain has the rows wait together: they mostly wait.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const x = "17010000001"

// busy is a router to whom everybody is busy.
type busy struct{}

func (busy) Decide(context.Context, routing.Question) (routing.Decision, error) {
	return routing.Decision{Step: routing.Refuse, End: routing.EndBusy, Why: "test"}, nil
}
func (busy) DecideExtension(context.Context, routing.Question, routing.Extension) (routing.Decision, error) {
	return routing.Decision{}, nil
}
func (busy) Ask(context.Context, routing.Question, routing.Decision, events.Event) (routing.Decision, error) {
	return routing.Decision{}, nil
}
func (busy) Rang(context.Context, routing.Question, routing.Decision) error     { return nil }
func (busy) Hurry()                                                             {}
func (busy) Answered(context.Context, routing.Question, routing.Decision) error { return nil }
func (busy) Release(string)                                                     {}

func (busy) Carry(routing.Question, routing.Extension, routing.Decision) {}

func (busy) Forget(string) {}

// Write is a journal that takes everything.
func (busy) Write(events.Call, ...events.Event) <-chan error {
	done := make(chan error, 1)
	done <- nil
	return done
}

func (busy) Clip(*routing.App, string, routing.Scene) (string, []byte, bool) { return "", nil, false }

// bench is what the servers of the table share, and where their peers live:
// on addresses of their own, so that they may have the ports that Via names.
type bench struct {
	engine *media.Engine
	tape   *record.Writer
	hosts  int
}

func newBench(t *testing.T) *bench {
	engine, err := media.Open(media.Config{IP: netip.MustParseAddr("127.0.0.1"), PortMin: 61000, PortMax: 61199, Quarantine: time.Millisecond, Inactive: time.Minute}, zerolog.Nop())
	require.NoError(t, err)
	b := &bench{engine: engine, tape: record.Open(record.WriterOptions{Workers: 1})}
	t.Cleanup(func() {
		require.NoError(t, b.engine.Close())
		require.NoError(t, b.tape.Close())
	})
	return b
}

func (b *bench) host() netip.Addr {
	b.hosts++
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, byte(64 + pid>>8&63), byte(pid), byte(b.hosts)})
}

func (b *bench) server(t *testing.T, peer netip.Addr) *sip.Server {
	t.Helper()
	table, err := trunk.New([]trunk.Trunk{{Name: "a", Peers: []trunk.Peer{{Net: netip.PrefixFrom(peer, 32)}}}})
	require.NoError(t, err)
	phones, err := registrar.New(registrar.Config{Plan: routing.ChinaPlan(), Accounts: []registrar.Account{{Number: "+8613800000001", Password: "secret1234"}}})
	require.NoError(t, err)
	s, err := sip.Open(sip.Config{Node: "n", Host: "h", UDP: "127.0.0.1:0", TCP: "127.0.0.1:0", MediaIP: netip.MustParseAddr("127.0.0.1"),
		Plan: routing.ChinaPlan(), Trunks: table, Registrar: phones}, b.engine, busy{}, busy{}, busy{}, b.tape, zerolog.Nop())
	require.NoError(t, err)
	s.Serve()
	t.Cleanup(func() {
		require.Eventually(t, func() bool { return s.Calls() == 0 }, 15*time.Second, time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, s.Shutdown(ctx))
	})
	return s
}

// TestTable sends every message over UDP and over TCP, none left out, and a
// good request behind it that has to be answered as well.
func TestTable(t *testing.T) {
	messages, err := Messages()
	require.NoError(t, err)
	b := newBench(t)
	raws := map[string][]byte{}
	for _, m := range messages {
		raws[m.Name] = m.Raw
	}
	rows := map[string]row{}
	for _, r := range append(append([]row{}, rfc4475...), rfc5118...) {
		rows[r.name] = r
	}
	require.Len(t, rfc4475, 49)
	require.Len(t, rfc5118, 12)
	t.Run("all", func(t *testing.T) {
		for _, m := range messages {
			r, ok := rows[m.Name]
			require.True(t, ok, "no row for %s", m.Name)
			b.try(t, fmt.Sprintf("%d/%s", m.RFC, m.Name), r, m.Raw)
		}
		for _, r := range toX {
			b.try(t, "X/"+r.name, r, dialled(raws[r.name]))
		}
	})
}

func (b *bench) try(t *testing.T, name string, r row, raw []byte) {
	if r.tcp == "" {
		r.tcp = r.udp
	}
	overUDP, overTCP := b.host(), b.host()
	t.Run("udp/"+name, func(t *testing.T) {
		t.Parallel()
		p := newUDPPeer(t, overUDP, b.server(t, overUDP).UDPAddr())
		p.send(raw)
		require.Equal(t, r.udp, p.verdict(r.udp))
	})
	t.Run("tcp/"+name, func(t *testing.T) {
		t.Parallel()
		p := newTCPPeer(t, overTCP, b.server(t, overTCP).TCPAddr())
		p.send(raw)
		require.Equal(t, r.tcp, p.verdict(r.tcp))
	})
}

// dialled has an X called instead of the user that the message names.
func dialled(raw []byte) []byte {
	start, rest, _ := strings.Cut(string(raw), "\r\n")
	method, uri, _ := strings.Cut(start, " ")
	uri = uri[strings.LastIndex(uri, "@"):]
	return []byte(method + " sip:" + x + uri + "\r\n" + rest)
}

// TestTableIsWritten keeps docs/sip-torture.md: go test -update writes it.
func TestTableIsWritten(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("# RFC 4475 and RFC 5118: what is asked and what we answer\n\n" +
		"Held by `sip/torture`, which sends every message over UDP and over TCP (`go test ./sip/torture -update` writes this file).\n" +
		"The sender is a trunk's peer, and phones may register. \"none\" is silence. What is malformed and framed by no\n" +
		"Content-Length that can be trusted ends a TCP connection, after its 400.\n\n" +
		"Two legal rarities are not read as they are meant, for sipgo's parser looks into quotes: a semicolon in a quoted\n" +
		"parameter of From or To ends it, and a comma in one of Via is refused with 400. Nobody is known to send them.\n")
	section := func(title string, rows []row) {
		doc.WriteString("\n## " + title + "\n\n| Message | The RFC asks | UDP | TCP | Why |\n|---|---|---|---|---|\n")
		for _, r := range rows {
			if r.tcp == "" {
				r.tcp = r.udp
			}
			fmt.Fprintf(&doc, "| %s | %s | %s | %s | %s |\n", r.name, r.asks, r.udp, r.tcp, r.why)
		}
	}
	section("RFC 4475", rfc4475)
	section("RFC 5118 (IPv6)", rfc5118)
	section("The same to an X that is served", toX)
	const file = "../../docs/sip-torture.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(doc.String()), 0o644))
	}
	have, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, doc.String(), string(have), "run go test ./sip/torture -update")
}

// dialFrom opens a TCP connection from an address of the peer's own.
func dialFrom(host netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: host.AsSlice()}, Timeout: 5 * time.Second}
	return d.Dial("tcp", to.String())
}
