package node

import "axgate/api/manage"

// trunksNow is how the trunks are, as the API for operators shows it.
func (n *Node) trunksNow() []manage.Trunk {
	all := []manage.Trunk{}
	for _, t := range n.server.Trunks() {
		one := manage.Trunk{Name: t.Name, Up: t.Up, Calls: t.Calls, Failure: t.Failure, Servers: []manage.TrunkServer{}}
		for _, s := range t.Servers {
			one.Servers = append(one.Servers, manage.TrunkServer(s))
		}
		if r := t.Registration; r != nil {
			one.Registration = &manage.TrunkRegistration{State: string(r.State), Until: r.Until, Next: r.Next, Failure: r.Failure, Failures: r.Failures}
		}
		all = append(all, one)
	}
	return all
}
