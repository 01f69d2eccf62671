package main

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// fullness is how full the fullest of all nodes was in any second.
type fullness struct {
	Talks  int
	Busy   float64 // share of its CPU
	Worker float64 // share of a core of the fullest media worker
	Ports  int     // in calls and at rest
}

// peaks are what a simulated region came to.
type peaks struct {
	Calls  int     // that were simulated
	Mean   float64 // talks at once, of the region, after the first filling
	Whole  fullness
	Lost   fullness // after one node was lost
	Decide float64  // share of a core of the fullest shard in any second
}

// moment is when a call goes on: it is answered, or it ends.
type moment struct {
	at           float64
	node, worker int
	talks        bool // it ends; else its ringing does
	answered     bool
}

type moments []moment

func (d moments) Len() int           { return len(d) }
func (d moments) Less(i, j int) bool { return d[i].at < d[j].at }
func (d moments) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *moments) Push(x any)        { *d = append(*d, x.(moment)) }
func (d *moments) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}

// simulated is a node that is played.
type simulated struct {
	talks, up, came int
	workers         []int     // talks of each
	turn            int       // whose the next call is
	resting         []float64 // when ports may be used again, one entry for those of a call
}

// region is what is played.
type region struct {
	l      load
	c      costs
	m      machines
	r      *rand.Rand
	nodes  []*simulated
	alive  int
	coming moments
}

// simulate plays a region: calls come by chance (Poisson) to nodes by chance,
// as a stateless balancer spreads them; talks last by a log-normal law, whose
// tail is longer than an exponential's; X numbers are as busy as Zipf's law has
// it. At two thirds of the time a node is lost: its calls are gone or go on at another
// one, and what comes goes to the others.
func simulate(l load, c costs, m machines, p plan, last time.Duration, seed uint64) peaks {
	g := &region{l: l, c: c, m: m, r: rand.New(rand.NewPCG(seed, seed)), alive: p.Nodes}
	for range p.Nodes {
		g.nodes = append(g.nodes, &simulated{workers: make([]int, p.Workers)})
	}
	end, filled := last.Seconds(), last.Seconds()/3
	lostAt := end * 2 / 3
	xs := rand.NewZipf(g.r, 1.05, 50, uint64(max(1, l.Bindings/1000)))
	decided := make([]int, p.Shards)
	var out peaks
	var sum, samples float64
	second := 1.0
	for now := g.r.ExpFloat64() / p.Attempts; now <= end; now += g.r.ExpFloat64() / p.Attempts {
		for ; now > second; second++ {
			g.goOn(second)
			if g.alive == p.Nodes && second > lostAt && p.Nodes > 1 {
				g.lose()
			}
			if second > filled {
				out.Decide = max(out.Decide, float64(slices.Max(decided))*c.Decision/1e6)
				if g.alive < p.Nodes {
					g.look(&out.Lost, second)
				} else {
					sum, samples = sum+float64(g.look(&out.Whole, second)), samples+1
				}
			}
			for _, n := range g.nodes {
				n.came = 0
			}
			clear(decided)
		}
		out.Calls++
		g.begin(now)
		decided[shard(xs.Uint64(), p.Shards)]++
	}
	out.Mean = sum / samples
	return out
}

// begin has a call come in.
func (g *region) begin(now float64) {
	at := g.r.IntN(g.alive)
	n := g.nodes[at]
	n.came++
	n.up++
	n.turn++
	heap.Push(&g.coming, moment{at: now + g.r.ExpFloat64()*g.l.Ring.Seconds(), node: at, worker: n.turn % len(n.workers), answered: g.r.Float64() < g.l.Answered})
}

// goOn has calls be answered and end, until an instant.
func (g *region) goOn(until float64) {
	const sigma = 1.0
	mu := math.Log(g.l.Talk.Seconds()) - sigma*sigma/2
	for len(g.coming) > 0 && g.coming[0].at <= until {
		e := heap.Pop(&g.coming).(moment)
		n := g.nodes[e.node]
		if e.answered && !e.talks {
			n.talks++
			n.workers[e.worker]++
			e.talks = true
			e.at += math.Exp(mu + sigma*g.r.NormFloat64())
			heap.Push(&g.coming, e)
			continue
		}
		if e.talks {
			n.talks--
			n.workers[e.worker]--
		}
		n.up--
		n.resting = append(n.resting, e.at+g.m.Rest)
	}
}

// lose loses the last node. With takeover one of the others, whichever finds it first, goes on
// with all its talks; calls that were not answered are gone.
func (g *region) lose() {
	g.alive--
	heir := g.r.IntN(g.alive)
	n := g.nodes[heir]
	g.nodes[g.alive] = &simulated{workers: make([]int, len(n.workers))}
	g.coming = slices.DeleteFunc(g.coming, func(e moment) bool { return e.node == g.alive && !(g.m.Takeover && e.talks) })
	for i := range g.coming {
		e := &g.coming[i]
		if e.node != g.alive {
			continue
		}
		n.turn++
		e.node, e.worker = heir, n.turn%len(n.workers)
		n.talks++
		n.up++
		n.workers[e.worker]++
	}
	heap.Init(&g.coming)
}

// look notes the fullest, and tells how many talk.
func (g *region) look(f *fullness, now float64) (talks int) {
	for _, n := range g.nodes[:g.alive] {
		over, _ := slices.BinarySearch(n.resting, now)
		n.resting = n.resting[over:]
		busy := (float64(n.talks)*g.c.Minute/60 + float64(n.came)*g.c.SetUp/1000) / float64(g.m.Cores)
		f.Talks, f.Busy = max(f.Talks, n.talks), max(f.Busy, busy)
		f.Worker = max(f.Worker, float64(slices.Max(n.workers))*g.c.Minute/60)
		f.Ports = max(f.Ports, portsOfCall*(n.up+len(n.resting)))
		talks += n.talks
	}
	return talks
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
