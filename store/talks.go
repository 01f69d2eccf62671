package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// talksStep is how long what became of talks is gathered before Redis hears of it.
	talksStep = 20 * time.Millisecond
	// talksLook is the pause between two looks at whether Redis still has them.
	talksLook = time.Second
	// talksLife is how long they outlive their node: longer than a ledger is away,
	// without which nobody is found dead.
	talksLife = time.Hour
	// talksBatch is how many are written by one command, and about how many read.
	talksBatch = 100
	// mostTalks bounds what of one node is read.
	mostTalks = 100_000
)

// talksKey holds the talks of one life of a node.
func talksKey(owner string) string { return "axgate:talks:{" + owner + "}" }

// TalksConfig says whose talks they are, and how they are written.
type TalksConfig struct {
	// Owner names this node in its life of now; not ok: it is not known at the moment
	// whether that goes on, and nothing is written.
	Owner func() (name string, ok bool)
	// Seal makes of a state what stands in Redis; nil: it stands there as it is.
	Seal func(session, state string) (string, error)
}

// Talks keeps the state of the answered calls of one life of a node in Redis, for
// whoever goes on with them when the node dies. Who changes it does not wait; Run
// brings it to Redis.
type Talks struct {
	cache *Cache
	cfg   TalksConfig
	wake  chan struct{}
	ill   bool // Run's own

	mu      sync.Mutex
	owner   string            // empty: to be asked for
	states  map[string]string // all, for a Redis that has lost them
	changed map[string]struct{}
	again   bool // Redis has lost them
}

// NewTalks keeps talks of this node.
func (c *Cache) NewTalks(cfg TalksConfig) *Talks {
	if cfg.Seal == nil {
		cfg.Seal = func(_, state string) (string, error) { return state, nil }
	}
	return &Talks{cache: c, cfg: cfg, wake: make(chan struct{}, 1), states: map[string]string{}, changed: map[string]struct{}{}}
}

// Keep takes the state of a talk in place of the one before.
func (t *Talks) Keep(session string, state []byte) {
	t.mu.Lock()
	t.states[session] = string(state)
	t.note(session)
	t.mu.Unlock()
}

// Drop forgets a talk that is over.
func (t *Talks) Drop(session string) {
	t.mu.Lock()
	delete(t.states, session)
	t.note(session)
	t.mu.Unlock()
}

func (t *Talks) note(session string) {
	t.changed[session] = struct{}{}
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// LetGo forgets all talks. What stands in Redis is whoever's who goes on with them;
// what comes from now on is of the owner's next life.
func (t *Talks) LetGo() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owner, t.states, t.changed, t.again = "", map[string]string{}, map[string]struct{}{}, false
}

// ours is the owner; with the lock held.
func (t *Talks) ours() (string, bool) {
	name, ok := t.cfg.Owner()
	if ok && t.owner == "" {
		t.owner = name
	}
	return t.owner, ok && t.owner == name
}

// Run brings to Redis what changes, until ctx ends; then what is left, but for a moment.
func (t *Talks) Run(ctx context.Context) {
	look := time.NewTicker(talksLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = t.flush(last) // else they run out
			return
		case <-look.C:
			t.tell(t.look(ctx))
			continue
		case <-t.wake:
		}
		select {
		case <-ctx.Done():
		case <-time.After(talksStep):
			t.tell(t.flush(ctx))
		}
	}
}

// tell logs a failure when it begins and when it is over.
func (t *Talks) tell(err error) {
	switch {
	case err != nil && !t.ill:
		t.cache.cfg.Log.Error().Err(err).Msg("calls do not survive this node as long as Redis does not take them")
	case err == nil && t.ill:
		t.cache.cfg.Log.Info().Msg("calls survive this node again")
	}
	t.ill = err != nil
}

// look prolongs what Redis has, and has all written again if it has lost any of it.
func (t *Talks) look(ctx context.Context) error {
	t.mu.Lock()
	owner, ok := t.ours()
	want, waits := int64(len(t.states)), len(t.changed) > 0
	t.mu.Unlock()
	if !ok || want == 0 && !waits {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.cache.cfg.Timeout)
	defer cancel()
	pipe := t.cache.rdb.Pipeline()
	pipe.PExpire(ctx, talksKey(owner), talksLife)
	have := pipe.HLen(ctx, talksKey(owner))
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("look at the talks in Redis: %w", err)
	}
	if waits || have.Val() == want {
		return t.flush(ctx)
	}
	t.mu.Lock()
	if t.owner == owner {
		t.again = true
	}
	t.mu.Unlock()
	return t.flush(ctx)
}

// flush writes what has changed. What could not be written is tried again at the
// next look.
func (t *Talks) flush(ctx context.Context) error {
	t.mu.Lock()
	owner, ok := t.ours()
	if !ok {
		t.mu.Unlock()
		return nil
	}
	again, changed := t.again, t.changed
	t.changed, t.again = map[string]struct{}{}, false
	kept := make(map[string]string, len(changed))
	var gone []string
	if again {
		for session := range t.states {
			changed[session] = struct{}{}
		}
	}
	for session := range changed {
		if state, has := t.states[session]; has {
			kept[session] = state
		} else {
			gone = append(gone, session)
		}
	}
	t.mu.Unlock()
	if len(changed) == 0 && !again {
		return nil
	}
	err := t.write(ctx, owner, again, kept, gone)
	if err == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.owner == owner {
		t.again = t.again || again
		for session := range changed {
			t.changed[session] = struct{}{}
		}
	}
	return fmt.Errorf("write the talks to Redis: %w", err)
}

func (t *Talks) write(ctx context.Context, owner string, anew bool, kept map[string]string, gone []string) error {
	key := talksKey(owner)
	pipe := t.cache.rdb.Pipeline()
	if anew {
		pipe.Del(ctx, key)
	}
	var pairs []any
	send := func() {
		if len(pairs) > 0 {
			pipe.HSet(ctx, key, pairs...)
		}
		pairs = nil
	}
	for session, state := range kept {
		text, err := t.cfg.Seal(session, state)
		if err != nil {
			return err
		}
		if pairs = append(pairs, session, text); len(pairs) >= 2*talksBatch {
			send()
		}
	}
	send()
	for len(gone) > 0 {
		n := min(len(gone), talksBatch)
		pipe.HDel(ctx, key, gone[:n]...)
		gone = gone[n:]
	}
	pipe.PExpire(ctx, key, talksLife)
	_, err := pipe.Exec(ctx)
	return err
}

// TalksOf reads the talks that an owner, who died, has kept, as they stand in Redis.
func (c *Cache) TalksOf(ctx context.Context, owner string) (map[string]string, error) {
	all := map[string]string{}
	for cursor := uint64(0); ; {
		page, next, err := c.rdb.HScan(ctx, talksKey(owner), cursor, "", talksBatch).Result()
		if err != nil {
			return nil, fmt.Errorf("read the talks of %s: %w", owner, err)
		}
		for i := 0; i+1 < len(page); i += 2 {
			all[page[i]] = page[i+1]
		}
		if cursor = next; cursor == 0 || len(all) > mostTalks {
			return all, nil
		}
	}
}

// ForgetTalks removes what an owner, who died, has kept.
func (c *Cache) ForgetTalks(ctx context.Context, owner string) error {
	if err := c.rdb.Unlink(ctx, talksKey(owner)).Err(); err != nil && err != redis.Nil {
		return fmt.Errorf("forget the talks of %s: %w", owner, err)
	}
	return nil
}
