package usage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"axgate/routing"
	"axgate/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hall is what nodes share: a clock, a place for shares that may be away, a log.
type hall struct {
	now   time.Time
	away  bool
	kept  map[string]map[string]told
	log   bytes.Buffer
	asked int
}

type told struct {
	store.Use
	until time.Time
}

func newHall() *hall {
	return &hall{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), kept: map[string]map[string]told{}}
}

func (h *hall) ShareUse(_ context.Context, shares []store.UseShare, lease time.Duration) ([]store.Use, error) {
	h.asked++
	if h.away {
		return nil, errors.New("away")
	}
	var all []store.Use
	for _, s := range shares {
		if h.kept[s.Key] == nil {
			h.kept[s.Key] = map[string]told{}
		}
		sum := store.Use{Minute: s.Use.Minute, Day: s.Use.Day}
		for owner, o := range h.kept[s.Key] {
			if owner == s.Owner {
				continue
			}
			if h.now.Before(o.until) {
				sum.Calls += o.Calls
			}
			if o.Minute == sum.Minute {
				sum.Begun += o.Begun
			}
			if o.Day == sum.Day {
				sum.Talk += o.Talk
			}
		}
		h.kept[s.Key][s.Owner] = told{s.Use, h.now.Add(lease)}
		all = append(all, sum)
	}
	return all, nil
}

func (h *hall) node(name string, l routing.Limits, j Jump) *Book {
	return New(Config{Limits: l, Jump: j, Node: name, Cache: h, Log: zerolog.New(&h.log), now: func() time.Time { return h.now }, learn: time.Minute, most: 20})
}

func enters(t require.TestingT, b *Book, session string) routing.Excess {
	e, err := b.Enter(context.Background(), session, "sp", "+8617010000001")
	require.NoError(t, err)
	return e
}

func limited(l routing.Limit) routing.Limits { return routing.Limits{Account: l} }

// TestEveryCallIsGivenBack: whatever happens to calls in whatever order, the
// book has what a plain count has, and in the end nothing.
func TestEveryCallIsGivenBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHall()
		b := h.node("n", routing.Limits{Account: routing.Limit{Calls: 4}, X: routing.Limit{Calls: 2}}, Jump{})
		type plain struct {
			sp, x    string
			answered bool
		}
		up := map[string]*plain{}
		count := func(match func(*plain) bool) (n, talking int) {
			for _, p := range up {
				if match(p) {
					n++
					if p.answered {
						talking++
					}
				}
			}
			return n, talking
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			session := fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "session"))
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				p := &plain{sp: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "sp"), x: rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "x")}
				delete(up, session)
				a, _ := count(func(o *plain) bool { return o.sp == p.sp })
				x, _ := count(func(o *plain) bool { return o.x == p.x })
				want := routing.Within
				switch {
				case a >= 4:
					want = routing.AccountCalls
				case x >= 2:
					want = routing.XCalls
				default:
					up[session] = p
				}
				got, err := b.Enter(context.Background(), session, p.sp, routing.X(p.x))
				require.NoError(t, err)
				require.Equal(t, want, got)
			case 2:
				b.Answered(session)
				if p := up[session]; p != nil {
					p.answered = true
				}
			case 3:
				b.Leave(session)
				delete(up, session)
			case 4:
				h.now = h.now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "seconds")) * time.Second)
				b.round(context.Background())
			}
			for _, s := range b.subjects {
				n, talking := count(func(p *plain) bool { return s.kind == account && p.sp == s.name || s.kind == number && p.x == s.name })
				require.Equal(t, [2]int{n, talking}, [2]int{s.calls, s.talking}, "%s", s.key)
			}
		}
		for session := range up {
			b.Leave(session)
		}
		h.now = h.now.Add(time.Hour)
		b.round(context.Background())
		b.round(context.Background())
		require.Empty(t, b.calls)
		require.Empty(t, b.hot)
		require.Empty(t, b.subjects, "nothing is worth being remembered")
	})
}

// TestGoneIsNotCounted: the end of who asked comes before Leave, and after that
// nothing may be counted any more.
func TestGoneIsNotCounted(t *testing.T) {
	b := newHall().node("n", limited(routing.Limit{Calls: 1}), Jump{})
	for range 200 {
		ctx, cancel := context.WithCancel(context.Background())
		var wait sync.WaitGroup
		wait.Go(func() { _, _ = b.Enter(ctx, "s", "sp", "x") })
		cancel()
		b.Leave("s")
		wait.Wait()
		require.Empty(t, b.calls)
	}
	require.Equal(t, routing.Within, enters(t, b, "s"))
	require.Equal(t, routing.AccountCalls, enters(t, b, "other"))
}

// TestSharedUse: nodes see each other's use within a round; a dead node's calls
// count for a lease, its talk for the day, and a new start of it knows of that.
func TestSharedUse(t *testing.T) {
	h, ctx := newHall(), context.Background()
	l := limited(routing.Limit{Calls: 3, Talk: time.Hour})
	one, two := h.node("n1", l, Jump{}), h.node("n2", l, Jump{})
	require.Equal(t, routing.Within, enters(t, one, "1"))
	require.Equal(t, routing.Within, enters(t, one, "2"))
	one.Answered("1")
	one.Answered("2")
	require.Equal(t, routing.Within, enters(t, two, "3"))
	one.round(ctx)
	two.round(ctx)
	one.round(ctx)
	require.Equal(t, routing.AccountCalls, enters(t, two, "4"))
	h.now = h.now.Add(4 * time.Second)
	one.round(ctx)
	require.Equal(t, routing.AccountCalls, enters(t, one, "5"))

	h.now = h.now.Add(29*time.Minute + 55*time.Second)
	one.round(ctx) // and is heard of no more
	two.round(ctx)
	require.Equal(t, routing.AccountCalls, enters(t, two, "6"))
	h.now = h.now.Add(lease)
	two.round(ctx)
	require.Equal(t, routing.Within, enters(t, two, "6"))
	require.Equal(t, routing.Within, enters(t, two, "7"))
	two.Answered("6")
	h.now = h.now.Add(2 * time.Second)
	require.Equal(t, routing.AccountTalk, enters(t, two, "8"), "59:58 of the dead node, and its own")
	two.round(ctx)

	again := h.node("n1", l, Jump{})
	require.Equal(t, routing.Within, enters(t, again, "9"), "until the first round it knows of nothing")
	again.round(ctx)
	require.Equal(t, routing.AccountTalk, enters(t, again, "10"))
	h.now = h.now.Add(13 * time.Hour)
	two.Leave("6")
	two.Leave("7")
	require.Equal(t, routing.Within, enters(t, two, "11"), "another day")
}

// TestAlone: what cannot be told is kept and told later, once; the log hears of
// it once.
func TestAlone(t *testing.T) {
	h, ctx := newHall(), context.Background()
	l := limited(routing.Limit{Rate: 3, Talk: time.Hour})
	one, two := h.node("n1", l, Jump{}), h.node("n2", l, Jump{})
	h.away = true
	for _, s := range []string{"1", "2"} {
		require.Equal(t, routing.Within, enters(t, one, s))
		one.Answered(s)
		one.round(ctx)
	}
	require.Equal(t, 1, strings.Count(h.log.String(), "not shared"))
	require.Equal(t, routing.Within, enters(t, two, "3"))
	require.Equal(t, routing.Within, enters(t, two, "4"))
	h.away = false
	h.now = h.now.Add(10 * time.Second)
	for range 3 {
		one.round(ctx)
		two.round(ctx)
	}
	require.Equal(t, routing.AccountRate, enters(t, one, "5"))
	require.Equal(t, routing.AccountRate, enters(t, two, "6"))
	require.Equal(t, routing.Use{Calls: 4, Begun: 4, Talk: 20 * time.Second}, two.subjects[store.AccountUse("sp")].use(h.now))
	h.now = h.now.Add(time.Minute)
	require.Equal(t, routing.Within, enters(t, two, "6"))
	require.Equal(t, uint64(1), one.Counts().Refused)
}

// TestRoundsAreFew: what has not changed is told seldom, what is not bounded not
// at all.
func TestRoundsAreFew(t *testing.T) {
	h, ctx := newHall(), context.Background()
	b := h.node("n", routing.Limits{X: routing.Limit{Calls: 5}}, Jump{Factor: 1, Floor: 1})
	require.Equal(t, routing.Within, enters(t, b, "1"))
	for range 60 {
		b.round(ctx)
		h.now = h.now.Add(time.Second)
	}
	require.Equal(t, 12, h.asked)
	require.Len(t, h.kept, 1)
	b.Leave("1")
	for range 600 {
		b.round(ctx)
		h.now = h.now.Add(time.Second)
	}
	require.Equal(t, 13, h.asked)
}

// TestMemory: subjects without calls are bounded in number, and what is
// forgotten is not taken out of what the nodes share.
func TestMemory(t *testing.T) {
	h, ctx := newHall(), context.Background()
	b := h.node("n", routing.Limits{X: routing.Limit{Talk: time.Hour}}, Jump{})
	for i := range 500 {
		session := fmt.Sprint(i)
		_, err := b.Enter(ctx, session, "sp", routing.X(session))
		require.NoError(t, err)
		b.Answered(session)
		h.now = h.now.Add(time.Second)
		b.Leave(session)
		b.round(ctx)
		require.LessOrEqual(t, len(b.subjects), 20)
	}
	require.Len(t, h.kept, 500)
	first := routing.X("0")
	_, err := b.Enter(ctx, "again", "sp", first)
	require.NoError(t, err)
	b.round(ctx)
	require.Equal(t, time.Second, b.subjects[store.XUse(first)].use(h.now).Talk)
}

// TestJump: one line for a jump far above what was usual, none for what is
// always so, is little, or comes before anything is usual.
func TestJump(t *testing.T) {
	h := newHall()
	b := h.node("n", routing.Limits{}, Jump{Factor: 10, Floor: 20})
	b.cfg.most = 1000
	n := 0
	minute := func(sp string, calls int) {
		for range calls {
			n++
			_, err := b.Enter(context.Background(), fmt.Sprint(n), sp, routing.X(fmt.Sprint(n%200)))
			require.NoError(t, err)
			b.Leave(fmt.Sprint(n))
		}
	}
	pass := func() { h.now = h.now.Add(time.Minute); b.round(context.Background()) }
	minute("busy", 500)
	require.Zero(t, b.Counts().Jumps, "nothing is usual yet")
	for range 60 {
		pass()
		minute("busy", 30)
		minute("calm", 2)
	}
	require.Zero(t, b.Counts().Jumps)
	pass()
	minute("busy", 100)
	minute("calm", 20)
	require.Zero(t, b.Counts().Jumps)
	minute("calm", 30)
	require.Equal(t, uint64(1), b.Counts().Jumps)
	require.Equal(t, 1, strings.Count(h.log.String(), "toll fraud"))
	require.Contains(t, h.log.String(), `"account":"calm"`)
	for i := range 50 {
		minute(fmt.Sprint("new", i), 21)
	}
	require.Equal(t, uint64(51), b.Counts().Jumps)
	require.Equal(t, 1, strings.Count(h.log.String(), "toll fraud"), "many at once have one line")
	h.now = h.now.Add(time.Minute)
	minute("another", 21)
	require.Contains(t, h.log.String(), `"others":50`)
}
