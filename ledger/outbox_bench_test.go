package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
)

// BenchmarkOutbox claims the events of 100 calls at each turn, and stores that they were taken.
func BenchmarkOutbox(b *testing.B) {
	room := func(l events.Lane) int { return map[bool]int{true: 200, false: 16}[l.Target == events.ToFee] }
	for name, cfg := range configs(b) {
		b.Run(name, func(b *testing.B) {
			l := open(b, cfg)
			out, turn, n := l.Outbox(), 0, 0
			for b.Loop() {
				turn++
				b.StopTimer()
				var entries []events.Entry
				for i := range 100 {
					c := events.Call{Session: fmt.Sprint("call", turn, "-", i), Node: "n", App: fmt.Sprint("app", i%3), SP: "demo", Mode: "AXB", X: string(x1), In: t0, Ended: t0}
					e := events.Entry{Call: c}
					for seq, kind := range []events.Kind{events.CallIn, events.CallOut, events.Alerting, events.Answer, events.Disconnect} {
						e.Events = append(e.Events, events.NewCallEvent(c, seq+1, kind, t0, ""))
					}
					e.Events = append(e.Events, events.NewFee(c, 6))
					entries = append(entries, e)
				}
				_, err := l.Record(b.Context(), entries)
				require.NoError(b, err)
				now := time.Now()
				b.StartTimer()
				for {
					taken, _, err := out.Claim(b.Context(), now, now.Add(time.Minute), room)
					require.NoError(b, err)
					if len(taken) == 0 {
						break
					}
					outcomes := make([]events.Outcome, len(taken))
					for i, c := range taken {
						outcomes[i] = events.Outcome{Claimed: c, At: now, Done: now}
					}
					require.NoError(b, out.Finish(b.Context(), outcomes))
					n += len(taken)
				}
			}
			require.Equal(b, 600*turn, n)
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
