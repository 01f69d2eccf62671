//go:build e2e

package chaos

import (
	"testing"
	"time"
)

// TestRedis breaks a single Redis.
func TestRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	if full {
		w.play(redisKilled(10*time.Second), redisPaused(10*time.Second), redisFlushed())
		return
	}
	w.play(redisKilled(3*time.Second), redisPaused(3*time.Second), redisFlushed())
}

// TestDatabase breaks PostgreSQL, and the way to it.
func TestDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{})
	if full {
		w.play(databaseKilled(20*time.Second), databasePaused(20*time.Second), databaseRestarted(), databaseCut(20*time.Second),
			databaseSwallowed(20*time.Second), databaseSlow(75*time.Second)) // longer than anybody has an event to push
		return
	}
	w.play(databaseKilled(6*time.Second), databaseSwallowed(6*time.Second))
}

// TestStandby has another PostgreSQL take the place of one that is gone without a word.
func TestStandby(t *testing.T) {
	t.Parallel()
	if !full {
		t.Skip("sessions that hang are given up after most of a minute: make chaos has it")
	}
	w := newWorld(t, plan{standby: true})
	w.play(databaseGone(time.Minute))
}

// TestSentinel has a master that Sentinels watch lose its place.
func TestSentinel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plan{redis: "sentinel"})
	if full {
		w.play(sentinelMasterKilled(), sentinelMasterPaused())
		return
	}
	w.play(sentinelMasterKilled())
}

// TestCluster has a master of a cluster lose its place.
func TestCluster(t *testing.T) {
	t.Parallel()
	if !full {
		t.Skip("the packages of store and lookup try it; make chaos does here")
	}
	w := newWorld(t, plan{redis: "cluster"})
	w.play(clusterMasterKilled(0), clusterMasterPaused(1))
}

// TestClock has the clock of a node an hour ahead, and behind.
func TestClock(t *testing.T) {
	t.Parallel()
	if !full {
		t.Skip("the short row of random faults has it")
	}
	w := newWorld(t, plan{})
	w.play(clockOff(1, time.Hour, 15*time.Second), clockOff(1, -time.Hour, 15*time.Second))
}

// TestReceiver has the customer's server away.
func TestReceiver(t *testing.T) {
	t.Parallel()
	if !full {
		t.Skip("pushes are repeated after a minute: make chaos has it")
	}
	w := newWorld(t, plan{})
	w.play(customerDead(20 * time.Second))
}

// TestNode has a node stand still for a minute, and another one killed.
func TestNode(t *testing.T) {
	t.Parallel()
	if !full {
		t.Skip("it stands still for a minute: make chaos has it")
	}
	w := newWorld(t, plan{})
	w.play(nodeStopped(1, time.Minute), nodeKilled(0, 5*time.Second))
}
