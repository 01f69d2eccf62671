package main

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// peaks are how far a simulated region goes beyond its means.
type peaks struct {
	Calls    int     // that were simulated
	Mean     float64 // talks at once, of the region, after the first filling
	Talks    float64 // of the fullest node at its fullest, over the mean of a node
	Attempts float64 // calls that came to a node within a second: the highest, over the mean
	Lost     float64 // talks of the fullest node after one node was lost, over the mean of a node before
	Shard    float64 // decisions that came to a shard within a second: the highest, over the mean
}

// leaving is a talk that ends.
type leaving struct {
	at   float64
	node int
}

type departures []leaving

func (d departures) Len() int           { return len(d) }
func (d departures) Less(i, j int) bool { return d[i].at < d[j].at }
func (d departures) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *departures) Push(x any)        { *d = append(*d, x.(leaving)) }
func (d *departures) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// simulate plays a region: calls come by chance (Poisson) to nodes by chance,
// as a stateless balancer spreads them; talks last by a log-normal law, whose
// tail is longer than an exponential's; X numbers are as busy as Zipf's law has
// it. At two thirds of the time a node is lost: its calls are gone, and what
// comes goes to the others.
func simulate(l load, p plan, last time.Duration, seed uint64) peaks {
	r := rand.New(rand.NewPCG(seed, seed))
	const sigma = 1.0
	mu := math.Log(l.Talk.Seconds()) - sigma*sigma/2
	end, filled := last.Seconds(), last.Seconds()/3
	lostAt := end * 2 / 3
	xs := rand.NewZipf(r, 1.05, 50, uint64(max(1, l.Bindings/1000)))

	talks, came, decided := make([]int, p.Nodes), make([]int, p.Nodes), make([]int, p.Shards)
	var ends departures
	var out peaks
	var sum, samples float64
	var highest, afterLoss, mostCame, mostDecided int
	nodes, second := p.Nodes, 1.0
	for now := 0.0; ; {
		now += r.ExpFloat64() / p.Attempts
		if now > end {
			break
		}
		for len(ends) > 0 && ends[0].at <= now {
			talks[heap.Pop(&ends).(leaving).node]--
		}
		if nodes == p.Nodes && now > lostAt && nodes > 1 {
			nodes--
			talks[nodes] = 0
			ends = slices.DeleteFunc(ends, func(e leaving) bool { return e.node == nodes })
			heap.Init(&ends)
		}
		for ; now > second; second++ {
			if now > filled {
				mostDecided = max(mostDecided, slices.Max(decided))
				switch {
				case nodes < p.Nodes:
					afterLoss = max(afterLoss, slices.Max(talks))
				default:
					highest, mostCame = max(highest, slices.Max(talks)), max(mostCame, slices.Max(came))
					for _, n := range talks {
						sum += float64(n)
					}
					samples++
				}
			}
			clear(came)
			clear(decided)
		}
		out.Calls++
		node := r.IntN(nodes)
		came[node]++
		decided[shard(xs.Uint64(), p.Shards)]++
		if r.Float64() < l.Answered {
			talks[node]++
			heap.Push(&ends, leaving{now + math.Exp(mu+sigma*r.NormFloat64()), node})
		}
	}
	out.Mean = sum / samples
	perNode := out.Mean / float64(p.Nodes)
	out.Talks, out.Lost = float64(highest)/perNode, float64(afterLoss)/perNode
	out.Attempts = float64(mostCame) / (p.Attempts / float64(p.Nodes))
	out.Shard = float64(mostDecided) / (p.Attempts / float64(p.Shards))
	return out
}

// shard is where the keys of an X are, by any good hash.
func shard(x uint64, shards int) int {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return int(x % uint64(shards))
}
