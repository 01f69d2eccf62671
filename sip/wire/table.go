package wire

import (
	"sync"
	"sync/atomic"
)

const shards = 16

// table holds the living transactions by their key (RFC 3261 17.1.3, 17.2.3).
type table[T any] struct {
	parts [shards]struct {
		sync.RWMutex
		m map[string]T
	}
	n atomic.Int64
}

func (t *table[T]) init() {
	for i := range t.parts {
		t.parts[i].m = make(map[string]T)
	}
}

func shard(key string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(key); i++ {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return h % shards
}

func (t *table[T]) get(key string) (T, bool) {
	p := &t.parts[shard(key)]
	p.RLock()
	defer p.RUnlock()
	v, ok := p.m[key]
	return v, ok
}

func (t *table[T]) put(key string, v T) {
	p := &t.parts[shard(key)]
	p.Lock()
	defer p.Unlock()
	if _, ok := p.m[key]; !ok {
		t.n.Add(1)
	}
	p.m[key] = v
}

func (t *table[T]) drop(key string) {
	p := &t.parts[shard(key)]
	p.Lock()
	defer p.Unlock()
	if _, ok := p.m[key]; ok {
		t.n.Add(-1)
		delete(p.m, key)
	}
}

func (t *table[T]) count() int { return int(t.n.Load()) }

// all are those that live now.
func (t *table[T]) all() []T {
	var all []T
	for i := range t.parts {
		p := &t.parts[i]
		p.RLock()
		for _, v := range p.m {
			all = append(all, v)
		}
		p.RUnlock()
	}
	return all
}

// drain empties the table and returns what was in it.
func (t *table[T]) drain() []T {
	var all []T
	for i := range t.parts {
		p := &t.parts[i]
		p.Lock()
		for k, v := range p.m {
			all = append(all, v)
			t.n.Add(-1)
			delete(p.m, k)
		}
		p.Unlock()
	}
	return all
}
