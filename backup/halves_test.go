package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/backup"
	"axgate/ledger"
	"axgate/ledger/pgtest"
)

// older is the schema of the version before.
const older = 18

// ofAnOlder is a backup of the older schema: an account, a prompt and a recording.
func ofAnOlder(t *testing.T) []byte {
	t.Helper()
	m := backup.Manifest{Format: backup.Format, Created: t0, Schema: older, Tables: map[string]int{}}
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	add := func(name, text string) {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), Format: tar.FormatPAX}))
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
		sum := sha256.Sum256([]byte(text))
		m.Parts = append(m.Parts, backup.Part{Name: name, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])})
	}
	add("tables/marks/000001", `{"table":"marks","columns":[{"name":"name","kind":"text"},{"name":"value","kind":"int"}]}
["epoch",1]
["settings",1]
["audit",0]
["servers",1]
`)
	add("tables/accounts/000001", `{"table":"accounts","columns":[{"name":"sp","kind":"text"},{"name":"name","kind":"text"},{"name":"frozen","kind":"bool"},{"name":"max_apps","kind":"int"},{"name":"created_at","kind":"int"}]}
["restored","",false,1,0]
`)
	add("prompts/app/b.wav", "restored")
	add("recordings/r.wav", "restored")
	text, err := json.Marshal(m)
	require.NoError(t, err)
	add("manifest.json", string(text))
	require.NoError(t, w.Close())
	return zipped(t, plain.Bytes())
}

// atOlder is a place with a PostgreSQL of the older schema, an account and a prompt.
func atOlder(t *testing.T) (place, *sql.DB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs PostgreSQL")
	}
	p := newPlace(t, ledger.Config{Driver: ledger.Postgres, DSN: pgtest.New(t)})
	db, err := sql.Open("pgx", p.cfg.DSN)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	migrations, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("../ledger/migrations"), goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = migrations.UpTo(t.Context(), older)
	require.NoError(t, err)
	_, err = db.Exec(`INSERT INTO accounts (sp, name, frozen, max_apps, created_at) VALUES ('before', '', FALSE, 1, 0)`)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(p.prompts, "app"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(p.prompts, "app", "b.wav"), []byte("before"), 0o600))
	return p, db
}

// stands tells what is there: ledger, prompt, recording.
func stands(t *testing.T, p place, db *sql.DB) (all []string) {
	t.Helper()
	var sp string
	require.NoError(t, db.QueryRow(`SELECT sp FROM accounts`).Scan(&sp))
	all = append(all, sp)
	for _, file := range []string{filepath.Join(p.prompts, "app", "b.wav"), filepath.Join(p.recordings, "r.wav")} {
		text, err := os.ReadFile(file)
		if err != nil {
			text = []byte("none")
		}
		all = append(all, string(text))
	}
	return all
}

var restored = []string{"restored", "restored", "restored"}

// secondRead is a file with which something happens when it is read the second time.
type secondRead struct {
	from *bytes.Reader
	then func()
	due  bool
}

func (s *secondRead) Seek(at int64, whence int) (int64, error) {
	s.due = true
	return s.from.Seek(at, whence)
}

func (s *secondRead) Read(p []byte) (int, error) {
	if s.due {
		s.due = false
		s.then()
	}
	return s.from.Read(p)
}

var _ io.ReadSeeker = (*secondRead)(nil)

// TestEndedInTheMigration: once the rows are there, who ends the command does not end the
// migration, and all is there.
func TestEndedInTheMigration(t *testing.T) {
	p, db := atOlder(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	file := &secondRead{from: bytes.NewReader(ofAnOlder(t)), then: func() {
		on, err := db.Conn(t.Context())
		require.NoError(t, err)
		_, err = on.ExecContext(t.Context(), `SELECT pg_advisory_lock($1)`, lock.DefaultLockID) // the migration waits
		require.NoError(t, err)
		go func() {
			var sp string
			for sp != "restored" && t.Context().Err() == nil {
				_ = db.QueryRow(`SELECT sp FROM accounts`).Scan(&sp)
				time.Sleep(5 * time.Millisecond)
			}
			time.Sleep(100 * time.Millisecond)
			cancel()
			time.Sleep(1500 * time.Millisecond)
			ended <- on.Close()
		}()
	}}
	// The lock goes with its session.
	db.SetMaxIdleConns(0)
	_, err := backup.Restore(ctx, file, p.target(true))
	require.NoError(t, <-ended)
	require.Equal(t, restored, stands(t, p, db))
	require.NoError(t, err)
	var there bool
	require.NoError(t, db.QueryRow(`SELECT to_regclass('call_orders') IS NOT NULL`).Scan(&there))
	require.True(t, there, "the schema is this program's")
}

// TestMigrationFails: a schema that cannot be brought forward after the rows are there is told, and
// nothing is put back for it.
func TestMigrationFails(t *testing.T) {
	p, db := atOlder(t)
	file := &secondRead{from: bytes.NewReader(ofAnOlder(t)), then: func() {
		_, err := db.Exec(`CREATE TABLE call_orders (in_the_way INTEGER)`)
		require.NoError(t, err)
	}}
	r, err := backup.Restore(t.Context(), file, p.target(true))
	require.ErrorIs(t, err, ledger.ErrForward)
	require.Equal(t, restored, stands(t, p, db))
	require.Len(t, r.Aside, 1, "the prompts that were there")
	require.NotZero(t, r.Epoch)
	_, err = db.Exec(`DROP TABLE call_orders`)
	require.NoError(t, err)
	open(t, p.cfg) // brings it forward
}

// TestCommitUnheard: a commit whose answer is lost stands, and so do the files; one
// that never came to the server changes nothing.
func TestCommitUnheard(t *testing.T) {
	for loss, want := range map[pgtest.Loss][]string{pgtest.LostAnswer: restored, pgtest.LostQuestion: {"before", "before", "none"}} {
		p, db := atOlder(t)
		link := pgtest.NewLink(t, p.cfg.DSN)
		q := p
		q.cfg.DSN = link.DSN
		file := &secondRead{from: bytes.NewReader(ofAnOlder(t)), then: func() { link.Lose("commit", loss) }}
		_, err := backup.Restore(t.Context(), file, q.target(true))
		require.Equal(t, want, stands(t, p, db))
		if loss == pgtest.LostAnswer {
			require.NoError(t, err)
		} else {
			require.Error(t, err)
		}
	}
}

// TestNotCleared: what cannot be cleared away after a restore is told, and the restore stands.
func TestNotCleared(t *testing.T) {
	p := newPlace(t, ledger.Config{Path: filepath.Join(t.TempDir(), "axgate.db")})
	require.NoError(t, os.Mkdir(filepath.Join(p.recordings, "x"), 0o700)) // so x stays where it was unpacked
	file := &secondRead{from: bytes.NewReader(ofAnOlder(t)), then: func() {
		dirs, err := filepath.Glob(filepath.Join(p.recordings, ".restoring-*"))
		require.NoError(t, err)
		require.Len(t, dirs, 1)
		x := filepath.Join(dirs[0], "x")
		require.NoError(t, os.Mkdir(x, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(x, "y"), nil, 0o600))
		require.NoError(t, os.Chmod(x, 0o500))
		t.Cleanup(func() { _ = os.Chmod(x, 0o700) })
	}}
	var r backup.Restored
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // it ends with its thread, which may not do what root may
		if err = unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &make([]unix.CapUserData, 2)[0]); err == nil {
			r, err = backup.Restore(t.Context(), file, p.target(false))
		}
	}()
	<-ended
	require.NoError(t, err)
	require.Contains(t, r.Warning, "x/y")
	text, err := os.ReadFile(filepath.Join(p.prompts, "app", "b.wav"))
	require.NoError(t, err)
	require.Equal(t, "restored", string(text))
	require.NotEmpty(t, dump(t, p.cfg))
}
