package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"axgate/ledger"
	"axgate/routing"
)

const (
	taskLease = 30 * time.Second    // how long others wait for who works on a task and is silent
	taskPause = time.Second         // between two looks for work, and at the work of others
	taskKept  = 31 * 24 * time.Hour // how long a task can be looked at after its end
)

// FinishTask works on a task until it has ended, or waits for who works on it.
// tell is told how far it is after each step; it may be nil. If ctx ends, the
// task goes on elsewhere, or at the next start of a node.
func (s *Service) FinishTask(ctx context.Context, id string, tell func(ledger.Task)) (ledger.Task, error) {
	if tell == nil {
		tell = func(ledger.Task) {}
	}
	for {
		t, err := s.workOn(ctx, id, tell)
		if errors.Is(err, ledger.ErrNotHeld) || ctx.Err() != nil {
			t, err = s.ledger.Task(context.WithoutCancel(ctx), id)
		}
		switch {
		case errors.Is(err, ledger.ErrNoTask):
			return t, resultNoRecord.refuse("id", "there is no such task")
		case err != nil:
			return t, failed("work on the task", err)
		case t.State == ledger.TaskEnded:
			return t, nil
		}
		tell(t)
		const step = 100 * time.Millisecond
		select {
		case <-ctx.Done():
			return t, nil
		case <-time.After(step):
		}
	}
}

// workOn takes a task, any one with an empty id, and works until it has ended.
// ledger.ErrNotHeld: there is none to be taken, or another one has it now.
func (s *Service) workOn(ctx context.Context, id string, tell func(ledger.Task)) (ledger.Task, error) {
	h := ledger.Hold{Task: id, Holder: s.node + "/" + uuid.NewString(), Lease: taskLease}
	t, err := s.ledger.TakeTask(ctx, h, s.now())
	if err != nil {
		return t, err
	}
	h.Task = t.ID
	for t.State != ledger.TaskEnded && err == nil {
		if t, err = s.workStep(ctx, h, t); err == nil {
			tell(t)
		}
	}
	if err == nil || errors.Is(err, ledger.ErrNotHeld) {
		return t, err
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cachePatience)
	defer cancel()
	return t, errors.Join(err, s.ledger.LetTask(clean, h))
}

// workStep changes some numbers in the ledger, has the cache hear of it, and
// only then notes them as done. What stops in between is gone on with by the
// next step of whoever works on the task.
func (s *Service) workStep(ctx context.Context, h ledger.Hold, t ledger.Task) (ledger.Task, error) {
	due, err := s.ledger.WorkTask(ctx, h, judge(t), s.now())
	if err != nil {
		return t, err
	}
	// What is stored is to be in force even if ctx ends now.
	ctx = context.WithoutCancel(ctx)
	if err := s.forgetAll(ctx, slices.Sorted(maps.Keys(due))); err != nil {
		return t, err
	}
	return s.ledger.SettleTask(ctx, h, due, s.now())
}

// forgetAll is forget for many X.
func (s *Service) forgetAll(ctx context.Context, xs []routing.X) error {
	if len(xs) == 0 {
		return nil
	}
	err := s.bring(ctx, func(ctx context.Context) error { return s.cache.ForgetAll(ctx, xs) })
	if err != nil {
		err = s.voidCache(ctx, fmt.Sprintf("changes of %d X could not be brought to the cache", len(xs)), err)
	}
	return err
}

// wake has the tasks of this process looked at now.
func (s *Service) wake() {
	select {
	case s.tasks <- struct{}{}:
	default:
	}
}

// runTasks works on tasks, one at a time, until ctx ends.
func (s *Service) runTasks(ctx context.Context) {
	const every = time.Hour
	tidy := time.Now() // when old tasks are forgotten next
	for {
		t, err := s.workOn(ctx, "", func(ledger.Task) {})
		switch {
		case err == nil:
			s.log.Info().Str("task", t.ID).Str("kind", string(t.Kind)).Int("done", t.Done).Int("failed", t.Failed).Msg("a task of numbers has ended")
			continue
		case ctx.Err() != nil:
			return
		case !errors.Is(err, ledger.ErrNotHeld):
			s.log.Error().Err(err).Str("task", t.ID).Msg("work on a task of numbers")
		}
		if now := time.Now(); !now.Before(tidy) {
			dropped, err := s.ledger.DropTasks(ctx, s.now().Add(-taskKept))
			if err != nil && ctx.Err() == nil {
				s.log.Error().Err(err).Msg("forget old tasks of numbers")
			}
			if dropped == 0 { // else there may be more
				tidy = now.Add(every)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-s.tasks:
		case <-time.After(taskPause):
		}
	}
}
