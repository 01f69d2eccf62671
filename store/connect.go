package store

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"axgate/routing"
)

// Sentinel says which sentinels know who is the master.
type Sentinel struct {
	Addresses []string // host:port
	Master    string   // the name by which they know it
	Username  string   // of the sentinels' own ACL
	Password  string
}

// check names the address that is wrong, and what there is too much of.
func (c *Config) checkAddresses() error {
	all, kinds := []string{c.Address}, 1
	if c.Address == "" {
		all, kinds = nil, 0
	}
	for _, list := range [][]string{c.Cluster, c.Sentinel.Addresses} {
		all = append(all, list...)
		kinds += min(len(list), 1)
	}
	if kinds > 1 {
		return fmt.Errorf("there is more than one of an address, nodes of a cluster, and sentinels: %s", strings.Join(all, ", "))
	}
	for _, a := range all {
		if _, port, err := net.SplitHostPort(a); err != nil || port == "" {
			return fmt.Errorf("the address %q is not host:port, such as 127.0.0.1:6379", a)
		}
	}
	switch {
	case len(all) == 0:
		return fmt.Errorf("the address %q is not host:port, such as 127.0.0.1:6379", c.Address)
	case len(c.Sentinel.Addresses) > 0 && c.Sentinel.Master == "":
		return fmt.Errorf("the sentinels at %s have to be asked for a master by its name", strings.Join(all, ", "))
	case len(c.Cluster) > 0 && c.DB != 0:
		return fmt.Errorf("database %d: a cluster has only 0", c.DB)
	}
	return nil
}

// connect makes the client. It dials nothing.
func (c *Cache) connect() {
	cfg := &c.cfg
	o := &redis.UniversalOptions{
		Addrs: []string{cfg.Address}, Username: cfg.Username, Password: cfg.Password, DB: cfg.DB, PoolSize: cfg.Pool, Dialer: cfg.dial,
		Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true,
		MaxRetries:    -1, // a second try is the ledger's: it is quicker than waiting
		DialerRetries: 1,
		DialTimeout:   max(cfg.Timeout, 500*time.Millisecond), ReadTimeout: cfg.Timeout, WriteTimeout: cfg.Timeout,
	}
	c.where = cfg.Address
	switch {
	case len(cfg.Cluster) > 0:
		o.Addrs, o.IsClusterMode = cfg.Cluster, true
		c.where = "the cluster of " + strings.Join(cfg.Cluster, ", ")
		cluster := o.Cluster()
		cluster.MaxRedirects, cluster.MaxRetries = 3, -1
		cluster.MinRetryBackoff, cluster.MaxRetryBackoff = 4*time.Millisecond, 16*time.Millisecond
		cluster.DisableRoutingPolicies = true // they are for commands that are sent to many nodes; each of ours has its keys
		c.rdb = redis.NewClusterClient(cluster)
	case len(cfg.Sentinel.Addresses) > 0:
		s := &cfg.Sentinel
		o.Addrs, o.MasterName, o.SentinelUsername, o.SentinelPassword = s.Addresses, s.Master, s.Username, s.Password
		c.where = "master " + s.Master + " of the sentinels " + strings.Join(s.Addresses, ", ")
		c.rdb = redis.NewFailoverClient(o.Failover())
	default:
		c.rdb = redis.NewClient(o.Simple())
	}
	for _, h := range cfg.Hooks {
		c.rdb.AddHook(h)
	}
}

// dial makes a connection within the time of ctx.
func (c *Config) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil || c.TLS == nil {
		return conn, err
	}
	secure := c.TLS()
	if secure.ServerName == "" {
		secure.ServerName, _, _ = net.SplitHostPort(addr)
	}
	over := tls.Client(conn, secure)
	if err := over.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS with %s: %w", addr, err)
	}
	return over, nil
}

// cluster is the client of a cluster; nil: there is one server.
func (c *Cache) cluster() *redis.ClusterClient {
	cluster, _ := c.rdb.(*redis.ClusterClient)
	return cluster
}

// clients are those of all masters.
func (c *Cache) clients(ctx context.Context) ([]*redis.Client, error) {
	cluster := c.cluster()
	if cluster == nil {
		return []*redis.Client{c.rdb.(*redis.Client)}, nil
	}
	var mu sync.Mutex
	var all []*redis.Client
	err := cluster.ForEachMaster(ctx, func(_ context.Context, rdb *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, rdb)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the masters of %s: %w", c.where, err)
	}
	return all, nil
}

// Place is the server of a cluster that has X, as far as the client knows; empty
// where there is one server for all.
func (c *Cache) Place(x routing.X) string {
	cluster := c.cluster()
	if cluster == nil || !c.reached.Load() { // to find out would be to wait
		return ""
	}
	ctx, cancel := context.WithTimeout(c.life, c.cfg.Timeout)
	defer cancel()
	rdb, err := cluster.MasterForKey(ctx, numberKey(x))
	if err != nil {
		return ""
	}
	return rdb.Options().Addr
}

// Probe tells whether the server of X answers, and is believed.
func (c *Cache) Probe(ctx context.Context, x routing.X) error {
	_, err := c.run(ctx, "probe the server of", x, c.scripts.release, []string{busyKey(x)}, wholeX, "probe", "")
	return err
}

// Slow is the time beyond which an answer comes so late that to ask the ledger in
// the first place would be quicker.
func (c *Cache) Slow() time.Duration { return c.cfg.Timeout / 2 }

// look has a cluster's client find out anew who has which slots: where a master is
// gone nobody tells it, and by itself it looks every ten seconds.
func (c *Cache) look() {
	if cluster := c.cluster(); cluster != nil {
		cluster.ReloadState(context.Background())
	}
}

// Address is where Redis is to be found.
func (c *Cache) Address() string { return c.where }
