package store

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// journalLife is how long the copies of a journal outlive the last write to them: longer
// than a ledger is away, without which nobody is found dead.
const journalLife = time.Hour

// pageField holds the entries of a page.
const pageField = "e"

// journalKey holds what the journal of one life of a node has brought to its disk, and may
// not have brought to the ledger.
func journalKey(owner string) string { return "axgate:journal:{" + owner + "}" }

// KeepJournal adds a page of a journal, whose place ("7-1024") is above all before, and
// takes away those of lower places than carried.
func (c *Cache) KeepJournal(ctx context.Context, owner, at, carried, page string) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	pipe := c.rdb.Pipeline()
	pipe.XAdd(ctx, &redis.XAddArgs{Stream: journalKey(owner), ID: at, MinID: carried, Values: []string{pageField, page}})
	pipe.PExpire(ctx, journalKey(owner), journalLife)
	_, err := pipe.Exec(ctx)
	if redis.HasErrorPrefix(err, "The ID specified in XADD is equal or smaller") { // it is there: only the answer was lost
		err = nil
	}
	if err != nil {
		return fmt.Errorf("keep what the journal of %s has: %w", owner, err)
	}
	return nil
}

// JournalOf gives the pages that an owner, who died, has left, in their order, to read.
func (c *Cache) JournalOf(ctx context.Context, owner string, read func(page string) error) error {
	const pages = 20
	for from := "-"; ; {
		list, err := c.rdb.XRangeN(ctx, journalKey(owner), from, "+", pages).Result()
		if err != nil {
			return fmt.Errorf("read what the journal of %s had: %w", owner, err)
		}
		for _, m := range list {
			page, _ := m.Values[pageField].(string)
			if err := read(page); err != nil {
				return err
			}
		}
		if len(list) < pages {
			return nil
		}
		from = "(" + list[len(list)-1].ID
	}
}

// ForgetJournal removes what an owner, who died, has left.
func (c *Cache) ForgetJournal(ctx context.Context, owner string) error {
	if err := c.rdb.Unlink(ctx, journalKey(owner)).Err(); err != nil {
		return fmt.Errorf("forget what the journal of %s had: %w", owner, err)
	}
	return nil
}
