package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Access is what the API requests of an app are held to.
type Access struct {
	Rate      int      // requests per minute over all nodes; 0: the usual rate, negative: no limit
	Networks  []string // addresses and networks in CIDR form that they may come from; none: from anywhere
	OnceNonce bool     // a nonce that was used before is refused
}

const accessColumns = `a.rate, a.networks, a.once_nonce`

// storeAccess is part of storing an app.
func storeAccess(s scope, a *App) error {
	_, err := s.exec(`UPDATE apps SET rate = $2, networks = $3, once_nonce = $4 WHERE key = $1`,
		a.Key, int64(a.Rate), strings.Join(a.Networks, " "), a.OnceNonce)
	if err != nil {
		return fmt.Errorf("store what requests are held to: %w", err)
	}
	return nil
}

// Credentials are what tells whether a request is an app's.
type Credentials struct {
	Key, SP, Mode, Secret string
	Paused, Frozen        bool
	Access
}

// Credentials reads those of an app; ErrUnknownApp if there is none.
func (l *Ledger) Credentials(ctx context.Context, key string) (Credentials, error) {
	c := Credentials{Key: key}
	var networks string
	err := l.read(ctx).scan(`SELECT a.sp, a.mode, a.secret, a.paused, acc.frozen, `+accessColumns+appTables+`WHERE a.key = $1`, one(key),
		&c.SP, &c.Mode, &c.Secret, &c.Paused, &c.Frozen, &c.Rate, &networks, &c.OnceNonce)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ErrUnknownApp
	}
	if err != nil {
		return c, fmt.Errorf("read the credentials of app %s: %w", key, err)
	}
	if c.Secret, err = l.openSecret(key, c.Secret); err != nil {
		return c, fmt.Errorf("read the credentials of app %s: %w", key, err)
	}
	c.Networks = words(networks)
	return c, nil
}

// words are those of a text; nil if it has none.
func words(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Fields(text)
}

// Secret is a random text that whoever asks for the name first makes, and
// everybody else gets.
func (l *Ledger) Secret(ctx context.Context, name string) (string, error) {
	sealed, err := l.ring.SealText(systemPlace(name), rand.Text()+rand.Text())
	if err == nil {
		err = l.change(ctx, func(s scope) error {
			_, err := s.exec(`INSERT INTO secrets (name, value, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, name, sealed, micros(time.Now()))
			return err
		})
	}
	var value string
	if err == nil {
		err = l.read(ctx).scan(`SELECT value FROM secrets WHERE name = $1`, one(name), &value)
	}
	if err == nil {
		value, err = l.ring.OpenText(systemPlace(name), value)
	}
	if err != nil {
		return "", fmt.Errorf("have the secret of %s: %w", name, err)
	}
	return value, nil
}
