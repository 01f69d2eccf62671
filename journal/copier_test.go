package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/events"
)

// shelf is where copies stand, in their order.
type shelf struct {
	mu      sync.Mutex
	wanted  bool
	away    bool
	places  []string
	pages   [][]byte
	carried string // as it was told last
}

func (s *shelf) Wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wanted
}

func (s *shelf) Add(_ context.Context, at, carried string, page []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return errors.New("away")
	}
	s.places, s.pages, s.carried = append(s.places, at), append(s.pages, page), carried
	return nil
}

func (s *shelf) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// sessions are those of all entries that were added.
func (s *shelf) sessions(t *testing.T) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, page := range s.pages {
		list, err := ReadPage(page)
		require.NoError(t, err)
		for i := range list {
			all = append(all, list[i].Session())
		}
	}
	return all
}

// deaf is a ledger that takes nothing until it is told to.
type deaf struct {
	mu    sync.Mutex
	hears bool
}

func (d *deaf) listens(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hears = yes
}

func (d *deaf) Record(context.Context, []events.Entry) (map[int]error, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.hears {
		return nil, errors.New("away")
	}
	return nil, nil
}

// TestCopies: what is on the disk stands a second time at once, as long as somebody would
// read it and the ledger does not have it; what could not be written is, later.
func TestCopies(t *testing.T) {
	t.Parallel()
	l, s := &deaf{}, &shelf{}
	j, err := Open(Config{Dir: t.TempDir(), Ledger: l, Log: zerolog.Nop()})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { j.Copy(ctx, s) })
	defer func() { cancel(); done.Wait(); l.listens(true); require.NoError(t, j.Close(t.Context())) }()
	require.Eventually(t, func() bool { return j.copier.Load() != nil }, 5*time.Second, time.Millisecond)

	n := 0
	write := func() string {
		n++
		c := events.Call{Session: fmt.Sprint("s", n), Node: "n", App: "app"}
		written := j.Write(c, events.NewCallEvent(c, 2, events.Answer, time.Now(), ""))
		j.Hurry()
		require.NoError(t, <-written)
		return c.Session
	}
	has := func(what string, want ...string) {
		require.Eventually(t, func() bool { return fmt.Sprint(s.sessions(t)) == fmt.Sprint(want) }, 5*time.Second, time.Millisecond, what)
	}
	write()
	s.set(func() { s.wanted = true })
	has("with nobody else there are none", []string{}...)
	second := write()
	has("it is copied", second)
	s.set(func() { s.away = true })
	third, fourth := write(), write()
	time.Sleep(50 * time.Millisecond)
	has("they are away", second)
	s.set(func() { s.away = false })
	has("they are tried again", second, third, fourth)
	s.set(func() {
		for i, p := range s.places[1:] {
			require.True(t, placeOf(t, s.places[i]).before(placeOf(t, p)), s.places)
		}
		require.Equal(t, "1-0", s.carried)
		s.away = true
	})
	write()
	l.listens(true)
	require.NoError(t, j.Flush(t.Context()))
	l.listens(false)
	s.set(func() { s.away = false })
	last := write()
	has("what the ledger has is not copied any more", second, third, fourth, last)
	s.set(func() {
		require.True(t, placeOf(t, s.places[1]).before(placeOf(t, s.carried)), "and what was is not needed")
	})
}

func placeOf(t *testing.T, text string) (p position) {
	_, err := fmt.Sscanf(text, "%d-%d", &p.segment, &p.offset)
	require.NoError(t, err)
	return p
}

// TestCopiesAreBounded: while neither the ledger nor the copies can be written, no more wait
// than the journal keeps in memory.
func TestCopiesAreBounded(t *testing.T) {
	t.Parallel()
	c := &copier{to: &shelf{wanted: true}, wake: make(chan struct{}, 1)}
	batch, ends := make([]*write, 500), make([]position, 500)
	for n := range 3 * memoryMost / len(batch) {
		for i := range batch {
			batch[i], ends[i] = &write{text: []byte("{}")}, position{segment: 1, offset: int64(n*len(batch) + i)}
		}
		c.take(batch, ends)
	}
	require.Len(t, c.waiting, memoryMost)
}
