package ledger_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// BenchmarkFacts is what a call costs to an X that the cache does not have, and
// its load: of 1,000 pairs.
func BenchmarkFacts(b *testing.B) {
	for name, cfg := range configs(b) {
		l := open(b, cfg)
		x := routing.X("+8617010000001")
		app := addApp(b, l, routing.AXB, nil, x)
		var list []routing.Binding
		for i := range 1000 {
			list = append(list, axb(app, x, tel(2*i), tel(2*i+1)))
		}
		_, _, err := l.BindMany(b.Context(), list)
		require.NoError(b, err)
		b.Run(name+"/facts", func(b *testing.B) {
			n := 0
			for b.Loop() {
				n++
				f, err := l.Facts(b.Context(), routing.Question{X: x, Caller: tel(2 * (n % 1000)), At: time.Now()})
				require.NoError(b, err)
				require.NotNil(b, f.ByCaller)
			}
		})
		b.Run(name+"/dossier", func(b *testing.B) {
			for b.Loop() {
				_, err := l.Dossier(b.Context(), x)
				require.NoError(b, err)
			}
		})
	}
}
