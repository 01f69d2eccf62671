package lookup

import (
	"hash/fnv"
	"slices"

	"axgate/routing"
)

// part is the share of all X that is one node's to load into an emptied cache. Nodes that
// see the same others alive have parts that do not overlap.
type part struct{ nodes, mine uint32 }

// partOf is a node's part where so many are alive; all of it if it is not among them.
func partOf(alive []string, node string) part {
	i := slices.Index(alive, node)
	if i < 0 {
		return part{nodes: 1}
	}
	return part{uint32(len(alive)), uint32(i)}
}

// has tells whether an X is in this part.
func (p part) has(x routing.X) bool {
	h := fnv.New32a()
	h.Write([]byte(x))
	return h.Sum32()%p.nodes == p.mine
}
