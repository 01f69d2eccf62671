package ledger

import (
	"context"
	"fmt"

	"axgate/vault"
)

// Where secrets are, so that none can be put in another's place.
func appPlace(key string) string { return "secret of app " + key }

func systemPlace(name string) string { return "secret of " + name }

func (l *Ledger) sealSecret(app, secret string) (string, error) {
	return l.ring.SealText(appPlace(app), secret)
}

func (l *Ledger) openSecret(app, stored string) (string, error) {
	return l.ring.OpenText(appPlace(app), stored)
}

// storedSecret is a secret as it is stored.
type storedSecret struct{ id, value string }

// secretTables are where secrets are.
var secretTables = []struct {
	list, change string
	place        func(string) string
}{
	{`SELECT key, secret FROM apps WHERE key > $1 ORDER BY key LIMIT $2`, `UPDATE apps SET secret = $3 WHERE key = $1 AND secret = $2`, appPlace},
	{`SELECT name, value FROM secrets WHERE name > $1 ORDER BY name LIMIT $2`, `UPDATE secrets SET value = $3 WHERE name = $1 AND value = $2`, systemPlace},
}

// SealSecrets encrypts with the newest key all secrets that are not encrypted,
// or with another one, and tells how many that were. It may be ended and begun
// again at any time, beside running nodes; tell hears how far it is.
func (l *Ledger) SealSecrets(ctx context.Context, tell func(done, sealed int)) (done, sealed int, err error) {
	for _, t := range secretTables {
		err := l.eachSecret(ctx, t.list, func(list []storedSecret) error {
			n, err := l.sealSome(ctx, t.change, t.place, list)
			done, sealed = done+len(list), sealed+n
			tell(done, sealed)
			return err
		})
		if err != nil {
			return done, sealed, fmt.Errorf("encrypt the secrets: %w", err)
		}
	}
	return done, sealed, nil
}

func (l *Ledger) sealSome(ctx context.Context, change string, place func(string) string, list []storedSecret) (n int, err error) {
	type changed struct {
		storedSecret
		to string
	}
	var all []changed
	for _, s := range list {
		if !l.ring.Stale(s.value) {
			continue
		}
		text, err := l.ring.OpenText(place(s.id), s.value)
		if err == nil {
			text, err = l.ring.SealText(place(s.id), text)
		}
		if err != nil {
			return 0, err
		}
		all = append(all, changed{s, text})
	}
	if len(all) == 0 {
		return 0, nil
	}
	err = l.change(ctx, func(s scope) error {
		n = 0
		for _, c := range all {
			did, err := s.exec(change, c.id, c.value, c.to) // one that was renewed meanwhile is encrypted already
			if err != nil {
				return err
			}
			n += int(did)
		}
		return nil
	})
	return n, err
}

// SecretKeys counts the secrets by the key that they are encrypted with, empty
// for those that are not, and opens one of each: an error names what is missing.
func (l *Ledger) SecretKeys(ctx context.Context) (count map[string]int, err error) {
	count = map[string]int{}
	var missing error
	for _, t := range secretTables {
		err := l.eachSecret(ctx, t.list, func(list []storedSecret) error {
			for _, s := range list {
				id, _ := vault.IsSealed(s.value)
				if count[id]++; count[id] == 1 && missing == nil {
					_, missing = l.ring.OpenText(t.place(s.id), s.value)
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look at the secrets: %w", err)
		}
	}
	return count, missing
}

func (l *Ledger) eachSecret(ctx context.Context, query string, work func([]storedSecret) error) error {
	const batch = 200
	for after := ""; ; {
		list, err := l.secretsAfter(ctx, query, after, batch)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := work(list); err != nil {
			return err
		}
		after = list[len(list)-1].id
	}
}

func (l *Ledger) secretsAfter(ctx context.Context, query, after string, limit int) (list []storedSecret, err error) {
	rows, err := l.read(ctx).query(query, after, int64(limit))
	if err != nil {
		return nil, err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var s storedSecret
		if err := rows.Scan(&s.id, &s.value); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}
