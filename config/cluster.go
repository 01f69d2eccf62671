package config

import "time"

// Cluster is what several nodes of one system do for each other.
type Cluster struct {
	Takeover bool          `key:"takeover" help:"answered calls survive their node: another one goes on with them; the same on all nodes, which share redis, ledger and recording.dir, and have a signalling address that outlives each of them (docs/operations.md)"`
	Patience time.Duration `key:"takeover_patience" help:"how long what a dead node left in Redis is tried to be read if that does not answer, before its calls are closed by what the ledger knows"`
}

func (k *checker) cluster(c *Config) {
	k.span("cluster.takeover_patience", c.Cluster.Patience, 0, time.Minute)
	if !c.Cluster.Takeover {
		return
	}
	if c.Redis.Inside() {
		k.wrong("cluster.takeover", "redis.address, redis.cluster or redis.sentinels is needed: the embedded Redis dies with its node")
	}
	if c.Ledger.Driver == "postgres" && c.Recording.Dir == "" {
		k.wrong("recording.dir", "with cluster.takeover, name a directory that all nodes reach: recordings are gone on with there")
	}
}
