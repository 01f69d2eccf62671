package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"axgate/routing"
)

// Fill brings everything about X to a cache that did not have it. The ledger
// has to be read after the ticket was got. ErrStale: X was changed since, and
// the next lookup gives another ticket.
func (c *Cache) Fill(ctx context.Context, ticket Ticket, d routing.Dossier) error {
	entries, err := dossierEntries(&d)
	if err != nil {
		return fmt.Errorf("load %s: %w", d.Number.X, err)
	}
	const batch = 50 // Redis serves nobody else meanwhile
	for from := 0; from < len(entries); from += batch {
		if err := c.fill(ctx, ticket, d.Number.X, entries[from:min(len(entries), from+batch)]); err != nil {
			return err
		}
	}
	n := d.Number
	r := record{"version", strconv.FormatInt(n.Version, 10), "bindings", strconv.Itoa(n.Bindings)}
	r.text("app", n.App)
	r.text("mode", string(n.Mode))
	r.text("status", string(n.Status))
	r.text("area", n.AreaCode)
	r.flag("sms", n.SMS)
	return c.commit(ctx, ticket, n.X, "", r, d.Blocked)
}

// FillUnknown brings that X is not ours. It is believed for a minute: a number
// that is granted meanwhile comes with PutNumber.
func (c *Cache) FillUnknown(ctx context.Context, ticket Ticket, x routing.X, now time.Time) error {
	until := now.Add(time.Minute)
	r := record{"none", "1"}
	r.instant("until", until)
	return c.commit(ctx, ticket, x, expiry(until), r, nil)
}

func (c *Cache) commit(ctx context.Context, ticket Ticket, x routing.X, expires string, r record, blocked []routing.Number) error {
	r.text("epoch", strconv.FormatInt(ticket.epoch, 10))
	r.text("load", ticket.id)
	args := append([]any{ticket.id, expires, strconv.Itoa(len(r))}, r...)
	for _, n := range blocked {
		args = append(args, string(n))
	}
	ok, err := c.runFlag(ctx, "load", x, c.scripts.commit, []string{numberKey(x), blacklistKey(x)}, args...)
	if err == nil && !ok {
		err = fmt.Errorf("load %s: %w", x, ErrStale)
	}
	return err
}

func (c *Cache) fill(ctx context.Context, ticket Ticket, x routing.X, entries []entry) error {
	keys, args := []string{numberKey(x)}, []any{ticket.id}
	for _, e := range entries {
		e.fields.text("load", ticket.id)
		keys = append(keys, e.key)
		args = append(args, e.expires, strconv.Itoa(len(e.fields)))
		args = append(args, e.fields...)
	}
	ok, err := c.runFlag(ctx, "load", x, c.scripts.fill, keys, args...)
	if err == nil && !ok {
		err = fmt.Errorf("load %s: %w", x, ErrStale)
	}
	return err
}

// dossierEntries are the entries of everything stored about X.
func dossierEntries(d *routing.Dossier) ([]entry, error) {
	var all []entry
	byA := make(map[routing.Number]string, len(d.Bindings))
	number := strconv.FormatInt(d.Number.Version, 10)
	for i := range d.Bindings {
		b := &d.Bindings[i]
		if b.X != d.Number.X && b.Y != d.Number.X || b.App != d.Number.App || b.Mode != d.Number.Mode {
			return nil, errors.New("the ledger has a binding of another X, app or mode there")
		}
		byA[b.A] = b.ID
		r := encodeBinding(b, d.Number.X)
		r.text("version", strconv.FormatInt(b.VersionOf(d.Number.X), 10))
		for _, key := range bindingKeys(b, d.Number.X) {
			all = append(all, entry{key, true, expiry(b.Until), r[:len(r):len(r)]})
		}
	}
	if t := d.Temporary; t != nil {
		r := encodeTemporary(t)
		r.text("version", number)
		all = append(all, entry{temporaryKey(d.Number.X), true, expiry(t.Until), r})
	}
	for a, cb := range d.Callbacks {
		if id := byA[a]; id != "" {
			all = append(all, entry{callbackKey(d.Number.X, a), true, expiry(cb.Until), encodeCallback(id, &cb)})
		}
	}
	return all, nil
}
