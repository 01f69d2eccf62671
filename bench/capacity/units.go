package main

// units are what one core, node, shard and PostgreSQL carry, by the same costs.
type units struct {
	TalksOfCore, SetUpsOfCore float64 // a core that does nothing else, full
	CallsOfCore               float64 // talks at once with their set-ups, as full as is planned
	CallsOfNode               float64 // the same of a node
	UpByPorts                 float64 // calls up that its ports carry
	DecisionsOfShard          float64 // calls per second, full
	DecisionsPlanned          float64
	BindingsOfShard           float64
	StoredOfCore              float64 // calls per second of a core of PostgreSQL without pushes, full
	RowsOfCore                float64
	PushedOfCore              float64 // with all pushes
}

func carries(l load, c costs, m machines) units {
	var u units
	u.TalksOfCore = 60 / c.Minute
	u.SetUpsOfCore = 1000 / c.SetUp
	talk := l.Talk.Seconds()
	u.CallsOfCore = m.Full / (c.Minute/60 + c.SetUp/1000/l.Answered/talk)
	u.CallsOfNode = u.CallsOfCore * float64(m.Cores)
	up := (talk*l.Answered + l.Ring.Seconds() + m.Rest) / (talk*l.Answered + l.Ring.Seconds())
	u.UpByPorts = float64(m.Ports) / portsOfCall / up
	u.DecisionsOfShard = 1e6 / c.Decision
	u.DecisionsPlanned = u.DecisionsOfShard * m.RedisFull
	u.BindingsOfShard = m.Shard * (1 << 30) * m.ShardFull / c.Cached
	u.StoredOfCore = 1000 / c.Stored
	u.RowsOfCore = u.StoredOfCore * c.Rows
	u.PushedOfCore = 1000 / (c.Stored + c.PushesOfCall*c.PushStored)
	return u
}
