package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// ErrClosed tells that the ledger is closed.
var ErrClosed = errors.New("the ledger is closed")

// writer is the one goroutine that writes to SQLite. It puts all that is queued
// into one transaction (group commit), so that many share the cost of a disk
// write and nobody waits for a lock that another part of this process holds.
type writer struct {
	db    *sql.DB
	queue chan *job
	quit  chan struct{}
	shut  sync.Once
	ended chan struct{}

	// The loop's own.
	conn  *sql.Conn
	stmts *statements
}

// job is a piece of work.
type job struct {
	work   func(scope) error
	taken  atomic.Bool // by the writer, or by a caller who does not wait any more
	done   chan error  // buffered
	result error
}

// most jobs are queued, and are put into one transaction.
const most = 512

func newWriter(db *sql.DB) *writer {
	w := &writer{db: db, queue: make(chan *job, most), quit: make(chan struct{}), ended: make(chan struct{})}
	go w.loop()
	return w
}

// close refuses new jobs and waits until those in the queue are written.
func (w *writer) close() {
	w.shut.Do(func() { close(w.quit) })
	<-w.ended
}

// do runs work and waits for the commit. If ctx ends before work has begun, it
// will not be run; once it has begun its outcome is waited for.
func (w *writer) do(ctx context.Context, work func(scope) error) error {
	j := &job{work: work, done: make(chan error, 1)}
	select {
	case <-w.quit:
		return ErrClosed
	default:
	}
	select {
	case w.queue <- j:
	case <-w.quit:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("wait for the ledger's writer: %w", ctx.Err())
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return fmt.Errorf("wait for the ledger's writer: %w", ctx.Err())
		}
		return <-j.done
	case <-w.ended: // it was queued at the last moment
		if j.taken.CompareAndSwap(false, true) {
			return ErrClosed
		}
		return <-j.done
	}
}

func (w *writer) loop() {
	defer close(w.ended)
	defer w.disconnect()
	for batch := w.next(nil); len(batch) > 0; batch = w.next(batch[:0]) {
		w.write(batch)
		clear(batch)
	}
}

// next waits for jobs and takes what there is; nothing comes after close.
func (w *writer) next(batch []*job) []*job {
	select {
	case j := <-w.queue:
		batch = append(batch, j)
	case <-w.quit:
	}
	for len(batch) < most {
		select {
		case j := <-w.queue:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// write runs a batch and tells everyone how it went.
func (w *writer) write(batch []*job) {
	live := batch[:0]
	for _, j := range batch {
		if j.taken.CompareAndSwap(false, true) {
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
	for _, j := range live {
		j.done <- j.result
	}
}

// transaction runs the jobs in one transaction. A job that fails is undone
// alone and keeps its error; the error returned is one that undid them all.
// Savepoints cost much: a job that is by itself does without.
func (w *writer) transaction(jobs []*job) error {
	s, err := w.connect()
	if err != nil {
		return err
	}
	if _, err := s.exec("BEGIN IMMEDIATE"); err != nil {
		w.disconnect()
		return fmt.Errorf("begin a transaction: %w", err)
	}
	if err := w.run(s, jobs); err != nil {
		w.rollBack(s)
		return err
	}
	if _, err := s.exec("COMMIT"); err != nil {
		w.rollBack(s)
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (w *writer) run(s scope, jobs []*job) error {
	if len(jobs) == 1 {
		return jobs[0].work(s)
	}
	for _, j := range jobs {
		var err error
		if j.result, err = w.alone(s, j.work); err != nil {
			return err
		}
	}
	return nil
}

// connect returns a scope without an end: SQLite has its busy timeout, and a
// context that can end would cost it a goroutine per statement.
func (w *writer) connect() (scope, error) {
	ctx := context.Background()
	if w.conn == nil {
		conn, err := w.db.Conn(ctx)
		if err != nil {
			return scope{}, fmt.Errorf("connect to the database: %w", err)
		}
		w.conn, w.stmts = conn, newStatements(conn)
	}
	return scope{ctx: ctx, on: w.conn, stmts: w.stmts}, nil
}

func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	w.stmts.close()
	_ = w.conn.Close() // returns it to the pool, which judges it
	w.conn, w.stmts = nil, nil
}

// rollBack undoes the open transaction; one that SQLite undid by itself is not
// open any more.
func (w *writer) rollBack(s scope) { _, _ = s.exec("ROLLBACK") }

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
