package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Life is a node between a start, or its being declared dead, and the next one.
type Life struct {
	Node        string
	Incarnation int64 // raised at each; 0: before nodes had lives
}

func (l Life) String() string { return fmt.Sprintf("%s/%d", l.Node, l.Incarnation) }

// NodeState is what a node does.
type NodeState string

// The states of nodes.
const (
	NodeUp       NodeState = "up"
	NodeDraining NodeState = "draining" // takes nothing new
	NodeGone     NodeState = "gone"     // it ended, and said so
	NodeDead     NodeState = "dead"     // others found it silent
)

// Alive tells whether the node is to be heard of.
func (s NodeState) Alive() bool { return s == NodeUp || s == NodeDraining }

// Addresses are where a node is reached: host:port, empty where it is not.
type Addresses struct {
	UDP  string `json:"udp,omitempty"` // SIP
	TCP  string `json:"tcp,omitempty"`
	TLS  string `json:"tls,omitempty"`
	HTTP string `json:"http,omitempty"` // the API
}

// Node is a node as the ledger knows it.
type Node struct {
	Life
	State     NodeState
	Home      string // what it proves with that it is the same as before
	Addresses Addresses
	Epoch     int64     // the mark of the cache that it goes by
	Began     time.Time // of this life, by the ledger's clock
	HeardAt   time.Time // by the ledger's clock; another one at each beat
	AliveAt   time.Time // by its own
}

// NoCache is the mark of a node that goes by no cache yet: nobody has to wait until it
// hears of a change.
const NoCache = 1 << 62

// Why a life cannot go on, or begin.
var (
	// ErrDeclaredDead tells a node that others have found it silent: its calls are theirs.
	ErrDeclaredDead = errors.New("other nodes have declared this node dead")
	// ErrReplaced tells a node that another one of its name has begun.
	ErrReplaced = errors.New("another node of the same name has begun")
	// ErrLifeLost tells a node that the ledger does not know its life any more.
	ErrLifeLost = errors.New("the ledger does not know this life of the node")
	// ErrNodeMoved tells that a node is not as it was seen any more.
	ErrNodeMoved = errors.New("the node is alive")
)

const nodeColumns = `node, incarnation, state, home, addresses, epoch, began_at, heard_at, alive_at`

func readNode(r row) (n Node, err error) {
	var addresses string
	var began, heard, alive int64
	if err := r.Scan(&n.Node, &n.Incarnation, &n.State, &n.Home, &addresses, &n.Epoch, &began, &heard, &alive); err != nil {
		return n, fmt.Errorf("read a node: %w", err)
	}
	n.Began, n.HeardAt, n.AliveAt = instant(began), instant(heard), instant(alive)
	if addresses != "" {
		if err := json.Unmarshal([]byte(addresses), &n.Addresses); err != nil {
			return n, fmt.Errorf("the addresses of node %s: %w", n.Node, err)
		}
	}
	return n, nil
}

// Nodes lists all nodes that the ledger knows, by name.
func (l *Ledger) Nodes(ctx context.Context) (list []Node, err error) {
	rows, err := l.readNodes(ctx).query(`SELECT ` + nodeColumns + ` FROM nodes ORDER BY node`)
	if err != nil {
		return nil, fmt.Errorf("list the nodes: %w", err)
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		n, err := readNode(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// Node is one of them; not found: nobody of that name was ever there.
func (l *Ledger) Node(ctx context.Context, name string) (n Node, found bool, err error) {
	n, err = readNode(scanner(func(dest ...any) error {
		return l.readNodes(ctx).scan(`SELECT `+nodeColumns+` FROM nodes WHERE node = $1`, one(name), dest...)
	}))
	if errors.Is(err, sql.ErrNoRows) {
		return Node{}, false, nil
	}
	return n, err == nil, err
}

// lockNode reads a node and keeps others from changing it until the transaction ends.
func (l *Ledger) lockNode(s scope, name string) (n Node, found bool, err error) {
	query := `SELECT ` + nodeColumns + ` FROM nodes WHERE node = $1`
	if l.driver == Postgres {
		query += ` FOR UPDATE`
	}
	if err := l.limit(s, noLonger); err != nil {
		return Node{}, false, err
	}
	n, err = readNode(scanner(func(dest ...any) error { return s.scan(query, one(name), dest...) }))
	if errors.Is(err, sql.ErrNoRows) {
		return Node{}, false, nil
	}
	return n, err == nil, err
}

// JoinNode begins a life of a node. seen is the node as it was read before; the
// zero value: there was none. If it has moved since, somebody else of that
// name is alive (ErrNodeMoved), unless home proves that it is the same node: then
// the life that begins last is its. A life that has not ended ends now, and the new
// one is its heir.
func (l *Ledger) JoinNode(ctx context.Context, name, home string, seen Node) (life Life, err error) {
	err = l.changeNodes(ctx, func(s scope) error {
		n, found, err := l.lockNode(s, name)
		switch {
		case err != nil:
			return err
		case found && (home == "" || n.Home != home) && (n.Incarnation != seen.Incarnation || !n.HeardAt.Equal(seen.HeardAt) || n.State != seen.State):
			return ErrNodeMoved
		}
		life = Life{name, n.Incarnation + 1}
		if found && n.State.Alive() {
			if err := l.endLife(s, n, life); err != nil {
				return err
			}
		}
		return l.begin(s, life, Self{Home: home})
	})
	if err != nil {
		return Life{}, fmt.Errorf("begin a life of node %s: %w", name, err)
	}
	return life, nil
}

// Self is what a node has the ledger know of it.
type Self struct {
	Home      string    // what it proves with that it is the same as before
	Addresses Addresses // zero: they stay what they were
	Drains    bool      // it takes nothing new
}

// begin writes a new life. That the node is alive, its first beat tells.
func (l *Ledger) begin(s scope, life Life, me Self) error {
	state, addresses := NodeUp, ""
	if me.Drains {
		state = NodeDraining
	}
	if me.Addresses != (Addresses{}) {
		text, err := json.Marshal(me.Addresses)
		if err != nil {
			return fmt.Errorf("write it down: %w", err)
		}
		addresses = string(text)
	}
	_, err := s.exec(`INSERT INTO nodes (node, incarnation, state, home, addresses, epoch, began_at, heard_at, alive_at) VALUES ($1, $2, $3, $4, $5, $6, `+l.clock()+`, `+l.clock()+`, 0)
		ON CONFLICT (node) DO UPDATE SET incarnation = excluded.incarnation, state = excluded.state, home = excluded.home, began_at = excluded.began_at,
			heard_at = excluded.heard_at, alive_at = 0, addresses = CASE WHEN excluded.addresses = '' THEN nodes.addresses ELSE excluded.addresses END`,
		life.Node, life.Incarnation, string(state), me.Home, addresses, int64(NoCache))
	if err != nil {
		return fmt.Errorf("write it down: %w", err)
	}
	_, err = s.exec(`INSERT INTO node_lives (node, incarnation, ended_at, heard_at, alive_at, heir, heir_incarnation, settled_at) VALUES ($1, $2, 0, 0, 0, '', 0, 0)
		ON CONFLICT (node, incarnation) DO NOTHING`, life.Node, life.Incarnation)
	if err != nil {
		return fmt.Errorf("write its life down: %w", err)
	}
	return nil
}

// RejoinNode begins the next life of a node that was declared dead. again: it may have begun
// that life already, by a transaction whose answer was lost, which its home tells; if others
// have declared that one dead meanwhile, the one after it begins. Else, ErrReplaced.
func (l *Ledger) RejoinNode(ctx context.Context, was Life, me Self, again bool) (life Life, err error) {
	err = l.changeNodes(ctx, func(s scope) error {
		n, found, err := l.lockNode(s, was.Node)
		if err != nil {
			return err
		}
		life = Life{was.Node, was.Incarnation + 1}
		begun := again && found && n.Life == life && me.Home != "" && n.Home == me.Home
		if begun && n.State.Alive() {
			return nil
		}
		if begun && n.State == NodeDead { // others have found that one silent meanwhile
			life.Incarnation++
		} else if found && n.Incarnation > was.Incarnation {
			return ErrReplaced
		}
		return l.begin(s, life, me)
	})
	if err != nil {
		return Life{}, fmt.Errorf("begin another life after %s: %w", was, err)
	}
	return life, nil
}

// Beat tells that a life goes on, at an instant of its node's own clock, and which mark
// of the cache it goes by; it is told what state it is to have. One whose clock was set
// back is heard of all the same. ErrDeclaredDead, ErrReplaced: the life is over; ErrLifeLost: it
// is to be restored (RestoreLife).
func (l *Ledger) Beat(ctx context.Context, life Life, at time.Time, epoch int64) (state NodeState, err error) {
	begun := time.Now()
	var heard int64
	err = l.once(ctx, l.nodes, func(s scope) error {
		state = ""
		err := s.scan(`UPDATE nodes SET epoch = $1, heard_at = `+l.clock()+`, alive_at = $2
			WHERE node = $3 AND incarnation = $4 AND state IN ('up', 'draining') RETURNING state, heard_at`,
			one(epoch, micros(at), life.Node, life.Incarnation), &state, &heard)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err == nil && state == "" {
		state, err = l.whyOver(ctx, life)
	}
	if err != nil {
		return "", fmt.Errorf("note that node %s is alive: %w", life, err)
	}
	if heard > 0 {
		l.noteClock(instant(heard), begun)
	}
	return state, nil
}

// whyOver tells why a life is not known as one that goes on, if it is not by now.
func (l *Ledger) whyOver(ctx context.Context, life Life) (NodeState, error) {
	n, found, err := l.Node(ctx, life.Node)
	if err != nil {
		return "", err
	}
	return standing(n, found, life)
}

// standing is the state of a life as its node stands in the ledger.
func standing(n Node, found bool, life Life) (NodeState, error) {
	switch {
	case found && n.Incarnation > life.Incarnation:
		return "", ErrReplaced
	case found && n.Life == life && n.State.Alive():
		return n.State, nil
	case found && n.Life == life:
		return "", ErrDeclaredDead
	}
	return "", ErrLifeLost
}

// RestoreLife writes a life again that the ledger has lost - an older copy of it took over -
// and that nobody has declared over.
func (l *Ledger) RestoreLife(ctx context.Context, life Life, me Self) (state NodeState, err error) {
	err = l.changeNodes(ctx, func(s scope) error {
		n, found, err := l.lockNode(s, life.Node)
		if err != nil {
			return err
		}
		state, err = standing(n, found, life)
		if !errors.Is(err, ErrLifeLost) {
			return err
		}
		if found && n.State.Alive() {
			if err := l.endLife(s, n, life); err != nil {
				return err
			}
		}
		if state = NodeUp; me.Drains {
			state = NodeDraining
		}
		return l.begin(s, life, me)
	})
	if err != nil {
		return "", fmt.Errorf("write the life %s again: %w", life, err)
	}
	return state, nil
}

// LeaveNode ends a life from within. Calls that are still open are left to an heir.
func (l *Ledger) LeaveNode(ctx context.Context, life Life) error {
	err := l.changeNodes(ctx, func(s scope) error {
		n, found, err := l.lockNode(s, life.Node)
		if err != nil || !found || n.Life != life || !n.State.Alive() {
			return err
		}
		if err := l.endLife(s, n, Life{}); err != nil {
			return err
		}
		_, err = s.exec(`UPDATE nodes SET state = 'gone' WHERE node = $1`, life.Node)
		if err != nil {
			return err
		}
		_, err = s.exec(`UPDATE node_lives SET settled_at = ended_at WHERE node = $1 AND incarnation = $2
			AND NOT EXISTS (SELECT 1 FROM calls WHERE node = $3 AND NOT closed)`, life.Node, life.Incarnation, life.Node)
		return err
	})
	if err != nil {
		return fmt.Errorf("end the life of node %s: %w", life, err)
	}
	return nil
}

// AnnounceNode notes where a node is reached.
func (l *Ledger) AnnounceNode(ctx context.Context, life Life, a Addresses) error {
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("note the addresses of node %s: %w", life, err)
	}
	err = l.change(ctx, func(s scope) error {
		_, err := s.exec(`UPDATE nodes SET addresses = $1 WHERE node = $2 AND incarnation = $3`, string(text), life.Node, life.Incarnation)
		return err
	})
	if err != nil {
		return fmt.Errorf("note the addresses of node %s: %w", life, err)
	}
	return nil
}

// DrainNode has a node that is alive take nothing new, or take it again. It tells
// whether there is such a node; what it does hears of it with its next beat.
func (l *Ledger) DrainNode(ctx context.Context, name string, drain bool) (alive bool, err error) {
	state := NodeUp
	if drain {
		state = NodeDraining
	}
	err = l.change(ctx, func(s scope) error {
		n, err := s.exec(`UPDATE nodes SET state = $1 WHERE node = $2 AND state IN ('up', 'draining')`, string(state), name)
		alive = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("make node %s %s: %w", name, state, err)
	}
	return alive, nil
}

// OpenCalls counts the calls that nodes carry, by their names.
func (l *Ledger) OpenCalls(ctx context.Context) (byNode map[string]int, err error) {
	rows, err := l.read(ctx).query(`SELECT node, COUNT(*) FROM calls WHERE NOT closed GROUP BY node`)
	if err != nil {
		return nil, fmt.Errorf("count the open calls: %w", err)
	}
	defer closeRows(rows, &err)
	byNode = map[string]int{}
	for rows.Next() {
		var node string
		var n int
		if err := rows.Scan(&node, &n); err != nil {
			return nil, fmt.Errorf("count the open calls: %w", err)
		}
		byNode[node] = n
	}
	return byNode, nil
}
