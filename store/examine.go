package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Examined is how a master of the cache is set and how it is.
type Examined struct {
	Address   string
	Version   string
	Believed  bool          // by the ledger
	Policy    string        // maxmemory-policy
	MaxMemory int64         // bytes; 0: no limit
	Memory    int64         // bytes in use
	Replicas  int           // that are in step with it
	Keeps     bool          // it writes its keys to a disk (append-only file)
	Ahead     time.Duration // of this machine's clock
	State     string        // cluster_state; empty: it is none of a cluster
	Slots     int           // of the cluster that have a master
}

// Examine looks at every master. The embedded one does not say how it is set.
func (c *Cache) Examine(ctx context.Context) (all []Examined, err error) {
	list, err := c.clients(ctx)
	if err != nil {
		return nil, err
	}
	for _, rdb := range list {
		e, failed := c.examine(ctx, rdb)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		all = append(all, e)
	}
	return all, err
}

func (c *Cache) examine(ctx context.Context, rdb *redis.Client) (Examined, error) {
	e := Examined{Address: rdb.Options().Addr}
	if c.cluster() == nil {
		e.Address = c.where
	}
	ctx, cancel := context.WithTimeout(ctx, max(c.cfg.Timeout, time.Second))
	defer cancel()
	pipe := rdb.Pipeline()
	who := pipe.Eval(ctx, c.scripts.who, nil)
	info := pipe.Info(ctx)
	clock := pipe.Time(ctx)
	var cluster *redis.StringCmd
	if c.cluster() != nil {
		cluster = pipe.ClusterInfo(ctx)
	}
	begun := time.Now()
	if _, err := pipe.Exec(ctx); err != nil {
		return e, fmt.Errorf("examine the Redis at %s: %w", e.Address, err)
	}
	took := time.Since(begun)
	term, _, err := signed(who.Val())
	if err != nil {
		return e, fmt.Errorf("examine the Redis at %s: %w", e.Address, err)
	}
	number := func(text string) int64 { n, _ := strconv.ParseInt(text, 10, 64); return n } // what is not said is 0
	e.Believed = c.believes(term)
	e.Version, e.Policy = told(info.Val(), "redis_version"), told(info.Val(), "maxmemory_policy")
	e.MaxMemory, e.Memory = number(told(info.Val(), "maxmemory")), number(told(info.Val(), "used_memory"))
	e.Replicas, e.Keeps = int(number(told(info.Val(), "connected_slaves"))), told(info.Val(), "aof_enabled") == "1"
	e.Ahead = clock.Val().Sub(begun.Add(took / 2))
	if cluster != nil {
		e.State, e.Slots = told(cluster.Val(), "cluster_state"), int(number(told(cluster.Val(), "cluster_slots_ok")))
	}
	return e, nil
}

// ExamineSentinels asks each Sentinel for the master: the error of each that does not
// name one, by address. Without Sentinels there are none.
func (c *Cache) ExamineSentinels(ctx context.Context) map[string]error {
	all := map[string]error{}
	for _, at := range c.cfg.Sentinel.Addresses {
		s := redis.NewSentinelClient(&redis.Options{Addr: at, Username: c.cfg.Sentinel.Username, Password: c.cfg.Sentinel.Password, Dialer: c.cfg.dial,
			Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ReadTimeout: time.Second})
		_, err := s.GetMasterAddrByName(ctx, c.cfg.Sentinel.Master).Result()
		if errors.Is(err, redis.Nil) {
			err = fmt.Errorf("it knows no master %q", c.cfg.Sentinel.Master)
		}
		all[at] = errors.Join(err, s.Close())
	}
	return all
}
