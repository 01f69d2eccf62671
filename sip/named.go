package sip

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/digest"
	"axgate/sip/trunk"
)

// namedTrunks are the trunks without a fixed address: who they are they prove by
// digest, as phones do, and under the same realm.
type namedTrunks struct {
	asks     *digest.Server // nil: nobody can prove anything
	accounts map[string]*digest.Account

	mu     sync.Mutex
	proven map[netip.Addr]time.Time // until when an address is a trunk's
}

const (
	provenTime = time.Hour // an address is a trunk's for so long after its last proof
	maxProven  = 1024
)

// openNamed makes the accounts of the trunks that have one.
func (s *Server) openNamed() error {
	n := &s.named
	n.accounts, n.proven = map[string]*digest.Account{}, map[netip.Addr]time.Time{}
	if s.cfg.Registrar != nil {
		n.asks = s.cfg.Registrar.Digest()
	}
	for _, t := range s.cfg.Trunks.All() {
		name := t.Auth.Username
		if name == "" {
			continue
		}
		if s.cfg.Registrar != nil {
			if _, phone := s.cfg.Registrar.Account(name); phone != nil {
				return fmt.Errorf("trunk %q: its auth username is that of a phone", t.Name)
			}
		}
		n.accounts[name] = digest.NewAccount(t.Auth.Password)
	}
	if n.asks != nil || len(n.accounts) == 0 {
		return nil
	}
	var err error
	n.asks, err = digest.NewServer(digest.ServerConfig{})
	return err
}

// prove finds out who sent a request by its proof: a trunk or a phone.
func (s *Server) prove(req *sip.Request, from netip.Addr, now time.Time) (origin, *digest.Refusal) {
	var who origin
	_, refusal := s.named.asks.Prove(req, digest.Proxy, func(user string) *digest.Account {
		if t, ok := s.cfg.Trunks.ByName(user); ok {
			who = origin{trunk: t, named: true}
			return s.named.accounts[user]
		}
		if s.cfg.Registrar == nil {
			return nil
		}
		number, account := s.cfg.Registrar.Account(user)
		who = origin{phone: string(number)}
		return account
	}, now)
	if refusal != nil {
		return origin{}, refusal
	}
	if who.trunk != nil {
		s.named.note(from, now)
	}
	return who, nil
}

// note has an address be a trunk's for a while.
func (n *namedTrunks) note(from netip.Addr, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, had := n.proven[from]; !had && len(n.proven) >= maxProven {
		for a, until := range n.proven {
			if now.After(until) {
				delete(n.proven, a)
			}
		}
		if len(n.proven) >= maxProven {
			return
		}
	}
	n.proven[from] = now.Add(provenTime)
}

// known tells whether a trunk has proved itself from an address lately.
func (n *namedTrunks) known(from netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Now().Before(n.proven[from])
}

// expected tells whether somebody may prove from anywhere to be a trunk that
// passes.
func (s *Server) expected(passes func(*trunk.Trunk) bool) bool {
	for _, t := range s.cfg.Trunks.All() {
		if t.Auth.Username != "" && passes(t) {
			return true
		}
	}
	return false
}
