package node

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

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
	require.Contains(t, a.wrong(), "node a does not see in its recording.dir, "+dir+", what node b writes")
	b.look(all[1].Life, all, now)
	require.Empty(t, b.wrong())
	a.look(all[0].Life, all, now)
	require.Empty(t, a.wrong())

	all[1].Incarnation = 2
	a.look(all[0].Life, all, now)
	require.Contains(t, a.wrong(), "node b", "an old sign may have been copied there")
	for name, c := range map[string]ledger.Node{"young": node("b", 2, ledger.NodeUp, settling/2), "gone": node("b", 2, ledger.NodeGone, time.Hour), "dead": node("b", 2, ledger.NodeDead, time.Hour)} {
		a.look(all[0].Life, []ledger.Node{all[0], c}, now)
		require.Empty(t, a.wrong(), name)
	}
	all = append(all, node("c", 1, ledger.NodeUp, time.Hour))
	a.look(all[0].Life, all, now)
	require.Contains(t, a.wrong(), "what node b, nor what node c writes into its own", "all are named")

	require.NoError(t, b.withdraw("b"))
	require.NoError(t, b.withdraw("b"))
	require.NoError(t, os.RemoveAll(dir))
	b.look(all[1].Life, nil, now)
	require.Contains(t, b.wrong(), "leave a sign", "it is not there at all")
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
		require.Eventually(t, func() bool { return !b.watching.survey.get().At.IsZero() }, 15*time.Second, 10*time.Millisecond)
		all, err := b.ledger.Nodes(t.Context())
		require.NoError(t, err)
		b.takeovers.shared.look(b.roster.Life(), all, time.Now().Add(settling)) // a is not young any more
		if one {
			level, text := b.sharedHealth()
			require.Equal(t, health.OK, level, text)
		} else {
			require.Eventually(t, func() bool {
				r := b.watching.health.Report()
				return r.Status == health.Degraded && len(r.Reasons) == 1 && r.Reasons[0].Check == "shared" && strings.Contains(r.Reasons[0].Text, "what node a writes")
			}, 5*time.Second, 20*time.Millisecond, "%v", b.watching.health.Report())
		}
		closeB()
		closeA()
		left, err := filepath.Glob(filepath.Join(dir, "*", ".node-*"))
		require.NoError(t, err)
		require.Empty(t, left)
		require.Equal(t, !one, strings.Contains(log.String(), "does not see in its recording.dir"))
	}
}
