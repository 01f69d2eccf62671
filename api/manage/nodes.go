package manage

import (
	"context"
	"net/http"
	"time"

	"axgate/ledger"
)

const nodesTag = "nodes"

// Node is a node of the system.
type Node struct {
	Name        string    `json:"name" doc:"Its name (node)." example:"gw1"`
	State       string    `json:"state" enum:"up,draining,gone,dead" doc:"up; draining: it takes no new calls; gone: it ended; dead: others have found it silent, and its calls are theirs." example:"up"`
	Incarnation int64     `json:"incarnation" doc:"Raised at each start, and when it goes on after it was declared dead." example:"7"`
	Since       time.Time `json:"since,omitzero" doc:"When this incarnation began." example:"2026-01-02T03:04:05Z"`
	Heard       time.Time `json:"heard,omitzero" doc:"When it was heard of last." example:"2026-01-02T03:04:05Z"`
	Calls       int       `json:"calls" doc:"Calls that it carries." example:"12"`
	UDP         string    `json:"udp,omitempty" doc:"Where it listens for SIP over UDP." example:"192.0.2.10:5060"`
	TCP         string    `json:"tcp,omitempty" doc:"The same over TCP." example:"192.0.2.10:5060"`
	TLS         string    `json:"tls,omitempty" doc:"The same over TLS." example:"192.0.2.10:5061"`
	HTTP        string    `json:"http,omitempty" doc:"Where its API listens." example:"192.0.2.10:8080"`
}

// ShowNode is a node as the ledger knows it, with how many calls it carries.
func ShowNode(n *ledger.Node, calls int) Node {
	a := n.Addresses
	return Node{Name: n.Node, State: string(n.State), Incarnation: n.Incarnation, Since: n.Began, Heard: n.HeardAt, Calls: calls, UDP: a.UDP, TCP: a.TCP, TLS: a.TLS, HTTP: a.HTTP}
}

// NodePath names a node.
type NodePath struct {
	Name string `path:"name" minLength:"1" maxLength:"128" doc:"The node." example:"gw1"`
}

func (s *service) nodes() {
	add(s, op{id: "listNodes", method: http.MethodGet, path: "/nodes", who: operator, subject: nodesTag,
		summary: "List nodes",
		about:   "All nodes that the system has had, by name, as the ledger knows them.",
	}, s.listNodes)
	add(s, op{id: "getNode", method: http.MethodGet, path: "/nodes/{name}", who: operator, subject: nodesTag, refuses: []int{http.StatusNotFound},
		summary: "Show a node",
		about:   "A node as the ledger knows it.",
	}, func(ctx context.Context, in *NodePath) (*struct{ Body Node }, error) {
		n, err := s.node(ctx, in.Name)
		return &struct{ Body Node }{n}, err
	})
	add(s, op{id: "drainNode", method: http.MethodPost, path: "/nodes/{name}/drain", who: operator, subject: nodesTag, refuses: []int{http.StatusNotFound, http.StatusConflict},
		summary: "Drain a node",
		about:   "The node refuses new calls and texts with 503 and Retry-After and answers OPTIONS so, within a second; its calls go on. Others push and send what is due, if there are any. It may be any node; one that is not alive is refused (409). A restart ends it.",
	}, func(ctx context.Context, in *NodePath) (*struct{ Body Node }, error) {
		return s.drain(ctx, in.Name, true)
	})
	add(s, op{id: "undrainNode", method: http.MethodPost, path: "/nodes/{name}/undrain", who: operator, subject: nodesTag, refuses: []int{http.StatusNotFound, http.StatusConflict},
		summary: "Have a node take calls again",
		about:   "Ends drainNode.",
	}, func(ctx context.Context, in *NodePath) (*struct{ Body Node }, error) {
		return s.drain(ctx, in.Name, false)
	})
}

func (s *service) listNodes(ctx context.Context, in *Page) (*listed[Node], error) {
	list, err := s.Records.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	calls, err := s.Records.OpenCalls(ctx)
	if err != nil {
		return nil, err
	}
	var all []Node
	for i := range list {
		if list[i].Node > in.After {
			all = append(all, ShowNode(&list[i], calls[list[i].Node]))
		}
	}
	inOrder(all, func(n Node) string { return n.Name })
	return paged(all, in.Limit, func(n *Node) Node { return *n }, func(n *Node) string { return n.Name }), nil
}

func (s *service) node(ctx context.Context, name string) (Node, error) {
	n, found, err := s.Records.Node(ctx, name)
	if err != nil {
		return Node{}, err
	}
	if !found {
		return Node{}, missing("there is no node of that name")
	}
	calls, err := s.Records.OpenCalls(ctx)
	return ShowNode(&n, calls[name]), err
}

func (s *service) drain(ctx context.Context, name string, on bool) (*struct{ Body Node }, error) {
	note(ctx, "node %s", name)
	if _, err := s.node(ctx, name); err != nil {
		return nil, err
	}
	alive, err := s.Records.DrainNode(ctx, name, on)
	if err != nil {
		return nil, err
	}
	n, err := s.node(ctx, name)
	if err == nil && !alive {
		err = problem(http.StatusConflict, "the node is not alive: it is "+n.State)
	}
	return &struct{ Body Node }{n}, err
}
