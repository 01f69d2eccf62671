package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"axgate/config"
	"axgate/node"
)

// network examines the ports: a running node has to answer on them, else they
// have to be free.
func (x *patient) network(r node.Running, running bool) {
	x.certificates()
	if running {
		x.note(fine, "node", "", "%s runs since %s as process %d", r.Node, when(r.Since), r.PID)
		if r.UDP != "" && len(x.cfg.Registrar.Accounts) > 0 { // without accounts only trunks are answered
			if err := askOptions(r.UDP); err != nil {
				x.note(odd, "sip", "look at its log; a firewall may be in the way", "%s does not answer OPTIONS: %v", r.UDP, err)
			} else {
				x.note(fine, "sip", "", "%s answers OPTIONS", r.UDP)
			}
		}
		x.health(r)
		if r.HTTP != "" {
			if err := askHTTP(r.HTTP); err != nil {
				x.note(odd, "http", "look at its log; a firewall may be in the way", "%s takes no connection: %v", r.HTTP, err)
			} else {
				x.note(fine, "http", "", "%s takes connections", r.HTTP)
			}
		}
		return
	}
	x.note(fine, "node", "", "none runs on this data directory")
	for _, l := range []struct{ part, network, address, key string }{
		{"sip", "udp", x.cfg.SIP.UDP, "sip.udp"}, {"sip", "tcp", x.cfg.SIP.TCP, "sip.tcp"}, {"sip", "tcp", x.cfg.SIP.TLS, "sip.tls"},
		{"http", "tcp", x.cfg.HTTP.Listen, "http.listen"},
	} {
		if l.address == config.Off {
			continue
		}
		if err := canListen(l.network, l.address); err != nil {
			x.note(wrong, l.part, cure(err, l.key), "%v", err)
		} else {
			x.note(fine, l.part, "", "%s %s is free", l.network, l.address)
		}
	}
	if x.cfg.Redis.Inside() {
		if err := canListen("tcp", x.cfg.Redis.Embedded); err != nil {
			x.note(wrong, "redis", cure(err, "redis.embedded"), "the embedded Redis cannot listen on %s: %v", x.cfg.Redis.Embedded, err)
		}
	}
	x.media()
}

// cure is what to do where a key names an address that cannot be listened on.
func cure(err error, key string) string {
	if isInUse(err) {
		return "end the program that has it, or change " + key
	}
	return "set " + key + " to an address of this machine"
}

// media tries the first RTP ports.
func (x *patient) media() {
	ip, err := node.MediaAddress(&x.cfg)
	if err != nil {
		x.note(wrong, "media", "set media.ip", "%v", err)
		return
	}
	first, last, err := x.cfg.Media.PortRange()
	if err != nil { // the configuration was checked
		return
	}
	busy := 0
	const most = 200
	tried := min(int(last)-int(first)+1, most)
	for port := first; port < first+uint16(tried); port++ {
		switch err := canListen("udp", netip.AddrPortFrom(ip, port).String()); {
		case isInUse(err):
			busy++
		case err != nil:
			x.note(wrong, "media", "set media.ip to an address of this machine", "%v", err)
			return
		}
	}
	if busy > tried/2 {
		x.note(odd, "media", "set media.ports to a range that nobody else uses", "of the first %d ports from %d on, %d are in use", tried, first, busy)
		return
	}
	x.note(fine, "media", "", "%s, RTP ports %s", ip, x.cfg.Media.Ports)
}

func canListen(network, address string) error {
	if network == "tcp" {
		l, err := net.Listen(network, address)
		if err != nil {
			return err
		}
		return l.Close()
	}
	c, err := net.ListenPacket(network, address)
	if err != nil {
		return err
	}
	return c.Close()
}

// askOptions sends a SIP OPTIONS and waits for any answer.
func askOptions(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("the address: %w", err)
	}
	if at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port())
	}
	var d net.Dialer
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	conn, err := d.DialContext(ctx, "udp", at.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	me, id := conn.LocalAddr(), time.Now().UnixNano()
	_, err = fmt.Fprintf(conn, "OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[3]d;rport\r\nFrom: <sip:doctor@%[2]s>;tag=%[3]d\r\nTo: <sip:%[1]s>\r\n"+
		"Call-ID: %[3]d@doctor\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", at, me, id)
	if err == nil {
		err = conn.SetReadDeadline(time.Now().Add(time.Second))
	}
	if err == nil {
		_, err = conn.Read(make([]byte, 2048))
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("no answer within a second")
	}
	return err
}

// isInUse tells whether an error is that another program has the port.
func isInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
