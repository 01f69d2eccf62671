package sip

import (
	"crypto/tls"

	"github.com/rs/zerolog"

	"axgate/certs"
	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// TLS is SIP over TLS as others connect to us. The files are PEM and are read
// again when they change.
type TLS struct {
	Listen    string // host:port; empty: off, trunks are called over TLS all the same
	Cert, Key string // of our certificate
	ClientCA  string // authorities of those who may connect; empty: nobody needs a certificate
	Advertise string // host:port in Via and Contact; empty: the host of Config.Advertise, or the one that is listened on
}

// secure makes of the settings what the wire needs.
func (c *Config) secure(log zerolog.Logger) (wire.Secure, error) {
	var w wire.Secure
	var err error
	if c.TLS.Listen != "" {
		if w.Server, err = c.TLS.server(log); err != nil {
			return w, err
		}
	}
	w.Client, err = hosts(c.Trunks, log)
	return w, err
}

// server is how we prove ourselves to those who connect, and they to us.
func (t *TLS) server(log zerolog.Logger) (*tls.Config, error) {
	pair, err := certs.OpenPair("SIP", t.Cert, t.Key, log)
	if err != nil {
		return nil, err
	}
	usual := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.Server}
	if t.ClientCA == "" {
		return usual, nil
	}
	clients, err := certs.OpenAuthorities("those who connect to SIP", t.ClientCA, log)
	if err != nil {
		return nil, err
	}
	usual.ClientAuth = tls.RequireAndVerifyClientCert
	usual.SessionTicketsDisabled = true // a session that goes on would not see that an authority is gone
	usual.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := usual.Clone()
		now.GetConfigForClient, now.ClientCAs = nil, clients.Pool()
		return now, nil
	}
	return usual, nil
}

// hosts are the trunks that are called over TLS, by their proof, and how each
// proves itself (RFC 5922 section 7); nil if there is none.
func hosts(trunks *trunk.Table, log zerolog.Logger) (func(wire.Peer) *tls.Config, error) {
	known := map[string]func() *tls.Config{}
	for _, t := range trunks.Out() {
		if t.Proof() == "" || known[t.Proof()] != nil {
			continue
		}
		proof, err := proofOfHost(t, log)
		if err != nil {
			return nil, err
		}
		known[t.Proof()] = proof
	}
	if len(known) == 0 {
		return nil, nil
	}
	return func(to wire.Peer) *tls.Config {
		if proof := known[to.Proof]; proof != nil {
			return proof()
		}
		return nil
	}, nil
}

func proofOfHost(t *trunk.Trunk, log zerolog.Logger) (func() *tls.Config, error) {
	usual := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.TLS.Name}
	if t.TLS.Cert != "" {
		pair, err := certs.OpenPair("trunk "+t.Name, t.TLS.Cert, t.TLS.Key, log)
		if err != nil {
			return nil, err
		}
		usual.GetClientCertificate = pair.Client
	}
	if t.TLS.CA == "" {
		return func() *tls.Config { return usual }, nil
	}
	pinned, err := certs.OpenAuthorities("trunk "+t.Name, t.TLS.CA, log)
	if err != nil {
		return nil, err
	}
	return func() *tls.Config {
		now := usual.Clone()
		now.RootCAs = pinned.Pool()
		return now
	}, nil
}
