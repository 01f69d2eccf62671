package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"axgate/certs"
	"axgate/config"
)

// certificates examines the files of all certificates that we show.
func (x *patient) certificates() {
	if h := &x.cfg.HTTP; h.Listen != config.Off && h.Cert != "" {
		x.certificate("http", "http.cert", "http.key", h.Cert, h.Key)
	}
	if s := &x.cfg.SIP; s.TLS != config.Off && s.TLSCert != "" {
		x.certificate("sip", "sip.tls_cert", "sip.tls_key", s.TLSCert, s.TLSKey)
		x.authorities("sip.tls_client_ca", s.TLSClientCA)
	}
	for i := range x.cfg.Trunks {
		t, key := &x.cfg.Trunks[i], fmt.Sprintf("trunks[%d].", i)
		if t.TLSCert != "" {
			x.certificate("sip", key+"tls_cert", key+"tls_key", t.TLSCert, t.TLSKey)
		}
		x.authorities(key+"tls_ca", t.TLSCA)
	}
}

func (x *patient) certificate(part, certKey, keyKey, cert, key string) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		x.note(wrong, part, "set "+certKey+" and "+keyKey+" to PEM files of a certificate and its key", "%v", err)
		return
	}
	const soon = 14 * 24 * time.Hour
	switch end := pair.Leaf.NotAfter; {
	case time.Now().After(end):
		x.note(wrong, part, "renew it: a running node takes the new files by itself", "the certificate %s ended on %s", cert, when(end))
	case time.Until(end) < soon:
		x.note(odd, part, "renew it: a running node takes the new files by itself", "the certificate %s ends on %s", cert, when(end))
	default:
		x.note(fine, part, "", "the certificate %s holds until %s", cert, when(end))
	}
}

// authorities examines a file of those that certificates are traced to.
func (x *patient) authorities(key, file string) {
	if file == "" {
		return
	}
	if _, err := certs.OpenAuthorities("SIP", file, zerolog.Nop()); err != nil {
		x.note(wrong, "sip", "set "+key+" to a PEM file of certificates", "%v", err)
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
