package lookup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/roster"
)

// circle is some nodes that talk through one Redis.
type circle struct {
	t     *testing.T
	words map[string]string // in Redis
	nodes map[string]*Witnesses
}

func newCircle(t *testing.T, names ...string) *circle {
	c := &circle{t: t, words: map[string]string{}, nodes: map[string]*Witnesses{}}
	for _, name := range names {
		c.nodes[name] = &Witnesses{}
		c.hears(name, names...)
	}
	return c
}

// hears has a node hear from the ledger who is alive.
func (c *circle) hears(name string, alive ...string) {
	now := roster.Now()
	c.nodes[name].hears(now, &now, alive, name)
}

// speaks has a node speak and listen.
func (c *circle) speaks(name string, mark, settings int64) {
	text, n := c.nodes[name].say(roster.Now(), mark, settings)
	c.words[name] = text
	c.nodes[name].take(name, n, c.words)
}

func (c *circle) vouched(name string, mark, settings int64) bool {
	from, ok := c.nodes[name].vouched(mark, settings)
	return ok && from.Age() < trust
}

func TestAllOthersHaveToVouch(t *testing.T) {
	t.Parallel()
	c := newCircle(t, "a", "b", "c")
	require.False(t, c.vouched("a", 5, 1), "nobody has said anything")
	c.speaks("a", 5, 1)
	c.speaks("b", 5, 1)
	c.speaks("a", 5, 1)
	require.False(t, c.vouched("a", 5, 1), "b did not know yet of a's word when it spoke")
	c.speaks("b", 5, 1)
	c.speaks("c", 4, 1)
	c.speaks("c", 4, 1)
	c.speaks("a", 5, 1)
	require.True(t, c.vouched("a", 5, 1), "one that is behind vouches")
	require.False(t, c.vouched("a", 3, 1), "both go by a later mark of the cache")
	require.False(t, c.vouched("a", 5, 0), "and of the settings")

	c.speaks("b", 6, 1)
	c.speaks("a", 5, 1)
	require.False(t, c.vouched("a", 5, 1), "b has heard of a change that a has not")
}

func TestAWordThatWasLongUnderWayDoesNotVouch(t *testing.T) {
	t.Parallel()
	c := newCircle(t, "a", "b")
	c.speaks("a", 5, 1)
	c.speaks("b", 5, 1)
	late, _ := c.nodes["b"].say(roster.Now(), 5, 1) // it answers to a's first word
	for n := range c.nodes["a"].issued {
		c.nodes["a"].issued[n] = *ago(trust)
	}
	c.words["b"] = late
	c.speaks("a", 5, 1)
	require.False(t, c.vouched("a", 5, 1))
	c.speaks("b", 5, 1)
	c.speaks("a", 5, 1)
	require.False(t, c.vouched("a", 5, 1), "b spoke before it read")
	c.speaks("b", 5, 1)
	c.speaks("a", 5, 1)
	require.True(t, c.vouched("a", 5, 1))
}

func TestWhoCameSinceHasToVouchToo(t *testing.T) {
	t.Parallel()
	c := newCircle(t, "a")
	c.speaks("a", 5, 1)
	require.True(t, c.vouched("a", 5, 1), "it is alone")
	c.nodes["b"] = &Witnesses{}
	c.hears("b", "a", "b")
	require.False(t, c.nodes["b"].Known(), "it has said nothing")
	c.speaks("b", 5, 1)
	require.True(t, c.nodes["b"].Known())
	c.speaks("a", 5, 1)
	require.False(t, c.vouched("a", 5, 1), "b does not answer yet")
	c.speaks("b", 7, 1)
	c.speaks("a", 5, 1)
	require.False(t, c.vouched("a", 5, 1))
	c.hears("a", "a")
	c.speaks("a", 7, 1)
	require.True(t, c.vouched("a", 7, 1), "the ledger says that b is not alive, and it has said nothing since")
}

func TestWhoWasSilentHasToSpeakAgain(t *testing.T) {
	t.Parallel()
	c := newCircle(t, "a")
	c.speaks("a", 5, 1)
	require.True(t, c.nodes["a"].Known())
	c.nodes["a"].hears(roster.Now(), ago(trust+time.Second), nil, "a")
	require.False(t, c.nodes["a"].Known(), "others may have come to need its word no more")
	c.speaks("a", 5, 1)
	require.True(t, c.nodes["a"].Known())
}
