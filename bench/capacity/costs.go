package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// What one call, binding and so on takes. Each is at or above what was measured; the
// comment names where docs/performance.md has that. Change a value here and in the table of
// costs there: a test compares them.
const (
	minute     = 0.042 // "CPU s per call-minute, 1,000 calls", recorded
	setUp      = 2.6   // "CPU s per 1,000 calls set up and torn down, 100 a second", recorded
	push       = 0.27  // "The other modes and pushes": AXB with --receiver, less AXB, by six pushes
	memory     = 60    // "memory per call up", recorded
	decision   = 200   // "Setting up and tearing down": what Redis adds to a call
	cached     = 490   // "The decision does not grow": bytes of a pair in Redis
	kept       = 812   // "The decision does not grow": an AXB pair in PostgreSQL
	rows       = 7     // BenchmarkCallsInPostgres: rows/call
	record     = 14000 // the same, pushed by two: bytes/call
	wal        = 25000 // the same, pushed by two: wal-bytes/call
	stored     = 0.5   // the same, unpushed: server-µs/call
	pushStored = 0.2   // the same, pushed by two less unpushed, by six pushes
	refill     = 8000  // "Which loads an emptied Redis": pairs a second of one node
)

// costs are what one call, binding and so on takes.
type costs struct {
	Minute       float64 `default:"${minute}" help:"CPU seconds of a minute of a recorded call."`
	SetUp        float64 `default:"${setUp}" help:"CPU seconds of axgate for 1,000 recorded calls set up and torn down."`
	Push         float64 `default:"${push}" help:"CPU milliseconds of one HTTP push."`
	PushesOfCall float64 `default:"6" help:"Pushes of a call: five call events and fee."`
	Memory       float64 `default:"${memory}" help:"KiB of memory of a call that is up."`
	Decision     float64 `default:"${decision}" help:"CPU microseconds of Redis per call: decision, marks, release."`
	Cached       float64 `default:"${cached}" help:"Bytes of a binding in Redis."`
	Talk         float64 `name:"talk-kept" default:"3000" help:"Bytes in Redis of an answered call, with --takeover."`
	Kept         float64 `default:"${kept}" help:"Bytes of a binding in PostgreSQL, with its indexes."`
	Rows         float64 `default:"${rows}" help:"Rows of a call in PostgreSQL: its record and its events."`
	Record       float64 `default:"${record}" help:"Bytes of a call and its events in PostgreSQL, with their indexes."`
	WAL          float64 `name:"wal" default:"${wal}" help:"Bytes of a call and its events in the WAL of PostgreSQL."`
	Stored       float64 `default:"${stored}" help:"CPU milliseconds of PostgreSQL per call: its record and its events."`
	PushStored   float64 `default:"${pushStored}" help:"CPU milliseconds of PostgreSQL per push: claimed, and stored as taken."`
	Refill       float64 `default:"${refill}" help:"Bindings per second that one node brings to an emptied Redis."`
}

var defaults = kong.Vars{
	"minute": fmt.Sprint(minute), "setUp": fmt.Sprint(setUp), "push": fmt.Sprint(push), "memory": fmt.Sprint(memory),
	"decision": fmt.Sprint(decision), "cached": fmt.Sprint(cached), "kept": fmt.Sprint(kept),
	"rows": fmt.Sprint(rows), "record": fmt.Sprint(record), "wal": fmt.Sprint(wal),
	"stored": fmt.Sprint(stored), "pushStored": fmt.Sprint(pushStored), "refill": fmt.Sprint(refill),
}
