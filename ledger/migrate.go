package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

var errNewer = errors.New("the schema was made by a newer axgate")

//go:embed migrations/*.sql
var migrations embed.FS

// migrator knows the migrations of a database.
func migrator(db *sql.DB, driver string) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("the migrations: %w", err)
	}
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if driver == Postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60)) // every second, for a minute
		if err != nil {
			return nil, fmt.Errorf("the lock of the migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return nil, fmt.Errorf("the migrations: %w", err)
	}
	return p, nil
}

// schemaOf is the version of a schema; 0: there is none.
func schemaOf(ctx context.Context, db *sql.DB, driver string) (int64, error) {
	p, err := migrator(db, driver)
	if err != nil {
		return 0, err
	}
	at, err := p.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	return at, nil
}

// migrateTo brings the schema forward to a version.
func migrateTo(ctx context.Context, db *sql.DB, driver string, version int64) error {
	p, err := migrator(db, driver)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	if known := sources[len(sources)-1].Version; version > known {
		return fmt.Errorf("%w: it has version %d, and this program knows versions up to %d: use the newer axgate", errNewer, version, known)
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return fmt.Errorf("bring the schema to version %d: %w", version, err)
	}
	return nil
}

// migrate brings the schema forward to the version that this program knows.
func migrate(ctx context.Context, db *sql.DB, driver string) error {
	p, err := migrator(db, driver)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	known := sources[len(sources)-1].Version
	// SQLite has no lock for migrations: of two processes that begin at once
	// one fails, and finds the work done when it looks again.
	const tries, pause = 5, 200 * time.Millisecond
	for try := 1; ; try++ {
		err = forward(ctx, p, known)
		if err == nil || try == tries || driver == Postgres || errors.Is(err, errNewer) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

func forward(ctx context.Context, p *goose.Provider, known int64) error {
	at, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if at > known {
		return fmt.Errorf("%w: it has version %d, and this program knows versions up to %d: use the newer axgate, or restore a backup from before its first start", errNewer, at, known)
	}
	if at == known {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the schema from version %d to %d: %w", at, known, err)
	}
	return nil
}
