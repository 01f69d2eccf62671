package ledger

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// errLost tells that the other end of a connection is gone, or as good as that.
var errLost = errors.New("the connection to PostgreSQL is lost")

// lostError is an errLost. To pgx it is a timeout, as that of a caller is: of other errors of a
// connection it has told nothing once it has closed it, and a statement without arguments would be sent again.
type lostError struct{ why string }

func (e *lostError) Error() string   { return errLost.Error() + ": " + e.why }
func (e *lostError) Unwrap() error   { return errLost }
func (e *lostError) Timeout() bool   { return true }
func (e *lostError) Temporary() bool { return false }

// link is a connection whose other end may not be silent for ever while it is waited for.
type link struct {
	net.Conn
	patience time.Duration // 0: for ever

	mu          sync.Mutex
	read, write time.Time // deadlines of who uses it; zero: none
	gone        error     // what was told of it first; pgx reads once more before it closes it
}

func (l *link) Read(b []byte) (int, error) {
	if err := l.wait(&l.read, l.Conn.SetReadDeadline); err != nil {
		return 0, err
	}
	n, err := l.Conn.Read(b)
	return n, l.lost(err, &l.read)
}

func (l *link) Write(b []byte) (int, error) {
	if err := l.wait(&l.write, l.Conn.SetWriteDeadline); err != nil {
		return 0, err
	}
	n, err := l.Conn.Write(b)
	return n, l.lost(err, &l.write)
}

// wait begins to be patient, with who is not gone.
func (l *link) wait(user *time.Time, set func(time.Time) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone != nil || l.patience == 0 {
		return l.gone
	}
	return set(l.until(*user))
}

// until is the deadline of who uses it, or the end of patience if that comes first.
func (l *link) until(user time.Time) time.Time {
	if l.patience == 0 {
		return user
	}
	if end := time.Now().Add(l.patience); user.IsZero() || end.Before(user) {
		return end
	}
	return user
}

// lost tells of a deadline that nobody set who uses it, and of a host that the kernel gave up.
func (l *link) lost(err error, user *time.Time) error {
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case errors.Is(err, syscall.ETIMEDOUT):
		l.gone = &lostError{"its host does not answer"}
	case errors.Is(err, os.ErrDeadlineExceeded) && (user.IsZero() || time.Now().Before(*user)):
		l.gone = &lostError{fmt.Sprintf("it has said nothing for %v", l.patience)}
	default:
		return err
	}
	return l.gone
}

// SetDeadline has effect on a Read and a Write that are under way, too.
func (l *link) SetDeadline(t time.Time) error {
	return errors.Join(l.SetReadDeadline(t), l.SetWriteDeadline(t))
}

// SetReadDeadline has effect on a Read that is under way, too.
func (l *link) SetReadDeadline(t time.Time) error { return l.set(t, &l.read, l.Conn.SetReadDeadline) }

// SetWriteDeadline has effect on a Write that is under way, too.
func (l *link) SetWriteDeadline(t time.Time) error {
	return l.set(t, &l.write, l.Conn.SetWriteDeadline)
}

func (l *link) set(t time.Time, user *time.Time, set func(time.Time) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	*user = t
	return set(l.until(t))
}
