package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// TrunkWay is how calls reach a trunk, and when they go there.
type TrunkWay struct {
	Proxy  string `key:"proxy" help:"fixed outbound proxy, host, host:port or a name in DNS: all goes there, with a Route of it (;lr); address or domain then stand in the Request-URI and need not be in DNS"`
	Domain string `key:"domain" help:"host part of Request-URI and To; empty: that of address"`

	Priority int      `key:"priority" help:"trunks with a lower one are tried first"`
	Weight   int      `key:"weight" help:"share of the calls among trunks of one priority; 0: after those that have one, in the order of this file"`
	Prefixes []string `key:"prefixes" help:"beginnings of the numbers that go over it, in global form, such as +86; empty: all do"`

	ConnectTimeout time.Duration `key:"connect_timeout" help:"a server that says nothing to an INVITE for so long: the next one is tried; an INVITE that is repeated with a proof or a longer session has as long again"`
	PingInterval   time.Duration `key:"ping_interval" help:"between OPTIONS to each of its servers: after 3 without an answer it is down, after 2 answers up again; 0: none are sent"`
	MaxCPS         int           `key:"max_cps" help:"calls a second, each way; more from it get 503, more to it go to the next trunk; 0: no limit"`
	TCPLarge       bool          `key:"tcp_large" help:"with udp, requests of more than 1300 bytes go over TCP"`
	Follow3xx      bool          `key:"follow_3xx" help:"redirections (3xx) of it are followed, up to 3 one after the other: to another of its servers, for the same callee; others end the call as a failure"`
}

func (t *TrunkWay) fresh() { t.ConnectTimeout, t.PingInterval = 4*time.Second, 30*time.Second }

func (k *checker) trunkWay(key string, t *Trunk) {
	if t.Address != "" {
		k.hop(key+".address", t.Address)
	}
	if t.Proxy != "" {
		k.hop(key+".proxy", t.Proxy)
		if t.Address == "" && t.Domain == "" {
			k.wrong(key+".proxy", "it needs an address or a domain, which the Request-URI has")
		}
	}
	if t.Domain != "" && !domain(t.Domain) {
		k.wrong(key+".domain", "%.80q: use a host name or an IP address", t.Domain)
	}
	if t.Domain != "" && t.Address == "" && t.Proxy == "" {
		k.wrong(key+".domain", "it needs an address or a proxy")
	}
	if ip, _ := splitHop(t.Address); t.Transport == "auto" && (t.Address == "" && t.Proxy == "" || ip.IsValid()) {
		k.wrong(key+".transport", "auto is for a name: DNS says which transport it has")
	}
	k.count(key+".priority", t.Priority, 0, 65535)
	k.count(key+".weight", t.Weight, 0, 65535)
	for i, p := range t.Prefixes {
		if digits, plus := strings.CutPrefix(p, "+"); !plus || digits == "" || len(digits) > 20 || strings.Trim(digits, "0123456789") != "" {
			k.wrong(at(key+".prefixes", i), "%.40q: use the beginning of a number in global form, such as +8613", p)
		}
	}
	k.span(key+".connect_timeout", t.ConnectTimeout, 100*time.Millisecond, 32*time.Second)
	if t.PingInterval != 0 {
		k.span(key+".ping_interval", t.PingInterval, time.Second, time.Hour)
	}
	k.count(key+".max_cps", t.MaxCPS, 0, 1_000_000)
}

// hop checks who is called: an address or a name, with a port or without.
func (k *checker) hop(key, value string) {
	ip, host := splitHop(value)
	if !ip.IsValid() && !word(host) {
		k.wrong(key, "%.80q: use an address or a name, with a port or without, such as 192.0.2.7:5060 or sip.example.com", value)
	}
}

// splitHop reads host or host:port; the host is an address or a name.
func splitHop(value string) (ip netip.Addr, host string) {
	host = value
	if h, port, err := net.SplitHostPort(value); err == nil {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return ip, ""
		}
		host = h
	}
	ip, _ = netip.ParseAddr(strings.Trim(host, "[]"))
	return ip, host
}
