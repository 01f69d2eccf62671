package ledger_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
	"axgate/vault"
)

func newRing(t *testing.T, lines ...string) *vault.Ring {
	t.Helper()
	ring, err := vault.ReadRing(strings.NewReader(strings.Join(lines, "\n")))
	require.NoError(t, err)
	return ring
}

func newKey(t *testing.T, id string) string {
	t.Helper()
	line, err := vault.NewKey(id)
	require.NoError(t, err)
	return line
}

// storedSecrets are the secrets as they are in the tables.
func storedSecrets(t *testing.T, cfg ledger.Config) (all []string) {
	t.Helper()
	driver, dsn := "sqlite", cfg.Path
	if cfg.Driver == ledger.Postgres {
		driver, dsn = "pgx", cfg.DSN
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	rows, err := db.Query("SELECT secret FROM apps UNION ALL SELECT value FROM secrets")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		require.NoError(t, rows.Scan(&s))
		all = append(all, s)
	}
	return all
}

// TestSecretsAtRest: with a ring no secret is stored in the clear, and all that
// read it get it; a new key takes over while nodes run; without the right key
// nothing is given, and the error names it.
func TestSecretsAtRest(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			read := func(l *ledger.Ledger, secret, links string) {
				a, err := l.App(t.Context(), "appAXB")
				require.NoError(t, err)
				require.Equal(t, secret, a.Secret)
				c, err := l.Credentials(t.Context(), "appAXB")
				require.NoError(t, err)
				require.Equal(t, secret, c.Secret)
				r, err := l.Outbox().Receiver(t.Context(), "appAXB")
				require.NoError(t, err)
				require.Equal(t, secret, r.Secret)
				all, err := l.Apps(t.Context())
				require.NoError(t, err)
				require.Equal(t, secret, all[0].Secret)
				is, err := l.Secret(t.Context(), "links")
				require.NoError(t, err)
				require.Equal(t, links, is)
			}
			with := func(lines ...string) *ledger.Ledger {
				c := cfg
				c.Ring = newRing(t, lines...)
				return open(t, c)
			}
			plain := open(t, cfg)
			addApp(t, plain, routing.AXB, func(a *ledger.App) { a.Secret = "the secret of the app" })
			links, err := plain.Secret(t.Context(), "links")
			require.NoError(t, err)

			one, two := newKey(t, "one"), newKey(t, "two")
			first := with(one)
			read(first, "the secret of the app", links)
			done, sealed, err := first.SealSecrets(t.Context(), func(int, int) {})
			require.NoError(t, err)
			require.Equal(t, []int{2, 2}, []int{done, sealed})
			for _, s := range storedSecrets(t, cfg) {
				require.NotContains(t, s, "secret")
				id, _ := vault.IsSealed(s)
				require.Equal(t, "one", id)
			}
			read(first, "the secret of the app", links)
			_, err = first.ChangeApp(t.Context(), "appAXB", func(a *ledger.App) error {
				require.Equal(t, "the secret of the app", a.Secret)
				a.Secret = "another secret"
				return nil
			})
			require.NoError(t, err)
			require.NotContains(t, strings.Join(storedSecrets(t, cfg), " "), "another secret")

			second := with(one, two)
			read(second, "another secret", links)
			_, sealed, err = second.SealSecrets(t.Context(), func(int, int) {})
			require.NoError(t, err)
			require.Equal(t, 2, sealed)
			_, sealed, err = second.SealSecrets(t.Context(), func(int, int) {})
			require.NoError(t, err)
			require.Zero(t, sealed)
			newest := with(two)
			read(newest, "another secret", links)
			count, err := newest.SecretKeys(t.Context())
			require.NoError(t, err)
			require.Equal(t, map[string]int{"two": 2}, count)

			for what, l := range map[string]*ledger.Ledger{"no keys": plain, "the old key": first, "another key of the name": with(newKey(t, "two"))} {
				_, err = l.App(t.Context(), "appAXB")
				require.Error(t, err, what)
				require.True(t, vault.IsKeyError(err), what)
				require.ErrorContains(t, err, "two", what)
				_, err = l.SecretKeys(t.Context())
				require.True(t, vault.IsKeyError(err), what)
				_, err = l.Credentials(t.Context(), "appAXB")
				require.True(t, vault.IsKeyError(err), what)
			}
		})
	}
}

// TestNewKey: brought in by two steps, a key is never met by a node that lacks it; by one,
// that node still lists all apps, and tells which one it cannot open.
func TestNewKey(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			one, two := newKey(t, "one"), newKey(t, "two")
			with := func(lines ...string) *ledger.Ledger {
				c := cfg
				c.Ring = newRing(t, lines...)
				return open(t, c)
			}
			addApp(t, with(one), routing.AX, nil)
			addApp(t, with(one), routing.AXB, nil)
			renew := func(by *ledger.Ledger, secret string) {
				_, err := by.ChangeApp(t.Context(), "appAXB", func(a *ledger.App) error {
					a.Secret, a.Paused = secret, true
					return nil
				})
				require.NoError(t, err)
			}
			secret := func(of *ledger.Ledger) string {
				a, err := of.App(t.Context(), "appAXB")
				require.NoError(t, err)
				return a.Secret
			}
			renew(with(two, one), "first step")
			require.Equal(t, "first step", secret(with(one)))
			renew(with(one, two), "second step")
			require.Equal(t, "second step", secret(with(two, one)))

			list, err := with(one).Apps(t.Context())
			require.NoError(t, err)
			require.Len(t, list, 2)
			require.Equal(t, "s", list[0].Secret)
			require.NoError(t, list[0].Unopened)
			require.Empty(t, list[1].Secret)
			require.True(t, list[1].Paused, "the rest of it can be read")
			require.True(t, vault.IsKeyError(list[1].Unopened))
			require.ErrorContains(t, list[1].Unopened, "two")
		})
	}
}
