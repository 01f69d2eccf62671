package main

import "math/rand/v2"

// refilling is how nodes fill an emptied Redis together.
type refilling struct {
	Faster float64 // than one node alone
	Twice  float64 // loads of an X that another node was loading too, for each X
}

// loading is a node that fills.
type loading struct {
	at   float64 // when it is ready for the next X
	todo []int   // X, in its order
	own  bool    // they are its own part; after that it helps
}

// refilled plays what lookup/upkeep.go does: the X are divided by their hash, every node
// loads its part, and then, in an order of its own, what is still missing of the others'.
// After each load it rests for three times as long; what is there it passes
// over. A load takes a time of one, more or less.
func refilled(nodes, xs int, seed uint64) refilling {
	const share, glance = 3.0, 0.01 // glance: what it takes to pass over an X
	r := rand.New(rand.NewPCG(seed, seed))
	loaded := make([]float64, xs) // when it is; 0: nobody has begun
	all := make([]loading, nodes)
	for i := range all {
		all[i] = loading{at: r.Float64(), own: true}
	}
	for x := range xs {
		n := &all[r.IntN(nodes)]
		n.todo = append(n.todo, x)
	}
	one, last, loads := 0.0, 0.0, 0
	for {
		n := earliest(all)
		if n == nil {
			break
		}
		x := n.todo[0]
		n.todo = n.todo[1:]
		if loaded[x] > 0 && loaded[x] <= n.at {
			n.at += glance
		} else {
			took := 0.5 + r.Float64()
			if loads++; loaded[x] == 0 {
				loaded[x] = n.at + took
				one += took * (1 + share)
			}
			last = max(last, loaded[x])
			n.at += took * (1 + share)
		}
		if len(n.todo) == 0 && n.own {
			n.own = false
			for x, at := range loaded {
				if at == 0 || at > n.at {
					n.todo = append(n.todo, x)
				}
			}
			r.Shuffle(len(n.todo), func(i, j int) { n.todo[i], n.todo[j] = n.todo[j], n.todo[i] })
		}
	}
	return refilling{Faster: one / last, Twice: float64(loads-xs) / float64(xs)}
}

// earliest is the node whose turn is next; nil: all are done.
func earliest(all []loading) (next *loading) {
	for i := range all {
		if n := &all[i]; len(n.todo) > 0 && (next == nil || n.at < next.at) {
			next = n
		}
	}
	return next
}
