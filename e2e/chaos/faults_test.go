//go:build e2e

package chaos

import (
	"fmt"
	"time"

	"axgate/store/redistest"
)

func redisKilled(lasts time.Duration) fault {
	return fault{name: "redis killed, started empty", lasts: lasts,
		begin: func(w *world) error { w.redis.Kill(); return nil },
		mend:  func(w *world) error { w.redis.Run(); return nil }}
}

func redisPaused(lasts time.Duration) fault {
	return fault{name: "redis paused (SIGSTOP)", lasts: lasts,
		begin: func(w *world) error { w.redis.Stop(); return nil },
		mend:  func(w *world) error { w.redis.Continue(); return nil }}
}

func redisFlushed() fault {
	return fault{name: "redis flushed", heals: true, begin: func(w *world) error { return w.redis.Try("flushall") }}
}

func databaseKilled(lasts time.Duration) fault {
	return fault{name: "postgres killed (-9), started again", lasts: lasts,
		begin: func(w *world) error { return w.db.Kill() }, mend: func(w *world) error { return w.db.Run() }}
}

func databasePaused(lasts time.Duration) fault {
	return fault{name: "postgres paused (SIGSTOP)", lasts: lasts,
		begin: func(w *world) error { return w.db.Freeze() }, mend: func(w *world) error { return w.db.Thaw() }}
}

func databaseRestarted() fault {
	return fault{name: "postgres restarted", heals: true, begin: func(w *world) error { return w.db.Restart() }}
}

func databaseCut(lasts time.Duration) fault {
	return fault{name: "postgres cut off", lasts: lasts,
		begin: func(w *world) error { w.wire.cut(); return nil }, mend: func(w *world) error { return w.wire.mend() }}
}

func databaseSwallowed(lasts time.Duration) fault {
	return fault{name: "postgres behind a link that swallows everything", lasts: lasts,
		begin: func(w *world) error { return w.wire.swallow(true) }, mend: func(w *world) error { return w.wire.swallow(false) }}
}

// databaseGone has PostgreSQL be silent for good where it was, and be reached at another address:
// connections to the first stay, and are taken.
func databaseGone(lasts time.Duration) fault {
	return fault{name: "postgres gone without a word, at another address", lasts: lasts, heals: true,
		begin: func(w *world) error { return w.wire.swallow(true) }}
}

func databaseSlow(lasts time.Duration) fault {
	return fault{name: "postgres 500 ms away", lasts: lasts,
		begin: func(w *world) error { return w.wire.delay(500) }, mend: func(w *world) error { return w.wire.delay(0) }}
}

// sentinelMasterKilled has a replica become the master.
func sentinelMasterKilled() fault {
	var master *redistest.Server
	return fault{name: "redis failed over (sentinel, master killed)", heals: true, lasts: 6 * time.Second,
		begin: func(w *world) error {
			redistest.Await(w.t, "the sentinels name a master", func() bool { master = w.set.Master(); return master != nil })
			master.Kill()
			return nil
		},
		mend: func(*world) error { master.Run(); return nil }}
}

// sentinelMasterPaused has the former master come back, who knows nothing of its successor.
func sentinelMasterPaused() fault {
	var master *redistest.Server
	return fault{name: "redis failed over (sentinel, master paused)", heals: true, lasts: 6 * time.Second,
		begin: func(w *world) error {
			redistest.Await(w.t, "the sentinels name a master", func() bool { master = w.set.Master(); return master != nil })
			master.Stop()
			return nil
		},
		mend: func(*world) error { master.Continue(); return nil }}
}

func clusterMasterKilled(i int) fault {
	return fault{name: "redis failed over (cluster, a master killed)", heals: true, lasts: 6 * time.Second,
		begin: func(w *world) error { w.cluster.Masters[i].Kill(); return nil },
		mend:  func(w *world) error { w.cluster.Masters[i].Run(); return nil }}
}

func clusterMasterPaused(i int) fault {
	return fault{name: "redis failed over (cluster, a master paused)", heals: true, lasts: 6 * time.Second,
		begin: func(w *world) error { w.cluster.Masters[i].Stop(); return nil },
		mend:  func(w *world) error { w.cluster.Masters[i].Continue(); return nil }}
}

// clockOff sets the clock of one node ahead, or back; requests are signed with the
// time, so customers go to the other.
func clockOff(node int, ahead, lasts time.Duration) fault {
	return fault{name: fmt.Sprintf("clock of a node off by %+.0f h", ahead.Hours()), lasts: lasts, node: node, clockAhead: ahead,
		begin: func(w *world) error { w.clerks.goTo(1 - node); return w.nodes[node].shift(ahead) },
		mend: func(w *world) error {
			err := w.nodes[node].shift(0)
			time.Sleep(200 * time.Millisecond) // it reads its clock's file twenty times a second
			w.clerks.goTo()
			return err
		}}
}

func customerDead(lasts time.Duration) fault {
	return fault{name: "receiver dead", lasts: lasts, repeats: true, remark: "pushed again after a minute",
		begin: func(w *world) error { w.post.cut(); return nil }, mend: func(w *world) error { return w.post.mend() }}
}
