package main

import (
	"math/rand/v2"
	"slices"
)

// refilling is how nodes fill an emptied Redis together.
type refilling struct {
	Faster float64 // than one node alone
	Twice  float64 // loads of an X that another node was loading too, for each X
}

// refilled plays what lookup/upkeep.go does: every node goes through all X in the same order, a
// page at a time; what is not there when its turn comes it loads, and then rests for three
// times as long; what is there it passes over. A load takes a time of one, more or less.
func refilled(nodes, xs int, seed uint64) refilling {
	const page, share, glance = 200, 3.0, 0.01 // glance: what it takes to pass over an X, and a page
	r := rand.New(rand.NewPCG(seed, seed))
	loaded := make([]float64, xs) // when it is; 0: nobody has begun
	type node struct {
		at   float64 // when it is ready for the next X
		next int
		seen []bool // X of the page that were there
	}
	all := make([]node, nodes)
	for i := range all {
		all[i].at = r.Float64()
	}
	one, last, loads := 0.0, 0.0, 0
	for {
		n := &all[0]
		for i := range all {
			if all[i].next < xs && (n.next >= xs || all[i].at < n.at) {
				n = &all[i]
			}
		}
		if n.next >= xs {
			break
		}
		there := func(x int) bool { return loaded[x] > 0 && loaded[x] <= n.at }
		if n.next%page == 0 {
			n.seen = n.seen[:0]
			for x := n.next; x < min(n.next+page, xs); x++ {
				n.seen = append(n.seen, there(x))
			}
			n.at += glance
		}
		switch x := n.next; {
		case n.seen[x%page]:
		case there(x):
			n.at += glance
		default:
			took := 0.5 + r.Float64()
			if loads++; loaded[x] == 0 {
				loaded[x] = n.at + took
				one += took * (1 + share)
			}
			last = max(last, loaded[x])
			n.at += took * (1 + share)
		}
		n.next++
	}
	return refilling{Faster: one / last, Twice: float64(loads-len(slices.DeleteFunc(loaded, func(t float64) bool { return t == 0 }))) / float64(xs)}
}
