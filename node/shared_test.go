package node

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"axgate/config"
	"axgate/health"
	"axgate/ledger"
)

// TestOneDirectoryOfRecordings: a node says which others do not write where it reads, as
// soon as that can be known; a life before, a node that ended and one that has just begun
// are none of it.
func TestOneDirectoryOfRecordings(t *testing.T) {
	t.Parallel()
	now := time.Now()
	node := func(name string, life int64, state ledger.NodeState, age time.Duration) ledger.Node {
		return ledger.Node{Life: ledger.Life{Node: name, Incarnation: life}, State: state, Began: now.Add(-age)}
	}
	dir := t.TempDir()
	a, b := &shared{dir: dir}, &shared{dir: dir}
	all := []ledger.Node{node("a", 1, ledger.NodeUp, time.Hour), node("b", 1, ledger.NodeDraining, time.Hour)}
	a.look(all[0].Life, all, now)
	require.Empty(t, a.wrong(), "b may end at this moment")
	a.look(all[0].Life, all, now)
	require.Contains(t, a.wrong(), "node a does not see in its recording.dir, "+dir+", what node b writes")
	b.look(all[1].Life, all, now)
	require.Empty(t, b.wrong())
	a.look(all[0].Life, all, now)
	require.Empty(t, a.wrong())

	all[1].Incarnation = 2
	twice := func(s *shared, all []ledger.Node, own int) {
		s.look(all[own].Life, all, now)
		s.look(all[own].Life, all, now)
	}
	twice(a, all, 0)
	require.Contains(t, a.wrong(), "node b", "an old sign may have been copied there")
	for name, c := range map[string]ledger.Node{"young": node("b", 2, ledger.NodeUp, settling/2), "gone": node("b", 2, ledger.NodeGone, time.Hour), "dead": node("b", 2, ledger.NodeDead, time.Hour)} {
		twice(a, []ledger.Node{all[0], c}, 0)
		require.Empty(t, a.wrong(), name)
	}
	all = append(all, node("c", 1, ledger.NodeUp, time.Hour))
	twice(a, all, 0)
	require.Contains(t, a.wrong(), "what node b, nor what node c writes into its own", "all are named")
	require.NotContains(t, a.wrong(), "(")
	require.NoError(t, os.Mkdir(a.sign("c"), 0o700)) // nobody can read it
	twice(a, all, 0)
	require.Contains(t, a.wrong(), ".node-c: is a directory", "why it is not seen")

	later := &shared{dir: dir}
	require.NoError(t, later.leave(all[1].Life))
	require.NoError(t, b.withdraw())
	require.FileExists(t, b.sign("b"), "it is of another life")
	require.NoError(t, later.withdraw())
	require.NoFileExists(t, b.sign("b"))
	require.NoError(t, later.withdraw())
	require.NoError(t, os.RemoveAll(dir))
	twice(b, all, 1)
	require.Contains(t, b.wrong(), "leave a sign", "it is not there at all")
}

// TestADirectoryThatHoldsUp: health need not wait for the directory.
func TestADirectoryThatHoldsUp(t *testing.T) {
	t.Parallel()
	s := &shared{dir: t.TempDir()}
	own := ledger.Life{Node: "a", Incarnation: 1}
	require.NoError(t, unix.Mkfifo(s.sign("a"), 0o600)) // whoever opens it waits for who writes
	var done sync.WaitGroup
	done.Go(func() { s.look(own, nil, time.Now()) })
	var w *os.File
	require.Eventually(t, func() (waits bool) {
		fd, err := unix.Open(s.sign("a"), unix.O_WRONLY|unix.O_NONBLOCK, 0) // nobody reads yet: ENXIO
		w = os.NewFile(uintptr(max(fd, 0)), s.sign("a"))
		return err == nil
	}, 10*time.Second, time.Millisecond)
	told := make(chan string, 1)
	go func() { told <- s.wrong() }()
	select {
	case text := <-told:
		require.Empty(t, text)
	case <-time.After(10 * time.Second):
		t.Error("health waits")
	}
	require.NoError(t, w.Close())
	done.Wait()
}

// TestASignOfEachLife: a node that was declared dead and lives again leaves the sign of
// that life.
func TestASignOfEachLife(t *testing.T) {
	dir := t.TempDir()
	c := config.Default()
	c.Data, c.Recording.Dir = dir, filepath.Join(dir, "recordings")
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", config.Off
	c.Cluster.Takeover, c.Health.DiskFree = true, 0
	n, err := Open(t.Context(), c, zerolog.Nop())
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(context.Background())) }()
	require.NoError(t, n.Serve())
	was := n.roster.Life()
	bears := func() bool {
		there, err := n.takeovers.shared.bears(n.roster.Life())
		return err == nil && there
	}
	require.True(t, bears())
	require.NoError(t, os.Remove(n.takeovers.shared.sign(c.Node)))
	db, err := sql.Open("sqlite", filepath.Join(dir, "axgate.db"))
	require.NoError(t, err)
	_, err = db.Exec("UPDATE nodes SET state = 'dead'")
	require.NoError(t, errors.Join(err, db.Close()))
	require.Eventually(t, func() bool { return n.roster.Life() != was && bears() }, 20*time.Second, 20*time.Millisecond)
}

// TestNodesThatShareNothing: the node that comes second says at its start that it does
// not see what the first one writes; those of one directory have nothing to say, and leave
// none of it behind.
func TestNodesThatShareNothing(t *testing.T) {
	for _, one := range []bool{true, false} {
		dir := t.TempDir()
		c := config.Default()
		c.Ledger.Path = filepath.Join(dir, "axgate.db")
		c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", config.Off
		c.Cluster.Takeover, c.Health.DiskFree = true, 0
		var log strings.Builder
		open := func(name string, change func(*config.Config)) (*Node, func()) {
			own := c
			own.Node, own.Data = name, filepath.Join(dir, name)
			own.Recording.Dir = filepath.Join(dir, "recordings")
			change(&own)
			n, err := Open(t.Context(), own, zerolog.New(zerolog.SyncWriter(&log)))
			require.NoError(t, err)
			require.NoError(t, n.Serve())
			return n, func() { require.NoError(t, n.Close(context.Background())) }
		}
		a, closeA := open("a", func(*config.Config) {})
		began, _, err := a.ledger.Node(t.Context(), "a")
		require.NoError(t, err)
		require.False(t, began.Began.IsZero())
		b, closeB := open("b", func(c *config.Config) {
			c.Redis.Address = a.Running().Redis
			if !one {
				c.Recording.Dir = filepath.Join(dir, "of b")
			}
		})
		all, err := b.ledger.Nodes(t.Context())
		require.NoError(t, err)
		look := func() { b.takeovers.shared.look(b.roster.Life(), all, time.Now().Add(settling)) } // a is not young any more
		if one {
			look()
			look()
			level, text := b.sharedHealth()
			require.Equal(t, health.OK, level, text)
		} else {
			require.Eventually(t, func() bool {
				look() // the node looks too, and finds a young
				return slices.ContainsFunc(b.watching.health.Report().Reasons, func(r health.Reason) bool {
					return r.Check == "shared" && strings.Contains(r.Text, "what node a writes")
				})
			}, 20*time.Second, 20*time.Millisecond)
		}
		closeB()
		closeA()
		left, err := filepath.Glob(filepath.Join(dir, "*", ".node-*"))
		require.NoError(t, err)
		require.Empty(t, left)
		require.Equal(t, !one, strings.Contains(log.String(), "does not see in its recording.dir"))
	}
}
