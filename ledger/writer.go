package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed tells that the ledger is closed.
var ErrClosed = errors.New("the ledger is closed")

// writer is the one goroutine that writes to SQLite, and that writes the
// journal to PostgreSQL. It puts all that is queued into one transaction
// (group commit), so that many calls share the cost of a disk write and nobody
// waits for a lock that another part of this process holds.
type writer struct {
	db    *sql.DB
	kind  string // SQLite or Postgres
	sink  sink
	jobs  chan *job
	ended chan struct{}

	mu     sync.RWMutex // held to send, and to close
	closed bool

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
	work   func(scope) error // nil: rec
	rec    record
	taken  atomic.Bool // by the writer, or by a caller who does not wait any more
	done   chan error  // buffered
	result error
}

func newWriter(db *sql.DB, kind string, queue int, sink sink) *writer {
	w := &writer{db: db, kind: kind, sink: sink, jobs: make(chan *job, queue), ended: make(chan struct{})}
	go w.loop()
	return w
}

// close refuses new jobs and waits until those in the queue are written.
func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.jobs)
	}
	w.mu.Unlock()
	<-w.ended
}

// do runs work and waits for the commit. If ctx ends before work has begun, it
// will not be run; once it has begun its outcome is waited for.
func (w *writer) do(ctx context.Context, work func(scope) error) error {
	j := &job{work: work, done: make(chan error, 1)}
	if err := w.enter(ctx, j); err != nil {
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

func (w *writer) enter(ctx context.Context, j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.jobs <- j:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the ledger's writer: %w", ctx.Err())
	}
}

// offer queues a record without waiting, or tells why it cannot.
func (w *writer) offer(j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.jobs <- j:
		return nil
	default:
		return fmt.Errorf("%w: %d writes wait already", ErrJournalFull, cap(w.jobs))
	}
}

func (w *writer) loop() {
	defer close(w.ended)
	defer w.disconnect()
	const most = 512 // jobs of one transaction
	batch := make([]*job, 0, most)
	for first := range w.jobs {
		batch = append(batch[:0], first)
		for len(batch) < most && len(w.jobs) > 0 {
			batch = append(batch, <-w.jobs)
		}
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
func (w *writer) transaction(jobs []*job) error {
	ctx, cancel := w.limit()
	defer cancel()
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

// run does the records first, in one sweep, and then each other job by itself.
func (w *writer) run(s scope, jobs []*job) error {
	var recs []record
	var owners []*job
	for _, j := range jobs {
		if j.work == nil {
			recs, owners = append(recs, j.rec), append(owners, j)
		}
	}
	if len(recs) > 0 {
		if err := w.runRecords(s, recs, owners); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		if j.work == nil {
			continue
		}
		var err error
		if j.result, err = w.alone(s, j.work); err != nil {
			return err
		}
	}
	return nil
}

// runRecords writes all records, or, if one of them cannot be written, each by
// itself, so that only that one fails.
func (w *writer) runRecords(s scope, recs []record, owners []*job) error {
	refused, err := w.alone(s, func(s scope) error { return w.sink.commit(s, recs) })
	if err != nil || refused == nil {
		return err
	}
	for i, j := range owners {
		if j.result, err = w.alone(s, func(s scope) error { return w.sink.commit(s, recs[i:i+1]) }); err != nil {
			return err
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
