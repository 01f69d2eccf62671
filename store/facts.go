package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"axgate/routing"
)

// Ticket is the right to load an X that the cache does not have. The zero
// Ticket says that the cache has it.
type Ticket struct {
	id    string
	epoch int64 // when it was got: what the ledger said later may be newer, not older
}

// Miss tells whether X has to be loaded.
func (t Ticket) Miss() bool { return t.id != "" }

// Facts finds what is known about a call to X, and in the same round trip
// reserves X (AX) or A's extension (AXE, A calling) for the session, unless
// what is stored already tells that the call will be refused. A ticket instead
// of facts: X has to be loaded, with Fill or FillUnknown, and asked for again.
func (c *Cache) Facts(ctx context.Context, q routing.Question) (routing.Facts, Ticket, error) {
	return c.facts(ctx, q, c.cfg.Lease.Milliseconds())
}

// Peek finds what Facts finds, and reserves nothing.
func (c *Cache) Peek(ctx context.Context, q routing.Question) (routing.Facts, Ticket, error) {
	return c.facts(ctx, q, 0)
}

func (c *Cache) facts(ctx context.Context, q routing.Question, lease int64) (routing.Facts, Ticket, error) {
	x := q.X
	keys := []string{numberKey(x), axKey(x), ofNumberKey(x, q.Caller), temporaryKey(x), callbackKey(x, q.Caller), busyKey(x), blacklistKey(x)}
	a, ticket, err := c.ask(ctx, c.scripts.look, keys, q, lease)
	if err != nil && lease > 0 {
		c.marks.drop(q.Session, place{x, anywhere}) // it may have been reserved all the same
	}
	if ticket.Miss() || err != nil {
		return routing.Facts{}, ticket, err
	}
	f := a.facts()
	if f.Known {
		a.fill(&f, q)
	}
	if err := a.err(); err != nil {
		return routing.Facts{}, Ticket{}, fmt.Errorf("look up %s in Redis: %w", x, err)
	}
	if f.Held {
		c.keep(&f, q.Session, place{x, a.at(&f)})
	}
	return f, Ticket{}, nil
}

// Guessing bounds the wrong extensions that one caller may type at one X, over
// all nodes.
type Guessing struct {
	Most   int           // within the span, and for a span from the last of them on none is looked up; 0: any number
	Within time.Duration // the span
}

// FactsByExtension finds what is known about an extension that the caller
// typed: ToX is its binding. It reserves as Facts does. A wrong one is counted;
// to a caller who typed too many none is known (Guessed).
func (c *Cache) FactsByExtension(ctx context.Context, q routing.Question, ext routing.Extension, g Guessing) (routing.Facts, Ticket, error) {
	return c.factsByExtension(ctx, q, ext, c.cfg.Lease.Milliseconds(), g)
}

// PeekByExtension finds what FactsByExtension finds, reserves nothing, and
// neither counts nor minds the count.
func (c *Cache) PeekByExtension(ctx context.Context, q routing.Question, ext routing.Extension) (routing.Facts, Ticket, error) {
	return c.factsByExtension(ctx, q, ext, 0, Guessing{})
}

func (c *Cache) factsByExtension(ctx context.Context, q routing.Question, ext routing.Extension, lease int64, g Guessing) (routing.Facts, Ticket, error) {
	x := q.X
	keys := []string{numberKey(x), extensionKey(x, ext), busyKey(x), blacklistKey(x), wrongKey(x, q.Caller)}
	a, ticket, err := c.ask(ctx, c.scripts.extension, keys, q, lease, strconv.Itoa(g.Most), strconv.FormatInt(g.Within.Milliseconds(), 10))
	if err != nil && lease > 0 {
		c.marks.drop(q.Session, place{x, string(ext)}) // it may have been reserved all the same
	}
	if ticket.Miss() || err != nil {
		return routing.Facts{}, ticket, err
	}
	f := a.facts()
	f.ToX = a.binding.binding(x, &a.number)
	f.Wrong, f.Guessed = a.wrong, a.guessed
	if err := a.err(); err != nil {
		return routing.Facts{}, Ticket{}, fmt.Errorf("look up an extension of %s in Redis: %w", x, err)
	}
	if f.Held {
		c.keep(&f, q.Session, place{x, string(ext)})
	}
	return f, Ticket{}, nil
}

// ask runs a lookup script. An answer that was asked for in an epoch that
// ended meanwhile is asked for again: the connection may have turned out to
// lead to a Redis with yesterday's keys.
func (c *Cache) ask(ctx context.Context, s *redis.Script, keys []string, q routing.Question, lease int64, more ...any) (answer, Ticket, error) {
	for {
		epoch := c.Epoch()
		args := []any{strconv.FormatInt(epoch, 10), c.tickets(), formatInstant(q.At), string(q.Caller), q.Session, c.cfg.Node, strconv.FormatInt(lease, 10)}
		v, err := c.run(ctx, "look up", q.X, s, keys, append(args, more...)...)
		if err != nil {
			return answer{}, Ticket{}, err
		}
		if c.Epoch() != epoch {
			continue
		}
		a, ticket, err := readAnswer(q.X, v)
		return a, Ticket{ticket, epoch}, err
	}
}

// answer is what the lookup scripts return.
type answer struct {
	x                      routing.X
	number, binding, extra found
	flags                  [4]bool // caller blacklisted, callee blacklisted, busy, held
	wrong                  int     // extensions that were wrong, this one included
	guessed                bool    // so many that none is looked up
}

func readAnswer(x routing.X, v any) (a answer, ticket string, err error) {
	list, ok := v.([]any)
	if ok && len(list) == 2 && list[0] == int64(0) {
		if ticket, ok = list[1].(string); ok && ticket != "" {
			return answer{}, ticket, nil
		}
	}
	if !ok || len(list) != 8 && len(list) != 10 || list[0] != int64(1) {
		return answer{}, "", fmt.Errorf("look up %s in Redis: the script's answer %v cannot be read", x, v)
	}
	a = answer{x: x, number: readHash("the number", list[1]), binding: readHash("the binding", list[2]), extra: readHash("the record", list[3])}
	for i := range a.flags {
		a.flags[i] = list[4+i] == int64(1)
	}
	if len(list) == 10 {
		wrong, _ := list[8].(int64)
		a.wrong, a.guessed = int(wrong), list[9] == int64(1)
	}
	return a, "", nil
}

func (a *answer) err() error {
	for _, f := range []*found{&a.number, &a.binding, &a.extra} {
		if f.err != nil {
			return f.err
		}
	}
	return nil
}

// facts are those of X as a whole.
func (a *answer) facts() routing.Facts {
	if a.number.flag("none") {
		return routing.Facts{}
	}
	return routing.Facts{
		Known: true, App: a.number.m["app"], Status: routing.NumberStatus(a.number.m["status"]), AreaCode: a.number.m["area"],
		SMS:         a.number.flag("sms"),
		Bindings:    int(a.number.number("bindings")),
		Blacklisted: a.flags[0], CalleeBlacklisted: a.flags[1], Busy: a.flags[2], Held: a.flags[3],
	}
}

// fill adds those of the caller.
func (a *answer) fill(f *routing.Facts, q routing.Question) {
	b := a.binding.binding(a.x, &a.number)
	switch routing.Mode(a.number.m["mode"]) {
	case routing.AX:
		f.ToX = b
		if b != nil && q.Caller == b.A {
			f.ByCaller = b
			f.Temporary = a.extra.temporary()
		}
	case routing.AXB, routing.AXYB:
		f.ByCaller = b
	case routing.AXE:
		f.ByCaller = b
		f.Callback = a.extra.callback(b)
	}
}

// at is the place of X that a call reserves.
func (a *answer) at(f *routing.Facts) string {
	if f.ToX != nil {
		return wholeX
	}
	return string(f.ByCaller.Ext)
}
