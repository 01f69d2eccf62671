package provision_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/provision"
	"axgate/routing"
)

// BenchmarkImport imports 100,000 numbers at each turn, moves them to another
// app, and lists pages of them.
func BenchmarkImport(b *testing.B) {
	configs := map[string]ledger.Config{"sqlite": sqlite(b)}
	if !testing.Short() {
		configs["postgres"] = ledgertest.Postgres(b)
	}
	for name, cfg := range configs {
		b.Run(name, func(b *testing.B) {
			o := newOffice(b, cfg, routing.AXB)
			for turn := range b.N {
				var numbers []string
				var lines []provision.ImportLine
				for i := range provision.MostNumbers {
					x := fmt.Sprintf("+86171%03d%05d", turn, i)
					numbers = append(numbers, x)
					lines = append(lines, provision.ImportLine{Line: i + 1, Number: x, Attributes: ledger.Attributes{AreaCode: fmt.Sprintf("07%02d", i%100)}})
				}
				begun := time.Now()
				task, err := o.ImportNumbers(o.ctx, "app", "", lines)
				require.NoError(b, err)
				b.ReportMetric(time.Since(begun).Seconds(), "store-s")
				o.finished(task)
				b.ReportMetric(time.Since(begun).Seconds(), "import-s")
				begun = time.Now()
				task, err = o.MoveNumbers(o.ctx, "app", "other", "", numbers)
				require.NoError(b, err)
				o.finished(task)
				b.ReportMetric(time.Since(begun).Seconds(), "move-s")
				o.pages(b)
			}
		})
	}
}

func (o *office) finished(task ledger.Task) {
	task, err := o.FinishTask(o.ctx, task.ID, nil)
	require.NoError(o.t, err)
	require.Equal(o.t, provision.MostNumbers, task.Done)
}

// pages measures pages deep in the list, and the counts.
func (o *office) pages(b *testing.B) {
	begun := time.Now()
	for _, f := range []ledger.NumberFilter{{}, {App: "other"}, {AreaCode: "0750"}, {App: "other", Free: true}, {SP: "demo", Status: routing.StatusNormal}} {
		f.After, f.Limit = "+8617100080000", 100
		page, err := o.ledger.ListNumbers(o.ctx, f)
		require.NoError(b, err)
		require.Len(b, page.Numbers, 100)
	}
	b.ReportMetric(float64(time.Since(begun).Milliseconds())/5, "page-ms")
	begun = time.Now()
	counts, err := o.ledger.CountNumbers(o.ctx, ledger.NumberFilter{App: "other"})
	require.NoError(b, err)
	require.NotEmpty(b, counts)
	b.ReportMetric(float64(time.Since(begun).Milliseconds()), "count-ms")
}
