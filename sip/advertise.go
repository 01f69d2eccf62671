package sip

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"axgate/sip/dialog"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// advertise completes how others are told to reach us, where it is not set: by
// the addresses that are listened on.
func (c *Config) advertise(stack *wire.Stack) {
	if c.Advertise == "" {
		addr := stack.UDPAddr()
		if !addr.IsValid() {
			addr = stack.TCPAddr()
		}
		if !addr.IsValid() {
			addr = stack.TLSAddr()
		}
		if addr.Addr().IsUnspecified() {
			addr = netip.AddrPortFrom(c.MediaIP, addr.Port())
		}
		c.Advertise = addr.String()
	}
	if udp, at := stack.UDPAddr(), stack.TCPAddr(); c.TCPAdvertise == "" && udp.IsValid() && at.IsValid() && udp.Port() != at.Port() {
		c.TCPAdvertise = net.JoinHostPort(hostOf(c.Advertise), strconv.Itoa(int(at.Port())))
	}
	if at := stack.TLSAddr(); c.TLS.Advertise == "" && at.IsValid() {
		host := at.Addr().String()
		if at.Addr().IsUnspecified() {
			host = hostOf(c.Advertise)
		}
		c.TLS.Advertise = net.JoinHostPort(host, strconv.Itoa(int(at.Port())))
	}
	if c.Domain == "" {
		c.Domain = hostOf(c.Advertise)
	}
}

// shownFor is our host:port in the messages of a transport.
func (s *Server) shownFor(transport string) string {
	if transport == "TLS" && s.cfg.TLS.Advertise != "" {
		return s.cfg.TLS.Advertise
	}
	if transport == "TCP" && s.cfg.TCPAdvertise != "" {
		return s.cfg.TCPAdvertise
	}
	return s.cfg.Advertise
}

// local is what we say of ourselves in the messages of a leg; user is an X. A
// phone has no trunk.
func (s *Server) local(user, transport string, t *trunk.Trunk) dialog.Local {
	at := s.shownFor(transport)
	contact := sip.Uri{Scheme: "sip", User: user, Host: hostOf(at), Port: portOf(at)}
	if transport != "UDP" {
		contact.UriParams.Add("transport", strings.ToLower(transport))
	}
	return dialog.Local{Contact: contact, SentBy: at, Agent: s.agent(t), Allow: allow}
}
