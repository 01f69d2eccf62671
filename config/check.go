package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Off is the value of an address that is not listened on.
const Off = "off"

// checker collects what is wrong.
type checker struct {
	where    origins
	problems Problems
}

func (k *checker) wrong(key, format string, args ...any) {
	k.problems = append(k.problems, Problem{key, k.where.where(key), fmt.Sprintf(format, args...)})
}

func (c *Config) check() Problems {
	k := &checker{where: c.where}
	if !word(c.Node) {
		k.wrong("node", "%.80q: use 1 to 64 letters, digits, . _ and -", c.Node)
	}
	if c.Data == "" {
		k.wrong("data", "it is empty: name a directory")
	}
	k.oneOf("log.level", c.Log.Level, "trace", "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, AutoLog, "text", "json")
	k.sip(&c.SIP)
	k.media(&c.Media)
	k.stores(c)
	k.recording(&c.Recording)
	k.retention(&c.Retention)
	k.span("events.timeout", c.Events.Timeout, 100*time.Millisecond, 5*time.Minute)
	k.span("events.flush", c.Events.Flush, 0, 10*time.Minute)
	k.span("events.answer_timeout", c.Events.AnswerTimeout, 100*time.Millisecond, 30*time.Second)
	k.networks("events.refuse", c.Events.Refuse)
	k.http(&c.HTTP)
	k.watching(c)
	k.sms(&c.SMS)
	k.guard(&c.Guard)
	k.smsGateways(c)
	k.span("registrar.expires", c.Registrar.Expires, time.Minute, 24*time.Hour)
	k.oneOf("registrar.media_security", c.Registrar.Security, "off", "optional", "required")
	k.trunks(c.Trunks)
	k.phones(c.Registrar.Accounts)
	k.apps(c)
	k.bound(c)
	return k.problems
}

func (k *checker) oneOf(key, value string, right ...string) {
	if !slices.Contains(right, value) {
		k.wrong(key, "%.80q: use %s", value, alternatives(right))
	}
}

func alternatives(list []string) string {
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

func (k *checker) span(key string, d, least, most time.Duration) {
	if d < least || d > most {
		k.wrong(key, "%v: use %v to %v", d, least, most)
	}
}

func (k *checker) count(key string, n, least, most int) {
	if n < least || n > most {
		k.wrong(key, "%d: use %d to %d", n, least, most)
	}
}

func (k *checker) hostPort(key, value string) {
	host, port, err := net.SplitHostPort(value)
	n, bad := strconv.Atoi(port)
	if err != nil || bad != nil || n < 0 || n > 65535 || strings.ContainsAny(host, " /@") {
		k.wrong(key, "%.80q: use host:port, such as 192.0.2.7:5060", value)
	}
}

func (k *checker) sip(s *SIP) {
	for _, l := range []struct{ key, value string }{{"sip.udp", s.UDP}, {"sip.tcp", s.TCP}, {"sip.tls", s.TLS}} {
		if l.value != Off {
			k.hostPort(l.key, l.value)
		}
	}
	if s.UDP == Off && s.TCP == Off && s.TLS == Off {
		k.wrong("sip.udp", "it, sip.tcp and sip.tls are off: nobody could call")
	}
	if s.TLS != Off && (s.TLSCert == "" || s.TLSKey == "") {
		k.wrong("sip.tls", "it needs tls_cert and tls_key")
	}
	if s.TLSAdvertise != "" {
		k.hostPort("sip.tls_advertise", s.TLSAdvertise)
	}
	if s.TCPAdvertise != "" {
		k.hostPort("sip.tcp_advertise", s.TCPAdvertise)
	}
	if s.Advertise != "" {
		k.hostPort("sip.advertise", s.Advertise)
	}
	if s.Domain != "" && !domain(s.Domain) {
		k.wrong("sip.domain", "%.80q: use a host name or an IP address", s.Domain)
	}
	k.count("sip.max_calls", s.MaxCalls, 0, 1_000_000)
	k.count("sip.max_cps", s.MaxCPS, 0, 1_000_000)
	for i, d := range s.DNS {
		if ap, err := netip.ParseAddrPort(d); err != nil || ap.Port() == 0 || ap.Addr().IsUnspecified() {
			k.wrong(at("sip.dns", i), "%.80q: use address:port, such as 192.0.2.53:53", d)
		}
	}
	k.networks("sip.watchers", s.Watchers)
	k.span("sip.ring_timeout", s.RingTimeout, time.Second, 90*time.Second)
	k.span("sip.ringback_after", s.RingbackAfter, 100*time.Millisecond, time.Minute)
	k.span("sip.prompt_limit", s.PromptLimit, time.Second, 5*time.Minute)
	k.span("sip.first_digit", s.FirstDigit, time.Second, 2*time.Minute)
	k.span("sip.inter_digit", s.InterDigit, time.Second, time.Minute)
	k.span("sip.digits", s.Digits, time.Second, 5*time.Minute)
	k.span("sip.retry_after", s.RetryAfter, time.Second, time.Hour)
	k.span("sip.drain", s.Drain, 0, 24*time.Hour)
	k.span("sip.t1", s.T1, 100*time.Millisecond, 2*time.Second)
	k.count("sip.flood_rate", s.FloodRate, 0, 1_000_000)
	k.count("sip.flood_burst", s.FloodBurst, 0, 1_000_000)
	k.count("sip.flood_refusals", s.FloodRefusals, 0, 1_000_000)
	k.span("sip.flood_ban", s.FloodBan, time.Second, 24*time.Hour)
}

// domain tells whether a text can be the host part of a SIP URI.
func domain(s string) bool {
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return err == nil && ip.Zone() == "" || word(s)
}

func (k *checker) media(m *Media) {
	for _, a := range []struct{ key, value string }{{"media.ip", m.IP}, {"media.advertise", m.Advertise}} {
		ip, err := netip.ParseAddr(a.value)
		if a.value != "" && (err != nil || ip.Zone() != "" || ip.IsMulticast()) {
			k.wrong(a.key, "%.80q: use an IP address", a.value)
		}
		if a.key == "media.advertise" && ip.IsUnspecified() && ip.IsValid() {
			k.wrong(a.key, "%s: nobody can send to it: use the address that peers reach us at", a.value)
		}
	}
	if ip, err := netip.ParseAddr(m.IP); err == nil && ip.IsUnspecified() && m.Advertise == "" {
		k.wrong("media.advertise", "it is needed because media.ip is %s: use the address that peers reach us at", m.IP)
	}
	if _, _, err := m.PortRange(); err != nil {
		k.wrong("media.ports", "%v", err)
	}
	k.count("media.workers", m.Workers, 0, 256)
	k.codecs("media.codecs", m.Codecs, true)
	k.span("media.inactive", m.Inactive, time.Second, 24*time.Hour)
	k.span("media.latch", m.Latch, 100*time.Millisecond, time.Minute)
	k.span("media.quarantine", m.Quarantine, 0, 10*time.Minute)
}

// PortRange reads the first and the last RTP port.
func (m *Media) PortRange() (first, last uint16, err error) {
	low, high, ok := strings.Cut(m.Ports, "-")
	a, errA := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
	b, errB := strconv.ParseUint(strings.TrimSpace(high), 10, 16)
	if !ok || errA != nil || errB != nil || a < 1024 || b < a+3 {
		return 0, 0, fmt.Errorf("%.40q: use first-last with four ports or more, none below 1024, such as 20000-29999", m.Ports)
	}
	return uint16(a), uint16(b), nil
}

// codecNames are those of sip/sdp, which says no as well.
var codecNames = []string{"PCMA", "PCMU", "GSM", "G723", "G722", "G729", "G726-32", "iLBC", "AMR", "AMR-WB", "EVS", "opus"}

func (k *checker) codecs(key string, list []string, needed bool) {
	if needed && len(list) == 0 {
		k.wrong(key, "it is empty: use PCMA, PCMU or both")
	}
	for i, c := range list {
		if !slices.ContainsFunc(codecNames, func(name string) bool { return strings.EqualFold(name, c) }) {
			k.wrong(at(key, i), "%.40q: use %s", c, strings.Join(codecNames, ", "))
		}
	}
}

func (k *checker) stores(c *Config) {
	k.redis(c)
	k.cluster(c)
	k.oneOf("ledger.driver", c.Ledger.Driver, "sqlite", "postgres")
	if c.Ledger.Driver == "postgres" && c.Ledger.DSN == "" {
		k.wrong("ledger.dsn", "it is needed for PostgreSQL: use postgres://user:password@host/axgate")
	}
	k.count("journal.queue", c.Journal.Queue, 100, 10_000_000)
	k.count("journal.size_mib", c.Journal.Size, 64, 1<<20)
}
