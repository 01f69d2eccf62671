package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/routing"
)

// state is what a number on X was bound to from a version on.
type state struct {
	version int64
	binding *routing.Binding // nil: not bound
	acked   bool
}

// message is a change on its way to the cache.
type message struct {
	n       routing.XNumber
	put     *routing.Binding
	drop    *routing.Binding
	version int64
}

// truth is a ledger of one AXB number, and everything that is under way
// between it and the cache.
type truth struct {
	*world
	version int64
	pairs   map[string]routing.Binding
	history map[routing.Number][]state
	late    []message // not delivered yet, or delivered already and coming again
	loads   []func() error
	next    int
}

var crowd = []routing.Number{anna, bert, carl, dora, "+8613500000005", "+8613400000006"}

func (m *truth) dossier() routing.Dossier {
	d := routing.Dossier{Number: number(x1, routing.AXB, m.version, len(m.pairs))}
	for _, b := range m.pairs {
		d.Bindings = append(d.Bindings, b)
	}
	return d
}

func (m *truth) set(who routing.Number, b *routing.Binding) {
	m.history[who] = append(m.history[who], state{version: m.version, binding: b})
}

// ack says that what the ledger held at a version was acknowledged.
func (m *truth) ack(version int64) {
	for _, states := range m.history {
		for i := range states {
			if states[i].version == version {
				states[i].acked = true
			}
		}
	}
}

func (m *truth) deliver(t *rapid.T, msg message) {
	if msg.put != nil {
		require.NoError(t, m.PutBinding(ctx, msg.n, *msg.put))
	}
	if msg.drop != nil {
		require.NoError(t, m.DropBinding(ctx, msg.n, *msg.drop, msg.version))
	}
	m.ack(msg.version)
}

// send delivers a change at once, late, twice, or never; then the epoch is
// raised before the change is acknowledged.
func (m *truth) send(t *rapid.T, msg message) {
	msg.n, msg.version = number(x1, routing.AXB, m.version, len(m.pairs)), m.version
	switch rapid.SampledFrom([]string{"now", "now", "late", "twice", "never"}).Draw(t, "delivery") {
	case "now":
		m.deliver(t, msg)
	case "late":
		m.late = append(m.late, msg)
	case "twice":
		m.deliver(t, msg)
		m.late = append(m.late, msg)
	case "never":
		m.SetEpoch(m.Epoch() + 1)
		m.ack(msg.version)
		m.late = append(m.late, msg)
	}
}

func (m *truth) bind(t *rapid.T) {
	a, b := rapid.SampledFrom(crowd).Draw(t, "a"), rapid.SampledFrom(crowd).Draw(t, "b")
	if a == b || m.bound(a) != nil || m.bound(b) != nil {
		return
	}
	m.version++
	m.next++
	p := pair(fmt.Sprintf("p%d", m.next), a, b, m.version)
	m.pairs[p.ID] = p
	m.set(a, &p)
	m.set(b, &p)
	m.send(t, message{put: &p})
}

func (m *truth) unbind(t *rapid.T) {
	p := m.bound(rapid.SampledFrom(crowd).Draw(t, "whose"))
	if p == nil {
		return
	}
	m.version++
	delete(m.pairs, p.ID)
	m.set(p.A, nil)
	m.set(p.B, nil)
	m.send(t, message{drop: p})
}

// modify gives a pair another B, or other settings.
func (m *truth) modify(t *rapid.T) {
	old := m.bound(rapid.SampledFrom(crowd).Draw(t, "whose"))
	b := rapid.SampledFrom(crowd).Draw(t, "new b")
	if old == nil || b == old.A || b != old.B && m.bound(b) != nil {
		return
	}
	m.version++
	p := *old
	p.B, p.Version, p.MaxMinutes = b, m.version, p.MaxMinutes+1
	m.pairs[p.ID] = p
	m.set(p.A, &p)
	m.set(p.B, &p)
	if p.B == old.B {
		m.send(t, message{put: &p})
		return
	}
	m.set(old.B, nil)
	m.send(t, message{put: &p, drop: old})
}

func (m *truth) bound(who routing.Number) *routing.Binding {
	for _, p := range m.pairs {
		if p.A == who || p.B == who {
			return &p
		}
	}
	return nil
}

// beginLoad reads the ledger for an X that the cache misses; the rest of the
// load comes later.
func (m *truth) beginLoad(t *rapid.T) {
	_, ticket, err := m.Peek(ctx, asks("load", x1, anna))
	require.NoError(t, err)
	if ticket.Miss() {
		d := m.dossier()
		m.loads = append(m.loads, func() error { return m.Fill(ctx, ticket, d) })
	}
}

func (m *truth) finishLoad(t *rapid.T) {
	if len(m.loads) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.loads)-1).Draw(t, "which load")
	if err := m.loads[i](); !errors.Is(err, ErrStale) {
		require.NoError(t, err)
	}
	m.loads = append(m.loads[:i], m.loads[i+1:]...)
}

func (m *truth) deliverLate(t *rapid.T) {
	if len(m.late) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.late)-1).Draw(t, "which message")
	m.deliver(t, m.late[i])
	if rapid.Bool().Draw(t, "it comes again") {
		return
	}
	m.late = append(m.late[:i], m.late[i+1:]...)
}

// check: what the cache says of a number is what the ledger held at the last
// change that was acknowledged, or after it.
func (m *truth) check(t *rapid.T) (hits int) {
	for _, who := range crowd {
		f, ticket, err := m.Peek(ctx, asks("look", x1, who))
		require.NoError(t, err)
		if ticket.Miss() {
			return 0
		}
		hits++
		states := append([]state{{acked: true}}, m.history[who]...)
		right := false
		for i := len(states) - 1; i >= 0 && !right; i-- {
			right = same(states[i].binding, f.ByCaller)
			if states[i].acked {
				break
			}
		}
		if !right {
			t.Fatalf("%s finds %+v\nledger: %+v", who, f.ByCaller, states)
		}
	}
	return hits
}

func same(a, b *routing.Binding) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// TestTheCacheNeverContradictsAnAcknowledgedChange plays changes, slow and
// repeated writers, lost writes, slow loads and lost keys in any order.
func TestTheCacheNeverContradictsAnAcknowledgedChange(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		rdb := w.client()
		hits := 0
		rapid.Check(t, func(t *rapid.T) {
			w.tester = t
			w.wipe(rdb)
			m := &truth{world: w, pairs: map[string]routing.Binding{}, history: map[routing.Number][]state{}, version: 1}
			t.Repeat(map[string]func(*rapid.T){
				"":       func(t *rapid.T) { hits += m.check(t) },
				"bind":   m.bind,
				"unbind": m.unbind,
				"modify": m.modify,
				"load":   m.beginLoad,
				"loaded": m.finishLoad,
				"load at once": func(t *rapid.T) {
					m.beginLoad(t)
					m.finishLoad(t)
				},
				"late":   m.deliverLate,
				"flush":  func(*rapid.T) { w.wipe(rdb) },
				"forget": func(t *rapid.T) { require.NoError(t, m.Forget(ctx, x1)) },
				"tombstones run out": func(t *rapid.T) {
					for _, key := range rdb.Keys(ctx, "axgate:{*:n:*").Val() {
						if rdb.HExists(ctx, key, "gone").Val() {
							rdb.Del(ctx, key)
						}
					}
				},
			})
		})
		w.tester = t
		require.Positive(t, hits)
		t.Log("hits:", hits)
	})
}
