//go:build e2e

package chaos

import (
	"fmt"
	"sync"

	"axgate/e2e/gate"
)

// model is who may be connected with whom: what the customer was told.
type model struct {
	pairs []*pair // those of the traffic, bound from the beginning to the end

	mu    sync.Mutex
	known map[[2]string]*pair // by X and caller, all that ever were
}

// pair is a binding of the model: whoever of a and b calls x reaches the other.
type pair struct {
	x, a, b string
}

func (p pair) String() string { return fmt.Sprintf("%s and %s at %s", p.a, p.b, p.x) }

const (
	trafficX, trafficPairs = 6, 120
	clerkX                 = 8
)

func xNumber(i int) string { return fmt.Sprintf("+86170%08d", 20_000_000+i) }

func newModel() *model {
	m := &model{known: map[[2]string]*pair{}}
	for i := range trafficPairs {
		m.pairs = append(m.pairs, m.pair(xNumber(i%trafficX), fmt.Sprintf("+86138%08d", 30_000_000+i*37), fmt.Sprintf("+86139%08d", 40_000_000+i*41)))
	}
	return m
}

// pair adds one that may be bound.
func (m *model) pair(x, a, b string) *pair {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &pair{x, a, b}
	m.known[[2]string{x, a}], m.known[[2]string{x, b}] = p, p
	return p
}

// callee is whom a caller of X may reach, empty if nobody.
func (m *model) callee(x, caller string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.known[[2]string{x, caller}]
	switch {
	case p == nil:
		return ""
	case caller == p.a:
		return p.b
	}
	return p.a
}

// reached tells whether a phone may see calls from X.
func (m *model) reached(x, callee string) bool { return m.callee(x, callee) != "" }

func (m *model) numbers() []gate.Number {
	var all []gate.Number
	for i := range trafficX + clerkX {
		all = append(all, gate.Number{X: xNumber(i), App: app})
	}
	return all
}

func (m *model) standing() []map[string]any {
	var all []map[string]any
	for _, p := range m.pairs {
		all = append(all, map[string]any{"app": app, "x": p.x, "a": p.a, "b": p.b})
	}
	return all
}
