package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Bounds of a lookup.
const (
	lookupTime   = 10 * time.Second // of the whole
	naptrTime    = 3 * time.Second  // of it for NAPTR: there are servers and firewalls that drop what they do not know
	maxQuestions = 64               // of names and types
	maxRounds    = 2                // in which each server is asked one question
	maxServers   = 8
	maxChain     = 8    // CNAMEs behind one name
	udpSize      = 1232 // of an answer by UDP: no fragments (RFC 9715)
	resolvConf   = "/etc/resolv.conf"
)

// errNone is that DNS has no such name, or nothing of this kind for it.
var errNone = errors.New("not in DNS")

// rcodeError is how a server says that it cannot or will not answer.
type rcodeError int

func (e rcodeError) Error() string { return "the server answers " + dns.RcodeToString[int(e)] }

// lookup is one search for a hop.
type lookup struct {
	cfg     *Config
	ctx     context.Context
	listed  map[string][]netip.Addr // in the hosts file, by their names
	servers []string                // found with the first question
	asked   int
	ttl     time.Duration // the least of all answers
	partial bool          // something of it could not be found out

	pointers []pointer // of the domain, by its NAPTR records or those that it had the last time
}

func (r *Resolver) newLookup(ctx context.Context, last []pointer) *lookup {
	return &lookup{cfg: &r.cfg, ctx: ctx, listed: r.hosts.now(), servers: r.cfg.Servers, ttl: r.cfg.MaxTTL, pointers: last}
}

// findServers finds whom to ask: those of the system, if the configuration has none.
func (l *lookup) findServers() error {
	if len(l.servers) > 0 {
		return nil
	}
	system, err := dns.ClientConfigFromFile(resolvConf)
	if err != nil {
		return fmt.Errorf("find the DNS servers: %w", err)
	}
	if len(system.Servers) == 0 {
		return fmt.Errorf("no nameserver in %s", resolvConf)
	}
	for _, s := range system.Servers[:min(len(system.Servers), maxServers)] {
		l.servers = append(l.servers, net.JoinHostPort(s, system.Port))
	}
	return nil
}

// records are those of a type that a name has, or those of the name that it is
// an alias of. The error is errNone if there are none.
func (l *lookup) records(name string, kind uint16) ([]dns.RR, error) {
	name = dns.CanonicalName(name)
	for chain := 0; ; {
		m, err := l.ask(name, kind)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", dns.TypeToString[kind], name, err)
		}
		is := name
		for {
			found, alias := l.of(m, is, kind)
			if len(found) > 0 {
				return found, nil
			}
			if alias == "" {
				break
			}
			if chain++; chain > maxChain {
				return nil, fmt.Errorf("%s of %s: more than %d aliases", dns.TypeToString[kind], name, maxChain)
			}
			is = alias
		}
		if is == name {
			l.none(m)
			return nil, fmt.Errorf("%s of %s: %w", dns.TypeToString[kind], name, errNone)
		}
		name = is // the answer does not say what the alias has
	}
}

// of picks the records of a name, and the name that it is an alias of.
func (l *lookup) of(m *dns.Msg, name string, kind uint16) (found []dns.RR, alias string) {
	for _, rr := range m.Answer {
		h := rr.Header()
		if h.Class != dns.ClassINET || dns.CanonicalName(h.Name) != name {
			continue
		}
		switch {
		case h.Rrtype == kind:
			found = append(found, rr)
		case h.Rrtype == dns.TypeCNAME:
			alias = dns.CanonicalName(rr.(*dns.CNAME).Target)
		default:
			continue
		}
		l.lasts(h.Ttl)
	}
	return found, alias
}

// lasts shortens the time of the whole to that of one record.
func (l *lookup) lasts(ttl uint32) {
	if ttl > 1<<31-1 { // RFC 2181 section 8
		ttl = 0
	}
	l.ttl = min(l.ttl, time.Duration(ttl)*time.Second)
}

// none takes the time for which something is not there (RFC 2308 section 5).
func (l *lookup) none(m *dns.Msg) {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			l.lasts(min(soa.Hdr.Ttl, soa.Minttl))
			return
		}
	}
	l.ttl = min(l.ttl, l.cfg.Negative)
}

// ask puts a question to one server after the other until one answers it.
func (l *lookup) ask(name string, kind uint16) (*dns.Msg, error) {
	if l.asked++; l.asked > maxQuestions {
		return nil, fmt.Errorf("it takes more than %d questions", maxQuestions)
	}
	if _, ok := dns.IsDomainName(name); !ok {
		return nil, errors.New("it is no domain name")
	}
	if err := l.findServers(); err != nil {
		return nil, err
	}
	var failed error
	for range maxRounds {
		refused := 0
		for _, server := range l.servers {
			m, err := l.askServer(server, name, kind)
			if err == nil {
				return m, nil
			}
			var rcode rcodeError
			if errors.As(err, &rcode) {
				refused++
			}
			failed = fmt.Errorf("ask %s: %w", server, err)
			if l.ctx.Err() != nil {
				return nil, failed
			}
		}
		if refused == len(l.servers) { // they would say it again
			break
		}
	}
	return nil, failed
}

// askServer asks by UDP, and by TCP if the answer is not whole there. A server
// that knows nothing of EDNS is asked without it.
func (l *lookup) askServer(server, name string, kind uint16) (*dns.Msg, error) {
	q := new(dns.Msg).SetQuestion(name, kind)
	q.SetEdns0(udpSize, false)
	m, err := l.exchange("udp", server, q)
	var rcode rcodeError
	if errors.As(err, &rcode) && (rcode == dns.RcodeFormatError || rcode == dns.RcodeNotImplemented || rcode == dns.RcodeBadVers) {
		q = new(dns.Msg).SetQuestion(name, kind)
		m, err = l.exchange("udp", server, q)
	}
	var broken *brokenError
	if errors.As(err, &broken) || err == nil && m.Truncated {
		q.Id = dns.Id()
		m, err = l.exchange("tcp", server, q)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// brokenError is an answer that cannot be read.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return fmt.Sprintf("its answer cannot be read: %v", e.err) }
func (e *brokenError) Unwrap() error { return e.err }

func (l *lookup) exchange(network, server string, q *dns.Msg) (*dns.Msg, error) {
	c := &dns.Client{Net: network, Timeout: l.cfg.Timeout}
	conn, err := c.DialContext(l.ctx, server)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(l.ctx, func() { _ = conn.Close() }) // the library knows deadlines only
	defer stop()
	m, _, err := c.ExchangeWithConnContext(l.ctx, q, conn)
	var netError net.Error
	switch {
	case l.ctx.Err() != nil:
		return nil, l.ctx.Err()
	case errors.As(err, &netError):
		return nil, err
	case m != nil && m.Truncated && network == "udp" && answers(m, q): // perhaps cut in the midst of a record
		return m, nil
	case err != nil:
		return nil, &brokenError{err}
	case !answers(m, q):
		return nil, &brokenError{errors.New("it is for another question")}
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		return nil, rcodeError(m.Rcode)
	}
	return m, nil
}

// answers tells whether a message is an answer to a question. Some servers
// that refuse leave the question out.
func answers(m, q *dns.Msg) bool {
	if !m.Response || m.Opcode != dns.OpcodeQuery || m.Id != q.Id {
		return false
	}
	if len(m.Question) == 0 {
		return m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError
	}
	a, b := m.Question[0], q.Question[0]
	return len(m.Question) == 1 && strings.EqualFold(a.Name, b.Name) && a.Qtype == b.Qtype && a.Qclass == b.Qclass
}
