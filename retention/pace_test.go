package retention

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/archive"
	"axgate/ledger"
)

// many are calls and files of which each look takes a while.
type many struct {
	Ledger
	pages int
	gone  bool // the files are to be deleted
	takes time.Duration
	looks atomic.Int64
}

func (m *many) Keepings(context.Context) (map[string]ledger.Keeping, error) {
	return map[string]ledger.Keeping{"app": {}}, nil
}

func (m *many) look() {
	m.looks.Add(1)
	time.Sleep(m.takes)
}

func (m *many) KeptRecordings(_ context.Context, _ string, _ time.Time, after ledger.KeptAfter, limit int) ([]ledger.KeptRecording, error) {
	m.look()
	page := after.Ended.Unix() + 1
	if after.Session == "" {
		page = 0
	}
	if page == int64(m.pages) {
		return nil, nil
	}
	list := make([]ledger.KeptRecording, limit)
	for i := range list {
		list[i] = ledger.KeptRecording{Session: "s", Recording: ledger.Recording{Node: "n", File: "f.wav"}, Ended: time.Unix(page, 0)}
	}
	return list, nil
}

func (m *many) RecordingStates(_ context.Context, files []string) (map[string]ledger.RecordingState, error) {
	m.look()
	states := map[string]ledger.RecordingState{}
	for _, f := range files {
		states[f] = ledger.RecordingKept
		if m.gone {
			states[f] = ledger.RecordingDeleted
		}
	}
	return states, nil
}

func (m *many) Each(_ context.Context, most int, work func([]archive.File) error) error {
	for page := range m.pages {
		files := make([]archive.File, most)
		for i := range files {
			files[i].Name = fmt.Sprintf("%d-%d.wav", page, i)
		}
		if err := work(files); err != nil {
			return err
		}
	}
	return nil
}

func (m *many) Remove(string) error { return nil }
func (m *many) Has(string) bool     { return true }

// TestSweepRests: a look through all recordings takes a fiftieth of a processor, and half of one
// where there are files to delete; it ends with its context.
func TestSweepRests(t *testing.T) {
	for name, gone := range map[string]bool{"kept": false, "gone": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const pages = 20
				m := &many{pages: pages, gone: gone, takes: 10 * time.Millisecond}
				k, err := New(Config{Ledger: m, Files: m, Node: "n", Every: time.Hour, RecordingsDays: 7, ListsDays: 31, Log: zerolog.Nop()})
				require.NoError(t, err)
				begun := time.Now()
				_, err = k.Sweep(t.Context())
				require.NoError(t, err)
				require.EqualValues(t, 2*pages+1, m.looks.Load())
				files, calls := 50*pages*m.takes, 50*pages*m.takes+m.takes
				if gone {
					files = 2 * pages * m.takes
				}
				require.Equal(t, files+calls, time.Since(begun))

				ctx, end := context.WithTimeout(t.Context(), 3*m.takes/2)
				defer end()
				_, err = k.Sweep(ctx)
				require.ErrorIs(t, err, context.DeadlineExceeded)
			})
		})
	}
}

// TestSweepsOnceADay: all files are looked through after the start and once a day, however often
// the job is done.
func TestSweepsOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &many{}
		k, err := New(Config{Ledger: m, Files: m, Node: "n", Every: time.Hour, RecordingsDays: 7, ListsDays: 31, Log: zerolog.Nop()})
		require.NoError(t, err)
		ctx, end := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { k.sweeps(ctx); close(done) }()
		for _, want := range []int64{0, 1, 1, 2} { // KeptRecordings is asked once in each
			synctest.Wait()
			require.Equal(t, want, m.looks.Load())
			time.Sleep(map[int64]time.Duration{0: look, 1: 12 * time.Hour}[want])
		}
		end()
		<-done
	})
}
