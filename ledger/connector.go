package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/sys/unix"
)

const (
	// ackTime is how long the kernel of the other end may not acknowledge what was sent. Without
	// it Linux tries for a quarter of an hour (tcp_retries2), and so does who waits for an answer.
	ackTime = 10 * time.Second
	// answerTime is how long a statement may take, which is longer than PostgreSQL lets anybody
	// hold a lock (notSoLong). It is for a server that is silent while its kernel acknowledges.
	answerTime = 45 * time.Second
	// connectTime is how long a host may not take a connection, unless the DSN says it
	// (connect_timeout): the next one is tried then, within a beat.
	connectTime = 2 * time.Second
	// idleTime is after how long a session is looked at before it is used again, and lookTime how
	// long that may take: of a pool of sessions that hang each would cost somebody all his time.
	idleTime, lookTime = time.Second, time.Second
)

// probes find a dead host to which nothing is under way: after 11 s, when one has stayed
// without an answer and ackTime is over.
var probes = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 3}

// connector makes connections to PostgreSQL that end by themselves when the other end is gone
// without a word.
type connector struct {
	dsn        string
	ackTime    time.Duration
	answerTime time.Duration // 0: a statement may take for ever
}

func (c connector) open() (*sql.DB, error) {
	if _, err := c.config(); err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// Connect reads what the DSN names anew each time: files of passwords and certificates change.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	idle := false // set for the look that follows
	return stdlib.GetConnector(*cfg, stdlib.OptionShouldPing(func(_ context.Context, p stdlib.ShouldPingParams) bool {
		idle = p.IdleDuration > idleTime
		return false
	}), stdlib.OptionResetSession(func(ctx context.Context, session *pgx.Conn) error {
		if !idle {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, lookTime)
		defer cancel()
		if session.PgConn().Ping(ctx) != nil {
			return driver.ErrBadConn
		}
		return nil
	})).Connect(ctx)
}

// Driver is that of pgx.
func (c connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

func (c connector) config() (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(c.dsn)
	if err != nil {
		return nil, fmt.Errorf("the PostgreSQL connection string: %w", err)
	}
	d := &net.Dialer{Timeout: connectTime, KeepAliveConfig: probes, Control: c.control}
	switch {
	case cfg.ConnectTimeout > 0:
		d.Timeout = cfg.ConnectTimeout
	case slices.ContainsFunc(cfg.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.Host != cfg.Host || f.Port != cfg.Port }):
		cfg.ConnectTimeout = connectTime // for the whole of it: a host that is silent may be connected to
	}
	cfg.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		inner, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &link{Conn: inner, patience: c.answerTime}, nil
	}
	return cfg, nil
}

// control sets TCP_USER_TIMEOUT.
func (c connector) control(network, _ string, raw syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(c.ackTime.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return os.NewSyscallError("setsockopt TCP_USER_TIMEOUT", failed)
}
