package store

import (
	"fmt"
	"net"
	"sync"
	"time"

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
	cfg.Address = m.Addr()
	c, err := Open(cfg)
	if err != nil {
		m.Close()
		return nil, err
	}
	stop := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() { expire(m, 10*time.Second, stop) })
	c.after = func() {
		close(stop)
		ended.Wait()
		m.Close()
	}
	return c, nil
}

// expire lets keys expire by the clock. miniredis would do so by itself
// (ClockTTL), but at each command it sorts all keys for that. Nothing depends
// on when it happens: what has run out says so in itself.
func expire(m *miniredis.Miniredis, pace time.Duration, stop <-chan struct{}) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-stop:
			return
		case <-tick.C:
			now := time.Now()
			m.FastForward(now.Sub(last))
			last = now
		}
	}
}
