package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// CacheView is what the ledger says of the cache at one instant.
type CacheView struct {
	Mark    int64    // of this state; any later one has a higher mark
	Epoch   int64    // of the cache: entries of another one are misses
	Servers []string // terms of the Redis servers that are believed
}

// CacheServer is a Redis server that was met as a master.
type CacheServer struct {
	Term    string   // the time in which it is one; no server has the same twice
	Home    string   // its place: host:port, or in a cluster the id of the node
	Masters []string // in a cluster: the ids of all nodes with slots, by its account; nil: there is one place for all
}

// ErrSuperseded tells that another server has the place of one that was met.
var ErrSuperseded = errors.New("another Redis has its place")

// Where a server stands (cache_servers.state).
const (
	serverFenced   = "fenced"
	serverBelieved = "believed"
	serverDropped  = "dropped"
)

// heldOff is how long a server that lost its place is not taken for a new one
// again: two nodes that see different masters must not take turns without end.
const heldOff = 10 * time.Second

// Of servers that lost their place this many are remembered; then those that did a day
// ago are forgotten, with the epoch that any of them may still have entries of.
const (
	mostDropped = 100
	remembered  = 24 * time.Hour
)

// CacheView reads what counts of the cache.
func (l *Ledger) CacheView(ctx context.Context) (CacheView, error) {
	v, err := cacheView(l.read(ctx))
	if err != nil {
		return v, fmt.Errorf("read which Redis is believed: %w", err)
	}
	return v, nil
}

func cacheView(s scope) (v CacheView, err error) {
	rows, err := s.query(`SELECT name, value, '' FROM marks WHERE name IN ('epoch', 'servers')
		UNION ALL SELECT 'term', 0, term FROM cache_servers WHERE state = 'believed'`)
	if err != nil {
		return v, err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var name, term string
		var value int64
		if err := rows.Scan(&name, &value, &term); err != nil {
			return v, err
		}
		switch name {
		case "term":
			v.Servers = append(v.Servers, term)
		case "epoch":
			v.Epoch = value
		}
		v.Mark = max(v.Mark, value)
	}
	return v, nil
}

// FenceServer notes that a server was met, unless it is believed. Those whose place it
// has are believed no more: in a cluster a node without slots and the node's
// own earlier terms, else all others. What it had when it was believed before, or
// before this ledger was there, is void. It returns the mark of the state in which
// that stands, too: who has heard of it goes by neither.
func (l *Ledger) FenceServer(ctx context.Context, met CacheServer) (v CacheView, mark int64, err error) {
	err = l.change(ctx, func(s scope) error {
		mark, err = fence(s, met)
		if err == nil {
			v, err = cacheView(s)
		}
		return err
	})
	if err != nil {
		return CacheView{}, 0, fmt.Errorf("note that another Redis was met: %w", err)
	}
	return v, mark, nil
}

type cacheServer struct {
	term, home, state string
	mark, since       int64
}

func fence(s scope, met CacheServer) (mark int64, err error) {
	if err := lockServers(s); err != nil {
		return 0, err
	}
	known, err := cacheServers(s, met.Term)
	if err != nil {
		return 0, err
	}
	at := slices.IndexFunc(known, func(k cacheServer) bool { return k.term == met.Term })
	if at >= 0 && known[at].state != serverDropped {
		return known[at].mark, nil
	}
	now := time.Now()
	if at >= 0 && now.Sub(instant(known[at].since)).Abs() < heldOff {
		return 0, ErrSuperseded
	}
	marks := []string{"servers"}
	if at >= 0 || len(known) == 0 {
		marks = append(marks, "epoch")
	}
	many, err := manyDropped(s, met.Term, now)
	if err != nil {
		return 0, err
	}
	if many && !slices.Contains(marks, "epoch") {
		marks = append(marks, "epoch")
	}
	if mark, err = raiseCache(s, "another Redis than the one that was known, at "+met.Home, 0, marks...); err != nil {
		return 0, err
	}
	if many {
		if _, err := s.exec(`DELETE FROM cache_servers `+longDropped, met.Term, micros(now.Add(-remembered))); err != nil {
			return 0, err
		}
	}
	for _, k := range known {
		if k.state == serverDropped || slices.Contains(met.Masters, k.home) && k.home != met.Home {
			continue
		}
		if _, err := s.exec(`UPDATE cache_servers SET state = 'dropped', since = $2 WHERE term = $1`, k.term, micros(now)); err != nil {
			return 0, err
		}
	}
	_, err = s.exec(`INSERT INTO cache_servers (term, home, state, mark, since) VALUES ($1, $2, 'fenced', $3, $4)
		ON CONFLICT (term) DO UPDATE SET home = excluded.home, state = excluded.state, mark = excluded.mark, since = excluded.since`,
		met.Term, met.Home, mark, micros(now))
	return mark, err
}

// longDropped are the servers but $1 that lost their place before $2.
const longDropped = `WHERE state = 'dropped' AND term <> $1 AND since < $2`

func manyDropped(s scope, but string, now time.Time) (bool, error) {
	var n int
	err := s.scan(`SELECT COUNT(*) FROM cache_servers `+longDropped, one(but, micros(now.Add(-remembered))), &n)
	return n >= mostDropped, err
}

// lockServers has others who change something about the cache's servers wait.
func lockServers(s scope) error {
	_, err := s.exec(`UPDATE marks SET at = at WHERE name = 'servers'`)
	return err
}

// cacheServers are those that are not dropped, the one of a term, and if there are
// none the last that was dropped.
func cacheServers(s scope, term string) (list []cacheServer, err error) {
	rows, err := s.query(`SELECT term, home, state, mark, since FROM cache_servers WHERE state <> 'dropped' OR term = $1
		OR mark = (SELECT MAX(mark) FROM cache_servers)`, term)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows, &err)
	for rows.Next() {
		var k cacheServer
		if err := rows.Scan(&k.term, &k.home, &k.state, &k.mark, &k.since); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

// BelieveServer has a server believed that was fenced and not dropped since.
func (l *Ledger) BelieveServer(ctx context.Context, term string) (v CacheView, err error) {
	err = l.change(ctx, func(s scope) error {
		if err := lockServers(s); err != nil {
			return err
		}
		var state string
		if err := s.scan(`SELECT state FROM cache_servers WHERE term = $1`, one(term), &state); err != nil {
			return err
		}
		switch state {
		case serverDropped:
			return ErrSuperseded
		case serverFenced:
			if _, err := raiseCache(s, "a Redis is believed", 0, "servers"); err != nil {
				return err
			}
			if _, err := s.exec(`UPDATE cache_servers SET state = 'believed' WHERE term = $1`, term); err != nil {
				return err
			}
		}
		v, err = cacheView(s)
		return err
	})
	if err != nil {
		return CacheView{}, fmt.Errorf("have a Redis believed: %w", err)
	}
	return v, nil
}

// raiseCache gives marks of the cache a value that none of them had, nor any other
// ledger, one that this was copied from included: it is over a floor, and
// the instant in us since 1970. why is kept for operators.
func raiseCache(s scope, why string, floor int64, marks ...string) (value int64, err error) {
	if err := lockServers(s); err != nil {
		return 0, fmt.Errorf("raise a mark of the cache: %w", err)
	}
	if err := s.scan(`SELECT MAX(value) FROM marks WHERE name IN ('epoch', 'servers')`, nil, &value); err != nil {
		return 0, fmt.Errorf("raise a mark of the cache: %w", err)
	}
	now := micros(time.Now())
	value = max(value+1, floor+1, now)
	for _, mark := range marks {
		if _, err := s.exec(`UPDATE marks SET value = $2, why = $3, at = $4 WHERE name = $1`, mark, value, why, now); err != nil {
			return 0, fmt.Errorf("raise mark %s: %w", mark, err)
		}
	}
	return value, nil
}
