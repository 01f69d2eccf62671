package ledger_test

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
)

// inHole has the DSN of the test that runs in a network of its own.
const inHole = "AXGATE_TEST_BLACK_HOLE"

// TestBlackHole: the host of PostgreSQL is gone without a word, and another one has its place.
// Who waits for the first goes on by the second: what nobody acknowledges any more, and what
// was acknowledged before. It needs iptables, and root or a user's own network.
func TestBlackHole(t *testing.T) {
	if dsn := os.Getenv(inHole); dsn != "" {
		fallIn(t, dsn)
		return
	}
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes until connections are given up")
	}
	here := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestBlackHole$", "-test.v")
	here.Env = append(os.Environ(), inHole+"="+ledgertest.Postgres(t).DSN)
	here.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		here.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		here.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		here.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: gid, Size: 1}}
	}
	out, err := here.CombinedOutput()
	if strings.Contains(string(out), "--- SKIP") || err != nil && here.ProcessState == nil {
		t.Skipf("packets cannot be dropped here: %v\n%s", err, out)
	}
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestBlackHole")
}

// network changes the network of this process.
func network(t *testing.T, command ...string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Skipf("%v: %v: %s", command, err, out)
	}
}

func fallIn(t *testing.T, dsn string) {
	network(t, "ip", "link", "set", "lo", "up")
	network(t, "iptables", "-w", "-N", "HOLE")
	both := relayed(dsn, newRelay(t, "127.0.0.1:5432", dsn), newRelay(t, "127.0.0.2:5432", dsn))
	l, err := ledger.Open(t.Context(), ledger.Config{Driver: ledger.Postgres, DSN: both})
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	life := ledgertest.Alive(t, l, "a", t0)
	db, err := ledger.OpenPostgres(both, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	waits := make(chan error, 1)
	go func() {
		_, err := db.Exec("SELECT pg_sleep(100)")
		waits <- err
	}()
	aside, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, aside.Close()) }()
	require.Eventually(t, func() bool {
		var sleeping int
		require.NoError(t, aside.QueryRow("SELECT COUNT(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(100)' AND datname = current_database()").Scan(&sleeping))
		return sleeping == 1
	}, 10*time.Second, 10*time.Millisecond)

	for _, of := range [][]string{{"-d", "127.0.0.1", "--dport"}, {"-s", "127.0.0.1", "--sport"}} {
		network(t, "iptables", "-w", "-A", "INPUT", "-p", "tcp", of[0], of[1], of[2], "5432", "-j", "DROP")
	}
	begun := time.Now()
	const soon = 15 * time.Second
	claims := make(chan error, 1)
	go func() { // as the pusher does: until it can
		for {
			_, _, err := l.Outbox().Claim(context.Background(), l.Now(), l.Now().Add(time.Minute), func(events.Lane) int { return 1 })
			if err == nil {
				claims <- nil
				return
			}
			t.Logf("a claim failed after %v: %v", time.Since(begun), err)
		}
	}()
	require.Eventually(t, func() bool { // one beat after the other, none of which waits
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		_, err := l.Beat(ctx, life, t0, 1)
		return err == nil
	}, soon, time.Millisecond)
	t.Logf("heard of after %v", time.Since(begun))
	for what, end := range map[string]chan error{"a claim": claims, "a statement": waits} {
		select {
		case err = <-end:
		case <-time.After(time.Until(begun.Add(soon))):
			require.FailNow(t, what+" waits for a host that is gone")
		}
		t.Logf("%s ended after %v: %v", what, time.Since(begun), err)
		if what == "a claim" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ledger.ErrLost)
		}
	}
	time.Sleep(2500 * time.Millisecond) // requests to cancel go nowhere for two seconds
}
