package retention

import (
	"context"
	"errors"
	"time"

	"axgate/archive"
	"axgate/ledger"
)

// Store is where recordings are that all nodes reach.
type Store interface {
	Name() string
	Remove(ctx context.Context, name string) error
	Each(ctx context.Context, most int, work func([]archive.File) error) error
}

var _ Store = (*archive.Store)(nil)

// stored deletes the files of recordings that are gone. A file whose row says
// so is deleted again if this process dies in between.
func (r *run) stored() error {
	if r.cfg.Store == nil {
		return nil
	}
	for {
		start := time.Now()
		list, err := r.cfg.Ledger.StoredGone(r.ctx, r.cfg.Store.Name())
		if err != nil || len(list) == 0 {
			return err
		}
		var sessions []string
		var failed error
		for i := range list {
			if failed = r.cfg.Store.Remove(r.ctx, list[i].File); failed != nil {
				break
			}
			sessions = append(sessions, list[i].Session)
		}
		if err := errors.Join(failed, r.cfg.Ledger.StoredDeleted(context.WithoutCancel(r.ctx), sessions)); err != nil {
			return err
		}
		r.Stored += len(sessions)
		if r.Stored >= r.cfg.Most {
			r.More = true
			return nil
		}
		if err := r.step(time.Since(start)); err != nil {
			return err
		}
	}
}

// storeJob looks through the whole store once a day, on one node.
const storeJob = "retention of strays"

// sweepStore tells of files in the store that are no call's, and deletes those
// that are older than any recording.
func (k *Keeper) sweepStore(ctx context.Context) {
	if k.cfg.Store == nil {
		return
	}
	unknown, strays, err := k.SweepStore(ctx)
	if strays > 0 {
		k.cfg.Log.Info().Int("files", strays).Msg("files of no call were deleted from the store")
	}
	if unknown > 0 {
		k.cfg.Log.Warn().Int("files", unknown).Msg("there are files of no call in the store: they are deleted when recordings of their age are")
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, ledger.ErrJobHeld) {
		k.cfg.Log.Error().Err(err).Msg("look through the store of recordings")
	}
}

// SweepStore goes through the store if that is due; ledger.ErrJobHeld if not.
func (k *Keeper) SweepStore(ctx context.Context) (unknown, strays int, err error) {
	begun := k.cfg.Now()
	if err := k.cfg.Ledger.TakeJob(ctx, storeJob, k.holder, begun, begun.Add(lease), false); err != nil {
		return 0, 0, err
	}
	longest, err := k.longest(ctx)
	if err != nil {
		return 0, 0, err
	}
	var c FileCounts
	err = k.cfg.Store.Each(ctx, ledger.MostDropped, func(files []archive.File) error {
		remove := func(name string) (bool, error) {
			err := k.cfg.Store.Remove(ctx, name)
			return err == nil, err
		}
		if err := k.judge(ctx, files, longest, remove, &c); err != nil {
			return err
		}
		return k.cfg.Ledger.KeepJob(ctx, storeJob, k.holder, k.cfg.Now().Add(lease))
	})
	done := ledger.Job{Name: storeJob, Holder: k.holder, Due: begun.Add(day), Done: k.cfg.Now(), By: k.cfg.Node}
	if err != nil {
		done.Due = k.cfg.Now().Add(k.cfg.Every)
	}
	return c.Unknown, c.Strays + c.Deleted, errors.Join(err, k.cfg.Ledger.FinishJob(context.WithoutCancel(ctx), done))
}
