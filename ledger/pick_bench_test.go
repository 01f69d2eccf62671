package ledger_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/ledger"
	"axgate/routing"
)

// BenchmarkPick measures how long it takes to choose an X. The sizes are those
// of AXGATE_BENCH_X (numbers, 1000 if unset) and AXGATE_BENCH_BINDINGS (pairs,
// 10000 if unset). Numbers lie in 20 areas of six provinces.
//
//	AXGATE_BENCH_X=100000 AXGATE_BENCH_BINDINGS=5000000 go test ./ledger -run xxx -bench Pick -timeout 2h
func BenchmarkPick(b *testing.B) {
	size := sizes{numbers: sizeOf(b, "AXGATE_BENCH_X", 1000), pairs: sizeOf(b, "AXGATE_BENCH_BINDINGS", 10_000)}
	for name, cfg := range configs(b) {
		b.Run(name, func(b *testing.B) {
			l := open(b, cfg)
			app := addApp(b, l, routing.AXB, nil)
			began := time.Now()
			size.load(b, cfg, app)
			b.Logf("%d X with %d pairs were loaded in %s", size.numbers, size.pairs, time.Since(began).Round(time.Second))
			for _, state := range size.states() {
				for _, statement := range state.change {
					execute(b, cfg, statement)
				}
				if cfg.Driver == ledger.Postgres { // as autovacuum does after a while
					execute(b, cfg, "VACUUM ANALYZE numbers")
					execute(b, cfg, "VACUUM ANALYZE bound")
				}
				for branch, at := range map[string]ledger.Place{"area": {Area: "0755"}, "province": {Province: "Guangdong"}, "any": {}} {
					b.Run(state.name+"/"+branch, func(b *testing.B) { pickOften(b, l, cfg, app, at, state.full) })
				}
			}
		})
	}
}

func sizeOf(b *testing.B, name string, usual int) int {
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	require.NoError(b, err, name)
	return n
}

// knows is the A of the states in which most X know A.
const knows routing.Number = "+8613700000000"

func pickOften(b *testing.B, l *ledger.Ledger, cfg ledger.Config, app string, at ledger.Place, full bool) {
	bind := axb(app, "", knows, "")
	for i, query := range ledger.PickQueries(at, &bind) {
		plan := explain(b, cfg, "", query)
		if os.Getenv("AXGATE_BENCH_PLANS") != "" {
			b.Logf("%s", plan)
		}
		if i == 2 { // overdue
			require.Contains(b, plan, "bindings_expiring ")
		}
		require.NotRegexp(b, notByIndex, plan)
	}
	i := 0
	for b.Loop() {
		i++
		bind.B = routing.Number(fmt.Sprintf("+86136%08d", i))
		_, err := l.PickNumber(b.Context(), app, at, &bind)
		if full != errors.Is(err, ledger.ErrFull) || err != nil && !full {
			b.Fatal(err)
		}
	}
}

// sizes are how much there is.
type sizes struct{ numbers, pairs int }

// state is what the numbers are like; each is made from the one before.
type state struct {
	name   string
	change []string
	full   bool // there is no X
}

// states: one X in a hundred has room or does not know A, then one in each area,
// then none.
func (s sizes) states() []state {
	const know = `INSERT INTO bound (x, slot, subscription) SELECT x, '` + string(knows) + `', 'p0' FROM numbers WHERE `
	one, few := fmt.Sprintf("CAST(substr(x, 7) AS BIGINT) / 20 %% %d = 0", 100), "CAST(substr(x, 7) AS BIGINT) < 20"
	return []state{
		{"room everywhere", nil, false},
		{"99 of 100 X full", []string{`UPDATE numbers SET room = bindings WHERE NOT ` + one}, false},
		{"one X of an area not full", []string{`UPDATE numbers SET room = bindings WHERE NOT ` + few}, false},
		{"all full", []string{`UPDATE numbers SET room = bindings`}, true},
		{"99 of 100 X know A", []string{`UPDATE numbers SET room = 5000`, know + `NOT ` + one}, false},
		{"one X of an area does not know A", []string{know + one + ` AND NOT ` + few}, false},
		{"all know A", []string{know + few}, true},
	}
}

// load fills the database behind the ledger's back, in large steps.
func (s sizes) load(b *testing.B, cfg ledger.Config, app string) {
	const step = 250_000
	digits := func(n string) string { return `substr(CAST(100000000 + ` + n + ` AS TEXT), 2)` }
	upTo := func(from, to int) string {
		return fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d) `, from, to)
	}
	per := max(1, s.pairs/s.numbers)
	execute(b, cfg, upTo(0, s.numbers)+`INSERT INTO numbers (x, app, mode, status, cause, area, city, province, carrier, voice, sms, bindings, room, lowest, version, granted_at, released_at)
		SELECT '+86170' || `+digits("i")+`, '`+app+`', 'AXB', 'normal', '', `+choice(areas, 0)+`, '', `+choice(areas, 1)+`, '', TRUE, FALSE, 0, 5000, 1, 0, 0, 0 FROM n`)
	until := fmt.Sprintf("i %% 2 * %d", t0.AddDate(1, 0, 0).UnixMicro()) // half of them have an end, which is far
	x := `'+86170' || ` + digits(fmt.Sprintf("(i / %d %% %d)", per, s.numbers))
	for from := 0; from < s.pairs; from += step {
		n := upTo(from, min(from+step, s.pairs))
		execute(b, cfg, n+`INSERT INTO bindings (id, app, mode, x, a, b, ext, allowed, off, created_at, modified_at, until_at, record, record_hint, caller_tone, callee_tone,
				max_minutes, last_minute, no_sms, user_data, area, no_callback, callback_num, callback_for, version, ended_at, ended_why)
			SELECT 'p' || i, '`+app+`', 'AXB', `+x+`, '+86138' || `+digits("i")+`, '+86139' || `+digits("i")+`, '', 0, FALSE, 1, 1, `+until+`, FALSE, '', '', '',
				0, '', FALSE, '', '0755', '', '', 0, 1, 0, '' FROM n`)
		for _, side := range []string{"+86138", "+86139"} {
			execute(b, cfg, n+`INSERT INTO bound (x, slot, subscription) SELECT `+x+`, '`+side+`' || `+digits("i")+`, 'p' || i FROM n`)
		}
	}
	execute(b, cfg, `UPDATE numbers SET bindings = (SELECT count(*) FROM bindings WHERE bindings.x = numbers.x AND ended_at = 0)`)
	if cfg.Driver == ledger.Postgres {
		execute(b, cfg, "VACUUM ANALYZE")
	}
}

// areas are area codes with their provinces.
var areas = [][2]string{{"0755", "Guangdong"}, {"020", "Guangdong"}, {"0769", "Guangdong"}, {"0757", "Guangdong"}, {"010", "Beijing"},
	{"021", "Shanghai"}, {"0571", "Zhejiang"}, {"0574", "Zhejiang"}, {"0577", "Zhejiang"}, {"025", "Jiangsu"}, {"0512", "Jiangsu"}, {"0510", "Jiangsu"},
	{"0516", "Jiangsu"}, {"028", "Sichuan"}, {"0816", "Sichuan"}, {"0831", "Sichuan"}, {"0756", "Guangdong"}, {"0760", "Guangdong"}, {"0573", "Zhejiang"}, {"0519", "Jiangsu"}}

// choice spells one of the areas for each number in turn.
func choice(of [][2]string, part int) string {
	var s strings.Builder
	fmt.Fprintf(&s, "CASE i %% %d", len(of))
	for i, v := range of {
		fmt.Fprintf(&s, " WHEN %d THEN '%s'", i, v[part])
	}
	s.WriteString(" END")
	return s.String()
}
