package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"axgate/routing"
)

// tombstone is how long a removed entry is remembered. It spares loading X
// anew when an older change comes late; nothing depends on its length.
const tombstone = time.Hour

// entry is one hash to be written, or to be marked as gone.
type entry struct {
	key     string
	put     bool
	expires string // ms since 1970; empty: never
	fields  record
}

func gone(key string) entry {
	return entry{key: key, expires: strconv.FormatInt(time.Now().Add(tombstone).UnixMilli(), 10), fields: record{"gone", "1"}}
}

// PutBinding brings a binding that was made or modified. n is its X after the
// change, or its Y, which is told of separately; b's version of n is that of
// the change. If the modification gave the
// binding other numbers, DropBinding the old state after it with the same
// version.
func (c *Cache) PutBinding(ctx context.Context, n routing.XNumber, b routing.Binding) error {
	if b.X != n.X && b.Y != n.X || b.App != n.App || b.Mode != n.Mode {
		return fmt.Errorf("put a binding of %s: it is one of %s, app %s, mode %s", n.X, b.X, b.App, b.Mode)
	}
	var entries []entry
	for _, key := range bindingKeys(&b, n.X) {
		entries = append(entries, entry{key, true, expiry(b.Until), encodeBinding(&b, n.X)})
	}
	return c.change(ctx, "put a binding of", n, b.VersionOf(n.X), entries...)
}

// DropBinding brings that a binding is gone. n is its X, or its Y, after the
// change, version that of the change. What belonged to the binding - temporary callee,
// callback record - goes with it.
func (c *Cache) DropBinding(ctx context.Context, n routing.XNumber, b routing.Binding, version int64) error {
	if b.X != n.X && b.Y != n.X {
		return fmt.Errorf("drop a binding of %s: it is one of %s", n.X, b.X)
	}
	var entries []entry
	for _, key := range bindingKeys(&b, n.X) {
		entries = append(entries, gone(key))
	}
	if b.Mode == routing.AX {
		entries = append(entries, gone(temporaryKey(b.X)))
	}
	return c.change(ctx, "drop a binding of", n, version, entries...)
}

// PutNumber brings a change of the number itself. A number that went to
// another app has nothing in the cache any more.
func (c *Cache) PutNumber(ctx context.Context, n routing.XNumber) error {
	return c.change(ctx, "put", n, n.Version)
}

// PutTemporary brings the temporary callee that A of an AX binding was given.
func (c *Cache) PutTemporary(ctx context.Context, n routing.XNumber, t routing.TemporaryCallee, version int64) error {
	return c.change(ctx, "put the temporary callee of", n, version, entry{temporaryKey(n.X), true, expiry(t.Until), encodeTemporary(&t)})
}

// DropTemporary brings that the temporary callee is used up.
func (c *Cache) DropTemporary(ctx context.Context, n routing.XNumber, version int64) error {
	return c.change(ctx, "drop the temporary callee of", n, version, gone(temporaryKey(n.X)))
}

// change is one change in the ledger, in one round trip. If X is not loaded,
// or the change came out of turn so that its place among the others cannot be
// told, the next call loads X.
func (c *Cache) change(ctx context.Context, what string, n routing.XNumber, version int64, entries ...entry) error {
	if version <= 0 {
		return fmt.Errorf("%s %s: version %d is not a version of the ledger", what, n.X, version)
	}
	keys := []string{numberKey(n.X)}
	args := []any{strconv.FormatInt(version, 10), n.App, string(n.Mode), string(n.Status), n.AreaCode, strconv.Itoa(n.Bindings), mark(n.SMS)}
	for _, e := range entries {
		keys = append(keys, e.key)
		verb := "drop"
		if e.put {
			verb = "put"
		}
		args = append(args, verb, e.expires, strconv.Itoa(len(e.fields)))
		args = append(args, e.fields...)
	}
	return c.bring(ctx, what, n.X, c.scripts.put, keys, args...)
}

// PutCallback brings whom A's phone rang for at an instant, through the AXE
// binding b. Of two records the later counts.
func (c *Cache) PutCallback(ctx context.Context, b *routing.Binding, r routing.Callback, at time.Time) error {
	args := append([]any{formatInstant(at), expiry(r.Until)}, encodeCallback(b.ID, &r)...)
	return c.bring(ctx, "put a callback record of", b.X, c.scripts.callback, []string{numberKey(b.X), callbackKey(b.X, b.A)}, args...)
}

// Forget has the next call load X anew. It has one key, so that it works while the
// slot of X is being moved.
func (c *Cache) Forget(ctx context.Context, x routing.X) error {
	return c.bring(ctx, "forget", x, c.scripts.forget, []string{numberKey(x)})
}

// ForgetAll is Forget for many X. Most of them are not loaded, which costs
// next to nothing: one that has no key by now is read by its next call as it
// is by now.
func (c *Cache) ForgetAll(ctx context.Context, xs []routing.X) error {
	forget := func(i int) order { return order{c.scripts.forget, []string{numberKey(xs[i])}, nil} }
	answers, err := c.pipeline(ctx, "forget many X", len(xs), forget)
	if errors.Is(err, ErrNotBelieved) && c.admit(ctx, "") == nil {
		answers, err = c.pipeline(ctx, "forget many X", len(xs), forget)
	}
	if err != nil {
		return err
	}
	var terms []string
	for _, a := range answers {
		term, _, bad := signed(a)
		if bad != nil {
			return fmt.Errorf("forget many X in Redis: %w", bad)
		}
		if !slices.Contains(terms, term) {
			terms = append(terms, term)
		}
	}
	return c.holds(ctx, "forget many X", terms...)
}
