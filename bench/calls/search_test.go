package main

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestClimbFindsTheMost lets a system carry so much and no more: what is found
// is below it by no more than is allowed, wherever the search begins.
func TestClimbFindsTheMost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const fine = 0.125
		carries := rapid.Float64Range(1, 5000).Draw(t, "carries")
		c := climb{next: rapid.Float64Range(1, 4000).Draw(t, "first"), most: 4000, factor: 1 + fine, fine: fine}
		tries := 0
		for ; !c.done(); tries++ {
			if tries > 25 || c.next > c.most {
				t.Fatalf("try %d is %g", tries, c.next)
			}
			c.tell(c.next <= carries, true)
		}
		least := min(carries, c.most)
		if c.best > least || least-c.best > fine*least+2 {
			t.Fatalf("%g of %g in %d tries", c.best, carries, tries)
		}
	})
}

// TestClimbIsShortWhenItKnows: a later round costs two tries.
func TestClimbIsShortWhenItKnows(t *testing.T) {
	t.Parallel()
	c := climb{next: 800, most: 4000, factor: 1.125, fine: 0.125}
	tries := 0
	for ; !c.done(); tries++ {
		c.tell(c.next <= 830, true)
	}
	require.Equal(t, 2, tries)
	require.InDelta(t, 800, c.best, 0)
}

// TestClimbDoubts: a failure that the generator doubts leaves open whether more
// would pass.
func TestClimbDoubts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		passed, failed bool // valid
		want           doubt
	}{{true, true, sure}, {true, false, orMore}, {false, true, doubtful}, {false, false, doubtful}} {
		c := climb{next: 100, most: 4000, factor: 1.125, fine: 0.125}
		c.tell(true, row.passed)
		c.tell(false, row.failed)
		require.True(t, c.done())
		require.Equal(t, row.want, c.doubt())
	}
}

// TestClimbEndsAtTheTop: where the most that is tried passes, more might.
func TestClimbEndsAtTheTop(t *testing.T) {
	t.Parallel()
	c := climb{next: 4000, most: 4000, factor: 1.125, fine: 0.125}
	c.tell(true, true)
	require.True(t, c.done())
	require.Equal(t, orMore, c.doubt())
	c = climb{next: 3900, most: 4000, factor: 1.125, fine: 0.125}
	c.tell(false, true)
	c.tell(true, true)
	for !c.done() {
		c.tell(true, true)
	}
	require.Equal(t, sure, c.doubt())
}

// TestClimbKnows: what another climb tried is not tried again, wherever it went, and the
// looser criterion goes on from there.
func TestClimbKnows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const fine, most = 0.125, 4000
		strict := rapid.Float64Range(1, most).Draw(t, "in time")
		loose := rapid.Float64Range(strict, 5000).Draw(t, "however late")
		begin := func() climb {
			return climb{next: rapid.Float64Range(1, most).Draw(t, "first"), most: most, factor: 1 + fine, fine: fine}
		}
		var tried []trial
		one := begin()
		for !one.done() {
			tried = append(tried, trial{value: one.next, passed: one.next <= strict, late: one.next <= loose, valid: true})
			one.tell(one.next <= strict, true)
		}
		two := begin()
		two.know(tried, func(t trial) bool { return t.late })
		for tries := 0; !two.done(); tries++ {
			for _, before := range tried {
				if before.value == two.next {
					t.Fatalf("%g is tried twice", two.next)
				}
			}
			if tries > 25 {
				t.Fatalf("try %d is %g", tries, two.next)
			}
			two.tell(two.next <= loose, true)
		}
		if least := min(loose, most); two.best > least || least-two.best > fine*least+2 || two.best < one.best {
			t.Fatalf("%g of %g, after %g of %g", two.best, loose, one.best, strict)
		}
	})
}
