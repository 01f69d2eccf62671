package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPositional: only parameters that stand in their turn lose their names.
func TestPositional(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`SELECT 1`: `SELECT 1`,
		`INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)`:               `INSERT INTO t (a, b) VALUES (?, ?), (?, ?)`,
		`SELECT a FROM t WHERE b = $1 AND c = '$2 it''s $' AND d = $2`: `SELECT a FROM t WHERE b = ? AND c = '$2 it''s $' AND d = ?`,
		`UPDATE t SET a = $2 WHERE b = $1`:                             `UPDATE t SET a = $2 WHERE b = $1`,
		`SELECT a FROM t WHERE b = $1 OR c = $1`:                       `SELECT a FROM t WHERE b = $1 OR c = $1`,
		`VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`:        `VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		`VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11, $10)`:        `VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11, $10)`,
		`SELECT $ FROM t WHERE a = $1`:                                 `SELECT $ FROM t WHERE a = $1`,
		`SELECT a, 'Zürich' FROM t WHERE b = $1`:                       `SELECT a, 'Zürich' FROM t WHERE b = ?`,
	} {
		require.Equal(t, want, positional(query))
	}
}
