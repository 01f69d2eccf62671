package ledger_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
	"axgate/sms"
)

// TestNothingOfPartsIsKept: what was written is erased with the text, whole or
// not.
func TestNothingOfPartsIsKept(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			l := open(t, cfg)
			add := func(id, key string, seq, total int) sms.PartReceipt {
				m := text(id)
				m.Key, m.Text, m.Open, m.Parts, m.Taken, m.Ahead, m.Due = "", "", true, total, false, false, t0.Add(time.Minute)
				r, err := l.AddPart(t.Context(), &m, sms.NewPart{Part: sms.Part{Ref: 9, Seq: seq, Total: total}, Key: key, Text: "secret", At: t0}, roomy, t0.Add(time.Second))
				require.NoError(t, err)
				return r
			}
			add("half", "k1", 1, 3)
			require.False(t, add("again", "k2", 3, 3).Whole)
			r := add("whole", "k3", 1, 2)
			require.False(t, r.Whole)
			r = add("more", "k4", 2, 2)
			require.True(t, r.Whole)
			require.Equal(t, []string{"whole", "secretsecret"}, []string{r.Text.ID, r.Text.Text})
			require.Equal(t, []int{2, 0}, countBodies(t, cfg), "the text has what was in its parts")

			list := claim(t, l, t0.Add(time.Minute))
			require.Len(t, list, 2)
			for _, m := range list {
				require.Equal(t, m.ID == "half", m.Open)
				m.Text, m.Done, m.Result = "", t0, routing.TextNotSent
				held, err := l.SaveText(t.Context(), &m, time.Time{})
				require.NoError(t, err)
				require.True(t, held)
			}
			require.Equal(t, []int{0, 0}, countBodies(t, cfg))
			require.NotEqual(t, "half", add("new", "k5", 2, 3).Text.ID, "what has ended gets no more parts")
		})
	}
}

// countBodies counts what was written in parts: of the text in three, and of
// that in two.
func countBodies(t *testing.T, cfg ledger.Config) (n []int) {
	driver, dsn := "sqlite", cfg.Path
	if cfg.Driver == ledger.Postgres {
		driver, dsn = "pgx", cfg.DSN
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, id := range []string{"half", "whole"} {
		var count int
		require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM message_parts WHERE body <> '' AND message = '"+id+"'").Scan(&count))
		n = append(n, count)
	}
	return n
}
