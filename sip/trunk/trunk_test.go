package trunk

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/sip/identity"
)

func peers(t testing.TB, texts ...string) []Peer {
	var all []Peer
	for _, text := range texts {
		p, err := ParsePeer(text)
		require.NoError(t, err)
		all = append(all, p)
	}
	return all
}

// TestFrom: a message is of the trunk that has its source address, port and
// transport among its peers, and of no trunk otherwise.
func TestFrom(t *testing.T) {
	table, err := New([]Trunk{
		{Name: "network", Peers: peers(t, "192.0.2.0/25")},
		{Name: "one", Peers: peers(t, "192.0.2.200", "192.0.2.200:5060", "198.51.100.0/24", "198.51.100.9")}, // its own may overlap
		{Name: "port-5060", Peers: peers(t, "203.0.113.1:5060")},
		{Name: "port-5070", Peers: peers(t, "203.0.113.1:5070")},
		{Name: "udp", Peers: peers(t, "udp://203.0.113.2")},
		{Name: "tcp", Peers: peers(t, "tcp://203.0.113.2", "tcp://203.0.113.3:5060")},
		{Name: "tls", Peers: peers(t, "tls://203.0.113.2", "tls://203.0.113.4:5061")},
		{Name: "six", Peers: peers(t, "2001:db8::/64")},
		{Name: "out", Address: netip.MustParseAddrPort("203.0.113.9:5060")},
	})
	require.NoError(t, err)
	for _, c := range []struct{ source, transport, want string }{
		{"192.0.2.0:5060", "UDP", "network"}, {"192.0.2.127:1", "TCP", "network"}, {"192.0.2.128:5060", "UDP", ""},
		{"192.0.2.200:5060", "UDP", "one"}, {"192.0.2.200:40000", "TCP", "one"}, {"198.51.100.9:5060", "UDP", "one"}, {"198.51.100.10:5060", "UDP", "one"},
		{"203.0.113.1:5060", "UDP", "port-5060"}, {"203.0.113.1:5070", "TCP", "port-5070"}, {"203.0.113.1:5080", "UDP", ""},
		{"203.0.113.2:5060", "UDP", "udp"}, {"203.0.113.2:5060", "TCP", "tcp"}, {"203.0.113.3:5060", "TCP", "tcp"}, {"203.0.113.3:5060", "UDP", ""},
		{"203.0.113.2:40000", "TLS", "tls"}, {"203.0.113.4:5061", "TLS", "tls"}, {"203.0.113.4:5061", "TCP", ""}, {"203.0.113.3:5060", "TLS", ""}, {"192.0.2.1:40000", "TLS", "network"},
		{"203.0.113.3:5061", "TCP", ""}, {"[2001:db8::1]:5060", "UDP", "six"}, {"[2001:db8:0:1::1]:5060", "UDP", ""},
		{"[::ffff:192.0.2.1]:5060", "UDP", "network"}, // as a socket for both families tells it
		{"[2001:db8::1%eth0]:5060", "UDP", "six"},
		{"203.0.113.9:5060", "UDP", ""}, // calls go there, none come from there
		{"10.0.0.1:5060", "UDP", ""}, {"0.0.0.0:5060", "UDP", ""},
	} {
		tr, ok := table.From(netip.MustParseAddrPort(c.source), c.transport)
		require.Equal(t, c.want != "", ok, c)
		if ok {
			require.Equal(t, c.want, tr.Name, c)
		}
	}
	_, ok := table.From(netip.AddrPort{}, "UDP")
	require.False(t, ok)
	var none *Table
	_, ok = none.From(netip.MustParseAddrPort("192.0.2.1:5060"), "UDP")
	require.False(t, ok)
	require.Empty(t, none.Out())
}

// TestOut is in the order of the configuration, and has who can be called only.
func TestOut(t *testing.T) {
	at := netip.MustParseAddrPort("[::ffff:203.0.113.9]:5060")
	table, err := New([]Trunk{{Name: "z", Address: at}, {Name: "in", Peers: peers(t, "192.0.2.1")}, {Name: "a", Address: at, Transport: "tcp"}, {Name: "m", Address: at}})
	require.NoError(t, err)
	var names []string
	for _, tr := range table.Out() {
		names = append(names, tr.Name)
		require.Equal(t, "203.0.113.9:5060", tr.Address.String())
		require.Equal(t, Auto, tr.DTMF)
	}
	require.Equal(t, []string{"z", "a", "m"}, names)
	require.Equal(t, []string{"UDP", "TCP"}, []string{table.Out()[0].Transport, table.Out()[1].Transport})
}

// TestTLS: a name to be proven is the address unless it is set.
func TestTLS(t *testing.T) {
	at := netip.MustParseAddrPort("203.0.113.9:5061")
	table, err := New([]Trunk{{Name: "a", Address: at, Transport: "tls"}, {Name: "b", Address: at, Transport: "tls"}, {Name: "c", Address: at, Transport: "tcp"},
		{Name: "d", Address: netip.MustParseAddrPort("203.0.113.9:5062"), Transport: "tls", TLS: TLS{Name: "sbc.example.com", CA: "ca.pem", Cert: "c.pem", Key: "k.pem"}}})
	require.NoError(t, err)
	var names []string
	for _, tr := range table.Out() {
		names = append(names, tr.Transport+" "+tr.TLS.Name)
	}
	require.Equal(t, []string{"TLS 203.0.113.9", "TLS 203.0.113.9", "TCP ", "TLS sbc.example.com"}, names)
	var proofs []string
	for _, tr := range table.Out() {
		proofs = append(proofs, tr.Proof())
	}
	require.Equal(t, []string{"a", "a", "", "d"}, proofs, "who proves itself in one way shares connections")
}

// TestTheTableIsItsOwn: nobody changes a trunk behind its back.
func TestTheTableIsItsOwn(t *testing.T) {
	list := []Trunk{{Name: "a", Peers: peers(t, "192.0.2.1"), Codecs: []string{"PCMA"}, Address: netip.MustParseAddrPort("203.0.113.9:5060")}}
	table, err := New(list)
	require.NoError(t, err)
	list[0].Name, list[0].Codecs[0], list[0].Peers[0] = "b", "PCMU", Peer{}
	tr, ok := table.From(netip.MustParseAddrPort("192.0.2.1:5060"), "UDP")
	require.True(t, ok)
	require.Equal(t, []string{"a", "PCMA"}, []string{tr.Name, tr.Codecs[0]})
	require.Same(t, tr, table.Out()[0])
}

// TestOverlapsAreRefused: no order or length of a network decides whose a call
// is, so there is nothing to guess.
func TestOverlapsAreRefused(t *testing.T) {
	for _, c := range [][2]string{
		{"192.0.2.1", "192.0.2.1"}, {"192.0.2.0/24", "192.0.2.1"}, {"192.0.2.1", "0.0.0.0/0"}, {"192.0.2.1", "192.0.2.1:5060"},
		{"192.0.2.1:5060", "192.0.2.1:5060"}, {"192.0.2.1", "udp://192.0.2.1"}, {"tcp://192.0.2.0/24", "192.0.2.1:5060"},
		{"192.0.2.1", "::ffff:192.0.2.1"}, {"2001:db8::/32", "2001:db8:1::/48"},
	} {
		_, err := New([]Trunk{{Name: "a", Peers: peers(t, c[0])}, {Name: "b", Peers: peers(t, "10.0.0.1", c[1])}})
		require.ErrorContains(t, err, `trunks "a" and "b": peers `, c)
		require.ErrorContains(t, err, "overlap, so a call from there would be of both")
	}
	_, err := New([]Trunk{{Name: "a", Peers: peers(t, "192.0.2.1")}, {Name: "a", Peers: peers(t, "192.0.2.2")}})
	require.EqualError(t, err, `trunk "a": there are two of this name`)
}

// TestSettings: each mistake is named with its trunk and with what is right.
func TestSettings(t *testing.T) {
	good := func() Trunk {
		return Trunk{Name: "A-1_b.c", Peers: peers(t, "192.0.2.1"), Address: netip.MustParseAddrPort("192.0.2.1:5060"), Transport: "Tcp",
			Rule: identity.Rule{Sources: []identity.Source{identity.PAI, identity.From}}, CalleeFormat: routing.FormatNational, FromFormat: routing.FormatDigits,
			FromDomain: "ims.example.com", Username: "u@ims", Password: "p", Codecs: []string{"pcma"}, DTMF: Info, MaxCalls: 10, RingTimeout: 180 * time.Second}
	}
	_, err := New([]Trunk{good()})
	require.NoError(t, err)
	for want, change := range map[string]func(*Trunk){
		"name: use 1 to 64 letters, digits, . _ and -":                           func(t *Trunk) { t.Name = "" },
		"name: use 1 to 64 letters":                                              func(t *Trunk) { t.Name = "a b" },
		"name: use 1 to 64 letters, digits":                                      func(t *Trunk) { t.Name = strings.Repeat("a", 65) },
		"it has neither peers (calls in) nor an address (calls out)":             func(t *Trunk) { t.Peers, t.Address = nil, netip.AddrPort{} },
		"peer 2 of it is empty":                                                  func(t *Trunk) { t.Peers = append(t.Peers, Peer{}) },
		"peer 192.0.2.0/24: a port goes with a single address":                   func(t *Trunk) { t.Peers = []Peer{{Net: netip.MustParsePrefix("192.0.2.0/24"), Port: 5060}} },
		`peer 192.0.2.1/32: transport "ws": use udp, tcp or tls`:                 func(t *Trunk) { t.Peers[0].Transport = "ws" },
		`transport "sctp": use udp, tcp or tls`:                                  func(t *Trunk) { t.Transport = "sctp" },
		"its settings for TLS need an address and transport tls":                 func(t *Trunk) { t.TLS.Name = "sbc.example.com" },
		"certificate and key for TLS: give both or neither":                      func(t *Trunk) { t.Transport, t.TLS.Cert = "tls", "c.pem" },
		`name for TLS "a b": use a host name or an IP address`:                   func(t *Trunk) { t.Transport, t.TLS.Name = "tls", "a b" },
		"address 192.0.2.1:0: use the address and port of one host":              func(t *Trunk) { t.Address = netip.MustParseAddrPort("192.0.2.1:0") },
		"address 0.0.0.0:5060: use the address and port of one host, such as":    func(t *Trunk) { t.Address = netip.MustParseAddrPort("0.0.0.0:5060") },
		"address 224.0.0.1:5060: use the address and port":                       func(t *Trunk) { t.Address = netip.MustParseAddrPort("224.0.0.1:5060") },
		`identity source "ppi": use pai, rpid or from`:                           func(t *Trunk) { t.Rule.Sources = []identity.Source{"ppi"} },
		`callee format: number format "E164": use e164`:                          func(t *Trunk) { t.CalleeFormat = "E164" },
		`from format: number format "x": use e164 (+86138…), digits (86138…)`:    func(t *Trunk) { t.FromFormat = "x" },
		`from domain "a b": use a host name or an IP address`:                    func(t *Trunk) { t.FromDomain = "a b" },
		`from domain "[2001:db8::1": use a host name`:                            func(t *Trunk) { t.FromDomain = "[2001:db8::1" },
		`from domain "a\r\nX: 1": use a host name`:                               func(t *Trunk) { t.FromDomain = "a\r\nX: 1" },
		`from domain "fe80::1%eth0": use a host name`:                            func(t *Trunk) { t.FromDomain = "fe80::1%eth0" },
		`codec "G728": use PCMA, PCMU, GSM, `:                                    func(t *Trunk) { t.Codecs = []string{"PCMA", "G728"} },
		"rtp timeout 1s: use 5s to 24h0m0s, or 0":                                func(t *Trunk) { t.Media.Timeout = time.Second },
		`dtmf "rfc2833": use auto, rfc4733, info or inband`:                      func(t *Trunk) { t.DTMF = "rfc2833" },
		"username and password: give both or neither":                            func(t *Trunk) { t.Password = "" },
		"username and password: give both or":                                    func(t *Trunk) { t.Username = "" },
		"username: text for a header has the control character U+000A at byte 1": func(t *Trunk) { t.Username = "a\nb" },
		"max calls -1: use 0 for no limit, or more":                              func(t *Trunk) { t.MaxCalls = -1 },
		"ring timeout 3m1s: use at most 3m0s":                                    func(t *Trunk) { t.RingTimeout = 181 * time.Second },
		"ring timeout -1s: use at most":                                          func(t *Trunk) { t.RingTimeout = -time.Second },
	} {
		tr := good()
		change(&tr)
		_, err := New([]Trunk{{Name: "first", Peers: peers(t, "10.0.0.1")}, tr})
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, `trunk "`+tr.Name[:min(64, len(tr.Name))]+`": `)
	}
	for _, domain := range []string{"", "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "ims.mnc000.mcc460.3gppnetwork.org"} {
		tr := good()
		tr.FromDomain = domain
		_, err := New([]Trunk{tr})
		require.NoError(t, err, domain)
	}
}

// TestNumbers: how a trunk spells, table by table.
func TestNumbers(t *testing.T) {
	plan := routing.ChinaPlan()
	rule := func(s string) []routing.Rewrite {
		r, err := routing.ParseRewrite(s)
		require.NoError(t, err)
		return []routing.Rewrite{r}
	}
	const mobile, fixed, x, long = "+8613800000001", "+8675528000001", "+8617010000001", "+86700123456789012"
	for _, c := range []struct {
		tr                             Trunk
		callee, landline, shown, longX string
	}{
		{Trunk{}, mobile, fixed, x, long},
		{Trunk{CalleeFormat: routing.FormatDigits, FromFormat: routing.FormatDigits}, "8613800000001", "8675528000001", "8617010000001", "86700123456789012"},
		{Trunk{CalleeFormat: routing.FormatInternational, FromFormat: routing.FormatInternational}, "008613800000001", "008675528000001", "008617010000001", "0086700123456789012"},
		{Trunk{CalleeFormat: routing.FormatNational, FromFormat: routing.FormatNational}, "13800000001", "075528000001", "17010000001", "700123456789012"},
		{Trunk{CalleeFormat: routing.FormatNationalZero, FromFormat: routing.FormatNationalZero}, "013800000001", "075528000001", "017010000001", "0700123456789012"},
		{Trunk{CalleeFormat: routing.FormatNational, Numbers: Numbers{Callee: rule("0755(XXXXXXXX) -> $"), From: rule("+86(*) -> 0$")}}, "13800000001", "28000001", "017010000001", "0700123456789012"},
		{Trunk{Numbers: Numbers{Callee: rule("+* -> 9901$"), From: rule("+* -> 88$")}}, "99018613800000001", "99018675528000001", "888617010000001", "8886700123456789012"},
	} {
		require.NoError(t, c.tr.Numbers.complete())
		require.Equal(t, c.callee, c.tr.Callee(&plan, mobile))
		require.Equal(t, c.landline, c.tr.Callee(&plan, fixed))
		for of, want := range map[routing.X]string{x: c.shown, long: c.longX} {
			got, err := c.tr.Shown(&plan, of)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	bad := Trunk{Numbers: Numbers{From: rule("* -> 4001234567")}}
	require.EqualError(t, bad.Numbers.complete(), "from rules: rule 1 has no $, so another number than X would be shown")
	cut := Trunk{Name: "cut", Numbers: Numbers{From: rule("+86(170)* -> $")}}
	_, err := routing.ParseRewrite("+86(170)* -> $")
	require.NoError(t, err)
	_, err = cut.Shown(&plan, x)
	require.EqualError(t, err, `trunk "cut": its from rules make another number of +8617010000001`)
}
