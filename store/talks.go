package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	// mostChanged is how many changes are told apart; beyond it all is written again.
	mostChanged = 10_000
	// talksMark is the field with the number of the last write; no session is called so.
	talksMark = "#"
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
	sent    map[string]struct{} // of the states: Redis may have one of each
	again   bool                // all is to be written anew: Redis has lost something, or too much has changed
	writes  int64               // numbers them, also those that failed
	done    int64               // the last that Redis took; 0: none
}

// NewTalks keeps talks of this node.
func (c *Cache) NewTalks(cfg TalksConfig) *Talks {
	if cfg.Seal == nil {
		cfg.Seal = func(_, state string) (string, error) { return state, nil }
	}
	return &Talks{cache: c, cfg: cfg, wake: make(chan struct{}, 1), states: map[string]string{}, changed: map[string]struct{}{}, sent: map[string]struct{}{}}
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
	delete(t.sent, session)
	t.note(session)
	t.mu.Unlock()
}

// Shared tells whether Redis may have a state of a talk: one was sent there in this
// life, even if its answer was lost.
func (t *Talks) Shared(session string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, sent := t.sent[session]
	return sent
}

func (t *Talks) note(session string) {
	t.change(session)
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// change marks a talk to be written; with the lock held.
func (t *Talks) change(session string) {
	if t.again {
		return
	}
	t.changed[session] = struct{}{}
	if len(t.changed) > mostChanged {
		t.anew()
	}
}

// anew has all written again; with the lock held.
func (t *Talks) anew() { t.again, t.changed = true, map[string]struct{}{} }

// LetGo forgets all talks. What stands in Redis is whoever's who goes on with them;
// what comes from now on is of the owner's next life.
func (t *Talks) LetGo() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owner, t.states, t.changed, t.again, t.done = "", map[string]string{}, map[string]struct{}{}, false, 0
	clear(t.sent)
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
			if t.ill { // the next look tries
				continue
			}
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

// look prolongs what Redis has, and has all written again if it has lost any of it: a
// write, as after a fail-over to a replica that had not got it, or a talk.
func (t *Talks) look(ctx context.Context) error {
	t.mu.Lock()
	owner, ok := t.ours()
	t.mu.Unlock()
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.cache.cfg.Timeout)
	defer cancel()
	pipe := t.cache.rdb.Pipeline()
	pipe.PExpire(ctx, talksKey(owner), talksLife)
	mark, have := pipe.HGet(ctx, talksKey(owner), talksMark), pipe.HLen(ctx, talksKey(owner))
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("look at the talks in Redis: %w", err)
	}
	t.mu.Lock()
	if waits := len(t.changed) > 0; t.owner == owner && (markOf(mark) != t.done || !waits && t.done > 0 && have.Val() != int64(len(t.states))+1) {
		t.anew()
	}
	t.mu.Unlock()
	return t.flush(ctx)
}

// markOf is the number of a write; 0 is none.
func markOf(c *redis.StringCmd) int64 {
	n, err := c.Int64()
	if err != nil {
		return 0
	}
	return n
}

// batch is one write of talks.
type batch struct {
	owner string
	n     int64 // its number
	anew  bool  // nothing of before stays
	kept  map[string]string
	gone  []string
}

// take is what is to be written; nil: nothing.
func (t *Talks) take() *batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	owner, ok := t.ours()
	if !ok || len(t.changed) == 0 && !t.again {
		return nil
	}
	t.writes++
	b := &batch{owner: owner, n: t.writes, anew: t.again, kept: map[string]string{}}
	if b.anew {
		maps.Copy(b.kept, t.states)
	}
	for session := range t.changed {
		if state, has := t.states[session]; has {
			b.kept[session] = state
		} else {
			b.gone = append(b.gone, session)
		}
	}
	for session := range b.kept {
		t.sent[session] = struct{}{}
	}
	t.changed, t.again = map[string]struct{}{}, false
	return b
}

// flush writes what has changed, and all if it finds that Redis has lost the write
// before. What could not be written is tried again at the next look.
func (t *Talks) flush(ctx context.Context) error {
	for b := t.take(); b != nil; b = t.take() {
		before, err := t.write(ctx, b)
		if !t.wrote(b, before, err) {
			break
		}
		if err != nil {
			return fmt.Errorf("write the talks to Redis: %w", err)
		}
	}
	return nil
}

// wrote notes what became of a write, and tells whether it was still of this life.
func (t *Talks) wrote(b *batch, before int64, err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.owner != b.owner:
		return false
	case err != nil && b.anew:
		t.anew()
	case err != nil:
		for session := range b.kept {
			t.change(session)
		}
		for _, session := range b.gone {
			t.change(session)
		}
	default:
		if !b.anew && before != t.done {
			t.anew()
		}
		t.done = b.n
	}
	return true
}

// write tells which write Redis had before.
func (t *Talks) write(ctx context.Context, b *batch) (before int64, err error) {
	key := talksKey(b.owner)
	pipe := t.cache.rdb.Pipeline()
	mark := pipe.HGet(ctx, key, talksMark)
	if b.anew {
		pipe.Del(ctx, key)
	}
	var pairs []any
	send := func() {
		if len(pairs) > 0 {
			pipe.HSet(ctx, key, pairs...)
		}
		pairs = nil
	}
	for session, state := range b.kept {
		text, err := t.cfg.Seal(session, state)
		if err != nil {
			return 0, err
		}
		if pairs = append(pairs, session, text); len(pairs) >= 2*talksBatch {
			send()
		}
	}
	send()
	for gone := range slices.Chunk(b.gone, talksBatch) {
		pipe.HDel(ctx, key, gone...)
	}
	pipe.HSet(ctx, key, talksMark, b.n) // last: who has it has all of before
	pipe.PExpire(ctx, key, talksLife)
	if _, err = pipe.Exec(ctx); errors.Is(err, redis.Nil) { // only the mark may be missing
		err = nil
	}
	return markOf(mark), err
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
			if page[i] != talksMark {
				all[page[i]] = page[i+1]
			}
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
