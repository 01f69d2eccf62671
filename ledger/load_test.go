package ledger_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
)

// feedAccount gives what a ledger needs, and an account.
func feedAccount(sp string) func(ledger.Sink) error {
	return func(to ledger.Sink) error {
		text, number := ledger.KindText, ledger.KindInt
		return errors.Join(
			to.Table("marks", []ledger.Column{{Name: "name", Kind: text}, {Name: "value", Kind: number}}),
			to.Row([]any{"epoch", int64(1)}), to.Row([]any{"settings", int64(1)}), to.Row([]any{"audit", int64(0)}), to.Row([]any{"servers", int64(1)}),
			to.Table("accounts", []ledger.Column{{Name: "sp", Kind: text}, {Name: "name", Kind: text}, {Name: "frozen", Kind: ledger.KindBool}, {Name: "max_apps", Kind: number}, {Name: "created_at", Kind: number}}),
			to.Row([]any{sp, "", false, int64(1), int64(0)}),
		)
	}
}

// schemaNow is the version of the schema of this program.
func schemaNow(t *testing.T) int64 {
	t.Helper()
	k := &kept{heads: map[string][]ledger.Column{}, rows: map[string][][]any{}}
	schema, err := open(t, ledgertest.SQLite(t)).Dump(t.Context(), k)
	require.NoError(t, err)
	return schema
}

// accounts are those of a ledger.
func accounts(t *testing.T, cfg ledger.Config) (all []string) {
	t.Helper()
	l, err := ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	list, err := l.Accounts(t.Context())
	require.NoError(t, err)
	for _, a := range list {
		all = append(all, a.SP)
	}
	return all
}

// TestLoadOfAnOlderSchema: tables that the older schema does not have are nothing to empty.
func TestLoadOfAnOlderSchema(t *testing.T) {
	const before = 15 // before nodes had lives
	all := map[string]ledger.Config{"sqlite": {Path: filepath.Join(t.TempDir(), "axgate.db")}}
	if !testing.Short() {
		all["postgres"] = ledger.Config{Driver: ledger.Postgres, DSN: pgtest.New(t)}
	}
	for kind, cfg := range all {
		t.Run(kind, func(t *testing.T) {
			_, err := ledger.Load(t.Context(), cfg, ledger.LoadOptions{Schema: before}, feedAccount("old"))
			require.NoError(t, err)
			require.Equal(t, []string{"old"}, accounts(t, cfg))
		})
	}
}

// TestLoadByTheClockOfTheDatabase: a node is alive if the database has heard of it lately,
// whatever its own clock says.
func TestLoadByTheClockOfTheDatabase(t *testing.T) {
	if testing.Short() {
		t.Skip("needs PostgreSQL")
	}
	cfg, o := ledgertest.Postgres(t), ledger.LoadOptions{Schema: schemaNow(t), Replace: true}
	load := func() error {
		_, err := ledger.Load(t.Context(), cfg, o, feedAccount("new"))
		return err
	}
	l := open(t, cfg)
	ledgertest.Alive(t, l, "slow", time.Now().Add(-time.Hour))
	require.ErrorIs(t, load(), ledger.ErrAlive)
	require.Empty(t, accounts(t, cfg))
	execute(t, cfg, "UPDATE nodes SET heard_at = heard_at - 6000000, alive_at = alive_at + 7200000000")
	require.NoError(t, load(), "its clock was ahead, and it is gone")
	life := ledgertest.Alive(t, l, "ended", time.Now())
	require.NoError(t, l.LeaveNode(t.Context(), life))
	require.NoError(t, load(), "it said so")
	require.Equal(t, []string{"new"}, accounts(t, cfg))
}

// TestNoNodeBeginsInALoad: a node that starts while a ledger is loaded finds what was loaded.
func TestNoNodeBeginsInALoad(t *testing.T) {
	if testing.Short() {
		t.Skip("needs PostgreSQL")
	}
	cfg := ledgertest.Postgres(t)
	l := open(t, cfg)
	began := make(chan error, 1)
	_, err := ledger.Load(t.Context(), cfg, ledger.LoadOptions{Schema: schemaNow(t)}, func(to ledger.Sink) error {
		go func() {
			for { // as a node does
				_, err := l.JoinNode(t.Context(), "n", "home", ledger.Node{})
				if err == nil {
					began <- errors.Join(l.EnsureAccount(t.Context(), ledger.Account{SP: "late", MaxApps: 1}, time.Now()), t.Context().Err())
					return
				}
				if t.Context().Err() != nil {
					began <- err
					return
				}
			}
		}()
		select {
		case <-began:
			return errors.New("it has begun")
		case <-time.After(500 * time.Millisecond):
		}
		return feedAccount("new")(to)
	})
	require.NoError(t, err)
	require.NoError(t, <-began)
	require.ElementsMatch(t, []string{"new", "late"}, accounts(t, cfg))
}

// TestCommitLost: a commit whose answer is lost is asked after: it stands, or it does not, or
// that is said not to be known.
func TestCommitLost(t *testing.T) {
	if testing.Short() {
		t.Skip("needs PostgreSQL")
	}
	for name, c := range map[string]struct {
		loss  pgtest.Loss
		says  error // nil: none, or any
		loads []string
	}{
		"answer":   {pgtest.LostAnswer, nil, []string{"new"}},
		"question": {pgtest.LostQuestion, nil, nil},
		"server":   {pgtest.LostServer, ledger.ErrInDoubt, []string{"new"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := ledgertest.Postgres(t)
			link := pgtest.NewLink(t, cfg.DSN)
			o := ledger.LoadOptions{Schema: schemaNow(t), Patience: 2 * time.Second}
			_, err := ledger.Load(t.Context(), ledger.Config{Driver: ledger.Postgres, DSN: link.DSN}, o, func(to ledger.Sink) error {
				link.Lose("commit", c.loss)
				return feedAccount("new")(to)
			})
			switch {
			case c.says != nil:
				require.ErrorIs(t, err, c.says)
			case c.loads != nil:
				require.NoError(t, err)
			default:
				require.Error(t, err)
				require.NotErrorIs(t, err, ledger.ErrInDoubt)
			}
			require.Equal(t, c.loads, accounts(t, cfg))
		})
	}
}
