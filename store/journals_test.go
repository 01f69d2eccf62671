package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/store/redistest"
)

// TestJournalCopies: pages are read in their order, those that are not needed any more are
// not, a page that was written before an answer was lost is there once, and on either Redis.
func TestJournalCopies(t *testing.T) {
	for name, open := range map[string]func() (*Cache, error){
		"redis": func() (*Cache, error) {
			return Open(Config{Address: redistest.Start(t).Addr, Timeout: 5 * time.Second, Log: zerolog.Nop()})
		},
		"embedded": func() (*Cache, error) {
			return OpenEmbedded(Config{Address: "127.0.0.1:0", Timeout: 5 * time.Second, Log: zerolog.Nop()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := open()
			require.NoError(t, err)
			defer func() { require.NoError(t, c.Close()) }()
			ctx := t.Context()
			pages := func() (all []string) {
				require.NoError(t, c.JournalOf(ctx, "n/1", func(page string) error {
					all = append(all, page)
					return nil
				}))
				return all
			}
			require.Empty(t, pages())
			var want []string
			for i := range 45 { // more than are read at once
				page := string(rune('A' + i))
				require.NoError(t, c.KeepJournal(ctx, "n/1", fmt.Sprintf("%d-%d", 1+i/10, 100*(i%10)+1), "0-0", page))
				want = append(want, page)
			}
			require.NoError(t, c.KeepJournal(ctx, "n/1", "5-401", "0-0", want[44]), "it is there")
			require.Equal(t, want, pages())
			require.NoError(t, c.KeepJournal(ctx, "n/1", "7-1", "3-0", "last"))
			require.Equal(t, append(want[20:], "last"), pages())
			require.NoError(t, c.KeepJournal(ctx, "n/2", "1-1", "0-0", "of another life"))
			require.InDelta(t, journalLife.Seconds(), c.rdb.TTL(ctx, journalKey("n/1")).Val().Seconds(), 10)
			require.NoError(t, c.ForgetJournal(ctx, "n/1"))
			require.Empty(t, pages())
		})
	}
}
