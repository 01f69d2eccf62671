package main

import (
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"axgate/config"
)

// certificate examines the files of the API's certificate.
func (x *patient) certificate() {
	h := &x.cfg.HTTP
	if h.Listen == config.Off || h.Cert == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(h.Cert, h.Key)
	if err != nil {
		x.note(wrong, "http", "set http.cert and http.key to PEM files of a certificate and its key", "%v", err)
		return
	}
	const soon = 14 * 24 * time.Hour
	switch end := pair.Leaf.NotAfter; {
	case time.Now().After(end):
		x.note(wrong, "http", "renew it: a running node takes the new files by itself", "the certificate %s ended on %s", h.Cert, when(end))
	case time.Until(end) < soon:
		x.note(odd, "http", "renew it: a running node takes the new files by itself", "the certificate %s ends on %s", h.Cert, when(end))
	default:
		x.note(fine, "http", "", "the certificate %s holds until %s", h.Cert, when(end))
	}
}

// askHTTP tries a connection to the API of a running node.
func askHTTP(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port())
	}
	conn, err := net.DialTimeout("tcp", at.String(), 2*time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}
