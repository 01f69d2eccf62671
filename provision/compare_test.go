package provision_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/provision"
	"axgate/routing"
)

// TestComparisonsGoOn: what somebody did to the cache by hand is found and repaired, and
// told; what is right is left alone.
func TestComparisonsGoOn(t *testing.T) {
	o := newOffice(t, sqlite(t), routing.AXB)
	log := &lockedBuffer{}
	s, err := provision.New(provision.Config{Ledger: o.ledger, Cache: o.cache, Plan: routing.ChinaPlan(), Node: "n1", Compare: 20 * time.Millisecond, Log: zerolog.New(log)})
	require.NoError(t, err)
	require.NoError(t, o.cache.Ping(o.ctx))
	_, err = s.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: "+8613800000001", CalleeNum: "+8613800000002", RelationNum: x1})
	require.NoError(t, err)
	q := routing.Question{Session: "s", X: x1, Caller: "+8613800000001", At: time.Now()}
	bring := func() routing.Facts {
		f, ticket, err := o.cache.Peek(o.ctx, q)
		require.NoError(t, err)
		if ticket.Miss() {
			d, err := o.ledger.Dossier(o.ctx, x1)
			require.NoError(t, err)
			_ = o.cache.Fill(o.ctx, ticket, d) // else X has changed
			f, _, err = o.cache.Peek(o.ctx, q)
			require.NoError(t, err)
		}
		return f
	}
	require.NotNil(t, bring().ByCaller)
	ctx, stop := context.WithCancel(o.ctx)
	var done sync.WaitGroup
	done.Go(func() { s.Run(ctx) })
	t.Cleanup(func() { stop(); done.Wait() })
	require.Eventually(t, func() bool { return s.Compared().Rounds >= 2 }, 10*time.Second, 10*time.Millisecond)
	require.Zero(t, s.Compared().Differed)
	require.Positive(t, s.Compared().Decisions)

	rdb := redis.NewClient(&redis.Options{Addr: o.cache.Address(), Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = rdb.Close() })
	require.NoError(t, rdb.HSet(o.ctx, "axgate:{"+string(x1)+"}:n:+8613800000001", "b", "+8613800000009").Err())
	require.NoError(t, rdb.HSet(o.ctx, "axgate:{"+string(x1)+"}:n:+8613800000002", "a", "+8613800000009").Err())
	require.EqualValues(t, "+8613800000009", bring().ByCaller.B)
	require.Eventually(t, func() bool { return s.Compared().Repaired >= 1 }, 10*time.Second, 10*time.Millisecond)
	require.EqualValues(t, 1, s.Compared().Differed, "X is repaired at its first difference")
	require.Eventually(t, func() bool {
		f := bring().ByCaller
		return f != nil && f.B == "+8613800000002"
	}, 10*time.Second, 10*time.Millisecond)
	require.Contains(t, log.String(), "cache and ledger differed")
	require.NotContains(t, log.String(), "13800000009", "real numbers are masked")
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text []byte
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
