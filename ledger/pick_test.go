package ledger_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

// pickWorld is an AXB app with two X in 0755 and one each in 020 and 010.
func pickWorld(t *testing.T, l *ledger.Ledger) string {
	app := addApp(t, l, routing.AXB, nil, x1, x2)
	for x, at := range map[routing.X]ledger.Place{x3: {Area: "020", Province: "Guangdong"}, x4: {Area: "010", Province: "Beijing"}} {
		_, err := l.AddNumber(t.Context(), ledger.Number{XNumber: routing.XNumber{X: x, App: app, AreaCode: at.Area, Province: at.Province}}, t0)
		require.NoError(t, err)
	}
	return app
}

const x4 routing.X = "+8617010000004"

// picked is every X that many picks come upon, "full" for none.
func picked(t *testing.T, l *ledger.Ledger, app string, at ledger.Place, b routing.Binding) []routing.X {
	seen := map[routing.X]bool{}
	for range 60 {
		x, err := l.PickNumber(t.Context(), app, at, &b)
		if err != nil {
			require.ErrorIs(t, err, ledger.ErrFull)
			x = "full"
		}
		seen[x] = true
	}
	var all []routing.X
	for x := range seen {
		all = append(all, x)
	}
	return all
}

func TestPickNumber(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := pickWorld(t, l)
		nobody := axb(app, "", tel(8), tel(9))
		anywhere, guangdong, shenzhen := ledger.Place{}, ledger.Place{Province: "Guangdong"}, ledger.Place{Area: "0755"}
		require.ElementsMatch(t, []routing.X{x1, x2, x3, x4}, picked(t, l, app, anywhere, nobody))
		require.ElementsMatch(t, []routing.X{x1, x2, x3}, picked(t, l, app, guangdong, nobody))
		require.ElementsMatch(t, []routing.X{x1, x2}, picked(t, l, app, shenzhen, nobody))
		require.Equal(t, []routing.X{x3}, picked(t, l, app, ledger.Place{Area: "020", Province: "Hunan"}, nobody), "the area wins")
		for _, none := range []ledger.Place{{Area: "0571"}, {Province: "Hunan"}} {
			require.Equal(t, []routing.X{"full"}, picked(t, l, app, none, nobody))
		}
		require.Equal(t, []routing.X{"full"}, picked(t, l, "another app", anywhere, nobody))

		// X that know A or B are left out, on either side of a pair.
		for _, b := range []routing.Binding{axb(app, x1, tel(1), tel(2)), axb(app, x3, tel(3), tel(2))} {
			_, _, err := l.Bind(ctx, b)
			require.NoError(t, err)
		}
		require.Equal(t, []routing.X{x2}, picked(t, l, app, shenzhen, axb(app, "", tel(7), tel(1))))
		require.Equal(t, []routing.X{x2}, picked(t, l, app, guangdong, axb(app, "", tel(1), tel(3))))
		require.ElementsMatch(t, []routing.X{x2, x4}, picked(t, l, app, anywhere, axb(app, "", tel(2), tel(4))))
		_, _, err := l.SetStatus(ctx, x2, routing.StatusFrozen, "", t0)
		require.NoError(t, err)
		require.Equal(t, []routing.X{"full"}, picked(t, l, app, shenzhen, axb(app, "", tel(1), tel(3))), "a frozen X takes nobody")
		require.Equal(t, []routing.X{x1}, picked(t, l, app, shenzhen, nobody))
	})
}

// TestPickExpired: bindings whose time has come neither fill an X nor know
// anybody, swept or not.
func TestPickExpired(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		ctx := t.Context()
		app := addApp(t, l, routing.AX, nil, x1, x2)
		for i, x := range []routing.X{x1, x2} {
			b := ax(app, x, tel(i))
			b.Until = t0.Add(time.Duration(i+1) * time.Minute)
			_, _, err := l.Bind(ctx, b)
			require.NoError(t, err)
		}
		next := ax(app, "", tel(5))
		for after, want := range map[time.Duration]routing.X{time.Minute - time.Microsecond: "full", time.Minute: x1, 2*time.Minute - time.Microsecond: x1} {
			next.CreatedAt = t0.Add(after)
			require.Equal(t, []routing.X{want}, picked(t, l, app, ledger.Place{Area: "0755"}, next), "after %s", after)
		}
		next.CreatedAt = t0.Add(time.Minute)
		require.Equal(t, []routing.X{"full"}, picked(t, l, app, ledger.Place{Area: "010"}, next))
		next.X = x1
		_, _, err := l.Bind(ctx, next)
		require.NoError(t, err)
		require.Equal(t, []routing.X{"full"}, picked(t, l, app, ledger.Place{}, next))

		pairs := addApp(t, l, routing.AXB, nil, x3)
		b := axb(pairs, x3, tel(1), tel(2))
		b.Until = t0.Add(time.Minute)
		_, _, err = l.Bind(ctx, b)
		require.NoError(t, err)
		_, _, err = l.Bind(ctx, axb(pairs, x3, tel(3), tel(4)))
		require.NoError(t, err)
		late := axb(pairs, "", tel(1), tel(5))
		require.Equal(t, []routing.X{"full"}, picked(t, l, pairs, ledger.Place{}, late))
		late.CreatedAt = t0.Add(time.Minute)
		require.Equal(t, []routing.X{x3}, picked(t, l, pairs, ledger.Place{}, late))
		late.B = tel(3)
		require.Equal(t, []routing.X{"full"}, picked(t, l, pairs, ledger.Place{}, late), "a standing binding knows B")
	})
}

// TestPickSpreads: bindings spread over the X, the emptier first.
func TestPickSpreads(t *testing.T) {
	each(t, func(t *testing.T, l *ledger.Ledger) {
		xs := make([]routing.X, 20)
		for i := range xs {
			xs[i] = routing.X(fmt.Sprintf("+86170100%05d", i))
		}
		app := addApp(t, l, routing.AXB, nil, xs...)
		load := map[routing.X]int{}
		const each = 20
		for i := range each * len(xs) {
			b := axb(app, "", tel(2*i), tel(2*i+1))
			var err error
			b.X, err = l.PickNumber(t.Context(), app, ledger.Place{Area: "0755"}, &b)
			require.NoError(t, err)
			_, _, err = l.Bind(t.Context(), b)
			require.NoError(t, err)
			load[b.X]++
		}
		uneven := 0 // the sum of squares: about 30, and with one random X each time about 380
		for _, x := range xs {
			uneven += (load[x] - each) * (load[x] - each)
		}
		require.Less(t, uneven, 160, "%v", load)
	})
}

// TestPickPlans: each way to look for an X goes by its index, and by the key of
// bound, whatever the database knows of the data.
func TestPickPlans(t *testing.T) {
	for name, cfg := range configs(t) {
		t.Run(name, func(t *testing.T) {
			l := open(t, cfg)
			pickWorld(t, l)
			b := axb("app", "", tel(1), tel(2))
			for at, index := range map[ledger.Place]string{{}: "numbers_open ", {Area: "0755"}: "numbers_open_in_area ", {Province: "Guangdong"}: "numbers_open_in_province "} {
				for i, query := range ledger.PickQueries(at, &b) {
					plan := explain(t, cfg, "SET enable_seqscan = off", query)
					if i == 2 { // overdue
						index = "bindings_expiring "
					}
					require.Contains(t, plan+" ", index, "%s", plan)
					require.NotRegexp(t, notByIndex, plan)
					require.Regexp(t, `(sqlite_autoindex_bound_1|bound_pkey)( |\n)`, plan)
				}
			}
		})
	}
}

// notByIndex is what plans have that read tables as a whole, read much of an
// index, or sort.
const notByIndex = `SCAN (numbers|bound|due|o)|Seq Scan|TEMP B-TREE|Sort|Filter: \(\(?slot`

// parameter is a place for one in a query.
var parameter = regexp.MustCompile(`\$\d+`)

// explain is the plan of a query. PostgreSQL reads small tables as a whole: a
// setting can make it prefer indexes, as it does by itself once they are large.
func explain(t testing.TB, cfg ledger.Config, setting, query string) string {
	driver, dsn, how := "sqlite", cfg.Path, "EXPLAIN QUERY PLAN "
	if cfg.Driver == ledger.Postgres {
		driver, dsn, how = "pgx", cfg.DSN, "EXPLAIN "
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	db.SetMaxOpenConns(1)
	if cfg.Driver == ledger.Postgres && setting != "" {
		_, err := db.Exec(setting)
		require.NoError(t, err)
	}
	rows, err := db.Query(how + query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var line string
		if cfg.Driver == ledger.Postgres {
			require.NoError(t, rows.Scan(&line))
		} else {
			require.NoError(t, rows.Scan(&id, &parent, &unused, &line))
		}
		plan.WriteString(line + "\n")
	}
	require.NoError(t, rows.Err())
	return plan.String()
}
