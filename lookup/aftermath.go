package lookup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"axgate/routing"
)

// Rang tells that A's phone rings for the caller: A can call back from now on
// (AXE, section 3).
func (r *Router) Rang(ctx context.Context, q routing.Question, d routing.Decision) error {
	if !d.Rings() {
		return nil
	}
	// By the instant of ringing, not of the call: who called earlier may have
	// typed longer.
	b, at := *d.Binding, time.Now()
	record := routing.Callback{Caller: q.Caller}
	if b.CallbackFor > 0 {
		record.Until = at.Add(b.CallbackFor)
	}
	stands, err := r.cfg.Ledger.SetCallback(ctx, b, record)
	if err != nil || !stands {
		return err
	}
	err = r.cfg.Cache.PutCallback(ctx, &b, record, at)
	if err != nil {
		return r.distrust(ctx, b.X, "a callback record", err)
	}
	return nil
}

// Answered tells that the call was answered: its talk counts from now on, and a
// temporary callee is used up, unless the app keeps it (AX, section 1).
func (r *Router) Answered(ctx context.Context, q routing.Question, d routing.Decision) error {
	r.use.Answered(q.Session)
	if !d.Temporary || d.App == nil || d.App.KeepCallee {
		return nil
	}
	used, n, err := r.cfg.Ledger.UseTemporary(ctx, d.Binding.X, d.Callee)
	if err != nil || !used {
		return err
	}
	err = r.cfg.Cache.DropTemporary(ctx, n, n.Version)
	if err != nil {
		return r.distrust(ctx, n.X, "the use of a temporary callee", err)
	}
	return nil
}

// distrust has the next call read from the ledger what could not be brought to
// the cache: who is called must not depend on it.
func (r *Router) distrust(ctx context.Context, x routing.X, what string, cause error) error {
	r.lost(ctx, x, cause)
	if r.cfg.Cache.Forget(ctx, x) == nil {
		return nil
	}
	epoch, err := r.cfg.Ledger.RaiseEpoch(ctx, fmt.Sprintf("%s of %s could not be brought to the cache", what, x))
	if err != nil {
		return errors.Join(cause, err)
	}
	r.cfg.Cache.SetEpoch(epoch)
	return nil
}
