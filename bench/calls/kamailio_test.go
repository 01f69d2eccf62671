package main

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// written is a file with a configuration.
func written(t *testing.T) string {
	c := kamailioConfig{
		At: target, Callees: callees, Peers: netip.MustParsePrefix("127.0.2.0/24"), Redis: netip.MustParseAddrPort("127.0.0.1:7001"),
		Media: netip.MustParseAddrPort("127.0.0.1:7002"), CPUs: 2, Buffer: 1 << 20, Anchor: anchor,
	}
	file := filepath.Join(t.TempDir(), "kamailio.cfg")
	require.NoError(t, c.write(file))
	return file
}

func TestKamailioConfig(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(written(t))
	require.NoError(t, err)
	for _, line := range []string{
		"children=2\n", "listen=udp:127.0.1.1:5060\n", `"name=bindings;addr=127.0.0.1;port=7001"`, `"udp:127.0.0.1:7002"`, "src_ip != 127.0.2.0/24",
		`"sip:$rU@127.0.1.1"`, `"@127.0.2.2:5060"`,
	} {
		require.Contains(t, string(text), line)
	}
}

// TestKamailioReadsItsConfig has Kamailio check it, where its module for Redis is.
func TestKamailioReadsItsConfig(t *testing.T) {
	t.Parallel()
	modules, err := filepath.Glob("/usr/lib/*/kamailio/modules/ndb_redis.so")
	require.NoError(t, err)
	if len(modules) == 0 {
		t.Skip("make rivals installs what this test needs")
	}
	file := written(t)
	out, err := exec.Command("/usr/sbin/kamailio", "-c", "-E", "-Y", filepath.Dir(file), "-f", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
