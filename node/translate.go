package node

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"

	"axgate/config"
	"axgate/ledger"
	"axgate/media"
	"axgate/routing"
	"axgate/sip"
	"axgate/sip/identity"
	"axgate/sip/sdp"
	"axgate/sip/trunk"
	"axgate/sip/wire"
	"axgate/vault"
)

// Check brings a configuration into the forms that the parts need, as Open
// does, and tells all that is wrong with it.
func Check(c *config.Config) error {
	_, planErr := plan(&c.Plan)
	_, trunkErr := trunks(c.Trunks)
	_, _, mediaErr := mediaConfig(c)
	return errors.Join(planErr, trunkErr, mediaErr)
}

// plan is the number plan; what a Chinese one leaves out is ChinaPlan's.
func plan(p *config.Plan) (routing.Plan, error) {
	out := routing.Plan{Country: p.Country, National: p.National, International: p.International,
		Mobile: patterns(p.Mobile), Areas: patterns(p.Areas), Local: patterns(p.Local),
		Service: patterns(p.Service), Emergency: patterns(p.Emergency), Premium: patterns(p.Premium), X: patterns(p.X)}
	for _, a := range p.Abroad {
		out.Abroad = append(out.Abroad, routing.Abroad{Code: a.Code, Mobile: patterns(a.Mobile), Fixed: patterns(a.Fixed)})
	}
	if china := routing.ChinaPlan(); p.Country == china.Country {
		complete(&out, &china)
	}
	if err := out.Validate(); err != nil {
		return out, fmt.Errorf("plan.%w", err)
	}
	return out, nil
}

func complete(p, with *routing.Plan) {
	if p.National == "" {
		p.National = with.National
	}
	if p.International == "" {
		p.International = with.International
	}
	for _, l := range []struct{ list, usual *[]routing.Pattern }{
		{&p.Mobile, &with.Mobile}, {&p.Areas, &with.Areas}, {&p.Local, &with.Local},
		{&p.Service, &with.Service}, {&p.Emergency, &with.Emergency}, {&p.X, &with.X},
	} {
		if len(*l.list) == 0 {
			*l.list = *l.usual
		}
	}
}

func patterns(list []string) []routing.Pattern {
	out := make([]routing.Pattern, len(list))
	for i, p := range list {
		out[i] = routing.Pattern(p)
	}
	return out
}

// trunks makes the table of carriers.
func trunks(list []config.Trunk) (*trunk.Table, error) {
	var all []trunk.Trunk
	var wrong []error
	for i := range list {
		t, err := oneTrunk(&list[i])
		if err != nil {
			wrong = append(wrong, fmt.Errorf("trunks[%d].%w", i, err))
			continue
		}
		all = append(all, t)
	}
	table, err := trunk.New(all)
	if err != nil {
		wrong = append(wrong, fmt.Errorf("trunks: %w", err))
	}
	return table, errors.Join(wrong...)
}

func oneTrunk(c *config.Trunk) (trunk.Trunk, error) {
	t := trunk.Trunk{
		Name: c.Name, Transport: c.Transport, Rule: identity.Rule{Trusted: c.TrustedIdentity},
		CalleeFormat: routing.Format(c.CalleeFormat), FromFormat: routing.Format(c.FromFormat), FromDomain: c.FromDomain,
		SendPAI: c.SendPAI, SendPPI: c.SendPPI, Hide: c.Hide, Username: c.Username, Password: c.Password,
		NATMedia: c.NATMedia, Codecs: c.Codecs, DTMF: trunk.DTMF(c.DTMF), MaxCalls: c.MaxCalls, RingTimeout: c.RingTimeout,
		Texts: trunk.Texts{Form: trunk.TextForm(c.SMS), Role: trunk.TextRole(c.SMSRole), Center: c.SMSCenter, PSI: c.SMSPSI},
	}
	t.Headers = trunkHeaders(&c.TrunkHeaders)
	t.Early = trunkEarly(&c.TrunkEarly)
	t.Enrol, t.Auth = trunkEnrol(&c.TrunkEnrol), trunkAuth(&c.TrunkAuth)
	t.Timer, t.Hold = trunkTalk(&c.TrunkTalk)
	var err error
	if t.Numbers, err = trunkNumbers(&c.TrunkNumbers); err != nil {
		return t, err
	}
	if t.Security, err = sdp.SecurityNamed(c.Security); err != nil {
		return t, err
	}
	if t.Media, err = trunkMedia(&c.TrunkMedia); err != nil {
		return t, err
	}
	for _, s := range c.IdentitySource {
		t.Rule.Sources = append(t.Rule.Sources, identity.Source(s))
	}
	for _, p := range c.Peers {
		peer, err := trunk.ParsePeer(p)
		if err != nil {
			return t, fmt.Errorf("peers: %w", err)
		}
		t.Peers = append(t.Peers, peer)
	}
	t.TLS = trunk.TLS{Name: c.TLSName, CA: c.TLSCA, Cert: c.TLSCert, Key: c.TLSKey}
	return t, trunkWay(&t, c)
}

// mediaConfig also gives the address that stands in SDP.
func mediaConfig(c *config.Config) (media.Config, netip.Addr, error) {
	m := media.Config{Workers: c.Media.Workers, LatchWindow: c.Media.Latch, Quarantine: c.Media.Quarantine, Inactive: c.Media.Inactive}
	var err error
	if m.PortMin, m.PortMax, err = c.Media.PortRange(); err != nil {
		return m, netip.Addr{}, fmt.Errorf("media.ports: %w", err)
	}
	if c.Media.IP == "" {
		m.IP, err = ownAddress(c.SIP.UDP, c.SIP.TCP, c.SIP.TLS)
	} else {
		m.IP, err = netip.ParseAddr(c.Media.IP)
	}
	if err != nil {
		return m, netip.Addr{}, fmt.Errorf("media.ip: %w", err)
	}
	shown := m.IP
	if c.Media.Advertise != "" {
		if shown, err = netip.ParseAddr(c.Media.Advertise); err != nil {
			return m, shown, fmt.Errorf("media.advertise: %w", err)
		}
	}
	return m, shown, nil
}

// ownAddress is the first listen address that names one address, else the
// address that packets to the default route come from.
func ownAddress(listen ...string) (netip.Addr, error) {
	for _, l := range listen {
		if at, err := netip.ParseAddrPort(l); err == nil && !at.Addr().IsUnspecified() {
			return at.Addr(), nil
		}
	}
	conn, err := net.Dial("udp4", "192.0.2.1:9") // RFC 5737: nothing is sent
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil // no network: a lab
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr(), nil
}

func sipConfig(c *config.Config) sip.Config {
	off := func(address string) string {
		if address == config.Off {
			return ""
		}
		return address
	}
	return sip.Config{
		Node: c.Node, UDP: off(c.SIP.UDP), TCP: off(c.SIP.TCP), Advertise: c.SIP.Advertise, TCPAdvertise: c.SIP.TCPAdvertise, Domain: c.SIP.Domain, DNS: c.SIP.DNS, Agent: c.SIP.Agent,
		TLS:    sip.TLS{Listen: off(c.SIP.TLS), Cert: c.SIP.TLSCert, Key: c.SIP.TLSKey, ClientCA: c.SIP.TLSClientCA, Advertise: c.SIP.TLSAdvertise},
		Codecs: c.Media.Codecs, MaxCalls: c.SIP.MaxCalls, MaxCPS: c.SIP.MaxCPS,
		RingTimeout: c.SIP.RingTimeout, RingbackIn: c.SIP.RingbackAfter, PromptCap: c.SIP.PromptLimit,
		FirstDigit: c.SIP.FirstDigit, InterDigit: c.SIP.InterDigit, Digits: c.SIP.Digits, WrongDelay: c.Guard.WrongDelay,
		RecordDir: RecordDir(c), MinTalk: c.Recording.MinTalk, RetryAfter: c.SIP.RetryAfter, T1: c.SIP.T1,
		Flood: wire.Flood{Rate: float64(c.SIP.FloodRate), Burst: c.SIP.FloodBurst, Refusals: c.SIP.FloodRefusals, Ban: c.SIP.FloodBan},
	}
}

// RecordDir is the directory of the recordings.
func RecordDir(c *config.Config) string {
	if c.Recording.Dir != "" {
		return c.Recording.Dir
	}
	return filepath.Join(c.Data, "recordings")
}

// PromptDir is the directory of the prompts that apps uploaded.
func PromptDir(c *config.Config) string { return filepath.Join(c.Data, "prompts") }

// LedgerFile is the file of an SQLite ledger; empty: it is elsewhere.
func LedgerFile(c *config.Config) string {
	if l := ledgerConfig(c); l.Driver == "sqlite" {
		return l.Path
	}
	return ""
}

// keyRing is the keys that encrypt at rest; nil: none.
func keyRing(c *config.Config) (*vault.Ring, error) {
	r, err := vault.OpenRing(c.Keys.File, c.Keys.Ring)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return r, nil
}

func ledgerConfig(c *config.Config) ledger.Config {
	l := ledger.Config{Driver: c.Ledger.Driver, Path: c.Ledger.Path, DSN: c.Ledger.DSN}
	if l.Path == "" {
		l.Path = filepath.Join(c.Data, "axgate.db")
	}
	return l
}

// JournalDir is the directory of the node's own record of its calls.
func JournalDir(c *config.Config) string {
	if c.Journal.Dir != "" {
		return c.Journal.Dir
	}
	return filepath.Join(c.Data, "journal")
}

// hostName is the right part of sessionIds: our host as peers know it.
func hostName(c *config.Config, shown netip.Addr) string {
	if c.SIP.Domain != "" {
		return c.SIP.Domain
	}
	if host, _, err := net.SplitHostPort(c.SIP.Advertise); err == nil && host != "" {
		return strings.Trim(host, "[]")
	}
	return shown.String()
}

// MediaAddress is the local address of RTP.
func MediaAddress(c *config.Config) (netip.Addr, error) {
	m, _, err := mediaConfig(c)
	return m.IP, err
}
