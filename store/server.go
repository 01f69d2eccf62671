package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// meet looks at the server behind a new connection before anything else uses
// the connection. A Redis that was restarted may have yesterday's keys, a
// replica that took over may lack the last ones; both have another run id than
// the one that is written down in Redis itself.
func (c *Cache) meet(ctx context.Context, cn *redis.Conn) error {
	s, err := c.identify(ctx, cn, !c.prepared.Load())
	if err != nil {
		return err
	}
	if c.knows(s) {
		c.judge(s)
		c.prepared.Store(true)
		return nil
	}
	select {
	case c.dealing <- struct{}{}:
		defer func() { <-c.dealing }()
	case <-ctx.Done():
		return fmt.Errorf("another connection deals with a new Redis: %w", ctx.Err())
	}
	if s, err = c.identify(ctx, cn, true); err != nil || c.knows(s) {
		return err
	}
	// What has begun is to be finished even if the command that wanted the
	// connection gives up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	epoch := c.Epoch() + 1
	if c.cfg.NewServer != nil {
		if epoch, err = c.cfg.NewServer(ctx); err != nil {
			return fmt.Errorf("the Redis at %s is not the one that was known, and a new epoch could not be had: %w", c.cfg.Address, err)
		}
	}
	c.SetEpoch(epoch)
	err = cn.HSet(ctx, serverKey, "run_id", s.id, "epoch", epoch, "since", formatInstant(time.Now())).Err()
	if err != nil {
		return fmt.Errorf("write down which Redis this is: %w", err)
	}
	c.marks.renew()
	c.judge(s)
	c.cfg.Log.Warn().Str("redis", c.cfg.Address).Int64("epoch", epoch).Msg("a Redis that was not known: everything is loaded anew")
	return nil
}

// judge tells the log of a server that must not be used as it is set.
func (c *Cache) judge(s server) {
	if s.evicts != "" {
		c.cfg.Log.Error().Str("redis", c.cfg.Address).Str("maxmemory-policy", s.evicts).
			Msg("Redis throws bindings away when its memory is full, and calls by them are refused then: set maxmemory-policy to noeviction")
	}
}

// server is what a connection shows of the Redis behind it.
type server struct {
	id     string // run id of the process
	noted  string // run id that is written down in it
	epoch  int64  // epoch since when it is believed
	evicts string // by which policy it throws entries away; empty: it does not, or was not asked
}

// knows tells whether the server is the one that is written down. Another
// process may have met it first: its epoch counts then.
func (c *Cache) knows(s server) bool {
	if s.noted == "" || s.noted != s.id {
		return false
	}
	for {
		epoch := c.epoch.Load()
		if epoch >= s.epoch || c.epoch.CompareAndSwap(epoch, s.epoch) {
			return true
		}
	}
}

// identify reads a server's identity, and leaves the scripts there if it may
// not have them. A script that is missing all the same is sent with its call.
func (c *Cache) identify(ctx context.Context, cn *redis.Conn, prepare bool) (server, error) {
	pipe := cn.Pipeline()
	info := pipe.Info(ctx, "server")
	noted := pipe.HMGet(ctx, serverKey, "run_id", "epoch")
	var memory *redis.StringCmd
	if prepare {
		memory = pipe.Info(ctx, "memory")
	}
	for _, text := range c.scripts.texts {
		if prepare { // redis.Script.Load would take the pipeline's missing answer for the script's hash
			pipe.ScriptLoad(ctx, text)
		}
	}
	cmds, _ := pipe.Exec(ctx) // each command has its error
	var s server
	for _, cmd := range cmds {
		err := cmd.Err()
		if cmd.Name() == "info" && err != nil && strings.Contains(err.Error(), "is not supported") {
			continue // the embedded one does not say
		}
		if err != nil {
			return s, fmt.Errorf("prepare a connection to Redis: %s: %w", cmd.Name(), err)
		}
	}
	s.id = told(info.Val(), "run_id")
	if memory != nil {
		if policy := told(memory.Val(), "maxmemory_policy"); policy != "noeviction" && told(memory.Val(), "maxmemory") != "0" {
			s.evicts = policy
		}
	}
	if v := noted.Val(); len(v) == 2 {
		s.noted, _ = v[0].(string)
		text, _ := v[1].(string)
		s.epoch, _ = strconv.ParseInt(text, 10, 64)
	}
	if s.id == "" { // it keeps nothing over a restart, so that its mark is its identity
		s.id = s.noted
	}
	if s.id == "" {
		s.id = uuid.NewString()
	}
	return s, nil
}

// told is what INFO says of something; empty if it does not.
func told(info, what string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), what+":"); ok {
			return value
		}
	}
	return ""
}

// newTickets makes ids of loads: unique and short, for they stand in every
// entry.
func newTickets() func() string {
	prefix := rand.Text()[:8]
	var n atomic.Uint64
	return func() string { return prefix + "-" + strconv.FormatUint(n.Add(1), 36) }
}
