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

// plan is what a region needs.
type plan struct {
	Attempts float64 // calls per second
	Up       float64 // calls up at once, ringing ones included

	Media   float64 // cores that the talks fill
	Signals float64 // cores that setting up and tearing down fills
	Pushes  float64 // cores that the pushes fill
	Posts   float64 // HTTP requests per second
	Nodes   int     // that take calls
	Pushers int     // that take none and push
	PerNode float64 // talks of a node, all nodes alive
	Busy    float64 // share of a node's CPU
	Lost    float64 // the same of the fullest node after one is lost
	Workers int     // of media, per node
	Worker  float64 // share of a core of one of them
	Loaded  float64 // the same at the fullest node after one is lost
	Ports   float64 // of a node, in calls and at rest
	Crowded float64 // the same at the fullest node after one is lost
	Packets float64 // packets per second of a node, each way
	Bits    float64 // bits per second of a node, each way, on Ethernet
	Memory  float64 // bytes of calls at the fullest node after one is lost

	Shards   int
	ByMemory int     // shards that the bindings need
	BySpeed  int     // shards that the decisions need
	Fill     float64 // share of a shard's memory
	Redis    float64 // bytes of all shards, with their replicas
	Decide   float64 // share of a shard's core

	Inserts   float64 // rows per second
	Ledger    float64 // cores of PostgreSQL
	Busied    float64 // those of them that are busy
	Logged    float64 // bytes of WAL per second
	PerDay    float64 // bytes of calls per day in the ledger
	Bound     float64 // bytes of bindings in the ledger
	Recording float64 // bytes per second, mono
}

// What G.711 in packets of 20 ms takes: 160 bytes of audio, 12 of RTP, 8 of
// UDP, 20 of IPv4, and 38 of Ethernet with preamble and gap.
const (
	packetsPerSecond = 50
	packetBits       = 8 * (160 + 12 + 8 + 20 + 38)
	audioBytes       = 8000 // per second of a mono recording
)

// needed computes a plan of means; what chance adds is what simulate checks.
func needed(l load, c costs, m machines) plan {
	var p plan
	talks := float64(l.Calls)
	p.Attempts = talks / l.Talk.Seconds() / l.Answered
	p.Up = talks + p.Attempts*l.Ring.Seconds()
	p.Media = talks * c.Minute / 60
	p.Signals = p.Attempts * c.SetUp / 1000
	p.Posts = p.Attempts * l.Pushed * c.PushesOfCall
	p.Pushes = p.Posts * c.Push / 1000
	if p.Posts > 0 {
		p.Pushers = 1 + int(max(1, math.Ceil(p.Pushes/(float64(m.Cores)*m.Full)))) // one may be lost
	}
	busy := max(1, math.Ceil((p.Media+p.Signals)/(float64(m.Cores)*m.Full)))
	p.spread(l, c, m, int(busy+math.Ceil(busy/10)))
	for p.Nodes < l.Calls && (p.Lost*chance > m.Most || p.Crowded*chance > float64(m.Ports)) {
		p.spread(l, c, m, p.Nodes+1)
	}
	p.staff(m)
	p.cache(l, c, m)
	p.ledger(l, c, m)
	p.Recording = talks * audioBytes
	return p
}

// staff has a node as many media workers as keep the fullest of them as busy as is planned with.
func (p *plan) staff(m machines) {
	p.staffed(min(m.Cores, max(1, int(math.Ceil(p.Loaded*float64(p.Workers)*chance/m.Full)))))
}

func (p *plan) staffed(workers int) {
	share := float64(p.Workers) / float64(workers)
	p.Workers, p.Worker, p.Loaded = workers, p.Worker*share, p.Loaded*share
}

// spread puts the calls on so many nodes, of one media worker each.
func (p *plan) spread(l load, c costs, m machines, nodes int) {
	p.Nodes, p.Workers = nodes, 1
	n, talks := float64(nodes), float64(l.Calls)
	left := max(1, n-1)
	p.PerNode = talks / n
	p.Worker, p.Busy = p.Media/n, (p.Media+p.Signals)/n/float64(m.Cores)
	p.Ports = portsOfCall * (p.Up + p.Attempts*m.Rest) / n
	p.Packets = 2 * packetsPerSecond * p.PerNode
	p.Bits = p.Packets * packetBits
	up := p.Up / left
	p.Loaded = p.Media / left
	p.Crowded = portsOfCall * (p.Up + p.Attempts*m.Rest) / left
	if m.Takeover && nodes > 1 { // one node has the talks of two; the calls that rang are gone
		up, p.Loaded = (p.Up+talks)/n, 2*p.Worker
		p.Crowded = p.Ports + portsOfCall*p.PerNode
	}
	p.Lost = (p.Loaded + p.Signals/left) / float64(m.Cores)
	p.Memory = up * c.Memory * 1024
}

// cache plans the shards of Redis.
func (p *plan) cache(l load, c costs, m machines) {
	shard := m.Shard * (1 << 30)
	bytes := float64(l.Bindings) * c.Cached
	if m.Takeover {
		bytes += float64(l.Calls) * c.Talk
	}
	p.ByMemory = int(math.Ceil(bytes / (shard * m.ShardFull)))
	p.BySpeed = int(math.Ceil(p.Attempts * c.Decision / 1e6 / m.RedisFull))
	p.Shards = max(1, p.ByMemory, p.BySpeed)
	p.Fill = bytes / float64(p.Shards) / shard
	p.Redis = float64(p.Shards*(1+m.Replicas)) * shard
	p.Decide = p.Attempts * c.Decision / 1e6 / float64(p.Shards)
}

// ledger plans PostgreSQL.
func (p *plan) ledger(l load, c costs, m machines) {
	p.Inserts = p.Attempts * c.Rows
	p.Busied = (p.Attempts*c.Stored + p.Posts*c.PushStored) / 1000
	p.Ledger = p.Busied / m.LedgerFull
	p.Logged = p.Attempts * c.WAL
	p.PerDay = p.Attempts * c.Record * (24 * time.Hour).Seconds()
	p.Bound = float64(l.Bindings) * c.Kept
}
