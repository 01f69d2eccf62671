package main

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// counted counts how often it is started and stopped.
type counted struct{ started, stopped int }

func (s *counted) start(context.Context, kind, int) error { s.started++; return nil }
func (s *counted) stop(context.Context) error             { s.stopped++; return nil }
func (s *counted) processes() []string                    { return nil }
func (s *counted) close(context.Context) error            { return nil }

// TestDisturbed: what was disturbed is made again on new processes, five times in all; the last
// counts whatever it was.
func TestDisturbed(t *testing.T) {
	for disturbed, want := range map[int]int{0: 1, 1: 2, 4: 5, 9: 5} {
		synctest.Test(t, func(t *testing.T) {
			s := &counted{}
			b := &bench{o: &options{}}
			left := disturbed
			err := b.fresh(t.Context(), &column{system: s}, "AXB", func(kind) error {
				if left--; left >= 0 && b.again {
					return errDisturbed
				}
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, counted{want, want}, *s)
			require.False(t, b.again, "others are not made again")
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		b := &bench{o: &options{}}
		err := b.fresh(ctx, &column{system: &counted{}}, "AXB", func(kind) error { end(); return errDisturbed })
		require.ErrorIs(t, err, context.Canceled)
	})
}
