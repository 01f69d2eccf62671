package resolve

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// raw writes bytes as they are.
func raw(w dns.ResponseWriter, b []byte) bool {
	_, _ = w.Write(b)
	return true
}

// TestNextServer: when one server is dead, refuses or talks nonsense, the next
// is asked.
func TestNextServer(t *testing.T) {
	dead, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	gone := dead.LocalAddr().String()
	require.NoError(t, dead.Close())
	for name, answer := range map[string]func(w dns.ResponseWriter, q *dns.Msg) bool{
		"gone":     nil,
		"silent":   func(dns.ResponseWriter, *dns.Msg) bool { return true },
		"servfail": servfail,
		"refused": func(w dns.ResponseWriter, q *dns.Msg) bool {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeRefused))
			return true
		},
		"refused without the question": func(w dns.ResponseWriter, q *dns.Msg) bool {
			m := new(dns.Msg).SetRcode(q, dns.RcodeRefused)
			m.Question = nil
			_ = w.WriteMsg(m)
			return true
		},
		"garbage":      func(w dns.ResponseWriter, _ *dns.Msg) bool { return raw(w, []byte(strings.Repeat("\xff\x00x", 50))) },
		"short":        func(w dns.ResponseWriter, _ *dns.Msg) bool { return raw(w, []byte{1, 2, 3}) },
		"empty":        func(w dns.ResponseWriter, _ *dns.Msg) bool { return raw(w, nil) },
		"the question": func(w dns.ResponseWriter, q *dns.Msg) bool { _ = w.WriteMsg(q); return true },
		"another answer": func(w dns.ResponseWriter, q *dns.Msg) bool {
			m := new(dns.Msg).SetReply(q)
			m.Question[0].Name = "evil.example.com."
			rr, _ := dns.NewRR("evil.example.com. 60 A 192.0.2.66")
			m.Answer = []dns.RR{rr}
			_ = w.WriteMsg(m)
			return true
		},
		"half a record": func(w dns.ResponseWriter, q *dns.Msg) bool {
			m := new(dns.Msg).SetReply(q)
			rr, _ := dns.NewRR("example.com. 60 A 192.0.2.66")
			m.Answer = []dns.RR{rr}
			b, _ := m.Pack()
			return raw(w, b[:len(b)-2])
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad, good := newZone(t), newZone(t, "example.com. 60 A 192.0.2.1")
			at := bad.addr
			if answer == nil {
				at = gone
			} else {
				bad.says(answer)
			}
			r, err := open(Config{Servers: []string{at, good.addr}, Timeout: 300 * time.Millisecond, Networks: []string{IPv4}}, zerolog.Nop())
			require.NoError(t, err)
			defer r.Close()
			require.Eventually(t, func() bool {
				all, err := r.Targets(t.Context(), hop(t, "example.com:5060"))
				return err == nil && len(all) == 1 && all[0].Addr.String() == "192.0.2.1:5060"
			}, patience, 10*time.Millisecond)
			only, err := open(Config{Servers: []string{at}, Timeout: 50 * time.Millisecond, Networks: []string{IPv4}}, zerolog.Nop())
			require.NoError(t, err)
			defer only.Close()
			_, err = only.Targets(t.Context(), hop(t, "example.com:5060"))
			require.Error(t, err)
			require.NotErrorIs(t, err, errNone, "a broken server is no proof that there is no such name")
		})
	}
}

// TestGarbledAnswers: whatever bytes an answer has, nothing panics, no target
// is one that requests may not go to, and the questions are bounded.
func TestGarbledAnswers(t *testing.T) {
	z := newZone(t, `example.com. 300 NAPTR 10 1 "s" "SIP+D2T" "" _sip._tcp.example.com.`, "_sip._tcp.example.com. 300 SRV 1 2 5060 h.example.com.", "_sip._tcp.example.com. 300 SRV 1 3 5060 i.example.com.",
		"h.example.com. 300 CNAME i.example.com.", "i.example.com. 300 A 192.0.2.1", "i.example.com. 300 AAAA 2001:db8::1")
	var mu sync.Mutex // a question may be answered after its resolver has gone
	var at []int
	var by []byte
	z.garble = func(b []byte) {
		mu.Lock()
		defer mu.Unlock()
		for i, n := range at {
			b[2+n%(len(b)-2)] ^= by[i%len(by)] // not its id: that would only be waited for
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		mu.Lock()
		at, by = rapid.SliceOfN(rapid.IntRange(0, 500), 0, 4).Draw(rt, "at"), rapid.SliceOfN(rapid.Byte(), 1, 4).Draw(rt, "by")
		mu.Unlock()
		r, err := open(Config{Servers: []string{z.addr}, Timeout: 2 * time.Second}, zerolog.Nop())
		require.NoError(rt, err)
		defer r.Close()
		z.questions()
		all, err := r.Targets(t.Context(), hop(t, "example.com"))
		if err != nil {
			require.Empty(rt, all)
		}
		for _, target := range all {
			require.True(rt, reachable(target.Addr.Addr()) && target.Addr.Port() != 0, "%v", target)
		}
		require.LessOrEqual(rt, len(all), maxTargets)
		require.LessOrEqual(rt, len(z.questions()), maxQuestions*maxRounds*3)
	})
}

// TestStrangeNames: records of names that were not asked for do not count.
func TestStrangeNames(t *testing.T) {
	z := newZone(t)
	z.says(func(w dns.ResponseWriter, q *dns.Msg) bool {
		m := new(dns.Msg).SetReply(q)
		for _, text := range []string{"evil.example.com. 60 A 192.0.2.66", "example.com. 60 CH A 192.0.2.67"} {
			rr, err := dns.NewRR(text)
			require.NoError(t, err)
			m.Answer = append(m.Answer, rr)
		}
		_ = w.WriteMsg(m)
		return true
	})
	r, _ := resolver(t, z, nil)
	_, err := r.Targets(t.Context(), hop(t, "example.com:5060"))
	require.ErrorIs(t, err, errNone)
}

// TestOldServers: without EDNS, without NAPTR, or without one of the networks.
func TestOldServers(t *testing.T) {
	records := []string{"_sip._udp.example.com. 300 SRV 1 1 5070 h.example.com.", "h.example.com. 300 A 192.0.2.1"}
	refuse := func(rcode int, when func(q *dns.Msg) bool) func(w dns.ResponseWriter, q *dns.Msg) bool {
		return func(w dns.ResponseWriter, q *dns.Msg) bool {
			if when(q) {
				_ = w.WriteMsg(new(dns.Msg).SetRcode(q, rcode))
				return true
			}
			return false
		}
	}
	kind := func(k uint16) func(q *dns.Msg) bool { return func(q *dns.Msg) bool { return q.Question[0].Qtype == k } }
	for name, answer := range map[string]func(w dns.ResponseWriter, q *dns.Msg) bool{
		"no EDNS":           refuse(dns.RcodeFormatError, func(q *dns.Msg) bool { return q.IsEdns0() != nil }),
		"NAPTR unknown":     refuse(dns.RcodeNotImplemented, kind(dns.TypeNAPTR)),
		"NAPTR refused":     refuse(dns.RcodeRefused, kind(dns.TypeNAPTR)),
		"AAAA is a failure": refuse(dns.RcodeServerFailure, kind(dns.TypeAAAA)),
	} {
		z := newZone(t, records...)
		z.says(answer)
		r, _ := resolver(t, z, nil)
		require.Equal(t, []string{"udp://192.0.2.1:5070"}, targets(t, r, "example.com"), name)
	}
	z := newZone(t, append(records, "example.com. 300 A 192.0.2.99")...)
	z.says(refuse(dns.RcodeServerFailure, kind(dns.TypeSRV)))
	r, _ := resolver(t, z, nil)
	_, err := r.Targets(t.Context(), hop(t, "example.com"))
	require.ErrorContains(t, err, "SERVFAIL", "the address of the domain's web server is no answer")
}

// TestPartOfAnAnswer counts, but not for long.
func TestPartOfAnAnswer(t *testing.T) {
	z := newZone(t, "_sip._udp.example.com. 300 SRV 1 1 5070 h.example.com.", "_sip._udp.example.com. 300 SRV 2 1 5070 i.example.com.", "h.example.com. 300 A 192.0.2.1", "i.example.com. 300 A 192.0.2.2")
	z.says(func(w dns.ResponseWriter, q *dns.Msg) bool {
		return q.Question[0].Name == "h.example.com." && servfail(w, q)
	})
	r, now := resolver(t, z, nil)
	require.Equal(t, []string{"udp://192.0.2.2:5070"}, targets(t, r, "udp://example.com"))
	z.says(nil)
	now.move(5 * time.Second)
	require.Equal(t, []string{"udp://192.0.2.1:5070", "udp://192.0.2.2:5070"}, targets(t, r, "udp://example.com"))
}

func TestConfig(t *testing.T) {
	for want, cfg := range map[string]Config{
		`DNS server "dns.example.com:53": use address:port`: {Servers: []string{"dns.example.com:53"}},
		`DNS server "192.0.2.1": use address:port`:          {Servers: []string{"192.0.2.1"}},
		"9 DNS servers: use at most 8":                      {Servers: strings.Split(strings.Repeat("192.0.2.1:53,", 8)+"192.0.2.1:53", ",")},
		`transport "SCTP": use UDP, TCP or TLS`:             {Transports: []string{"SCTP"}},
		`network "ip": use ip4 or ip6`:                      {Networks: []string{"ip"}},
		"DNS time -1s":                                      {Timeout: -time.Second},
		"it was not read by ParseHop":                       {Watch: []Hop{{Host: "Example.com"}}},
		"513 names to be watched: use at most 512":          {Watch: make([]Hop, 513)},
		"it is longer than the longest":                     {MinTTL: time.Hour, MaxTTL: time.Minute},
	} {
		_, err := Open(cfg, zerolog.Nop())
		require.ErrorContains(t, err, want)
	}
	r, err := Open(Config{}, zerolog.Nop()) // with the system's servers
	require.NoError(t, err)
	defer r.Close()
	all, err := r.Targets(t.Context(), Hop{Host: "192.0.2.1"})
	require.NoError(t, err)
	require.Equal(t, []string{"udp://192.0.2.1:5060"}, texts(all))
}
