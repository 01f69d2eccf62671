package redistest

import (
	"net"
	"strconv"
	"strings"
	"testing"
)

// Slots of a cluster.
const slots = 16384

// Cluster is a Redis Cluster.
type Cluster struct {
	Masters  []*Server // as they were at the beginning, with equal shares of the slots
	Replicas []*Server // one of each of the first masters
}

// StartCluster runs a cluster: a node that is silent for a second is down.
func StartCluster(t testing.TB, masters, replicas int) *Cluster {
	t.Helper()
	c := &Cluster{}
	firstBus := ""
	for i := range masters + replicas {
		bus := FreePort(t)
		if i == 0 {
			firstBus = bus
		}
		s := prepare(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "1000",
			"--cluster-replica-validity-factor", "0", "--cluster-allow-replica-migration", "no")
		s.Run()
		if i < masters {
			c.Masters = append(c.Masters, s)
		} else {
			c.Replicas = append(c.Replicas, s)
		}
	}
	for i, s := range c.Masters {
		s.Ask("cluster", "addslotsrange", i*slots/masters, (i+1)*slots/masters-1)
		s.Ask("cluster", "set-config-epoch", i+1)
	}
	host, port, _ := net.SplitHostPort(c.Masters[0].Addr)
	for _, s := range c.all()[1:] {
		s.Ask("cluster", "meet", host, port, firstBus)
	}
	for _, s := range c.all() {
		Await(t, "the nodes know each other", func() bool { return len(s.Nodes()) == len(c.all()) })
	}
	for i, s := range c.Replicas {
		id := c.Masters[i].ID()
		Await(t, "a node takes its master", func() bool { return s.Try("cluster", "replicate", id) == nil })
		Await(t, "a replica is in step", func() bool { return inStep(s) })
	}
	for _, s := range c.all() {
		Await(t, "the cluster is up", func() bool { return strings.Contains(s.Ask("cluster", "info").(string), "cluster_state:ok") })
	}
	return c
}

func (c *Cluster) all() []*Server { return append(append([]*Server{}, c.Masters...), c.Replicas...) }

// Addresses are those of all nodes.
func (c *Cluster) Addresses() (list []string) {
	for _, s := range c.all() {
		list = append(list, s.Addr)
	}
	return list
}

// ID is that of a node of a cluster.
func (s *Server) ID() string { return s.Ask("cluster", "myid").(string) }

// Nodes are the lines of CLUSTER NODES, without those that are not known well yet.
func (s *Server) Nodes() (lines []string) {
	text, _ := s.ask("cluster", "nodes")
	all, _ := text.(string)
	for line := range strings.Lines(all) {
		if !strings.Contains(line, "handshake") {
			lines = append(lines, line)
		}
	}
	return lines
}

// Move moves a slot with its keys from one node to another, as redis-cli does; each
// of its steps may be followed by something.
func (c *Cluster) Move(slot int, from, to *Server, between func()) {
	to.Ask("cluster", "setslot", slot, "importing", from.ID())
	from.Ask("cluster", "setslot", slot, "migrating", to.ID())
	between()
	for {
		keys, _ := from.Ask("cluster", "getkeysinslot", slot, 10).([]any)
		if len(keys) == 0 {
			break
		}
		for _, key := range keys { // one by one: the keys of an X are in two places meanwhile
			from.Ask("migrate", "127.0.0.1", portOf(to.Addr), key, 0, 2000)
			between()
		}
	}
	for _, s := range append([]*Server{to}, c.all()...) {
		if s.cmd != nil && s.IsMaster() {
			s.Ask("cluster", "setslot", slot, "node", to.ID())
		}
	}
}

// Slot is that of a key.
func (c *Cluster) Slot(key string) int {
	n, _ := c.Masters[0].Ask("cluster", "keyslot", key).(int64)
	return int(n)
}

// Holder is the node that has a slot, by the account of most nodes that answer; nil:
// there is none yet.
func (c *Cluster) Holder(slot int) *Server {
	votes := map[string]int{}
	for _, s := range c.all() {
		if s.cmd == nil {
			continue
		}
		v, err := s.ask("cluster", "slots")
		ranges, _ := v.([]any)
		if err != nil {
			continue
		}
		for _, r := range ranges {
			f, _ := r.([]any)
			if len(f) < 3 || f[0].(int64) > int64(slot) || f[1].(int64) < int64(slot) {
				continue
			}
			node, _ := f[2].([]any)
			votes[net.JoinHostPort("127.0.0.1", strconv.FormatInt(node[1].(int64), 10))]++
		}
	}
	for _, s := range c.all() {
		if votes[s.Addr]*2 > len(c.all()) && s.cmd != nil && s.IsMaster() {
			return s
		}
	}
	return nil
}
