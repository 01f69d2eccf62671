package backup_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"axgate/archive"
	"axgate/backup"
	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/ledger/pgtest"
	"axgate/routing"
	"axgate/sms"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

// place is a ledger with its files.
type place struct {
	cfg                 ledger.Config
	prompts, recordings string
}

func newPlace(t *testing.T, cfg ledger.Config) place {
	dir := t.TempDir()
	p := place{cfg, filepath.Join(dir, "prompts"), filepath.Join(dir, "recordings")}
	require.NoError(t, os.MkdirAll(p.recordings, 0o700))
	return p
}

func (p place) target(replace bool) backup.Target {
	return backup.Target{Ledger: p.cfg, Prompts: p.prompts, Recordings: p.recordings, Replace: replace}
}

func open(t *testing.T, cfg ledger.Config) *ledger.Ledger {
	l, err := ledger.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// fill puts something into most tables.
func fill(t *testing.T, l *ledger.Ledger, p place) {
	ctx := t.Context()
	require.NoError(t, l.EnsureAccount(ctx, ledger.Account{SP: "demo", Name: "Zürich ☎ <&>\n\"x\"", MaxApps: 10}, t0))
	_, err := l.CreateApp(ctx, ledger.App{App: routing.App{Key: "app", SP: "demo", Mode: routing.AXB, Recording: true, Prompts: map[routing.Scene]string{"busy": "a.wav"}}, Secret: "secret", Signing: ledger.SignWSSE, FeeURL: "http://r.example/"})
	require.NoError(t, err)
	for i := range 110 { // more than one statement
		x := routing.X(fmt.Sprintf("+861701%07d", i))
		_, err := l.AddNumber(ctx, ledger.Number{XNumber: routing.XNumber{X: x, App: "app"}, Voice: true}, t0)
		require.NoError(t, err)
		if i < 20 {
			b, _, err := l.Bind(ctx, routing.Binding{App: "app", Mode: routing.AXB, X: x, A: "+8613800000001", B: "+8613800000002", CreatedAt: t0, ModifiedAt: t0})
			require.NoError(t, err)
			if i%2 == 0 {
				_, err = l.Unbind(ctx, "app", b.ID, t0.Add(time.Hour))
				require.NoError(t, err)
			}
		}
	}
	for _, open := range []bool{false, true} {
		c := events.Call{Session: fmt.Sprint("call", open), Node: "n", App: "app", SP: "demo", Mode: "AXB", X: "+8617010000001", Caller: "+8613800000001", In: t0}
		evs := []events.Event{events.NewCallEvent(c, 1, events.CallIn, t0, "")}
		if !open {
			c.Ended, c.RecordFile, c.RecordBytes = t0.Add(time.Minute), "a.wav", 9_007_199_254_740_993 // no float has it
			evs = append(evs, events.NewFee(c, 2))
		}
		ledgertest.Record(t, l, c, evs...)
	}
	ledgertest.Alive(t, l, "n", t0.Add(2*time.Minute))
	m := sms.Text{ID: "m", Key: "k", Source: "t", X: "+8617010000001", Sender: "+8613800000001", Text: "你好\x01", At: t0, App: "app", SP: "demo", Split: 1, Due: t0, Ahead: true}
	_, err = l.AddText(ctx, &m, sms.Twin{}, sms.Bounds{Waiting: 10, Open: 1})
	require.NoError(t, err)
	require.NoError(t, l.AddOperator(ctx, ledger.Operator{ID: "OP", Name: "carol", Role: ledger.RoleOperator, Hash: "h", Created: t0}))
	_, err = l.BeginAudit(ctx, ledger.AuditEntry{At: t0})
	require.NoError(t, err)
	_, err = l.Secret(ctx, "links")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(p.prompts, "app"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(p.prompts, "app", "a.wav"), []byte("a prompt"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(p.prompts, "app", "~unfinished"), []byte("x"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(p.recordings, "a.wav"), bytes.Repeat([]byte("audio"), 100_000), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(p.recordings, "b.wav.part"), []byte("not complete"), 0o600))
}

// lines takes a dump as text, without what a restore changes.
type lines struct {
	table string
	all   []string
}

func (s *lines) Table(name string, columns []ledger.Column) error {
	s.table = fmt.Sprint(name, columns)
	return nil
}

func (s *lines) Row(values []any) error {
	skipped := strings.HasPrefix(s.table, "marks") && values[0] == "epoch"
	if strings.HasPrefix(s.table, "numbers") {
		values = append([]any{}, values...)
		for i, v := range values {
			if n, ok := v.(int64); ok && n >= 1<<32 && n < 1<<33 {
				values[i] = n - 1<<32
			}
		}
	}
	if !skipped {
		s.all = append(s.all, fmt.Sprint(s.table, values))
	}
	return nil
}

func dump(t *testing.T, cfg ledger.Config) []string {
	t.Helper()
	l, err := ledger.Open(context.Background(), cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	s := &lines{}
	_, err = l.Dump(t.Context(), s)
	require.NoError(t, err)
	sort.Strings(s.all)
	return s.all
}

func write(t *testing.T, l *ledger.Ledger, p place) (file []byte, m backup.Manifest) {
	t.Helper()
	dir, err := archive.OpenDir(p.recordings)
	require.NoError(t, err)
	var b bytes.Buffer
	m, err = backup.Write(t.Context(), &b, backup.Source{Ledger: l, Driver: p.cfg.Driver, Prompts: p.prompts, Recordings: dir, Config: []byte("node: n\n"), Node: "n", Program: "test"}, func(backup.Manifest) {})
	require.NoError(t, err)
	return b.Bytes(), m
}

// kinds are both databases, empty; fresh has no file of SQLite yet.
func kinds(t *testing.T) map[string]func() ledger.Config {
	all := map[string]func() ledger.Config{"sqlite": func() ledger.Config { return ledger.Config{Path: filepath.Join(t.TempDir(), "axgate.db")} }}
	if !testing.Short() {
		all["postgres"] = func() ledger.Config { return ledgertest.Postgres(t) }
	}
	return all
}

// TestRoundTrip: what was backed up from either database is what is there after
// it was restored into either, row by row, with its files; no cache can
// contradict it.
func TestRoundTrip(t *testing.T) {
	for from, source := range kinds(t) {
		p := newPlace(t, source())
		l := open(t, p.cfg)
		fill(t, l, p)
		file, m := write(t, l, p)
		require.Equal(t, []int{110, 2, 1, 1}, []int{m.Tables["numbers"], m.Tables["calls"], m.Prompts, m.Recordings})
		epoch, err := l.Epoch(t.Context())
		require.NoError(t, err)
		want := dump(t, p.cfg)
		for to, target := range kinds(t) {
			t.Run(from+" to "+to, func(t *testing.T) {
				q := newPlace(t, target())
				if from == "sqlite" && to == "postgres" { // one without a schema
					q.cfg.DSN = pgtest.New(t)
				}
				r, err := backup.Restore(t.Context(), bytes.NewReader(file), q.target(false))
				require.NoError(t, err)
				require.Empty(t, r.Aside)
				require.Equal(t, want, dump(t, q.cfg))
				require.Greater(t, r.Epoch, epoch+1_000_000)
				restored := open(t, q.cfg)
				is, err := restored.Epoch(t.Context())
				require.NoError(t, err)
				require.Equal(t, r.Epoch, is)
				n, err := restored.Number(t.Context(), "+8617010000000")
				require.NoError(t, err)
				require.Greater(t, n.Version, int64(1<<32))
				for name, content := range map[string]string{filepath.Join(q.prompts, "app", "a.wav"): "a prompt", filepath.Join(q.recordings, "a.wav"): strings.Repeat("audio", 100_000)} {
					got, err := os.ReadFile(name)
					require.NoError(t, err)
					require.True(t, content == string(got), name)
				}
				left, err := os.ReadDir(q.recordings)
				require.NoError(t, err)
				require.Len(t, left, 1)
				closed, err := restored.CloseOpen(t.Context(), ledger.Dead{Life: ledger.Life{Node: "n"}, AliveAt: t0.Add(2 * time.Minute)}, true, nil)
				require.NoError(t, err)
				require.Len(t, closed, 1, "the call that was up gets its fee event")
			})
		}
	}
}

// TestRefuses: what is there is only replaced if that is said, and nothing is
// changed by what fails.
func TestRefuses(t *testing.T) {
	for kind, fresh := range kinds(t) {
		t.Run(kind, func(t *testing.T) {
			p := newPlace(t, fresh())
			l := open(t, p.cfg)
			fill(t, l, p)
			file, _ := write(t, l, p)
			q := newPlace(t, fresh())
			other := open(t, q.cfg)
			require.NoError(t, other.EnsureAccount(t.Context(), ledger.Account{SP: "other"}, t0))
			require.NoError(t, os.MkdirAll(filepath.Join(q.prompts, "app"), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(q.prompts, "app", "b.wav"), []byte("another"), 0o600))
			for range 5 {
				_, err := other.RaiseEpoch(t.Context(), "test")
				require.NoError(t, err)
			}
			require.NoError(t, other.Close())
			before := dump(t, q.cfg)
			same := func() {
				t.Helper()
				require.Equal(t, before, dump(t, q.cfg))
				b, err := os.ReadFile(filepath.Join(q.prompts, "app", "b.wav"))
				require.NoError(t, err)
				require.Equal(t, "another", string(b))
				left, err := os.ReadDir(q.recordings)
				require.NoError(t, err)
				require.Empty(t, left)
				around, err := filepath.Glob(filepath.Dir(q.prompts) + "/*restoring*")
				require.NoError(t, err)
				require.Empty(t, around)
			}
			restore := func(ctx context.Context, b []byte, replace bool) error {
				_, err := backup.Restore(ctx, bytes.NewReader(b), q.target(replace))
				return err
			}
			require.ErrorIs(t, restore(t.Context(), file, false), ledger.ErrNotEmpty)
			same()
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorIs(t, restore(ended, file, true), context.Canceled)
			same()
			require.ErrorContains(t, restore(t.Context(), altered(t, file), true), "not what the manifest says")
			same()
			alive := open(t, q.cfg)
			ledgertest.Alive(t, alive, "n", time.Now())
			require.NoError(t, alive.Close())
			if kind == "postgres" { // with SQLite nobody has it open
				before = dump(t, q.cfg)
				require.ErrorIs(t, restore(t.Context(), file, true), ledger.ErrAlive)
				same()
				db, err := sql.Open("pgx", q.cfg.DSN)
				require.NoError(t, err)
				_, err = db.Exec("UPDATE nodes SET heard_at = 0")
				require.NoError(t, errors.Join(err, db.Close()))
			}
			r, err := backup.Restore(t.Context(), bytes.NewReader(file), q.target(true))
			require.NoError(t, err)
			require.Equal(t, dump(t, p.cfg), dump(t, q.cfg))
			require.NotEmpty(t, r.Aside)
			for _, path := range r.Aside {
				_, err := os.Lstat(path)
				require.NoError(t, err)
			}
		})
	}
}

// altered changes a part of what is compressed.
func altered(t *testing.T, file []byte) []byte {
	t.Helper()
	plain := unzipped(t, file)
	i := bytes.Index(plain, []byte(`"table":"numbers"`))
	require.Positive(t, i)
	copy(plain[i:], `"table":"numberz"`)
	return zipped(t, plain)
}

func unzipped(t *testing.T, file []byte) []byte {
	t.Helper()
	z, err := zstd.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	defer z.Close()
	plain, err := io.ReadAll(z)
	require.NoError(t, err)
	return plain
}

func zipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	require.NoError(t, err)
	_, err = z.Write(plain)
	require.NoError(t, errors.Join(err, z.Close()))
	return b.Bytes()
}

// TestBroken: a file that is cut off anywhere, or is none, is told.
func TestBroken(t *testing.T) {
	p := newPlace(t, ledgertest.SQLite(t))
	l := open(t, p.cfg)
	fill(t, l, p)
	file, _ := write(t, l, p)
	_, err := backup.Check(bytes.NewReader(file))
	require.NoError(t, err)
	for _, cut := range []int{0, 1, 10, len(file) / 2, len(file) - 1} {
		_, err := backup.Check(bytes.NewReader(file[:cut]))
		require.ErrorIs(t, err, backup.ErrBroken, cut)
	}
	plain := unzipped(t, file)
	for cut := 0; cut < len(plain); cut += 100_001 {
		_, err := backup.Check(bytes.NewReader(zipped(t, plain[:cut])))
		require.ErrorIs(t, err, backup.ErrBroken, cut)
	}
	for _, name := range []string{"../../etc/x", "/etc/passwd", "tables/a/../../b", "recordings/.x.wav", "prompts/a"} {
		_, err := backup.Check(bytes.NewReader(zipped(t, bytes.Replace(plain, []byte("prompts/app/a.wav"), append([]byte(name), make([]byte, 17-len(name))...), 1))))
		require.ErrorIs(t, err, backup.ErrBroken, name)
	}
	_, err = backup.Check(strings.NewReader("this is no backup"))
	require.ErrorIs(t, err, backup.ErrBroken)
}

// TestOneInstant: a backup is of one instant, whatever is written meanwhile.
func TestOneInstant(t *testing.T) {
	for kind, fresh := range kinds(t) {
		t.Run(kind, func(t *testing.T) {
			p := newPlace(t, fresh())
			l := open(t, p.cfg)
			fill(t, l, p)
			ctx, cancel := context.WithCancel(t.Context())
			var writer sync.WaitGroup
			writer.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					b, _, err := l.Bind(context.Background(), routing.Binding{App: "app", Mode: routing.AXB, X: "+8617010000100", A: "+8613800000001", B: "+8613800000002", CreatedAt: t0, ModifiedAt: t0})
					if err == nil {
						_, err = l.Unbind(context.Background(), "app", b.ID, t0)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
			for range 2 {
				file, _ := write(t, l, p)
				q := newPlace(t, fresh())
				_, err := backup.Restore(t.Context(), bytes.NewReader(file), q.target(false))
				require.NoError(t, err)
				restored := open(t, q.cfg)
				n, err := restored.Number(t.Context(), "+8617010000100")
				require.NoError(t, err)
				list, err := restored.BindingsOfX(t.Context(), "+8617010000100", t0, "", 10)
				require.NoError(t, err)
				require.Len(t, list, n.Bindings)
			}
			cancel()
			writer.Wait()
		})
	}
}
