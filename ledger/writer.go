package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// writer is the one goroutine that writes to SQLite, and that writes the
// journal to PostgreSQL. It puts all that is queued into one transaction
// (group commit), so that many calls share the cost of a disk write and nobody
// waits for a lock that another part of this process holds.
type writer struct {
	db    *sql.DB
	kind  string // SQLite or Postgres
	sink  sink
	queue *queue
	ended chan struct{}

	// The loop's own.
	conn  *sql.Conn
	stmts *statements
}

// sink writes the records of the journal.
type sink interface {
	commit(s scope, recs []record) error
	committed() // the transaction is on the disk
}

// job is a piece of work, or a record of the journal.
type job struct {
	work     func(scope) error // nil: rec
	rec      record
	patience time.Duration // since the last commit
	taken    atomic.Bool   // by the writer, or by a caller who does not wait any more
	done     chan error    // buffered
	result   error
}

func newWriter(db *sql.DB, kind string, most int, sink sink) *writer {
	w := &writer{db: db, kind: kind, sink: sink, queue: newQueue(most), ended: make(chan struct{})}
	go w.loop()
	return w
}

// close refuses new jobs and waits until those in the queue are written.
func (w *writer) close() {
	w.queue.close()
	<-w.ended
}

// do runs work and waits for the commit. If ctx ends before work has begun, it
// will not be run; once it has begun its outcome is waited for.
func (w *writer) do(ctx context.Context, work func(scope) error) error {
	j := &job{work: work, done: make(chan error, 1)}
	if err := w.queue.enter(ctx, j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return fmt.Errorf("wait for the ledger's writer: %w", ctx.Err())
		}
		return <-j.done
	}
}

func (w *writer) loop() {
	defer close(w.ended)
	defer w.disconnect()
	for batch := w.queue.next(nil); batch != nil; batch = w.queue.next(batch[:0]) {
		w.write(batch)
		clear(batch)
	}
}

// write runs a batch and tells everyone how it went.
func (w *writer) write(batch []*job) {
	live := batch[:0]
	for _, j := range batch {
		if j.taken.CompareAndSwap(false, true) {
			j.result = nil
			live = append(live, j)
		}
	}
	if len(live) == 0 {
		return
	}
	if err := w.transaction(live); err != nil {
		for _, j := range live {
			j.result = err
		}
	}
	w.sink.committed()
	for _, j := range live {
		j.done <- j.result
	}
}

// transaction runs the jobs in one transaction. A job that fails is undone
// alone and keeps its error; the error returned is one that undid them all.
// Savepoints cost much, so records do without, and if any cannot be written,
// all begins anew with each record behind its own.
func (w *writer) transaction(jobs []*job) error {
	ctx, cancel := w.limit()
	defer cancel()
	err := w.attempt(ctx, jobs, false)
	if errors.Is(err, errRefused) {
		err = w.attempt(ctx, jobs, true)
	}
	return err
}

// errRefused tells that one of the records cannot be written.
var errRefused = errors.New("a record was refused")

func (w *writer) attempt(ctx context.Context, jobs []*job, singly bool) error {
	s, err := w.connect(ctx)
	if err != nil {
		return err
	}
	begin := "BEGIN"
	if w.kind == SQLite {
		begin = "BEGIN IMMEDIATE"
	}
	if _, err := s.exec(begin); err != nil {
		w.disconnect()
		return fmt.Errorf("begin a transaction: %w", err)
	}
	if err := w.run(s, jobs, singly); err != nil {
		w.rollBack(s)
		return err
	}
	if _, err := s.exec("COMMIT"); err != nil {
		w.rollBack(s)
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// limit bounds a transaction on a server, which may not answer. SQLite has its
// busy timeout, and a context that can end would cost it a goroutine per
// statement.
func (w *writer) limit() (context.Context, context.CancelFunc) {
	if w.kind == SQLite {
		return context.Background(), func() {}
	}
	const patience = 10 * time.Second
	return context.WithTimeout(context.Background(), patience)
}

func (w *writer) connect(ctx context.Context) (scope, error) {
	if w.conn == nil {
		conn, err := w.db.Conn(ctx)
		if err != nil {
			return scope{}, fmt.Errorf("connect to the database: %w", err)
		}
		w.conn = conn
		if w.kind == SQLite {
			w.stmts = newStatements(conn)
		}
	}
	return scope{ctx: ctx, on: w.conn, stmts: w.stmts}, nil
}

func (w *writer) disconnect() {
	if w.stmts != nil {
		w.stmts.close()
		w.stmts = nil
	}
	if w.conn != nil {
		_ = w.conn.Close() // returns it to the pool, which judges it
		w.conn = nil
	}
}

// rollBack undoes the open transaction; a connection that cannot is dropped
// with it.
func (w *writer) rollBack(s scope) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.ctx = ctx
	if _, err := s.exec("ROLLBACK"); err != nil && w.kind != SQLite {
		_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
		w.disconnect()
	}
}

// run does the records first, in one sweep or singly, and then each other job
// by itself.
func (w *writer) run(s scope, jobs []*job, singly bool) error {
	var recs []record
	for _, j := range jobs {
		if j.work == nil && !singly {
			recs = append(recs, j.rec)
		}
	}
	if len(recs) > 0 {
		if err := w.sink.commit(s, recs); err != nil {
			return fmt.Errorf("%w: %w", errRefused, err)
		}
	}
	for _, records := range []bool{true, false} {
		for _, j := range jobs {
			work := j.work
			switch {
			case records != (work == nil), records && !singly:
				continue
			case records:
				work = func(s scope) error { return w.sink.commit(s, []record{j.rec}) }
			}
			var err error
			if j.result, err = w.alone(s, work); err != nil {
				return err
			}
		}
	}
	return nil
}

// alone runs work behind a savepoint: what it refuses is undone. A fatal error
// is one of the transaction as a whole.
func (w *writer) alone(s scope, work func(scope) error) (refused, fatal error) {
	if _, err := s.exec("SAVEPOINT job"); err != nil {
		return nil, fmt.Errorf("set a savepoint: %w", err)
	}
	if refused = work(s); refused != nil {
		if _, err := s.exec("ROLLBACK TO SAVEPOINT job"); err != nil {
			return nil, errors.Join(refused, fmt.Errorf("return to the savepoint: %w", err))
		}
	}
	if _, err := s.exec("RELEASE SAVEPOINT job"); err != nil {
		return nil, fmt.Errorf("release the savepoint: %w", err)
	}
	return refused, nil
}
