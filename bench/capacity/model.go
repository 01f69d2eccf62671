package main

import (
	"math"
	"time"
)

// load is what a region asks for.
type load struct {
	Calls    int           `default:"100000" help:"Calls that talk at the same time."`
	Bindings int           `default:"100000000" help:"Bindings that stand."`
	Talk     time.Duration `default:"60s" help:"Mean length of a talk."`
	Ring     time.Duration `default:"12s" help:"Mean time from INVITE to answer, or to the end of a call without one."`
	Answered float64       `default:"0.6" help:"Share of calls that are answered."`
	Pushed   float64       `default:"1" help:"Share of calls whose app is told of by HTTP."`
}

// costs are what one call, binding and so on takes, measured by the other
// benchmarks; see docs/performance.md.
type costs struct {
	Minute       float64 `default:"0.04" help:"CPU seconds of a minute of a recorded call."`
	SetUp        float64 `default:"3.5" help:"CPU seconds of axgate for 1,000 recorded calls set up and torn down, without Redis and ledger server."`
	Memory       float64 `default:"60" help:"KiB of memory of a call that is up."`
	Decision     float64 `default:"200" help:"CPU microseconds of Redis per call: decision, marks, release."`
	Cached       float64 `default:"480" help:"Bytes of a binding in Redis."`
	Kept         float64 `default:"812" help:"Bytes of a binding in the ledger, with its indexes."`
	Record       float64 `default:"3000" help:"Bytes of a call and its events in the ledger, with their indexes."`
	Rows         float64 `default:"7" help:"Rows of a call in the ledger: its record and its events."`
	RowsPerCore  float64 `default:"15000" help:"Rows per second that a core of PostgreSQL stores."`
	Push         float64 `default:"0.2" help:"CPU milliseconds of one HTTP push."`
	PushesOfCall float64 `default:"6" help:"Pushes of a call: call events and fee."`
}

// machines are what is bought.
type machines struct {
	Cores      int     `default:"16" help:"Cores of a node."`
	Full       float64 `default:"0.6" help:"Share of a node's CPU that is planned with; what is above is for peaks and for the calls of a node that is lost."`
	Shard      float64 `default:"12" help:"GiB of bindings in a shard of Redis."`
	RedisFull  float64 `default:"0.4" help:"Share of a shard's one core that is planned with."`
	LedgerFull float64 `default:"0.5" help:"Share of PostgreSQL's CPU that is planned with."`
}

// plan is what a region needs.
type plan struct {
	Attempts  float64 // calls per second
	Up        float64 // calls up at once, ringing ones included
	Media     float64 // cores that the talks fill
	Signals   float64 // cores that setting up and tearing down fills
	Pushes    float64 // cores that the pushes fill
	Nodes     int     // with one to spare in ten
	PerNode   float64 // talks of a node, all nodes alive
	Packets   float64 // packets per second of a node, each way
	Bits      float64 // bits per second of a node, each way, on Ethernet
	Memory    float64 // bytes of calls at a node
	Shards    int
	ByMemory  int // shards that the bindings need
	BySpeed   int // shards that the decisions need
	Inserts   float64
	Ledger    float64 // cores of PostgreSQL
	PerDay    float64 // bytes of calls per day in the ledger
	Bound     float64 // bytes of bindings in the ledger
	Recording float64 // bytes per second, mono
	Posts     float64 // HTTP requests per second
}

// What G.711 in packets of 20 ms takes: 160 bytes of audio, 12 of RTP, 8 of
// UDP, 20 of IPv4, and 38 of Ethernet with preamble and gap.
const (
	packetsPerSecond = 50
	packetBits       = 8 * (160 + 12 + 8 + 20 + 38)
	audioBytes       = 8000 // per second of a mono recording
)

// needed computes a plan. It is linear in everything but the rounding: what it
// assumes of peaks is what simulate checks.
func needed(l load, c costs, m machines) plan {
	var p plan
	talks := float64(l.Calls)
	p.Attempts = talks / l.Talk.Seconds() / l.Answered
	p.Up = talks + p.Attempts*l.Ring.Seconds()
	p.Media = talks * c.Minute / 60
	p.Signals = p.Attempts * c.SetUp / 1000
	p.Posts = p.Attempts * l.Pushed * c.PushesOfCall
	p.Pushes = p.Posts * c.Push / 1000
	busy := max(1, math.Ceil((p.Media+p.Signals+p.Pushes)/(float64(m.Cores)*m.Full)))
	p.Nodes = int(busy + math.Ceil(busy/10))
	p.PerNode = talks / float64(p.Nodes)
	p.Packets = 2 * packetsPerSecond * p.PerNode
	p.Bits = p.Packets * packetBits
	p.Memory = p.Up / float64(p.Nodes) * c.Memory * 1024
	p.ByMemory = int(math.Ceil(float64(l.Bindings) * c.Cached / (m.Shard * (1 << 30))))
	p.BySpeed = int(math.Ceil(p.Attempts * c.Decision / 1e6 / m.RedisFull))
	p.Shards = max(1, p.ByMemory, p.BySpeed)
	p.Inserts = p.Attempts * c.Rows
	p.Ledger = p.Inserts / c.RowsPerCore / m.LedgerFull
	p.PerDay = p.Attempts * c.Record * (24 * time.Hour).Seconds()
	p.Bound = float64(l.Bindings) * c.Kept
	p.Recording = talks * audioBytes
	return p
}
