package trunk

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParsePeer(t *testing.T) {
	for text, want := range map[string]string{ // and how it is written
		"192.0.2.7":                "192.0.2.7",
		" 192.0.2.7 ":              "192.0.2.7",
		"192.0.2.7/32":             "192.0.2.7",
		"192.0.2.0/24":             "192.0.2.0/24",
		"192.0.2.7/24":             "192.0.2.0/24", // the bits behind the mask do not count
		"0.0.0.0/0":                "0.0.0.0/0",
		"192.0.2.7:5060":           "192.0.2.7:5060",
		"udp://192.0.2.7":          "udp://192.0.2.7",
		"TCP://192.0.2.0/24":       "tcp://192.0.2.0/24",
		"Udp://192.0.2.7:5060":     "udp://192.0.2.7:5060",
		"2001:db8::1":              "2001:db8::1",
		"[2001:db8::1]":            "2001:db8::1",
		"[2001:db8::1]:5060":       "[2001:db8::1]:5060",
		"2001:DB8::/32":            "2001:db8::/32",
		"tcp://[2001:db8::1]:5060": "tcp://[2001:db8::1]:5060",
		"::ffff:192.0.2.7":         "192.0.2.7",
		"[::ffff:192.0.2.7]:5060":  "192.0.2.7:5060",
		"::ffff:192.0.2.0/120":     "192.0.2.0/24",
		"fe80::1%eth0":             "fe80::1",
		"SIP.example.com":          "sip.example.com",
		"sip.example.com:5070":     "sip.example.com:5070",
	} {
		p, err := ParsePeer(text)
		require.NoError(t, err, text)
		require.Equal(t, want, p.String(), text)
	}
}

// TestParsePeerSaysWhatIsRight: a mistake in a peer would leave a carrier
// outside, or let a stranger in.
func TestParsePeerSaysWhatIsRight(t *testing.T) {
	const use = ": use an address, address:port, network or name, such as 192.0.2.7, 192.0.2.7:5060, 192.0.2.0/24 or sip.example.com"
	for _, text := range []string{
		"", "udp://", "pbx", "192.0.2", "192.0.2.256", "192.0.2.7/33", "192.0.2.0/24:5060", "192.0.2.7:0", "192.0.2.7:65536", "192.0.2.7:x",
		"192.0.2.7,192.0.2.8", "192.0.2.7-9", "2001:db8::1:5060:x", "192.0.2.07", "[192.0.2.7", "2001:db8::1]", "[[2001:db8::1]]", "[192.0.2.0/24]", "sip:192.0.2.7",
	} {
		p, err := ParsePeer(text)
		require.ErrorContains(t, err, use, text)
		require.ErrorContains(t, err, `peer "`+text+`"`)
		require.Zero(t, p)
	}
	_, err := ParsePeer("sctp://192.0.2.7")
	require.EqualError(t, err, `peer "sctp://192.0.2.7": transport "sctp": use udp, tcp or tls`)
	_, err = ParsePeer("0.0.0.0")
	require.EqualError(t, err, `peer "0.0.0.0": no message comes from this address; use 0.0.0.0/0 or ::/0 for all addresses`)
	_, err = ParsePeer("udp://[::]:5060")
	require.ErrorContains(t, err, "use 0.0.0.0/0 or ::/0 for all addresses")
}

func TestPeerAsText(t *testing.T) {
	var peers []Peer
	require.NoError(t, json.Unmarshal([]byte(`["tcp://192.0.2.7:5060","2001:db8::/32"]`), &peers))
	require.Equal(t, []Peer{{Net: netip.MustParsePrefix("192.0.2.7/32"), Port: 5060, Transport: "TCP"}, {Net: netip.MustParsePrefix("2001:db8::/32")}}, peers)
	text, err := json.Marshal(peers)
	require.NoError(t, err)
	require.JSONEq(t, `["tcp://192.0.2.7:5060","2001:db8::/32"]`, string(text))
	was := peers[0]
	require.Error(t, peers[0].UnmarshalText([]byte("x")))
	require.Equal(t, was, peers[0], "what cannot be read changes nothing")
}

// TestPeerReadsWhatItWrites, and has exactly the sources that it names.
func TestPeerReadsWhatItWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ip := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "v4")))
		if rapid.Bool().Draw(t, "six") {
			ip = netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "v6"))).Unmap()
		}
		if ip.IsUnspecified() {
			return
		}
		p := Peer{Net: netip.PrefixFrom(ip, ip.BitLen()), Transport: rapid.SampledFrom([]string{"", "UDP", "TCP", "TLS"}).Draw(t, "transport")}
		if rapid.Bool().Draw(t, "port") {
			p.Port = rapid.Uint16Min(1).Draw(t, "number")
		} else {
			p.Net = netip.PrefixFrom(ip, rapid.IntRange(0, ip.BitLen()).Draw(t, "bits")).Masked()
			if p.Net.IsSingleIP() && p.Net.Addr().IsUnspecified() {
				return
			}
		}
		q, err := ParsePeer(p.String())
		require.NoError(t, err, p.String())
		require.Equal(t, p, q)
		src := netip.AddrPortFrom(ip, max(p.Port, 1))
		for _, transport := range []string{"UDP", "TCP", "TLS"} {
			require.Equal(t, p.Transport == "" || p.Transport == transport, p.has(src, transport))
		}
		require.True(t, p.overlaps(q))
	})
}
