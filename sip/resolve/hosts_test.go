package resolve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hostsFrom has a resolver read a hosts file of its own, which the returned
// function writes.
func hostsFrom(t *testing.T) (change func(*Config), write func(lines ...string)) {
	path := filepath.Join(t.TempDir(), "hosts")
	stamp := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	return func(c *Config) { c.Hosts = path }, func(lines ...string) {
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600))
		stamp = stamp.Add(time.Second)
		require.NoError(t, os.Chtimes(path, stamp, stamp))
	}
}

// TestHosts: names of the hosts file are found without DNS, with or without a
// port, and a change of the file counts soon.
func TestHosts(t *testing.T) {
	change, write := hostsFrom(t)
	write("# ours", "192.0.2.50 SBC.lab sbc-1 # the old one", "2001:db8::50\tsbc.lab.", "192.0.2.51 sbc.lab",
		"0.0.0.0 blocked.lab", "fe80::1%lo0 zone.lab", "nonsense here", "192.0.2.52", "192.0.2.53 example.com")
	z := newZone(t, "_sip._udp.example.com. 300 SRV 1 1 5070 h.example.com.", "h.example.com. 300 A 192.0.2.1", "blocked.lab. 300 A 192.0.2.2",
		"_sip._udp.other.example. 300 SRV 1 1 5080 sbc.lab.", "zone.lab. 300 A 192.0.2.3")
	r, now := resolver(t, z, change)
	six := "udp://[2001:db8::50]:"
	require.ElementsMatch(t, []string{"udp://192.0.2.50:5060", "udp://192.0.2.51:5060", six + "5060"}, targets(t, r, "sbc.lab"))
	require.ElementsMatch(t, []string{"tls://192.0.2.50:5061", "tls://192.0.2.51:5061", "tls://[2001:db8::50]:5061"}, targets(t, r, "tls://Sbc.Lab."))
	require.Equal(t, []string{"tcp://192.0.2.50:5090"}, targets(t, r, "tcp://sbc-1:5090"))
	require.Equal(t, []string{"udp://192.0.2.53:5060"}, targets(t, r, "example.com"), "the operator's word counts before DNS")
	require.Empty(t, z.questions())
	require.ElementsMatch(t, []string{"udp://192.0.2.50:5080", "udp://192.0.2.51:5080", six + "5080"}, targets(t, r, "udp://other.example"), "behind an SRV record")
	require.Equal(t, []string{"udp://192.0.2.2:5060"}, targets(t, r, "blocked.lab:5060"))
	require.Equal(t, []string{"udp://192.0.2.3:5060"}, targets(t, r, "zone.lab:5060"))

	write("192.0.2.60 sbc.lab")
	now.move(6 * time.Second)
	require.Equal(t, []string{"udp://192.0.2.60:5060"}, targets(t, r, "sbc.lab"))
	require.Equal(t, []string{"udp://192.0.2.1:5070"}, targets(t, r, "example.com"))
	require.Len(t, r.Known(hop(t, "sbc.lab")), 1)
}

// TestLocalhost is known though no file says so.
func TestLocalhost(t *testing.T) {
	z := newZone(t, "localhost. 300 A 192.0.2.1")
	change, _ := hostsFrom(t)
	r, _ := resolver(t, z, func(c *Config) { change(c); c.Networks = []string{IPv4} })
	require.Equal(t, []string{"udp://127.0.0.1:5060"}, targets(t, r, "localhost"))
	require.Equal(t, []string{"tcp://127.0.0.1:5070"}, targets(t, r, "tcp://trunk.localhost:5070"))
	require.Empty(t, z.questions())
}

// TestHostsWithoutDNS: the names of the file need no DNS server.
func TestHostsWithoutDNS(t *testing.T) {
	change, write := hostsFrom(t)
	write("192.0.2.50 sbc.lab")
	z := newZone(t)
	z.says(servfail)
	r, _ := resolver(t, z, change)
	require.Equal(t, []string{"udp://192.0.2.50:5060"}, targets(t, r, "sbc.lab"))
	_, err := r.Targets(t.Context(), hop(t, "sbc2.lab"))
	require.Error(t, err)
}

// TestHugeHosts: a file that is too long does not count, and one that gets short does.
func TestHugeHosts(t *testing.T) {
	change, write := hostsFrom(t)
	write("192.0.2.50 sbc.lab", strings.Repeat("192.0.2.51 other.lab\n", maxHosts/20))
	z := newZone(t, "sbc.lab. 300 A 192.0.2.1")
	r, now := resolver(t, z, change)
	require.Equal(t, []string{"udp://192.0.2.1:5060"}, targets(t, r, "sbc.lab:5060"))
	write("192.0.2.50 sbc.lab", strings.Repeat("192.0.2.52 sbc.lab\n", 20))
	now.move(time.Hour)
	require.ElementsMatch(t, []string{"udp://192.0.2.50:5060", "udp://192.0.2.52:5060"}, targets(t, r, "sbc.lab:5060"))
}
