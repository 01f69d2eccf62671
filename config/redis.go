package config

import (
	"net"
	"net/netip"
	"time"
)

// Redis is the binding cache.
type Redis struct {
	Address   string   `key:"address" help:"host:port of a Redis; empty, and neither cluster nor sentinels: the embedded one"`
	Cluster   []string `key:"cluster" help:"host:port of nodes of a Redis Cluster, in place of address; two or three are enough, they know the others"`
	Sentinels []string `key:"sentinels" help:"host:port of Redis Sentinels, in place of address: they know who is the master"`
	Embedded  string   `key:"embedded" help:"loopback host:port where the embedded one listens"`

	SentinelMaster   string `key:"sentinel_master" help:"with sentinels, the name by which they know the master"`
	SentinelUsername string `key:"sentinel_username" help:"with sentinels, of their own ACL; empty: their default user"`
	SentinelPassword string `key:"sentinel_password" secret:"true" help:"with sentinels, theirs; empty: they need none"`

	Username string `key:"username" help:"of its ACL; empty: the default user"`
	Password string `key:"password" secret:"true" help:"empty: none is needed"`
	DB       int    `key:"db" help:"number of the database; 0 in a cluster"`

	TLS     bool   `key:"tls" help:"true: it, and sentinels, are reached over TLS"`
	TLSName string `key:"tls_name" help:"with tls, the name that their certificates have to have; empty: the host of each address"`
	TLSCA   string `key:"tls_ca" help:"with tls, PEM file of the only authorities that their certificates may be of, read again when it changes; empty: those of the system"`
	TLSCert string `key:"tls_cert" help:"with tls, PEM file of the certificate that we show them, read again when it changes; empty: none"`
	TLSKey  string `key:"tls_key" help:"with tls, PEM file of that certificate's key"`

	Timeout time.Duration `key:"timeout" help:"of one command; after it the ledger is asked"`
	Lease   time.Duration `key:"lease" help:"how long a busy mark outlives its node; the same on all nodes"`
	Upkeep  time.Duration `key:"upkeep" help:"pause between two rounds through all X, which load those that the cache lacks and read anew those whose version is not the ledger's; 0: no rounds"`
	Compare time.Duration `key:"compare" help:"pause between two rounds that compare what each bound number would come to by cache and ledger, and repair what differs; 0: no rounds"`
	Pool    int           `key:"pool" help:"connections, in a cluster to each node; 0: by the number of processors"`
}

// Inside tells whether the embedded one is used.
func (r *Redis) Inside() bool {
	return r.Address == "" && len(r.Cluster) == 0 && len(r.Sentinels) == 0
}

func (k *checker) redis(c *Config) {
	r := &c.Redis
	if r.Address != "" {
		k.hostPort("redis.address", r.Address)
	}
	for i, a := range r.Cluster {
		k.hostPort(at("redis.cluster", i), a)
	}
	for i, a := range r.Sentinels {
		k.hostPort(at("redis.sentinels", i), a)
	}
	k.redisKind(r)
	k.hostPort("redis.embedded", r.Embedded)
	if host, _, err := net.SplitHostPort(r.Embedded); err == nil {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
			k.wrong("redis.embedded", "%.80q: use a loopback address, such as 127.0.0.1:6380", r.Embedded)
		}
	}
	k.redisTLS(r)
	k.count("redis.db", r.DB, 0, 1_000_000)
	k.count("redis.pool", r.Pool, 0, 10_000)
	k.span("redis.timeout", r.Timeout, time.Millisecond, 10*time.Second)
	k.span("redis.lease", r.Lease, time.Second, 10*time.Minute)
	k.span("redis.upkeep", r.Upkeep, 0, 24*time.Hour)
	k.span("redis.compare", r.Compare, 0, 24*time.Hour)
	if c.Ledger.Driver == "postgres" && r.Inside() {
		k.wrong("redis.address", "it, redis.cluster or redis.sentinels is needed with PostgreSQL: nodes that share a ledger have to share the cache, or one would route what another has unbound")
	}
}

// redisKind checks that one kind of Redis is named, and what belongs to it.
func (k *checker) redisKind(r *Redis) {
	switch {
	case r.Address != "" && len(r.Cluster) > 0:
		k.wrong("redis.cluster", "there is redis.address too: use one of them")
	case r.Address != "" && len(r.Sentinels) > 0:
		k.wrong("redis.sentinels", "there is redis.address too: use one of them")
	case len(r.Cluster) > 0 && len(r.Sentinels) > 0:
		k.wrong("redis.sentinels", "there is redis.cluster too: use one of them")
	}
	if len(r.Cluster) > 0 && r.DB != 0 {
		k.wrong("redis.db", "%d: a cluster has only 0", r.DB)
	}
	if len(r.Sentinels) > 0 && r.SentinelMaster == "" {
		k.wrong("redis.sentinel_master", "it is empty: use the name by which the sentinels know the master, such as mymaster")
	}
	if len(r.Sentinels) == 0 {
		for _, of := range []struct{ key, value string }{
			{"sentinel_master", r.SentinelMaster}, {"sentinel_username", r.SentinelUsername}, {"sentinel_password", r.SentinelPassword},
		} {
			if of.value != "" {
				k.wrong("redis."+of.key, "there are no redis.sentinels")
			}
		}
	}
}

func (k *checker) redisTLS(r *Redis) {
	if (r.TLSCert == "") != (r.TLSKey == "") {
		k.wrong("redis.tls_cert", "it and redis.tls_key go together")
	}
	if r.TLS && r.Inside() {
		k.wrong("redis.tls", "the embedded Redis has no TLS")
	}
	if r.TLSName != "" && !domain(r.TLSName) {
		k.wrong("redis.tls_name", "%.80q: use a host name or an IP address", r.TLSName)
	}
	if r.TLS {
		return
	}
	for _, of := range []struct{ key, value string }{{"tls_name", r.TLSName}, {"tls_ca", r.TLSCA}, {"tls_cert", r.TLSCert}, {"tls_key", r.TLSKey}} {
		if of.value != "" {
			k.wrong("redis."+of.key, "redis.tls is false: set it, or leave %s out", of.key)
		}
	}
}
