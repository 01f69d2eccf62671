//go:build e2e

package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
)

// clerks are customers at work: each binds a pair at one node, calls by it through
// all of them, unbinds it at another, and calls once more, again and again. What was
// acknowledged has to be so from that moment on, on every node.
type clerks struct {
	w      *world
	phones []*phone.Phone // one for each node
	stop   context.CancelFunc
	all    sync.WaitGroup

	mu         sync.Mutex
	calls      []*call
	refused    []refusal   // changes
	rounds     []time.Time // when those began that are over
	wrong      []string
	at         []int     // nodes that customers go to; empty: all
	kept, gone []binding // acknowledged and not taken back, and those whose unbind was acknowledged
}

// refusal is a change that was not acknowledged.
type refusal struct {
	at   time.Time
	took time.Duration
	why  string
}

// binding is one that was acknowledged.
type binding struct {
	*pair
	id string
}

const clerksAtWork = 3

func (w *world) startClerks() {
	w.t.Helper()
	c := &clerks{w: w}
	w.clerks = c
	for i, n := range w.nodes {
		p, err := phone.New(phone.Config{Number: "clerk", Server: n.SIP().String(), ListenIP: w.at(clerksAt+byte(i), 0).Addr().String(), Codecs: []string{"PCMA"}})
		require.NoError(w.t, err)
		w.t.Cleanup(func() { _ = p.Close() })
		c.phones = append(c.phones, p)
	}
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	w.t.Cleanup(c.end)
	for k := range clerksAtWork {
		c.all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				n := (k*100_000 + i) * 7
				p := w.model.pair(xNumber(trafficX+k), fmt.Sprintf("+86136%08d", 10_000_000+n), fmt.Sprintf("+86137%08d", 50_000_000+n))
				c.round(ctx, p, i)
			}
		})
	}
}

// end lets the rounds that are under way end.
func (c *clerks) end() {
	c.stop()
	c.all.Wait()
}

// goTo says to which nodes customers go; none: to all.
func (c *clerks) goTo(nodes ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = nodes
}

func (c *clerks) node(i int) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.at) > 0 {
		return c.w.nodes[c.at[i%len(c.at)]]
	}
	return c.w.nodes[i%len(c.w.nodes)]
}

// goes tells whether customers go to a node.
func (c *clerks) goes(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.at) == 0 || slices.Contains(c.at, i)
}

// patience is how long a change may be refused before something is wrong.
const patience = 2 * time.Minute

// round is one pair's life. It ends although ctx has, once it has begun: what is
// half done says nothing.
func (c *clerks) round(ctx context.Context, p *pair, i int) {
	begun := time.Now()
	id := c.bind(p, i)
	if id == "" {
		return
	}
	c.callAll(p, true)
	if i%5 == 4 { // it stays, and is looked at in the end
		c.mu.Lock()
		defer c.mu.Unlock()
		c.kept = append(c.kept, binding{p, id})
		c.rounds = append(c.rounds, begun)
		return
	}
	if !c.unbind(p, id, i+1) {
		return
	}
	c.callAll(p, false)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rounds = append(c.rounds, begun)
}

// bind repeats the request until it is acknowledged, and gives the binding's id.
func (c *clerks) bind(p *pair, i int) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for try := i; ; try++ {
		begun := time.Now()
		r, err := c.node(try).bind(ctx, p)
		switch {
		case err == nil && r.Code == done:
			return r.ID
		case err == nil && r.Code == isBound && try > i: // by a request whose answer did not arrive
			if id, err := c.node(try).binding(ctx, p); err == nil && id != "" {
				return id
			}
		default:
			c.note("bind", begun, r, err)
		}
		if !c.rest(ctx) {
			c.fault("a bind was not acknowledged within %v: %s", patience, r.text)
			return ""
		}
		if try == i && i%2 == 0 { // others repeat it at once
			c.agree(ctx, p)
		}
	}
}

// stale is how long after an outage calls may know nothing of a change of which nobody could
// tell whether the ledger took it, unless the request is repeated (provision).
const stale = 12 * time.Second

// agree waits until the API answers, and has every node do what it says of a pair
// whose bind was refused.
func (c *clerks) agree(ctx context.Context, p *pair) {
	for i := 0; ; i++ {
		id, err := c.node(i).binding(ctx, p)
		if err == nil {
			time.Sleep(stale)
			if again, err := c.node(i).binding(ctx, p); err == nil && again == id {
				c.callAll(p, id != "")
				return
			}
		}
		if !c.rest(ctx) {
			return // bind tells
		}
	}
}

func (c *clerks) unbind(p *pair, id string, i int) bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for try := i; ; try++ {
		begun := time.Now()
		r, err := c.node(try).unbind(ctx, p, id)
		if err == nil && (r.Code == done || try > i && (r.Code == noSuchRecord || r.Code == notBound)) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.gone = append(c.gone, binding{p, id})
			return true
		}
		c.note("unbind", begun, r, err)
		if !c.rest(ctx) {
			c.fault("an unbind was not acknowledged within %v: %s", patience, r.text)
			return false
		}
	}
}

func (c *clerks) rest(ctx context.Context) bool {
	select {
	case <-time.After(300 * time.Millisecond):
		return true
	case <-ctx.Done():
		return false
	}
}

// note keeps a refusal, which has to have the code for it.
func (c *clerks) note(what string, begun time.Time, r reply, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = append(c.refused, refusal{begun, time.Since(begun), fmt.Sprintf("%s: %s, %v", what, r.text, err)})
	if err == nil && r.Code != internal {
		c.wrong = append(c.wrong, fmt.Sprintf("%s was refused with another code than %s: %d %s", what, internal, r.status, r.text))
	}
}

func (c *clerks) fault(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// callAll calls by a pair through every node that customers go to.
func (c *clerks) callAll(p *pair, bound bool) {
	var all sync.WaitGroup
	for i := range c.phones {
		if c.goes(i) {
			all.Go(func() { c.call(i, p, bound) })
		}
	}
	all.Wait()
}

func (c *clerks) call(i int, p *pair, bound bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	one := &call{node: i, caller: p.a, x: p.x, bound: bound, sent: time.Now()}
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.calls = append(c.calls, one)
	}()
	out, err := c.phones[i].Dial(ctx, p.x, phone.From(p.a))
	if err != nil {
		return
	}
	err = out.WaitAnswer(ctx)
	if err == nil {
		one.status, one.answered = 200, time.Now()
		select {
		case <-out.Done():
		case <-time.After(400 * time.Millisecond):
		}
		one.ended = time.Now()
		one.cut = out.Hangup(ctx) != nil
	}
	end, err := out.WaitEnd(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		out.Cancel()
		return
	}
	if one.answered.IsZero() {
		one.status = end.Status
	} else {
		one.cut = one.cut || end.By == phone.Remote
	}
}
