package node

import (
	"crypto/tls"
	"fmt"

	"github.com/rs/zerolog"

	"axgate/certs"
	"axgate/config"
	"axgate/store"
)

func storeConfig(c *config.Config, log zerolog.Logger) (store.Config, error) {
	r := &c.Redis
	s := store.Config{Address: r.Address, Cluster: r.Cluster, Username: r.Username, Password: r.Password, DB: r.DB,
		Sentinel: store.Sentinel{Addresses: r.Sentinels, Master: r.SentinelMaster, Username: r.SentinelUsername, Password: r.SentinelPassword},
		Node:     c.Node, Timeout: r.Timeout, Lease: r.Lease, Pool: r.Pool, Log: log}
	if r.Inside() {
		s.Address, s.DB = r.Embedded, 0
	}
	if !r.TLS {
		return s, nil
	}
	var err error
	s.TLS, err = redisTLS(r, log)
	return s, err
}

// redisTLS is how each new connection is secured: by the files as they are then.
func redisTLS(r *config.Redis, log zerolog.Logger) (func() *tls.Config, error) {
	usual := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: r.TLSName}
	if r.TLSCert != "" {
		pair, err := certs.OpenPair("Redis", r.TLSCert, r.TLSKey, log)
		if err != nil {
			return nil, fmt.Errorf("redis.tls_cert: %w", err)
		}
		usual.GetClientCertificate = pair.Client
	}
	if r.TLSCA == "" {
		return usual.Clone, nil
	}
	pinned, err := certs.OpenAuthorities("Redis", r.TLSCA, log)
	if err != nil {
		return nil, fmt.Errorf("redis.tls_ca: %w", err)
	}
	return func() *tls.Config {
		now := usual.Clone()
		now.RootCAs = pinned.Pool()
		return now
	}, nil
}
