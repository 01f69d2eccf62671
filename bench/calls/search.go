package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
)

// trial is what became of a value that a search tried.
type trial struct {
	value  float64
	passed bool
	late   bool // passed, if it does not matter how late
	valid  bool
	what   string // for people
}

// search finds, for each column, the most that passes, and where a late row is named, the
// most that passes however late. Each try has fresh processes. In the first round it begins
// at a value, in the next ones at what was found.
func (b *bench) search(ctx context.Context, row, name, lateName string, first, most float64, try func(*column, kind, float64) (trial, error)) error {
	return b.each(row, func(c *column) error {
		var tried []trial
		find := func(name string, passed func(trial) bool) error {
			s := climb{next: min(first, most), most: most, factor: 1 + b.o.Fine, fine: b.o.Fine}
			s.know(tried, passed)
			if found := b.found[c.title+name]; found > s.best && s.worst == 0 {
				s.next = found
			}
			for !s.done() {
				t := trial{value: s.next}
				err := b.fresh(ctx, c, "AXB", func(k kind) (err error) { t, err = try(c, k, s.next); return err })
				if err != nil {
					return err
				}
				fmt.Fprintf(os.Stderr, "%s, %s: %.0f: %v, %s%s\n", c.title, name, s.next, passed(t), t.what, believe(t.valid))
				tried = append(tried, t)
				s.tell(passed(t), t.valid)
			}
			b.found[c.title+name] = s.best
			b.table.add(c.title, name, "%.0f", s.best, s.doubt())
			return nil
		}
		if err := find(name, func(t trial) bool { return t.passed }); err != nil || lateName == "" {
			return err
		}
		return find(lateName, func(t trial) bool { return t.late })
	})
}

// climb is a search for the most that passes: up, or down, in steps that grow
// until the verdict changes, then by halves until it is near. It takes two tries
// if it begins near, and not many more if it does not.
type climb struct {
	next, most   float64
	factor, fine float64 // of the next step, and of the result
	best, worst  float64 // the most that passed, the least that failed; 0: none
	passed       doubt   // of the generator, about best
	failed       doubt   // and about worst
	ended        bool
}

func (s *climb) done() bool { return s.ended }

// doubt is what the generator says against the result.
func (s *climb) doubt() doubt { return max(s.passed, s.failed) }

// know takes what became of values that another climb tried: the most that passed, and of
// what is above it the least that failed.
func (s *climb) know(tried []trial, passed func(trial) bool) {
	sorted := slices.SortedFunc(slices.Values(tried), func(a, b trial) int { return cmp.Compare(a.value, b.value) })
	for _, t := range sorted {
		if passed(t) {
			s.next = t.value
			s.tell(true, t.valid)
		}
	}
	for _, t := range slices.Backward(sorted) {
		if t.value > s.best {
			s.next = t.value
			s.tell(false, t.valid)
		}
	}
}

// tell takes what became of next.
func (s *climb) tell(passed, valid bool) {
	if passed {
		s.best, s.passed = s.next, believe(valid)
		if s.best == s.most { // more was not tried
			s.failed = orMore
		}
	} else {
		s.worst, s.failed = s.next, min(believe(valid), orMore)
	}
	const long = 2 // the longest step
	switch {
	case s.worst == 0:
		s.ended = s.best == s.most
		s.next = min(float64(int(s.best*s.factor+1)), s.most)
		s.factor = min(s.factor*s.factor, long)
	case s.best == 0:
		s.ended = s.worst <= 1
		s.next = max(float64(int(s.worst/s.factor)), 1)
		s.factor = min(s.factor*s.factor, long)
	default:
		s.ended = s.worst-s.best <= s.fine*s.worst || s.worst-s.best < 2
		s.next = float64(int((s.best + s.worst) / 2))
	}
}
