package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"axgate/store"
)

// How far clocks may be apart: bindings end by that of the node, busy marks and counts by
// Redis's.
const (
	clockOdd   = time.Second
	clockWrong = time.Minute
)

// oldestRedis is the first that does all that is asked of it.
const oldestRedis = "6.2"

// older tells whether a version is before another one; one that is not known is not.
func older(version, than string) bool {
	parts := func(v string) (n [2]int, err error) {
		_, err = fmt.Sscanf(v, "%d.%d", &n[0], &n[1])
		return n, err
	}
	is, err := parts(version)
	least, wrong := parts(than)
	return err == nil && wrong == nil && slices.Compare(is[:], least[:]) < 0
}

// redis examines the servers of the cache.
func (x *patient) redis(ctx context.Context) bool {
	start := time.Now()
	cache := x.office.Cache
	err := cache.Ping(ctx)
	x.sentinels(ctx)
	if err != nil {
		x.note(wrong, "redis", "start it; until then every call asks the ledger", "%v", err)
		return false
	}
	x.note(fine, "redis", "", "%s answers in %v", cache.Address(), time.Since(start).Round(10*time.Microsecond))
	if x.cfg.Redis.Inside() {
		return true
	}
	all, err := cache.Examine(ctx)
	if err != nil {
		x.note(wrong, "redis", "see what the message names", "%v", err)
	}
	for i := range all {
		x.server(&all[i])
	}
	return true
}

// sentinels examines those who know the master: most of them have to agree before
// another one takes its place.
func (x *patient) sentinels(ctx context.Context) {
	all := x.office.Cache.ExamineSentinels(ctx)
	if len(all) == 0 {
		return
	}
	dead := 0
	for _, at := range slices.Sorted(maps.Keys(all)) {
		if err := all[at]; err != nil {
			dead++
			x.note(odd, "redis", "start it, or correct redis.sentinels", "the Sentinel at %s: %v", at, err)
		}
	}
	switch alive := len(all) - dead; {
	case alive*2 <= len(all):
		x.note(wrong, "redis", "start more: the majority has to agree before another master takes over", "%d of %d Sentinels answer", alive, len(all))
	default:
		x.note(fine, "redis", "", "%d of %d Sentinels know the master %s", alive, len(all), x.cfg.Redis.SentinelMaster)
	}
}

// server examines one master.
func (x *patient) server(e *store.Examined) {
	const full = 9 // tenths of maxmemory
	memory := fmt.Sprintf("%d MiB", e.Memory>>20)
	if e.MaxMemory > 0 {
		memory += fmt.Sprintf(" of %d", e.MaxMemory>>20)
	}
	x.note(fine, "redis", "", "%s: version %s, %s, %d replicas, %s", e.Address, e.Version, memory, e.Replicas, e.Policy)
	if older(e.Version, oldestRedis) {
		x.note(wrong, "redis", "upgrade it", "%s is older than %s: what only a node's disk has is not kept there for other nodes (XADD MINID), which is lost with the node", e.Address, oldestRedis)
	}
	if !e.Believed {
		x.note(wrong, "redis", "wait a moment and look at the log of the nodes: each has to hear of it", "%s is not believed by the ledger: calls go by the ledger", e.Address)
	}
	if e.Policy != "noeviction" && e.MaxMemory > 0 {
		x.note(wrong, "redis", "set maxmemory-policy to noeviction", "%s throws bindings away when its memory is full (%s), and calls by them are refused then", e.Address, e.Policy)
	}
	if e.MaxMemory > 0 && e.Memory*10 > e.MaxMemory*full {
		x.note(odd, "redis", "raise maxmemory: when it is full the ledger has to answer", "%s is almost full: %s", e.Address, memory)
	}
	if e.Keeps {
		x.note(odd, "redis", "set appendonly to no", "%s writes its keys to a disk, which is for nothing: after a restart they are loaded anew", e.Address)
	}
	if e.Replicas == 0 && (len(x.cfg.Redis.Sentinels) > 0 || len(x.cfg.Redis.Cluster) > 0) {
		x.note(odd, "redis", "add a replica, or start the one that is away", "%s has no replica: if it fails, the ledger has to answer for what it has", e.Address)
	}
	const slots = 16384
	if len(x.cfg.Redis.Cluster) > 0 && (e.State != "ok" || e.Slots != slots) {
		x.note(wrong, "redis", "see redis-cli --cluster check", "by the account of %s the cluster is %s, and %d of %d slots have a master", e.Address, e.State, e.Slots, slots)
	}
	x.apart("redis", e.Address, e.Ahead)
}

// apart tells of a clock that is not ours.
func (x *patient) apart(what, of string, ahead time.Duration) {
	level := odd
	switch {
	case ahead.Abs() < clockOdd:
		return
	case ahead.Abs() >= clockWrong:
		level = wrong
	}
	x.note(level, what, "run chrony, ntpd or systemd-timesyncd on both machines", "the clock of %s is %v ahead of ours", of, ahead.Round(10*time.Millisecond))
}

// untold examines whether changes wait to be brought to the cache.
func (x *patient) untold(ctx context.Context) {
	const most, patience = 100, 10 * time.Second
	late, err := x.office.Ledger.Unsettled(ctx, time.Now().Add(-patience), most)
	switch {
	case err != nil:
		x.note(wrong, "ledger", "", "%v", err)
	case len(late) > 0:
		x.note(odd, "agreement", "a running node repairs that within seconds; look at its log", "the cache was not told of changes of %d X, the oldest %s", len(late), late[0])
	}
}
