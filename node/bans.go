package node

import "axgate/api/manage"

// bans are the addresses of which this node reads nothing.
func (n *Node) bans() []manage.Ban {
	var all []manage.Ban
	for _, b := range n.server.Bans() {
		source := b.Source.String()
		if b.Source.IsSingleIP() {
			source = b.Source.Addr().String()
		}
		all = append(all, manage.Ban{Source: source, Since: b.Since.UTC(), Until: b.Until.UTC(), Refusals: b.Refusals, Dropped: b.Dropped})
	}
	return all
}

// defence is what this node has turned away.
func (n *Node) defence() manage.Defence {
	flood := n.server.FloodCounts()
	d := manage.Defence{Limited: flood.Limited, Banned: flood.Banned, Scanners: flood.Scanners, Shed: n.server.Shed()}
	d.Guessers, d.Guesses = n.router.Guesses()
	used := n.router.Used()
	d.OverLimit, d.Jumps = used.Refused, used.Jumps
	return d
}
