package events

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRefused: neither a test push nor a question reaches a refused network, by
// address or by name.
func TestRefused(t *testing.T) {
	reached := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ }))
	defer server.Close()
	refused := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	asker := NewAsker(AskConfig{Refuse: refused})
	defer asker.Close()
	for _, address := range []string{server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), strings.Replace(server.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1)} {
		r := Receiver{Status: address}
		require.Equal(t, "the address is in a refused network", Probe(t.Context(), Config{Refuse: refused}, r, "app", ProbeStatus).Failure)
		_, err := asker.Ask(t.Context(), address, &r, "app", []byte("{}"))
		require.EqualError(t, err, "the address is in a refused network")
	}
	require.Zero(t, reached)
	require.Empty(t, Probe(t.Context(), Config{}, Receiver{Status: server.URL}, "app", ProbeStatus).Failure)
	require.Equal(t, 1, reached)

	zoned := refuse([]netip.Prefix{netip.MustParsePrefix("fe80::/10")})
	require.ErrorIs(t, zoned("tcp6", "[fe80::1%eth0]:80", nil), errRefused)
}
