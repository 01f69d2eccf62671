package wire

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// TestSockaddr: an address comes back from the kernel's form as it went in,
// whatever the socket is of.
func TestSockaddr(t *testing.T) {
	for _, at := range []string{"192.0.2.1:5060", "[2001:db8::1]:65535", "255.255.255.255:1"} {
		for _, v6 := range []bool{false, true} {
			want := netip.MustParseAddrPort(at)
			s := sockaddrOf(want, v6)
			require.Equal(t, want, s.addrPort(), at)
			require.Equal(t, v6 || want.Addr().Is6(), s.length() == 28, at)
		}
	}
	s := sockaddrOf(netip.MustParseAddrPort("[fe80::1]:5060"), true)
	s.raw.Scope_id = 7
	require.Equal(t, "[fe80::1%7]:5060", s.addrPort().String())
}

// TestSocketsOfAllFamilies: a burst larger than what is read at once arrives
// whole and in order, and is answered, over a socket of IPv4, of IPv6 and of both.
func TestSocketsOfAllFamilies(t *testing.T) {
	for at, reach := range map[string][]string{"127.0.0.1:0": {"127.0.0.1"}, "[::1]:0": {"::1"}, ":0": {"127.0.0.1", "::1"}} {
		h := newCollector()
		s, err := Open(Config{UDP: at}, zerolog.Nop())
		require.NoError(t, err, at)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		serves := false
		for _, ip := range reach {
			c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(ip)})
			require.NoError(t, err, ip)
			t.Cleanup(func() { _ = c.Close() })
			r := &raw{t, c}
			to := netip.AddrPortFrom(netip.MustParseAddr(ip), s.UDPAddr().Port())
			h.mu.Lock()
			want := h.got[:len(h.got):len(h.got)]
			h.mu.Unlock()
			for i := range 3*batchSize + 1 { // before anybody reads
				r.send(to, r.request("INFO", fmt.Sprintf("%s%d", ip, i), i+1, "x"))
				want = append(want, fmt.Sprintf("INFO %d", i+1))
			}
			if !serves {
				s.Serve(h)
				serves = true
			}
			for range 3*batchSize + 1 {
				tx := <-h.txs
				require.Equal(t, r.addr(), tx.From.Addr)
				require.NoError(t, tx.Respond(Reply(tx.Request, 200, "OK")))
				require.Equal(t, "200 OK", status(r.read(10*time.Second)))
			}
			h.mu.Lock()
			require.Equal(t, want, h.got, at)
			h.mu.Unlock()
		}
	}
}

// TestTooLongForUDP: what the kernel does not take is said to its sender.
func TestTooLongForUDP(t *testing.T) {
	s := open(t, newCollector())
	var unsent *sendError
	require.ErrorAs(t, s.udp.write(make([]byte, maxDatagram), newRaw(t).addr()), &unsent)
	require.ErrorContains(t, unsent, "message too long")
}
