package ledger_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
)

// kept is a dump in memory.
type kept struct {
	tables []string
	heads  map[string][]ledger.Column
	rows   map[string][][]any
}

func (k *kept) Table(name string, columns []ledger.Column) error {
	k.tables = append(k.tables, name)
	k.heads[name] = columns
	return nil
}

func (k *kept) Row(values []any) error {
	name := k.tables[len(k.tables)-1]
	k.rows[name] = append(k.rows[name], append([]any(nil), values...))
	return nil
}

// BenchmarkLoad restores a ledger with 50,000 numbers.
func BenchmarkLoad(b *testing.B) {
	const many = 50_000
	l, err := ledger.Open(b.Context(), ledgertest.SQLite(b))
	require.NoError(b, err)
	addApp(b, l, routing.AX, nil, x1)
	k := &kept{heads: map[string][]ledger.Column{}, rows: map[string][][]any{}}
	schema, err := l.Dump(b.Context(), k)
	require.NoError(b, err)
	require.NoError(b, l.Close())
	for name, cfg := range map[string]func(testing.TB) ledger.Config{"sqlite": ledgertest.SQLite, "postgres": ledgertest.Postgres} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				to := cfg(b)
				if to.Path != "" {
					to.Path += ".new"
				}
				_, err := ledger.Load(b.Context(), to, ledger.LoadOptions{Schema: schema, Replace: true}, func(to ledger.Sink) error {
					for _, t := range k.tables {
						if err := to.Table(t, k.heads[t]); err != nil {
							return err
						}
						for _, row := range k.rows[t] {
							if err := to.Row(row); err != nil {
								return err
							}
						}
						for i := range many {
							if t != "numbers" {
								break
							}
							row := append([]any(nil), k.rows[t][0]...)
							for c := range row {
								if row[c] == string(x1) {
									row[c] = fmt.Sprintf("+8617%09d", i)
								}
							}
							if err := to.Row(row); err != nil {
								return err
							}
						}
					}
					return nil
				})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(many)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
