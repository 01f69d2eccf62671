package lookup

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"axgate/ledger"
	"axgate/roster"
)

// Witnesses are how a node goes on by the cache while the ledger is away: as long as
// nobody can have made the cache void without it. Who does that raises the mark of
// the cache (ledger.AwaitNodes), and all nodes tell each other, in Redis, by which
// mark they go. Each names the last word that it has read of every other, so that
// nobody takes for new what was long under way.
//
// The node believes the cache if every other node that may change something
// vouches for it: has answered to a word of its own of the last seconds, and
// goes by no later mark. Those are the nodes that were alive when the ledger was
// heard of last, and all that have spoken since. The zero value is that of a node
// that nobody knows.
type Witnesses struct {
	mu      sync.Mutex
	run     string                    // of this process
	words   int                       // that it has said
	issued  map[int]roster.Instant    // when it began to say them, the last ones
	read    map[string]string         // the last word of each other node
	spoke   map[string]roster.Instant // when it was found that they had said another
	vouches map[string]vouching       // by node
	needed  []string                  // nodes that were alive
	asked   roster.Instant            // before that was read from the ledger
	since   roster.Instant            // from when on the ledger was heard of without a break
	heard   bool                      // the ledger was, at all
	told    roster.Instant            // before the last word that arrived
	arrived bool                      // one did
}

// vouching is what a node said when it had read a word of ours.
type vouching struct {
	at             roster.Instant // when that was said
	mark, settings int64
}

// words are what a node says.
type words struct {
	Word     string            `json:"w"`
	Mark     int64             `json:"m"` // of the cache, by which it goes
	Settings int64             `json:"s"`
	Read     map[string]string `json:"r"` // the last word of each other node
}

// wordsKept is how many of our own words we know the time of: those of some seconds.
const wordsKept = 16

// isolationMost is how long a node goes by what others say: nobody waits for one that
// was silent for longer (ledger.SilentMost).
const isolationMost = ledger.SilentMost - 10*time.Minute

// Known tells whether every silent node knows of this one: it has told of itself
// in Redis since the ledger hears of it.
func (w *Witnesses) Known() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.arrived && w.heard && w.since.Before(w.told)
}

// hears notes that the ledger was heard of: which nodes were alive then. asked is when
// that was begun to be read, last when the ledger was heard of before.
func (w *Witnesses) hears(asked roster.Instant, last *roster.Instant, alive []string, self string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.heard || last == nil || last.Age() >= trust {
		w.since, w.heard = asked, true
	}
	w.asked, w.needed = asked, nil
	for _, node := range alive {
		if node != self {
			w.needed = append(w.needed, node)
		}
	}
}

// say makes the next word.
func (w *Witnesses) say(now roster.Instant, mark, settings int64) (text string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run == "" {
		w.run, w.issued, w.read = rand.Text()[:8], map[int]roster.Instant{}, map[string]string{}
		w.spoke, w.vouches = map[string]roster.Instant{}, map[string]vouching{}
	}
	w.words++
	w.issued[w.words] = now
	delete(w.issued, w.words-wordsKept)
	b, err := json.Marshal(words{w.word(w.words), mark, settings, w.read})
	if err != nil {
		panic(err) // plain values always can be written
	}
	return string(b), w.words
}

func (w *Witnesses) word(n int) string { return w.run + "-" + strconv.Itoa(n) }

// take reads what all say, our nth word among it.
func (w *Witnesses) take(self string, n int, all map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := roster.Now()
	w.told, w.arrived = w.issued[n], true
	for node := range w.read {
		if _, ok := all[node]; !ok { // it has ended, or Redis has lost it
			delete(w.read, node)
		}
	}
	for node, text := range all {
		var said words
		if node == self || json.Unmarshal([]byte(text), &said) != nil {
			continue
		}
		if w.read[node] != said.Word {
			w.read[node], w.spoke[node] = said.Word, now
		}
		for k, at := range w.issued {
			if said.Read[self] == w.word(k) {
				w.vouches[node] = vouching{at, said.Mark, said.Settings}
			}
		}
	}
}

// vouched is from when on all others vouch for this node, which goes by these marks.
// false: not all do.
func (w *Witnesses) vouched(mark, settings int64) (roster.Instant, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.arrived || !w.heard {
		return roster.Instant{}, false
	}
	from := w.told
	needed := append([]string(nil), w.needed...)
	for node, at := range w.spoke {
		if !at.Before(w.asked) {
			needed = append(needed, node)
		}
	}
	for _, node := range needed {
		v, ok := w.vouches[node]
		if !ok || v.mark > mark || v.settings > settings {
			return roster.Instant{}, false
		}
		if v.at.Before(from) {
			from = v.at
		}
	}
	return from, true
}

// testify has this node speak and listen until ctx ends.
func (r *Router) testify(ctx context.Context) {
	for rest(ctx, pace) {
		if r.outages.any() { // only its probe asks it
			continue
		}
		mark, settings := r.marks()
		text, n := r.cfg.Witnesses.say(roster.Now(), mark, settings)
		all, err := r.cfg.Cache.Testify(ctx, r.cfg.Node, text)
		if err != nil {
			continue // the outage of Redis is told of elsewhere
		}
		r.cfg.Witnesses.take(r.cfg.Node, n, all)
		mark, settings = r.marks()
		if from, ok := r.cfg.Witnesses.vouched(mark, settings); ok {
			r.vouched.Store(&from)
		} else {
			r.vouched.Store(nil)
		}
	}
}

// marks are those by which this node goes.
func (r *Router) marks() (cache, settings int64) {
	return max(r.cfg.Cache.Mark(), r.cfg.Cache.Epoch()), r.settings.Load().mark
}

// leave takes away what this node has said: it has ended.
func (r *Router) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := r.cfg.Cache.Forgo(ctx, r.cfg.Node); err != nil {
		r.cfg.Log.Debug().Err(err).Msg("other nodes may wait for this one")
	}
}
