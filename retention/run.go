package retention

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"axgate/ledger"
)

const day = 24 * time.Hour

// run is one time that the job is done.
type run struct {
	*Keeper
	ctx   context.Context
	begun time.Time
	kept  time.Time // when the lease was prolonged
	spent [4]int    // rows of calls, texts, events and bindings that went
	Counts
}

// all goes through the apps. Rows that no app has are judged as those of an
// app without days of its own.
func (r *run) all() error {
	keepings, err := r.cfg.Ledger.Keepings(r.ctx)
	if err != nil {
		return err
	}
	keepings[""] = ledger.Keeping{}
	for _, app := range slices.Sorted(maps.Keys(keepings)) {
		recordings, lists := r.days(keepings[app])
		if err := r.recordings(app, recordings); err != nil {
			return err
		}
		// Calls are there as long as recordings.
		if err := r.lists(app, r.begun.Add(-max(lists, recordings)), r.begun.Add(-lists)); err != nil {
			return err
		}
	}
	// A store that is away holds up nothing else.
	return errors.Join(r.stored(), r.elsewhere(), r.audit())
}

// days are how long the recordings and the lists of an app are kept.
func (k *Keeper) days(of ledger.Keeping) (recordings, lists time.Duration) {
	if of.RecordingsDays == 0 {
		of.RecordingsDays = k.cfg.RecordingsDays
	}
	if of.ListsDays == 0 {
		of.ListsDays = k.cfg.ListsDays
	}
	return time.Duration(of.RecordingsDays) * day, time.Duration(of.ListsDays) * day
}

// step is to be called after each transaction: it keeps the lease, and lets
// others write as long as the transaction took.
func (r *run) step(took time.Duration) error {
	const least, longest = time.Millisecond, time.Second
	select {
	case <-r.ctx.Done():
		return r.ctx.Err()
	case <-time.After(min(max(took, least), longest)):
	}
	if now := r.cfg.Now(); now.Sub(r.kept) >= lease/4 {
		r.kept = now
		return r.cfg.Ledger.KeepJob(r.ctx, Job, r.holder, now.Add(lease))
	}
	return nil
}

// lists deletes the past of an app from before an instant. Calls and texts go
// before the events, which are theirs.
func (r *run) lists(app string, calls, others time.Time) error {
	for i, l := range []struct {
		rows   *int
		before time.Time
		drop   func(context.Context, ledger.Drop) (ledger.Dropped, error)
	}{
		{&r.Calls, calls, r.cfg.Ledger.DropCalls}, {&r.Texts, others, r.cfg.Ledger.DropTexts},
		{&r.Events, others, r.cfg.Ledger.DropEvents}, {&r.Bindings, others, r.cfg.Ledger.DropBindings},
	} {
		// Every node deletes its files within a day.
		d := ledger.Drop{App: app, Before: l.before, FilesBefore: r.begun.Add(-day)}
		for more := true; more; {
			if r.spent[i] >= r.cfg.Most {
				r.More = true
				break
			}
			d.Most = min(ledger.MostDropped, r.cfg.Most-r.spent[i])
			start := time.Now()
			out, err := l.drop(r.ctx, d)
			if err != nil {
				return fmt.Errorf("app %q: %w", app, err)
			}
			*l.rows += out.Rows
			r.Events, r.Parts, r.spent[i] = r.Events+out.Events, r.Parts+out.Parts, r.spent[i]+out.Rows
			if d.From, more = out.Last, out.More; out.Rows == 0 {
				break
			}
			if err := r.step(time.Since(start)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) audit() error {
	if r.cfg.AuditDays == 0 {
		return nil
	}
	before := r.begun.Add(-time.Duration(r.cfg.AuditDays) * day)
	for more := true; more && !r.More; {
		start := time.Now()
		out, err := r.cfg.Ledger.DropAudit(r.ctx, before, ledger.MostDropped)
		if err != nil {
			return err
		}
		r.Audit, more = r.Audit+out.Rows, out.More
		if more {
			if err := r.step(time.Since(start)); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordings has the recordings of an app found no more whose time is over. The
// time of one whose fee event is owed has not begun.
func (r *run) recordings(app string, keep time.Duration) error {
	before, after := r.begun.Add(-keep), ledger.KeptAfter{}
	for {
		if r.Recordings >= r.cfg.Most {
			r.More = true
			return nil
		}
		start := time.Now()
		list, err := r.cfg.Ledger.KeptRecordings(r.ctx, app, before, after, ledger.MostDropped)
		if err != nil {
			return err
		}
		var over []ledger.KeptRecording
		for _, rec := range list {
			if len(over) < r.cfg.Most-r.Recordings && !rec.Kept.IsZero() && !rec.Kept.After(before) {
				over = append(over, rec)
			}
		}
		n, err := r.delete(over)
		r.Recordings += n
		if err != nil || len(list) < ledger.MostDropped && r.Recordings < r.cfg.Most {
			return err
		}
		last := &list[len(list)-1]
		after = ledger.KeptAfter{Ended: last.Ended, Session: last.Session}
		if err := r.step(time.Since(start)); err != nil {
			return err
		}
	}
}

// delete notes that recordings are gone. From then on nobody finds them, and
// each node deletes the files of its own directory.
func (r *run) delete(over []ledger.KeptRecording) (int, error) {
	sessions := make([]string, len(over))
	for i := range over {
		sessions[i] = over[i].Session
	}
	return r.cfg.Ledger.RecordingsGone(r.ctx, sessions, r.cfg.Now())
}
