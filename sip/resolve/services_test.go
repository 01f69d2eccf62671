package resolve

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// sbcs are the addresses of three hosts.
var sbcs = []string{
	"sbc1.example.com. 300 A 192.0.2.1", "sbc2.example.com. 300 A 192.0.2.2", "sbc3.example.com. 300 A 192.0.2.3",
	"sbc1.example.com. 300 AAAA 2001:db8::1",
}

// TestFind: each way of RFC 3263 section 4, and what it asks.
func TestFind(t *testing.T) {
	all := []string{UDP, TCP, TLS}
	for _, c := range []struct {
		name    string
		hop     string
		offered []string
		records []string
		want    []string // in groups of equals: a|b
		asked   []string // NAPTR and SRV; nil: not looked at
	}{
		{"an address", "192.0.2.7", all, nil, []string{"udp://192.0.2.7:5060"}, []string{}},
		{"an address with a port", "192.0.2.7:5080", all, nil, []string{"udp://192.0.2.7:5080"}, []string{}},
		{"an address over TLS", "tls://192.0.2.7", all, nil, []string{"tls://192.0.2.7:5061"}, []string{}},
		{"an address of IPv6", "tcp://[2001:db8::7]:5070", all, nil, []string{"tcp://[2001:db8::7]:5070"}, []string{}},
		{"a host with a port", "sbc1.example.com:5080", all, sbcs, []string{"udp://192.0.2.1:5080", "udp://[2001:db8::1]:5080"}, []string{}},
		{"a host with port and transport", "tcp://sbc2.example.com:5080", all, sbcs, []string{"tcp://192.0.2.2:5080"}, []string{}},
		{"a host alone", "sbc2.example.com", all, sbcs, []string{"udp://192.0.2.2:5060"},
			[]string{"NAPTR sbc2.example.com", "SRV _sip._udp.sbc2.example.com", "SRV _sip._tcp.sbc2.example.com", "SRV _sips._tcp.sbc2.example.com"}},
		{"a host alone, without UDP", "sbc2.example.com", []string{TCP}, sbcs, []string{"tcp://192.0.2.2:5060"}, nil},
		{"a host over TLS", "tls://sbc2.example.com", all, sbcs, []string{"tls://192.0.2.2:5061"}, []string{"SRV _sips._tcp.sbc2.example.com"}},
		{"SRV of a transport", "tcp://example.com", all, append(sbcs, "_sip._tcp.example.com. 300 SRV 10 5 5070 sbc2.example.com."),
			[]string{"tcp://192.0.2.2:5070"}, []string{"SRV _sip._tcp.example.com"}},
		{"SRV of two transports, ours first", "example.com", []string{TCP, UDP}, append(sbcs, "_sip._udp.example.com. 300 SRV 10 5 5070 sbc2.example.com.", "_sip._tcp.example.com. 300 SRV 90 5 5080 sbc3.example.com."),
			[]string{"tcp://192.0.2.3:5080", "udp://192.0.2.2:5070"}, []string{"NAPTR example.com", "SRV _sip._tcp.example.com", "SRV _sip._udp.example.com"}},
		{"priorities", "example.com", []string{UDP}, append(sbcs, "_sip._udp.example.com. 300 SRV 30 9 5060 sbc1.example.com.", "_sip._udp.example.com. 300 SRV 10 0 5060 sbc2.example.com.", "_sip._udp.example.com. 300 SRV 20 5 5060 sbc3.example.com."),
			[]string{"udp://192.0.2.2:5060", "udp://192.0.2.3:5060", "udp://192.0.2.1:5060", "udp://[2001:db8::1]:5060"}, nil},
		{"NAPTR decides, by preference", "example.com", all, append(sbcs,
			`example.com. 300 NAPTR 10 50 "s" "SIP+D2U" "" _sip._udp.example.com.`, `example.com. 300 NAPTR 10 20 "S" "sips+d2t" "" _sips._tcp.other.example.net.`,
			"_sip._udp.example.com. 300 SRV 0 0 5060 sbc2.example.com.", "_sips._tcp.other.example.net. 300 SRV 0 0 5061 sbc3.example.com."),
			[]string{"tls://192.0.2.3:5061", "udp://192.0.2.2:5060"}, []string{"NAPTR example.com", "SRV _sips._tcp.other.example.net", "SRV _sip._udp.example.com"}},
		{"later orders of NAPTR do not count", "example.com", all, append(sbcs,
			`example.com. 300 NAPTR 20 1 "s" "SIP+D2U" "" _sip._udp.example.com.`, `example.com. 300 NAPTR 10 9 "s" "SIP+D2T" "" _sip._tcp.example.com.`,
			"_sip._udp.example.com. 300 SRV 0 0 5060 sbc2.example.com.", "_sip._tcp.example.com. 300 SRV 0 0 5060 sbc3.example.com."),
			[]string{"tcp://192.0.2.3:5060"}, []string{"NAPTR example.com", "SRV _sip._tcp.example.com"}},
		{"NAPTR of what we do not speak is passed over", "example.com", []string{UDP}, append(sbcs,
			`example.com. 300 NAPTR 10 1 "s" "SIP+D2S" "" _sip._sctp.example.com.`, `example.com. 300 NAPTR 10 2 "u" "SIP+D2U" "!.*!sip:x@example.org!" .`,
			`example.com. 300 NAPTR 10 3 "s" "E2U+sip" "" x.example.com.`, `example.com. 300 NAPTR 20 9 "s" "SIP+D2U" "" _sip._udp.example.com.`,
			"_sip._udp.example.com. 300 SRV 0 0 5066 sbc2.example.com."), []string{"udp://192.0.2.2:5066"}, nil},
		{"NAPTR without its SRV is the host", "sbc2.example.com", all, append(sbcs, `sbc2.example.com. 300 NAPTR 10 1 "s" "SIP+D2T" "" _sip._tcp.sbc2.example.com.`),
			[]string{"tcp://192.0.2.2:5060"}, nil},
		{"a host that is gone", "example.com", []string{UDP}, append(sbcs, "_sip._udp.example.com. 300 SRV 1 0 5060 gone.example.com.", "_sip._udp.example.com. 300 SRV 2 0 5060 sbc2.example.com."),
			[]string{"udp://192.0.2.2:5060"}, nil},
		{"a host twice", "example.com", []string{UDP}, append(sbcs, "_sip._udp.example.com. 300 SRV 1 0 5060 sbc2.example.com.", "_sip._udp.example.com. 300 SRV 2 0 5060 sbc2.example.com."),
			[]string{"udp://192.0.2.2:5060"}, nil},
		{"an address as host", "example.com", []string{UDP}, []string{"_sip._udp.example.com. 300 SRV 1 0 5060 192.0.2.9."}, []string{"udp://192.0.2.9:5060"}, nil},
		{"addresses that are none", "bad.example.com:5060", all, []string{"bad.example.com. 300 A 0.0.0.0", "bad.example.com. 300 A 224.0.0.1", "bad.example.com. 300 A 255.255.255.255", "bad.example.com. 300 A 192.0.2.1", "bad.example.com. 300 AAAA ::ffff:192.0.2.5"},
			[]string{"udp://192.0.2.1:5060"}, nil},
		{"aliases", "www.example.com:5060", all, append(sbcs, "www.example.com. 300 CNAME a.example.com.", "a.example.com. 300 CNAME sbc2.example.com."), []string{"udp://192.0.2.2:5060"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := newZone(t, c.records...)
			r, _ := resolver(t, z, func(cfg *Config) { cfg.Transports = c.offered })
			require.Equal(t, c.want, targets(t, r, c.hop))
			var asked []string
			for _, q := range z.questions() {
				if f := strings.Split(q, "/"); f[1] == "NAPTR" || f[1] == "SRV" {
					asked = append(asked, f[1]+" "+f[0])
				}
			}
			if c.asked != nil {
				require.Equal(t, strings.Join(c.asked, "\n"), strings.Join(asked, "\n"))
			}
		})
	}
}

// TestServerName: a certificate is held to the domain that was asked for.
func TestServerName(t *testing.T) {
	z := newZone(t, append(sbcs, "_sips._tcp.example.com. 300 SRV 10 5 5061 sbc2.example.com.")...)
	r, _ := resolver(t, z, nil)
	all, err := r.Targets(t.Context(), hop(t, "TLS://Example.COM."))
	require.NoError(t, err)
	require.Equal(t, []string{"tls://192.0.2.2:5061"}, texts(all))
	require.Equal(t, "example.com", all[0].ServerName)
}

// TestNotThere: what DNS says is not there is an error, and nothing else is
// taken for it.
func TestNotThere(t *testing.T) {
	for name, records := range map[string][]string{
		"no name":                      nil,
		"no address":                   {`example.com. 300 TXT "x"`},
		"the service is declined":      {"example.com. 300 A 192.0.2.1", "_sip._udp.example.com. 300 SRV 0 0 0 ."},
		"a service that leads nowhere": {"example.com. 300 A 192.0.2.1", "_sip._udp.example.com. 300 SRV 0 0 5060 gone.example.com."},
		"port 0":                       {"example.com. 300 A 192.0.2.1", "_sip._udp.example.com. 300 SRV 0 0 0 example.com."},
	} {
		for _, at := range []string{"example.com", "udp://example.com"} {
			z := newZone(t, records...)
			r, _ := resolver(t, z, func(c *Config) { c.Transports = []string{UDP} })
			_, err := r.Targets(t.Context(), hop(t, at))
			require.ErrorIs(t, err, errNone, "%s, %s", name, at)
			require.ErrorContains(t, err, at)
		}
	}
}

// TestSecure: a sips URI goes over TLS, whatever else is offered.
func TestSecure(t *testing.T) {
	z := newZone(t, append(sbcs, `example.com. 300 NAPTR 10 1 "s" "SIP+D2U" "" _sip._udp.example.com.`, `example.com. 300 NAPTR 20 1 "s" "SIPS+D2T" "" _sips._tcp.example.com.`,
		"_sip._udp.example.com. 300 SRV 0 0 5060 sbc2.example.com.", "_sips._tcp.example.com. 300 SRV 0 0 5061 sbc3.example.com.")...)
	r, _ := resolver(t, z, nil)
	for text, want := range map[string]string{
		"sips:x@example.com": "tls://192.0.2.3:5061", "sip:x@example.com": "udp://192.0.2.2:5060", "sips:x@sbc1.example.com": "tls://192.0.2.1:5061",
		"sips:x@192.0.2.9": "tls://192.0.2.9:5061", "sip:192.0.2.9;transport=tcp": "tcp://192.0.2.9:5060", "sips:192.0.2.9:5099;transport=tcp": "tls://192.0.2.9:5099",
		"sip:x@nowhere.example;maddr=192.0.2.8": "udp://192.0.2.8:5060", "sip:[2001:db8::5]:5070": "udp://[2001:db8::5]:5070", "sip:sbc2.example.com:5090;lr": "udp://192.0.2.2:5090",
	} {
		var uri sip.Uri
		require.NoError(t, sip.ParseUri(text, &uri))
		h, err := HopOf(uri)
		require.NoError(t, err, text)
		all, err := r.Targets(t.Context(), h)
		require.NoError(t, err, text)
		require.Equal(t, want, texts(all)[0], text)
	}
	for _, text := range []string{"sip:x@example.com;transport=sctp", "sips:x@example.com;transport=udp", "sip:0.0.0.0", "sip:a_!b", "tel:+86138"} {
		var uri sip.Uri
		_ = sip.ParseUri(text, &uri)
		_, err := HopOf(uri)
		require.Error(t, err, text)
	}
}

// TestHuge: of an answer with very many records, which comes by TCP, some
// count, and it takes a bounded number of questions.
func TestHuge(t *testing.T) {
	var records []string
	for i := range 600 {
		records = append(records, fmt.Sprintf("_sip._udp.example.com. 300 SRV %d 1 5060 h%d.example.com.", i, i), fmt.Sprintf("h%d.example.com. 300 A 192.0.2.%d", i, i%250+1),
			fmt.Sprintf("many.example.com. 300 A 198.51.%d.%d", i/250, i%250+1))
	}
	z := newZone(t, records...)
	r, _ := resolver(t, z, func(c *Config) { c.Networks = []string{IPv4} })
	all := targets(t, r, "udp://example.com")
	require.Len(t, all, maxSRV)
	require.Equal(t, []string{"udp://192.0.2.1:5060", "udp://192.0.2.2:5060"}, all[:2], "the best priorities count")
	asked := z.questions()
	require.Contains(t, asked, "_sip._udp.example.com/SRV/tcp")
	require.Less(t, len(asked), maxQuestions)
	require.Len(t, targets(t, r, "many.example.com:5060"), maxAddrs)
}

// TestAliases: chains are followed only so far, and a circle ends.
func TestAliases(t *testing.T) {
	records := append(sbcs, "x.example.com. 300 CNAME y.example.com.", "y.example.com. 300 CNAME x.example.com.")
	for i := range 20 {
		records = append(records, fmt.Sprintf("c%d.example.com. 300 CNAME c%d.example.com.", i, i+1))
	}
	records = append(records, "c20.example.com. 300 CNAME sbc2.example.com.")
	z := newZone(t, records...)
	r, _ := resolver(t, z, func(c *Config) { c.Networks = []string{IPv4} })
	require.Equal(t, []string{"udp://192.0.2.2:5060"}, targets(t, r, fmt.Sprintf("c%d.example.com:5060", 21-maxChain)))
	for _, text := range []string{"x.example.com:5060", fmt.Sprintf("c%d.example.com:5060", 20-maxChain)} {
		_, err := r.Targets(t.Context(), hop(t, text))
		require.ErrorContains(t, err, "more than 8 aliases", text)
		require.NotErrorIs(t, err, errNone)
	}
	require.Less(t, len(z.questions()), 3*maxChain+5)
	z.says(func(w dns.ResponseWriter, q *dns.Msg) bool { // all of a circle in one answer
		m := new(dns.Msg).SetReply(q)
		for _, text := range []string{"z.example.com. 1 CNAME w.example.com.", "w.example.com. 1 CNAME z.example.com."} {
			rr, _ := dns.NewRR(text)
			m.Answer = append(m.Answer, rr)
		}
		_ = w.WriteMsg(m)
		return true
	})
	_, err := r.Targets(t.Context(), hop(t, "z.example.com:5060"))
	require.ErrorContains(t, err, "more than 8 aliases")
}
