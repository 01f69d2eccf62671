package retention

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"axgate/archive"
	"axgate/ledger"
)

// Files are those of the recordings that this node can reach.
type Files interface {
	Each(ctx context.Context, most int, work func([]archive.File) error) error
	Remove(name string) error
	Has(name string) bool
}

var _ Files = (*archive.Dir)(nil)

// FileCounts is what was found in the directory of a node.
type FileCounts struct {
	Deleted int // whose time was over
	Unknown int // of no call: they stay for as long as recordings are kept
	Strays  int // of no call for so long: deleted
	Missing int // of calls of this node, and not there
}

// sweepShare is how many times as long a look through files and calls rests as it takes, where
// there is nothing to delete: a fiftieth of a processor, however many recordings are kept.
const sweepShare = 49

// deletes deletes the files of recordings that were deleted since the last time. What was before,
// and what this misses, is found by sweeps.
func (k *Keeper) deletes(ctx context.Context) {
	const overlap = time.Minute // for clocks of nodes that differ, and transactions that take a while
	from, ill := k.cfg.Now(), false
	for rest(ctx, look) {
		now := k.cfg.Now()
		n, err := k.DeleteGone(ctx, from.Add(-overlap))
		if n > 0 {
			k.cfg.Log.Info().Int("files", n).Msg("files of deleted recordings were deleted")
		}
		if err == nil {
			from = now
		} else if ctx.Err() == nil && !ill {
			k.cfg.Log.Error().Err(err).Msg("delete the files of deleted recordings: it is tried again")
		}
		ill = err != nil
	}
}

// DeleteGone deletes the files of this node's recordings that were deleted at an instant or
// later, and tells how many there were. One that cannot be deleted holds up no other.
func (k *Keeper) DeleteGone(ctx context.Context, from time.Time) (n int, err error) {
	var failed error // the first
	for after := (ledger.GoneAfter{Gone: from}); ; {
		begun := time.Now()
		files, last, err := k.cfg.Ledger.GoneFiles(ctx, k.cfg.Node, after, ledger.MostDropped)
		if err != nil {
			return n, err
		}
		for _, f := range files {
			if !k.cfg.Files.Has(f) {
				continue
			}
			if err := k.cfg.Files.Remove(f); err != nil {
				failed = cmp.Or(failed, err)
				continue
			}
			n++
		}
		if after = last; len(files) < ledger.MostDropped {
			return n, failed
		}
		if !rest(ctx, time.Since(begun)) {
			return n, ctx.Err()
		}
	}
}

// sweeps looks through the store if that is due, and through all files of this node after the
// start and once a day.
func (k *Keeper) sweeps(ctx context.Context) {
	var swept time.Time
	for wait := look; rest(ctx, wait); wait = k.cfg.Every {
		k.sweepStore(ctx)
		now := k.cfg.Now()
		if now.Sub(swept) < day {
			continue
		}
		if err := k.sweepFiles(ctx); err == nil {
			swept = now
		} else if ctx.Err() == nil {
			k.cfg.Log.Error().Err(err).Msg("look through the files of recordings: it is tried again")
		}
	}
}

// sweepFiles deletes the files whose time is over, and tells of those that have
// no call, and of calls that have no file.
func (k *Keeper) sweepFiles(ctx context.Context) error {
	c, err := k.Sweep(ctx)
	if c.Deleted+c.Strays > 0 {
		k.cfg.Log.Info().Int("files", c.Deleted).Int("of_no_call", c.Strays).Msg("files of recordings were deleted")
	}
	if c.Unknown > 0 {
		k.cfg.Log.Warn().Int("files", c.Unknown).Msg("there are files of no call among the recordings: they are deleted when recordings of their age are")
	}
	if c.Missing > 0 {
		k.cfg.Log.Warn().Int("recordings", c.Missing).Msg("recordings of calls of this node are not there: they cannot be fetched")
	}
	return err
}

// Sweep goes through the files of this node, and then through its calls. A file that cannot be
// deleted holds up no other; the first such error is returned at the end.
func (k *Keeper) Sweep(ctx context.Context) (c FileCounts, err error) {
	longest, err := k.longest(ctx)
	if err != nil {
		return c, err
	}
	var stuck error
	remove := func(name string) (bool, error) {
		err := k.cfg.Files.Remove(name)
		stuck = cmp.Or(stuck, err)
		return err == nil, nil
	}
	begun := time.Now() // of a look at some files
	err = k.cfg.Files.Each(ctx, ledger.MostDropped, func(files []archive.File) error {
		before := c.Deleted + c.Strays
		if err := k.judge(ctx, files, longest, remove, &c); err != nil {
			return err
		}
		wait := time.Since(begun)
		if c.Deleted+c.Strays == before {
			wait *= sweepShare
		}
		if !rest(ctx, wait) {
			return ctx.Err()
		}
		begun = time.Now()
		return nil
	})
	if err != nil {
		return c, err
	}
	keepings, err := k.cfg.Ledger.Keepings(ctx)
	if err != nil {
		return c, err
	}
	for app := range keepings {
		if err := k.missing(ctx, app, &c); err != nil {
			return c, err
		}
	}
	return c, stuck
}

// longest is how long the recordings of any app are kept.
func (k *Keeper) longest(ctx context.Context) (time.Duration, error) {
	keepings, err := k.cfg.Ledger.Keepings(ctx)
	longest, _ := k.days(ledger.Keeping{})
	for _, of := range keepings {
		days, _ := k.days(of)
		longest = max(longest, days)
	}
	return longest, err
}

// judge deletes of some files those whose time is over. remove tells whether a file is gone, and
// its error ends the look.
func (k *Keeper) judge(ctx context.Context, files []archive.File, longest time.Duration, remove func(string) (bool, error), c *FileCounts) error {
	names := make([]string, len(files))
	for i := range files {
		names[i] = files[i].Name
	}
	const late = time.Hour // a call may be known a little later than its file
	states, err := k.cfg.Ledger.RecordingStates(ctx, names)
	if err != nil {
		return err
	}
	now := k.cfg.Now()
	for i := range files {
		f, count := &files[i], &c.Deleted
		switch age := now.Sub(f.Written); {
		case states[f.Name] == ledger.RecordingDeleted:
		case states[f.Name] != ledger.RecordingUnknown || age < late:
			continue
		case age < longest+day:
			c.Unknown++
			continue
		default:
			count = &c.Strays
		}
		gone, err := remove(f.Name)
		if err != nil {
			return err
		}
		if gone {
			*count++
		}
	}
	return nil
}

// missing counts the calls of an app and this node whose recordings are not
// there. They are only told of: a disk that is away may come back.
func (k *Keeper) missing(ctx context.Context, app string, c *FileCounts) error {
	after := ledger.KeptAfter{}
	for {
		begun := time.Now()
		list, err := k.cfg.Ledger.KeptRecordings(ctx, app, k.cfg.Now(), after, ledger.MostDropped)
		if err != nil {
			return fmt.Errorf("look for the files of calls: %w", err)
		}
		for i := range list {
			if list[i].Node == k.cfg.Node && list[i].Place == "" && !k.cfg.Files.Has(list[i].File) {
				c.Missing++
			}
		}
		if len(list) < ledger.MostDropped || !rest(ctx, sweepShare*time.Since(begun)) {
			return ctx.Err()
		}
		last := &list[len(list)-1]
		after = ledger.KeptAfter{Ended: last.Ended, Session: last.Session}
	}
}
