package resolve

import (
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// TestNAPTRDropped: a domain is found by its SRV records where nobody answers
// questions for NAPTR, over TLS alone if that is demanded, and stays where
// NAPTR had it when the answers cease.
func TestNAPTRDropped(t *testing.T) {
	t.Parallel()
	records := append(sbcs, "_sip._udp.example.com. 300 SRV 0 0 5070 sbc2.example.com.", "_sips._tcp.example.com. 300 SRV 0 0 5071 sbc3.example.com.")
	all := func(c *Config) { c.Transports = []string{UDP, TCP, TLS} }
	drop := func(_ dns.ResponseWriter, q *dns.Msg) bool { return q.Question[0].Qtype == dns.TypeNAPTR }

	t.Run("from the start", func(t *testing.T) {
		t.Parallel()
		z := newZone(t, records...)
		z.says(drop)
		r, now := resolver(t, z, all)
		require.Equal(t, []string{"udp://192.0.2.2:5070", "tls://192.0.2.3:5071"}, targets(t, r, "example.com"))
		z.questions()
		now.move(59 * time.Second)
		targets(t, r, "example.com")
		require.Empty(t, z.questions(), "not each call waits for NAPTR")
	})
	t.Run("secure", func(t *testing.T) {
		t.Parallel()
		z := newZone(t, records...)
		z.says(drop)
		r, _ := resolver(t, z, all)
		h := hop(t, "example.com")
		h.Secure = true
		found, err := r.Targets(t.Context(), h)
		require.NoError(t, err)
		require.Equal(t, []string{"tls://192.0.2.3:5071"}, texts(found))
		z.set(sbcs...)
		h.Host = "sbc2.example.com"
		found, err = r.Targets(t.Context(), h)
		require.NoError(t, err)
		require.Equal(t, []string{"tls://192.0.2.2:5061"}, texts(found), "nor the host over another one")
	})
	t.Run("in the midst", func(t *testing.T) {
		t.Parallel()
		for _, silent := range []func(dns.ResponseWriter, *dns.Msg) bool{drop, func(w dns.ResponseWriter, q *dns.Msg) bool { return drop(w, q) && servfail(w, q) }} {
			z := newZone(t, append(records, `example.com. 300 NAPTR 10 1 "s" "SIPS+D2T" "" _sips._tcp.example.com.`)...)
			r, now := resolver(t, z, func(c *Config) { all(c); c.Patience = patience })
			require.Equal(t, []string{"tls://192.0.2.3:5071"}, targets(t, r, "example.com"))
			z.says(silent)
			for range 2 {
				now.move(301 * time.Second)
				z.questions()
				require.Equal(t, []string{"tls://192.0.2.3:5071"}, targets(t, r, "example.com"))
				require.Contains(t, z.questions(), "_sips._tcp.example.com/SRV/udp")
			}
			z.says(nil)
			z.set(records...)
			now.move(301 * time.Second)
			require.Equal(t, []string{"udp://192.0.2.2:5070", "tls://192.0.2.3:5071"}, targets(t, r, "example.com"), "it has none any more")
		}
	})
}
