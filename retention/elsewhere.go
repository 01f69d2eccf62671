package retention

import "time"

// leftAfter is how long after its deletion a recording waits for the store that its file
// was brought to, if that is not this node's: other nodes may still have that one, or
// have it again.
const leftAfter = 7 * day

// elsewhere lets calls go whose recording is deleted and whose file is in a store that is
// given up, or was called otherwise. That file is left where it is.
func (r *run) elsewhere() error {
	ours := ""
	if r.cfg.Store != nil {
		ours = r.cfg.Store.Name()
	}
	counts, err := r.cfg.Ledger.StoredElsewhere(r.ctx, ours)
	if err != nil {
		return err
	}
	for place, n := range counts {
		r.cfg.Log.Warn().Str("store", place).Str("ours", ours).Int("files", n).
			Msg("files of deleted recordings are in a store that is not this node's: delete them there; their calls wait for that a week")
	}
	for len(counts) > 0 {
		if r.Left >= r.cfg.Most {
			r.More = true
			return nil
		}
		start := time.Now()
		n, err := r.cfg.Ledger.LeaveElsewhere(r.ctx, ours, r.begun.Add(-leftAfter))
		r.Left += n
		if err != nil || n == 0 {
			return err
		}
		if err := r.step(time.Since(start)); err != nil {
			return err
		}
	}
	return nil
}
