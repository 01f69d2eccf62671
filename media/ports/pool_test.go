package ports

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func free(uint16) error { return nil }

func TestRange(t *testing.T) {
	for _, c := range []struct {
		min, max uint16
		pairs    int
	}{
		{10000, 10001, 1}, {10000, 10002, 1}, {10001, 10003, 1}, {10001, 10002, 0}, {10000, 10000, 0}, {0, 9, 0}, {20, 10, 0},
		{10000, 20000, 5000}, {65534, 65535, 1}, {65535, 65535, 0}, {1, 65535, 32767},
	} {
		t.Run(fmt.Sprintf("%d-%d", c.min, c.max), func(t *testing.T) {
			p, err := New(c.min, c.max, time.Hour)
			if c.pairs == 0 {
				require.ErrorContains(t, err, "holds no pair")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.pairs, p.Free())
			seen := map[uint16]bool{}
			for range c.pairs {
				port, err := p.Take(free)
				require.NoError(t, err)
				require.Zero(t, port%2)
				require.GreaterOrEqual(t, port, c.min)
				require.Less(t, port, c.max)
				require.False(t, seen[port], "handed out twice")
				seen[port] = true
			}
			_, err = p.Take(free)
			require.ErrorIs(t, err, ErrExhausted)
		})
	}
}

func TestForeignPortsArePassedOver(t *testing.T) {
	p, err := New(4000, 4019, time.Hour)
	require.NoError(t, err)
	asked := 0
	port, err := p.Take(func(port uint16) error {
		asked++
		if port != 4006 {
			return fmt.Errorf("bind: %w", unix.EADDRINUSE)
		}
		return nil
	})
	require.NoError(t, err)
	require.EqualValues(t, 4006, port, "the whole ring is walked, from wherever it starts")
	require.LessOrEqual(t, asked, 10)

	other, err := New(4000, 4019, time.Nanosecond)
	require.NoError(t, err)
	_, err = other.Take(func(uint16) error { return unix.EADDRINUSE })
	require.ErrorIs(t, err, ErrExhausted)
	require.ErrorContains(t, err, "of 10 pairs in 4000-4019, 0 are in calls, 0 rest after use, 10 are taken by other programs")
}

func TestAnotherErrorEndsTheWalk(t *testing.T) {
	p, err := New(4000, 4019, time.Hour)
	require.NoError(t, err)
	asked := 0
	_, err = p.Take(func(uint16) error { asked++; return unix.EMFILE })
	require.ErrorIs(t, err, unix.EMFILE)
	require.False(t, errors.Is(err, ErrExhausted))
	require.Equal(t, 1, asked)
}

func TestReleasedPairsRestAndComeBackInOrder(t *testing.T) {
	p, err := New(4000, 4005, 50*time.Millisecond)
	require.NoError(t, err)
	var order []uint16
	for range 3 {
		port, err := p.Take(free)
		require.NoError(t, err)
		order = append(order, port)
	}
	released := time.Now()
	for _, port := range order {
		p.Release(port)
	}
	require.Zero(t, p.Free())
	_, err = p.Take(free)
	require.ErrorContains(t, err, "3 rest after use")
	require.Eventually(t, func() bool { return p.Free() == 3 }, 2*time.Second, time.Millisecond)
	require.GreaterOrEqual(t, time.Since(released), 50*time.Millisecond)
	for _, want := range order {
		port, err := p.Take(free)
		require.NoError(t, err)
		require.Equal(t, want, port)
	}
}

// However pairs are taken and given back, none is in two hands and none is lost.
func TestNoPairIsLostOrDoubled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := New(4000, 4000+uint16(rapid.IntRange(1, 40).Draw(t, "width")), time.Nanosecond)
		require.NoError(t, err)
		all := p.Free()
		held := map[uint16]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				busy := rapid.Bool().Draw(t, "busy")
				port, err := p.Take(func(uint16) error {
					if busy {
						return unix.EADDRINUSE
					}
					return nil
				})
				if err != nil {
					require.ErrorIs(t, err, ErrExhausted)
					return
				}
				require.False(t, held[port])
				held[port] = true
			},
			"release": func(t *rapid.T) {
				for port := range held {
					p.Release(port)
					delete(held, port)
					break
				}
			},
			"": func(t *rapid.T) {
				require.Equal(t, all, len(held)+p.count)
			},
		})
	})
}
