package wire

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// link is what a transaction writes to. It outlives the transaction.
type link interface{ write(raw []byte) error }

// connection finds what reaches a peer that sent us something.
func (s *Stack) connection(from Peer, to netip.AddrPort) (link, error) {
	if from.Transport == "UDP" {
		return &udpLink{socket: s.udp, to: to}, nil
	}
	t := s.stream(from.Transport)
	if t == nil {
		return nil, fmt.Errorf("no %s side", from.Transport)
	}
	c := t.find(from)
	if c == nil {
		return nil, fmt.Errorf("connection of %s is closed", from.Addr)
	}
	return c, nil
}

// dial finds or makes what reaches a peer that we send a request to.
func (s *Stack) dial(ctx context.Context, to Peer) (link, error) {
	if to.Transport == "UDP" {
		if s.udp == nil {
			return nil, errors.New("no UDP socket: set sip.udp")
		}
		return &udpLink{socket: s.udp, to: to.Addr}, nil
	}
	t := s.stream(to.Transport)
	if t == nil {
		return nil, fmt.Errorf("no %s side: set sip.%s", to.Transport, strings.ToLower(to.Transport))
	}
	return t.dial(ctx, to)
}

// stream is the side of a transport with connections; nil if there is none.
func (s *Stack) stream(transport string) *tcpSide {
	if transport == "TLS" {
		return s.tls
	}
	return s.tcp
}

func (s *Stack) streams() []*tcpSide {
	var all []*tcpSide
	for _, t := range []*tcpSide{s.tcp, s.tls} {
		if t != nil {
			all = append(all, t)
		}
	}
	return all
}
