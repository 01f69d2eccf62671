package sms_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/routing"
	"axgate/sms"
)

// BenchmarkReceive takes texts of many senders to many X, each on the disk
// before it is answered.
func BenchmarkReceive(b *testing.B) {
	benchmark(b, func(b *testing.B, o *sms.Office, one func() sms.Incoming) {
		b.SetParallelism(100)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if r, err := o.Receive(context.Background(), one()); err != nil || r.Outcome != sms.Taken {
					b.Error(r, err)
				}
			}
		})
	})
}

// BenchmarkSend takes texts and sends them over a carrier that takes no time.
func BenchmarkSend(b *testing.B) {
	benchmark(b, func(b *testing.B, o *sms.Office, one func() sms.Incoming) {
		ctx, cancel := context.WithCancel(context.Background())
		sent := make(chan struct{}, b.N)
		c := &carrier{name: "trunk", send: func(context.Context, sms.Outgoing) error { sent <- struct{}{}; return nil }}
		ended := make(chan struct{})
		go func() { o.Run(ctx, []sms.Carrier{c}); close(ended) }()
		b.SetParallelism(100)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if r, err := o.Receive(context.Background(), one()); err != nil || r.Outcome != sms.Taken {
					b.Error(r, err)
				}
			}
		})
		for range b.N {
			<-sent
		}
		cancel()
		<-ended
	})
}

func benchmark(b *testing.B, run func(b *testing.B, o *sms.Office, one func() sms.Incoming)) {
	for name, cfg := range map[string]ledger.Config{
		"sqlite":   ledgertest.SQLite(b),
		"postgres": ledgertest.Postgres(b),
	} {
		b.Run(name, func(b *testing.B) {
			l, err := ledger.Open(b.Context(), cfg)
			require.NoError(b, err)
			defer func() { require.NoError(b, l.Close()) }()
			o, err := sms.New(sms.Config{Rules: anybody{}, Store: l, Waiting: 1_000_000, Log: zerolog.Nop()})
			require.NoError(b, err)
			var n atomic.Int64
			from := b.Name() + fmt.Sprint(b.N)
			one := func() sms.Incoming {
				i := n.Add(1)
				return sms.Incoming{Source: "trunk", Key: fmt.Sprint(from, i), Text: "hello, this is a text of a usual length for one",
					X: routing.X(fmt.Sprintf("+861701%07d", i%1000)), Sender: routing.Number(fmt.Sprintf("+8613800%06d", i))}
			}
			b.ResetTimer()
			run(b, o, one)
		})
	}
}

// anybody forwards all texts.
type anybody struct{ *rules }

func (anybody) DecideMessage(_ context.Context, m routing.Message) (routing.MessageDecision, error) {
	return routing.MessageDecision{Step: routing.ForwardText, App: &routing.App{Key: "app", SP: "demo"}, Receiver: routing.Number("+86139" + string(m.Sender[6:])), Text: m.Text}, nil
}
