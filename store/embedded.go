package store

import (
	"fmt"
	"net"

	"github.com/alicebob/miniredis/v2"
)

// OpenEmbedded starts a Redis inside the process, for labs and single small
// nodes, and opens the cache on it. It listens on cfg.Address, so that
// redis-cli can look at it; the address has to be a loopback one, since
// nothing but the password protects it. Port 0 takes a free one; Address
// tells.
func OpenEmbedded(cfg Config) (*Cache, error) {
	host, _, err := net.SplitHostPort(cfg.Address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("open the embedded Redis: the address %q is not a loopback one, such as 127.0.0.1:6379", cfg.Address)
	}
	m := miniredis.NewMiniRedis()
	if cfg.Username != "" {
		m.RequireUserAuth(cfg.Username, cfg.Password)
	} else if cfg.Password != "" {
		m.RequireAuth(cfg.Password)
	}
	if err := m.StartAddr(cfg.Address); err != nil {
		return nil, fmt.Errorf("open the embedded Redis on %s: %w", cfg.Address, err)
	}
	m.ClockTTL(true) // keys expire by the clock
	cfg.Address = m.Addr()
	c, err := Open(cfg)
	if err != nil {
		m.Close()
		return nil, err
	}
	c.after = m.Close
	return c, nil
}

// Address is where Redis listens.
func (c *Cache) Address() string { return c.cfg.Address }
