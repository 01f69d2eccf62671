package ledger_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

// BenchmarkBindMany binds 1,000 pairs on an X at each turn.
func BenchmarkBindMany(b *testing.B) {
	for name, cfg := range configs(b) {
		b.Run(name, func(b *testing.B) {
			l := open(b, cfg)
			app := addApp(b, l, routing.AXB, nil)
			turn := 0
			for b.Loop() {
				turn++
				b.StopTimer()
				x := routing.X(fmt.Sprintf("+8617%09d", turn))
				_, err := l.AddNumber(b.Context(), ledger.Number{XNumber: routing.XNumber{X: x, App: app}, Voice: true}, t0)
				require.NoError(b, err)
				var list []routing.Binding
				for i := range 1000 {
					list = append(list, axb(app, x, tel(2*i), tel(2*i+1)))
				}
				b.StartTimer()
				_, _, err = l.BindMany(b.Context(), list)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "bindings/s")
		})
	}
}
