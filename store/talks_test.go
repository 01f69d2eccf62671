package store

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/store/redistest"
)

// keeper is the talks of a node in a life that can be changed.
func keeper(t *testing.T, c *Cache, life *atomic.Pointer[string]) *Talks {
	talks := c.NewTalks(TalksConfig{
		Owner: func() (string, bool) {
			if l := life.Load(); l != nil {
				return *l, true
			}
			return "", false
		},
		Seal: func(session, state string) (string, error) { return session + "|" + state, nil },
	})
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { talks.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait() })
	return talks
}

func within(t *testing.T, c *Cache, owner string, want map[string]string) {
	t.Helper()
	var got map[string]string
	require.Eventually(t, func() bool {
		var err error
		got, err = c.TalksOf(t.Context(), owner)
		return err == nil && fmt.Sprint(got) == fmt.Sprint(want)
	}, 15*time.Second, 5*time.Millisecond, "%s has %v, not %v", owner, &got, want)
}

// TestTalks: what a node keeps is found by others until the node itself drops it, also
// after Redis has lost everything; what a life has left stays as it was when others
// have declared it over.
func TestTalks(t *testing.T) {
	s := redistest.Start(t)
	c, err := Open(Config{Address: s.Addr, Timeout: 5 * time.Second, Log: zerolog.Nop()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	var life atomic.Pointer[string]
	first, second := "n/1", "n/2"
	talks := keeper(t, c, &life)
	talks.Keep("a", []byte("1"))
	talks.Keep("b", []byte("1"))
	time.Sleep(3 * talksStep)
	within(t, c, first, map[string]string{})
	life.Store(&first)
	talks.Keep("a", []byte("2"))
	within(t, c, first, map[string]string{"a": "a|2", "b": "b|1"})
	talks.Drop("b")
	within(t, c, first, map[string]string{"a": "a|2"})
	require.NoError(t, c.rdb.FlushAll(t.Context()).Err())
	within(t, c, first, map[string]string{"a": "a|2"})
	require.NoError(t, c.rdb.HSet(t.Context(), talksKey(first), "old", "of before").Err())
	within(t, c, first, map[string]string{"a": "a|2"})
	ttl := c.rdb.TTL(t.Context(), talksKey(first)).Val()
	require.InDelta(t, talksLife.Seconds(), ttl.Seconds(), 10)

	life.Store(nil)
	talks.LetGo()
	life.Store(&second)
	talks.Drop("a") // of the life before
	talks.Keep("c", []byte("1"))
	within(t, c, second, map[string]string{"c": "c|1"})
	within(t, c, first, map[string]string{"a": "a|2"})
	require.NoError(t, c.ForgetTalks(t.Context(), first))
	within(t, c, first, map[string]string{})
}

// TestManyTalks: more than one command takes.
func TestManyTalks(t *testing.T) {
	s := redistest.Start(t)
	c, err := Open(Config{Address: s.Addr, Timeout: 5 * time.Second, Log: zerolog.Nop()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	var life atomic.Pointer[string]
	name := "n/1"
	life.Store(&name)
	talks := keeper(t, c, &life)
	want := map[string]string{}
	for i := range 3*talksBatch + 7 {
		session := fmt.Sprint("s", i)
		state := strings.Repeat("x", 2000)
		talks.Keep(session, []byte(state))
		want[session] = session + "|" + state
	}
	within(t, c, name, want)
	for session := range want {
		talks.Drop(session)
	}
	within(t, c, name, map[string]string{})
}

// TestTalksWithoutRedis: what changed while Redis was away is there afterwards.
func TestTalksWithoutRedis(t *testing.T) {
	s := redistest.Start(t)
	c, err := Open(Config{Address: s.Addr, Timeout: 300 * time.Millisecond, Log: zerolog.Nop()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	var life atomic.Pointer[string]
	name := "n/1"
	life.Store(&name)
	talks := keeper(t, c, &life)
	talks.Keep("a", []byte("1"))
	talks.Keep("b", []byte("1"))
	within(t, c, name, map[string]string{"a": "a|1", "b": "b|1"})
	s.Kill()
	talks.Keep("a", []byte("2"))
	talks.Drop("b")
	time.Sleep(3 * talksStep)
	s.Run()
	within(t, c, name, map[string]string{"a": "a|2"})
}

// TestTalkShared: a talk is nobody's but this node's until its state was sent to Redis.
func TestTalkShared(t *testing.T) {
	s := redistest.Start(t)
	c, err := Open(Config{Address: s.Addr, Timeout: time.Second, Log: zerolog.Nop()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	talks := c.NewTalks(TalksConfig{Owner: func() (string, bool) { return "n/1", true }})
	talks.Keep("a", []byte("1"))
	require.False(t, talks.Shared("a"))
	require.NoError(t, talks.flush(t.Context()))
	require.True(t, talks.Shared("a"))
	talks.LetGo()
	require.False(t, talks.Shared("a"))
}
