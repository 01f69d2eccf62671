package provision_test

import (
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"axgate/ledger"
	"axgate/provision"
	"axgate/routing"
)

// clients is how many ask at once.
const clients = 64

// span is from when to when something was, in ns of the test.
type span struct{ from, to int64 }

// share is a place of a limited number. Somebody may have had it from the
// request for it until its return was acknowledged, and had it for certain from
// the answer until its return was asked for.
type share struct{ possible, certain span }

// limited is what so many can have at a time.
type limited struct {
	mu      sync.Mutex
	shares  []share
	refused []span
}

// overlap is how many of the spans there are at once at most within another.
func overlap(spans []span, within span) (most int) {
	for _, at := range append([]span{within}, spans...) { // the number rises where one begins
		if at.from < within.from || at.from > within.to {
			continue
		}
		n := 0
		for _, s := range spans {
			if s.from <= at.from && at.from <= s.to {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// judge checks that the limit was never passed, was reached, and that nobody was
// refused while there was room for certain.
func (l *limited) judge(t *testing.T, limit int) {
	var possible, certain []span
	for _, s := range l.shares {
		possible = append(possible, s.possible)
		if s.certain.to > s.certain.from {
			certain = append(certain, s.certain)
		}
	}
	require.LessOrEqual(t, overlap(certain, span{0, math.MaxInt64}), limit, "the limit was passed")
	for _, r := range l.refused {
		require.GreaterOrEqual(t, overlap(possible, r), limit, "there was room all the while")
	}
}

// compete has all clients bind and unbind for a while. bind asks for one of the
// limited things; refusals other than full are failures.
func compete(t *testing.T, o *office, mode routing.Mode, things, rounds int, full string, bind func(thing, nth int) (routing.Binding, error)) []*limited {
	began := time.Now()
	now := func() int64 { return int64(time.Since(began)) }
	all := make([]*limited, things)
	for i := range all {
		all[i] = &limited{}
	}
	var running sync.WaitGroup
	for c := range clients {
		running.Go(func() {
			for round := range rounds {
				thing := rand.IntN(things)
				l, from := all[thing], now()
				b, err := bind(thing, c*rounds+round)
				got := now()
				if err != nil {
					if provision.Code(err) != full {
						t.Errorf("refused: %v", err)
					}
					l.mu.Lock()
					l.refused = append(l.refused, span{from, got})
					l.mu.Unlock()
					continue
				}
				if rand.IntN(3) == 0 {
					time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
				}
				back := now()
				if err := o.unbindID(o.ctx, mode, b.ID); err != nil {
					t.Errorf("unbind: %v", err)
				}
				l.mu.Lock()
				l.shares = append(l.shares, share{possible: span{from, now()}, certain: span{got, back}})
				l.mu.Unlock()
			}
		})
	}
	running.Wait()
	refused, had := 0, 0
	for _, l := range all {
		refused, had = refused+len(l.refused), had+len(l.shares)
	}
	t.Logf("%d bound, %d refused", had, refused)
	require.Positive(t, refused)
	require.Positive(t, had)
	return all
}

// eachLimit runs a test on each kind of ledger.
func eachLimit(t *testing.T, mode routing.Mode, test func(t *testing.T, o *office, cfg ledger.Config)) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) { test(t, newOffice(t, cfg, mode), cfg) })
	}
}

// TestLimitOfA: an A never has a sixth X, and always gets a fifth.
func TestLimitOfA(t *testing.T) {
	eachLimit(t, routing.AX, func(t *testing.T, o *office, _ ledger.Config) {
		const rounds = 6
		x := func(i int) string { return fmt.Sprintf("+8617020%06d", i) }
		for i := range clients * rounds {
			o.number(routing.X(x(i)), "app", "0755", "Guangdong")
		}
		all := compete(t, o, routing.AX, 4, rounds, "1011003", func(thing, nth int) (routing.Binding, error) {
			return o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: tel(thing), PrivateNum: x(nth)})
		})
		for _, l := range all {
			l.judge(t, 5)
		}
		o.agrees()
	})
}

// TestLimitOfPairs: X never has more pairs than fit, and always takes as many.
// It has room for a dozen here, not for 5,000.
func TestLimitOfPairs(t *testing.T) {
	eachLimit(t, routing.AXB, func(t *testing.T, o *office, cfg ledger.Config) {
		const room = 12
		driver, dsn := "sqlite", cfg.Path
		if cfg.Driver == ledger.Postgres {
			driver, dsn = "pgx", cfg.DSN
		}
		db, err := sql.Open(driver, dsn)
		require.NoError(t, err)
		_, err = db.Exec(fmt.Sprintf("UPDATE numbers SET room = %d", room))
		require.NoError(t, err)
		require.NoError(t, db.Close())
		xs := []string{x1, x2}
		all := compete(t, o, routing.AXB, len(xs), 6, "1012008", func(thing, nth int) (routing.Binding, error) {
			return o.BindAXB(o.ctx, "app", provision.BindAXB{CallerNum: tel(2 * nth), CalleeNum: tel(2*nth + 1), RelationNum: xs[thing]})
		})
		for _, l := range all {
			l.judge(t, room)
		}
		o.agrees()
	})
}

// TestLimitOfExtensions: X never gives out more extensions than it has.
func TestLimitOfExtensions(t *testing.T) {
	eachLimit(t, routing.AXE, func(t *testing.T, o *office, _ ledger.Config) {
		o.setting(func(a *ledger.App) { a.ExtDigits = 1 })
		xs := []string{x1, x2}
		all := compete(t, o, routing.AXE, len(xs), 6, "1012009", func(thing, nth int) (routing.Binding, error) {
			return o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(nth), VirtualNum: xs[thing]})
		})
		for _, l := range all {
			l.judge(t, 9)
		}
		o.agrees()
	})
}

// TestLastPlaces: of many that want any X of an area at once, as many get one
// as there is room, and only the others are refused.
func TestLastPlaces(t *testing.T) {
	area := provision.Area{AreaCode: "0755"}
	eachLimit(t, routing.AXE, func(t *testing.T, o *office, _ ledger.Config) {
		o.setting(func(a *ledger.App) { a.ExtDigits = 1 })
		count := rush(clients, func(i int) error {
			_, err := o.BindAXE(o.ctx, "app", provision.BindAXE{BindNum: tel(i), Area: area})
			return err
		})
		require.Equal(t, map[string]int{"0": 18, "1012008": clients - 18}, count)
	})
	eachLimit(t, routing.AX, func(t *testing.T, o *office, _ ledger.Config) {
		for i := range 38 {
			o.number(routing.X(fmt.Sprintf("+8617020%06d", i)), "app", "0755", "Guangdong")
		}
		count := rush(clients, func(i int) error {
			_, err := o.BindAX(o.ctx, "app", provision.BindAX{OrigNum: tel(i), Area: area})
			return err
		})
		require.Equal(t, map[string]int{"0": 40, "1011002": clients - 40}, count)
	})
}
