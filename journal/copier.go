package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"axgate/events"
)

// copyAgain is the pause after copies could not be written.
const copyAgain = 500 * time.Millisecond

// Copies is where what is on this disk, and not in the ledger yet, stands a second
// time: whoever settles what a dead node left does not have its disk.
type Copies interface {
	// Wanted tells whether there is another node, which would read them. It is asked
	// for each write to the disk.
	Wanted() bool
	// Add keeps a page of entries (ReadPage) under its place, and needs not keep those
	// before carried any more. Places rise; one may be added again, with more in it.
	Add(ctx context.Context, at, carried string, page []byte) error
}

func (p position) String() string { return fmt.Sprintf("%d-%d", p.segment, p.offset) }

// copier brings what the writer has put on the disk to where others read it. The
// writer waits for it as little as calls do.
type copier struct {
	to   Copies
	wake chan struct{}

	mu      sync.Mutex
	waiting []copied
}

// copied is an entry that is to be copied.
type copied struct {
	text []byte
	end  position
}

// Copy has entries copied until ctx ends, as soon as they are on the disk.
func (j *Journal) Copy(ctx context.Context, to Copies) {
	c := &copier{to: to, wake: make(chan struct{}, 1)}
	j.copier.Store(c)
	defer j.copier.Store(nil)
	ill := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		err := c.bring(ctx, j.carrier)
		switch {
		case err == nil && ill:
			j.cfg.Log.Info().Msg("other nodes know again what is on this disk alone")
		case err != nil && ctx.Err() == nil:
			if !ill {
				j.cfg.Log.Error().Err(err).Msg("should this node die now, others will not know of its last second")
			}
			select {
			case <-ctx.Done():
			case <-time.After(copyAgain):
			}
			c.rouse()
		}
		ill = err != nil
	}
}

// take is told of entries that are on the disk. Beyond a bound - the ledger and the copies
// are away both - no more are kept.
func (c *copier) take(batch []*write, ends []position) {
	if !c.to.Wanted() {
		return
	}
	c.mu.Lock()
	for i, w := range batch {
		if len(c.waiting) < memoryMost {
			c.waiting = append(c.waiting, copied{w.text, ends[i]})
		}
	}
	c.mu.Unlock()
	c.rouse()
}

func (c *copier) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// bring copies all that waits, but for what the ledger has by now.
func (c *copier) bring(ctx context.Context, ledger *carrier) error {
	for {
		list, carried := c.next(ledger)
		if len(list) == 0 {
			return nil
		}
		var page []byte
		for _, e := range list {
			page = append(append(page, e.text...), '\n')
		}
		if err := c.to.Add(ctx, list[len(list)-1].end.String(), carried.String(), page); err != nil {
			c.mu.Lock()
			c.waiting = append(list, c.waiting...)
			c.mu.Unlock()
			return fmt.Errorf("copy the journal: %w", err)
		}
	}
}

// next takes what comes next. While the ledger is away copies are made of so many
// entries as are kept in memory for it, no more.
func (c *copier) next(ledger *carrier) (list []copied, carried position) {
	carried, behind := ledger.behind()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.waiting) > 0 && !carried.before(c.waiting[0].end) {
		c.waiting = c.waiting[1:]
	}
	if behind {
		c.waiting = nil
	}
	n := min(len(c.waiting), batchMost)
	list, c.waiting = c.waiting[:n:n], c.waiting[n:]
	if len(c.waiting) == 0 {
		c.waiting = nil
	}
	return list, carried
}

// behind tells how far the ledger has the journal, and whether more waits for it than is
// kept in memory.
func (c *carrier) behind() (carried position, far bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.carried, c.carried.before(c.from)
}

// ReadPage reads the entries of a page of copies.
func ReadPage(page []byte) (list []events.Entry, err error) {
	d := json.NewDecoder(bytes.NewReader(page))
	for {
		var e events.Entry
		switch err := d.Decode(&e); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return list, fmt.Errorf("read a page of a journal's copies: %w", err)
		}
		list = append(list, e)
	}
}
