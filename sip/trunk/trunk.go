// Package trunk knows the carriers and switches that are connected: which of
// them a message came from, by its address, and over which a call can go out.
package trunk

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"axgate/routing"
	"axgate/sip/identity"
	"axgate/sip/resolve"
	"axgate/sip/sdp"
)

// Trunk is one connection and how its peer wants things.
type Trunk struct {
	Name  string
	Peers []Peer // where its calls come from; none: it calls nobody

	// Address is where calls go out to; invalid: none do, unless Way says where.
	// Transport is "UDP" (also if empty), "TCP", "TLS", or "AUTO" for a name.
	Address   netip.AddrPort
	Transport string
	Way       Way // see way.go
	TLS       TLS // with that transport; see tls.go

	Rule identity.Rule // where its calls name the caller

	CalleeFormat routing.Format // of the number called, in Request-URI and To
	FromFormat   routing.Format // of X as the caller
	FromDomain   string         // host part of From; empty: our own domain
	SendPAI      bool           // P-Asserted-Identity with X
	SendPPI      bool           // P-Preferred-Identity with X
	Hide         bool           // not even X is shown: anonymous From, X asserted, Privacy: id

	Numbers Numbers // spelled beside the formats; see numbers.go
	Headers Headers // that its requests have beside these; see headers.go

	Username, Password string // for its digest challenges
	Enrol              Enrol  // our registration with it; see enrol.go
	Auth               Auth   // how it proves itself; see auth.go

	NATMedia    bool          // its audio may come from elsewhere than its SDP says
	Codecs      []string      // in the order of preference, G.711 and what may be passed through; empty: that of the node
	Security    sdp.Security  // of its audio; keys go over TLS only
	DTMF        DTMF          // how digits are exchanged
	MaxCalls    int           // at a time, both ways; 0: no limit
	RingTimeout time.Duration // how long a callee may ring; 0: that of the node

	Media Media // how audio is exchanged; see media.go
	Early Early // how a call goes until it is answered; see early.go
	Texts Texts // how texts are exchanged; see texts.go
	Timer Timer // how sessions are kept alive; see timer.go
	Hold  Hold  // what becomes of hold; see hold.go

	hop   resolve.Hop // the next one of calls out
	proof string
}

// DTMF is how digits are exchanged with a trunk.
type DTMF string

// The ways of digits. Auto, also if empty, takes telephone-event where it was
// negotiated, else SIP INFO or tones, whichever comes first.
const (
	Auto   DTMF = "auto"
	Events DTMF = "rfc4733"
	Info   DTMF = "info"
	Tones  DTMF = "inband"
)

// maxRing is the longest that a trunk may let a callee ring.
const maxRing = 180 * time.Second

// Table is the trunks of a node. It does not change, but for what names lead to;
// a nil Table is empty.
type Table struct {
	claims []claim
	named  []claim // of peers that are names
	all    []*Trunk
	out    []*Trunk
	places atomic.Pointer[places]
}

// claim is a peer and whose it is.
type claim struct {
	peer  Peer
	trunk *Trunk
}

// New checks the trunks and makes their table. The error names the trunk, the
// setting, and what is right.
func New(trunks []Trunk) (*Table, error) {
	t := new(Table)
	names := make(map[string]bool, len(trunks))
	for i := range trunks {
		tr := trunks[i]
		tr.Peers, tr.Codecs, tr.Way.Prefixes = slices.Clone(tr.Peers), slices.Clone(tr.Codecs), slices.Clone(tr.Way.Prefixes)
		if err := tr.complete(); err != nil {
			return nil, fmt.Errorf("trunk %.64q: %w", tr.Name, err)
		}
		if names[tr.Name] {
			return nil, fmt.Errorf("trunk %q: there are two of this name", tr.Name)
		}
		names[tr.Name] = true
		if err := t.claim(&tr); err != nil {
			return nil, err
		}
		if err := t.sameName(&tr); err != nil {
			return nil, err
		}
		t.all = append(t.all, &tr)
		if tr.CallsOut() {
			tr.proof = t.proofOf(&tr)
			t.out = append(t.out, &tr)
		}
	}
	t.Learn(fixed)
	return t, nil
}

func (t *Table) claim(tr *Trunk) error {
	for _, p := range tr.Peers {
		if p.Host != "" {
			if err := t.claimName(tr, p); err != nil {
				return err
			}
			continue
		}
		for _, c := range t.claims {
			if c.trunk != tr && c.peer.overlaps(p) {
				return fmt.Errorf("trunks %q and %q: peers %v and %v overlap, so a call from there would be of both", c.trunk.Name, tr.Name, c.peer, p)
			}
		}
		t.claims = append(t.claims, claim{p, tr})
	}
	return nil
}

// From finds the trunk whose peer a message came from. transport is "UDP",
// "TCP" or "TLS".
func (t *Table) From(src netip.AddrPort, transport string) (*Trunk, bool) {
	if t == nil {
		return nil, false
	}
	src = netip.AddrPortFrom(src.Addr().Unmap().WithZone(""), src.Port())
	for i := range t.claims {
		if c := &t.claims[i]; c.peer.has(src, transport) {
			return c.trunk, true
		}
	}
	return t.byName(src, transport)
}

// All are the trunks, in the order of the configuration. The slice is the
// table's own.
func (t *Table) All() []*Trunk {
	if t == nil {
		return nil
	}
	return t.all
}

// Out are the trunks that calls can go out over, the first configured first.
// The slice is the table's own.
func (t *Table) Out() []*Trunk {
	if t == nil {
		return nil
	}
	return t.out
}

// complete checks the settings and brings them into one spelling.
func (t *Trunk) complete() error {
	if t.Name == "" || len(t.Name) > 64 || !word(t.Name) {
		return errors.New("name: use 1 to 64 letters, digits, . _ and -")
	}
	if !t.CallsOut() && len(t.Peers) == 0 && t.Auth == (Auth{}) {
		return errors.New("it has neither peers (calls in) nor an address (calls out)")
	}
	if err := t.completeAddresses(); err != nil {
		return err
	}
	if err := t.Numbers.complete(); err != nil {
		return err
	}
	if err := t.Rule.Validate(); err != nil {
		return err
	}
	if err := t.CalleeFormat.Validate(); err != nil {
		return fmt.Errorf("callee format: %w", err)
	}
	if err := t.FromFormat.Validate(); err != nil {
		return fmt.Errorf("from format: %w", err)
	}
	if t.FromDomain != "" && !host(t.FromDomain) {
		return fmt.Errorf("from domain %.80q: use a host name or an IP address", t.FromDomain)
	}
	for _, c := range t.Codecs {
		if err := sdp.ValidCodec(c); err != nil {
			return err
		}
	}
	if t.Security == sdp.Required && t.CallsOut() {
		if _, err := t.Security.Over(t.Transport == "TLS"); err != nil {
			return fmt.Errorf("media security: %w", err)
		}
	}
	if err := t.completeEnrol(); err != nil {
		return err
	}
	if err := t.completeAuth(); err != nil {
		return err
	}
	if err := t.completeLimits(); err != nil {
		return err
	}
	if err := t.Headers.complete(); err != nil {
		return err
	}
	if err := t.Media.complete(); err != nil {
		return err
	}
	if err := t.Early.complete(); err != nil {
		return err
	}
	if err := t.Timer.complete(); err != nil {
		return err
	}
	if err := t.Hold.complete(); err != nil {
		return err
	}
	return t.Texts.complete(t.Name)
}

func (t *Trunk) completeAddresses() error {
	for i, p := range t.Peers {
		switch {
		case p.Host != "":
		case !p.Net.IsValid():
			return fmt.Errorf("peer %d of it is empty", i+1)
		default:
			t.Peers[i].Net = plain(p.Net)
		}
		if p.Host == "" && p.Port != 0 && !p.Net.IsSingleIP() {
			return fmt.Errorf("peer %v: a port goes with a single address", p.Net)
		}
		if p.Transport != "" {
			name, err := transportNamed(p.Transport)
			if err != nil {
				return fmt.Errorf("peer %v: %w", p.Net, err)
			}
			t.Peers[i].Transport = name
		}
	}
	if t.Transport == "" {
		t.Transport = "UDP"
	}
	var err error
	if strings.EqualFold(t.Transport, AutoTransport) && !t.Address.IsValid() {
		t.Transport = AutoTransport
	} else if t.Transport, err = transportNamed(t.Transport); err != nil {
		return err
	}
	if !t.Address.IsValid() {
		return t.completeOut()
	}
	ip := t.Address.Addr().Unmap()
	if t.Address.Port() == 0 || ip.IsUnspecified() || ip.IsMulticast() {
		return fmt.Errorf("address %v: use the address and port of one host, such as 192.0.2.7:5060", t.Address)
	}
	t.Address = netip.AddrPortFrom(ip, t.Address.Port())
	return t.completeOut()
}

func (t *Trunk) completeOut() error {
	if err := t.completeWay(); err != nil {
		return err
	}
	return t.completeTLS()
}

func (t *Trunk) completeLimits() error {
	switch t.DTMF {
	case "":
		t.DTMF = Auto
	case Auto, Events, Info, Tones:
	default:
		return fmt.Errorf("dtmf %.20q: use auto, rfc4733, info or inband", string(t.DTMF))
	}
	if (t.Username == "") != (t.Password == "") {
		return errors.New("username and password: give both or neither")
	}
	if _, err := identity.Clean(t.Username); err != nil {
		return fmt.Errorf("username: %w", err)
	}
	if t.MaxCalls < 0 {
		return fmt.Errorf("max calls %d: use 0 for no limit, or more", t.MaxCalls)
	}
	if t.RingTimeout < 0 || t.RingTimeout > maxRing {
		return fmt.Errorf("ring timeout %v: use at most %v", t.RingTimeout, maxRing)
	}
	return nil
}

// word tells whether a text has only letters, digits, dots, dashes and
// underscores.
func word(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}) < 0
}

// host tells whether a text can be the host part of a SIP URI.
func host(s string) bool {
	if ip, ok := address(s); ok {
		return ip.Zone() == ""
	}
	return len(s) <= 255 && word(s)
}
