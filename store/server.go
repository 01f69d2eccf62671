package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNotBelieved tells that the server that answered is not one of those that
// the ledger names. Soon it is, if it may be.
var ErrNotBelieved = errors.New("this Redis is not believed yet")

// admission is how servers come to be believed.
type admission struct {
	one  chan struct{} // who holds it looks for new servers
	next atomic.Int64  // when that may be tried again, in ns since 1970
	ill  atomic.Bool   // the log was told of a failure
}

const (
	admitPause   = 250 * time.Millisecond // between two tries
	admitMost    = 16 * time.Second       // a try may take: other nodes have to hear of it
	admitLooks   = 10                     // for a server that the client does not know yet
	admitLookGap = 200 * time.Millisecond
)

// admitSoon has the server of a term believed, behind whoever met it.
func (c *Cache) admitSoon(term string) {
	now := time.Now().UnixNano()
	next := c.admission.next.Load()
	if now < next || !c.admission.next.CompareAndSwap(next, now+int64(admitPause)) || !c.begin() {
		return
	}
	go func() {
		defer c.tends.Done()
		ctx, cancel := context.WithTimeout(c.life, admitMost)
		defer cancel()
		err := c.admit(ctx, term)
		if err != nil && c.life.Err() == nil && !c.admission.ill.Swap(true) {
			c.cfg.Log.Error().Err(err).Msg("a Redis that was not known cannot be used yet: calls go by the ledger")
		}
		if err == nil {
			c.admission.ill.Store(false)
		}
	}()
}

// admit has all masters believed that are not. term is one that has answered;
// empty: none has yet.
func (c *Cache) admit(ctx context.Context, term string) error {
	select {
	case c.admission.one <- struct{}{}:
		defer func() { <-c.admission.one }()
	case <-ctx.Done():
		return fmt.Errorf("wait for another look at new servers: %w", ctx.Err())
	}
	for look := 1; ; look++ {
		found, err := c.masters(ctx)
		for i := range found {
			err = errors.Join(err, c.meet(ctx, &found[i]))
		}
		if err != nil || term == "" || c.believes(term) || look == admitLooks || c.cluster() == nil {
			return err
		}
		select { // the client has not heard yet who has the slots
		case <-time.After(admitLookGap):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// meet has a server believed, unless it is.
func (c *Cache) meet(ctx context.Context, s *met) error {
	if s.evicts != "" {
		c.cfg.Log.Error().Str("redis", s.at).Str("maxmemory-policy", s.evicts).
			Msg("Redis throws bindings away when its memory is full, and calls by them are refused then: set maxmemory-policy to noeviction")
	}
	if c.believes(s.Term) {
		return nil
	}
	v, err := c.registry.View(ctx) // another process may have met it
	if err == nil {
		c.SetView(v)
	}
	if err != nil || c.believes(s.Term) {
		return err
	}
	if v, err = c.registry.Fence(ctx, s.Server); err == nil {
		c.SetView(v)
		if v, err = c.registry.Believe(ctx, s.Server); err == nil {
			c.SetView(v)
		}
	}
	if err != nil {
		return fmt.Errorf("have the Redis at %s believed: %w", s.at, err)
	}
	c.marks.renew()
	c.cfg.Log.Warn().Str("redis", s.at).Str("term", s.Term).Int64("mark", v.Mark).Msg("a Redis that was not known: what it has is loaded anew")
	return nil
}

// met is a server that was met.
type met struct {
	Server
	at     string // host:port
	evicts string // by which policy it throws entries away; empty: it does not
}

// masters are all masters as the client knows them now. They have the scripts from
// then on. Those that do not answer are left out, and the error tells.
func (c *Cache) masters(ctx context.Context) (all []met, err error) {
	list, err := c.clients(ctx)
	for _, rdb := range list {
		within, cancel := context.WithTimeout(ctx, max(c.cfg.Timeout, time.Second))
		s, failed := c.identify(within, rdb)
		cancel()
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		all = append(all, s)
	}
	return all, err
}

// identify asks a server who it is, and leaves the scripts there.
func (c *Cache) identify(ctx context.Context, rdb *redis.Client) (met, error) {
	at := c.where
	if c.cluster() != nil {
		at = rdb.Options().Addr
	}
	s := met{Server: Server{Home: at}, at: at}
	pipe := rdb.Pipeline()
	who := pipe.Eval(ctx, c.scripts.who, nil)
	memory := pipe.Info(ctx, "memory")
	var nodes *redis.StringCmd
	if c.cluster() != nil {
		nodes = pipe.ClusterNodes(ctx)
	}
	for _, text := range c.scripts.texts { // redis.Script.Load would take the pipeline's missing answer for the script's hash
		pipe.ScriptLoad(ctx, text)
	}
	cmds, failed := pipe.Exec(ctx)
	for _, cmd := range cmds { // each has its error
		if err := cmd.Err(); err != nil && (cmd != redis.Cmder(memory) || !strings.Contains(err.Error(), "is not supported")) {
			return s, fmt.Errorf("ask the Redis at %s who it is: %s: %w", at, cmd.Name(), err)
		}
	}
	var err error
	if s.Term, _, err = signed(who.Val()); err != nil {
		if failed != nil {
			err = failed // there was no connection
		}
		return s, fmt.Errorf("ask the Redis at %s who it is: %w", at, err)
	}
	if policy := told(memory.Val(), "maxmemory_policy"); policy != "noeviction" && told(memory.Val(), "maxmemory") != "0" {
		s.evicts = policy
	}
	if nodes != nil {
		if s.Home, s.Masters = slotHolders(nodes.Val()); s.Home == "" {
			return s, fmt.Errorf("the Redis at %s has no slots of its cluster", at)
		}
	}
	return s, nil
}

// slotHolders reads CLUSTER NODES: the id of the node that answers, and those of all
// nodes with slots. Without a slot of its own it has no id here.
func slotHolders(text string) (self string, all []string) {
	for line := range strings.Lines(text) {
		const slots = 8 // where they begin, after id, address, flags, master, ping, pong, config epoch, state
		f := strings.Fields(line)
		if len(f) <= slots || strings.HasPrefix(f[slots], "[") { // what it only imports is not its own yet
			continue
		}
		all = append(all, f[0])
		if strings.Contains(f[2], "myself") {
			self = f[0]
		}
	}
	return self, all
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
