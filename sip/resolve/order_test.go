package resolve

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestWeights: who is first goes with the weight, and so does who is second of
// those that are left (RFC 2782).
func TestWeights(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	hosts := []host{{1, 60, 1, nil}, {1, 30, 2, nil}, {1, 10, 3, nil}, {0, 0, 4, nil}, {2, 1000, 5, nil}}
	const n = 20000
	firsts, seconds := map[uint16]float64{}, map[uint16]float64{}
	for range n {
		d := draw(hosts, random)
		require.Len(t, d, 5)
		require.EqualValues(t, 4, d[0].port, "the best priority, without weight")
		require.EqualValues(t, 5, d[4].port, "the worst priority, however heavy")
		firsts[d[1].port]++
		if d[1].port == 1 {
			seconds[d[2].port]++
		}
	}
	near := func(want, got float64) {
		t.Helper()
		require.Less(t, math.Abs(want-got), 0.015, "%.3f for %.3f", got, want)
	}
	near(0.60, firsts[1]/n)
	near(0.30, firsts[2]/n)
	near(0.10, firsts[3]/n)
	near(0.75, seconds[2]/firsts[1])
}

// TestWithoutWeight: one beside others comes first seldom, but does; among
// themselves they are equal.
func TestWithoutWeight(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	small, first := 0, map[uint16]int{}
	for range 10000 {
		if draw([]host{{1, 9, 1, nil}, {1, 0, 2, nil}}, random)[0].port == 2 {
			small++
		}
		first[draw([]host{{1, 0, 1, nil}, {1, 0, 2, nil}, {1, 0, 3, nil}}, random)[0].port]++
	}
	require.InDelta(t, 1000, small, 150, "one of 9+1")
	for port := range uint16(3) {
		require.InDelta(t, 3333, first[port+1], 250)
	}
}

// TestOrderKeepsAll: each host is there once, priorities rise, and what is
// known is not changed.
func TestOrderKeepsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var hosts []host
		n := rapid.IntRange(0, 12).Draw(t, "hosts")
		for i := range n {
			hosts = append(hosts, host{rapid.Uint16Range(0, 3).Draw(t, "priority"), rapid.Uint16().Draw(t, "weight"), uint16(i + 1),
				[]netip.Addr{mustAddr("192.0.2.1"), mustAddr("192.0.2.2"), mustAddr("2001:db8::1")}})
		}
		was := append([]host(nil), hosts...)
		all := order([]service{{UDP, hosts}, {UDP, hosts}}, "example.com", random)
		require.Equal(t, was, hosts)
		require.Len(t, all, min(3*n, maxTargets))
		last, seen := uint16(0), map[Target]bool{}
		for i, target := range all {
			require.False(t, seen[target])
			seen[target] = true
			require.Equal(t, i%3 == 2, target.Addr.Addr().Is6(), "the preferred network first")
			p := hosts[target.Addr.Port()-1].priority
			require.GreaterOrEqual(t, p, last)
			last = p
		}
	})
}

// TestTurn: the addresses of a name take turns.
func TestTurn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	first := map[netip.Addr]int{}
	for range 900 {
		all := order([]service{{UDP, []host{{port: 5060, addrs: []netip.Addr{mustAddr("192.0.2.1"), mustAddr("192.0.2.2"), mustAddr("192.0.2.3"), mustAddr("2001:db8::1")}}}}}, "x", random)
		first[all[0].Addr.Addr()]++
	}
	require.Len(t, first, 3)
	for ip, n := range first {
		require.InDelta(t, 300, n, 80, "%v", ip)
	}
}

func TestParseHop(t *testing.T) {
	for text, want := range map[string]Hop{
		"sip.example.com":                   {Host: "sip.example.com"},
		" SIP.Example.com. ":                {Host: "sip.example.com"},
		"sip.example.com:5080":              {Host: "sip.example.com", Port: 5080},
		"tcp://sip.example.com":             {Host: "sip.example.com", Transport: TCP},
		"TLS://sip.example.com:5061":        {Host: "sip.example.com", Port: 5061, Transport: TLS},
		"192.0.2.7":                         {Host: "192.0.2.7"},
		"udp://192.0.2.7:5080":              {Host: "192.0.2.7", Port: 5080, Transport: UDP},
		"2001:DB8::7":                       {Host: "2001:db8::7"},
		"[2001:db8::7]":                     {Host: "2001:db8::7"},
		"tls://[2001:db8::7]:5061":          {Host: "2001:db8::7", Port: 5061, Transport: TLS},
		"::ffff:192.0.2.7":                  {Host: "192.0.2.7"},
		"sbc":                               {Host: "sbc"},
		"ims.mnc000.mcc460.3gppnetwork.org": {Host: "ims.mnc000.mcc460.3gppnetwork.org"},
	} {
		h, err := ParseHop(text)
		require.NoError(t, err, text)
		require.Equal(t, want, h, text)
		again, err := ParseHop(h.String())
		require.NoError(t, err, h.String())
		require.Equal(t, h, again)
	}
	for text, want := range map[string]string{
		"": "use a domain name or an IP address", "a b": "use a domain name", "sip.example.com:0": "use a port", "sip.example.com:x": "use a port", "192.0.2.7:0": "use a port",
		"sip.example.com:65536": "use a port", "sctp://sip.example.com": `transport "sctp": use udp, tcp or tls`, "0.0.0.0": "use that of one host", "224.0.0.1:5060": "use that of one host",
		"192.0.2": "use a domain name", "192.0.2.256": "use a domain name", "fe80::1%eth0": "use that of one host", "sip:x@example.com": "use a port", "a..b": "use a domain name", "-.\x00": "use a domain name",
	} {
		_, err := ParseHop(text)
		require.ErrorContains(t, err, want, text)
	}
}
