package main

// machines are what is bought, and how full it may be.
type machines struct {
	Cores    int     `default:"8" help:"Cores of a node."`
	Full     float64 `default:"0.6" help:"Share of a node's CPU, and of a media worker's core, that is planned with."`
	Most     float64 `default:"0.8" help:"Share of a node, a media worker's core or a shard's that no second may exceed, nor with one node lost."`
	Ports    int     `default:"50000" help:"RTP ports of a node: media.ports, on its one media.ip."`
	Rest     float64 `default:"2" help:"Seconds that ports rest after a call: media.quarantine."`
	Takeover bool    `help:"Calls survive their node (cluster.takeover): one of the others goes on with all its talks."`

	Shard      float64 `default:"12" help:"GiB of a shard of Redis: maxmemory."`
	ShardFull  float64 `default:"0.8" help:"Share of that which is planned with."`
	Replicas   int     `default:"1" help:"Replicas of each shard."`
	RedisFull  float64 `default:"0.4" help:"Share of a shard's one core that is planned with."`
	LedgerFull float64 `default:"0.5" help:"Share of PostgreSQL's CPU that is planned with."`
}

const portsOfCall = 4 // RTP and RTCP of both legs, from the INVITE on

// chance is how far a node or a worker is expected to go beyond its mean; simulate shows how far it does.
const chance = 1.1
