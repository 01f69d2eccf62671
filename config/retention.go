package config

import "time"

// Retention is how long what is of the past is kept.
type Retention struct {
	Every          time.Duration `key:"every" help:"how often what is too old is deleted; one node of a system does it for all"`
	RecordingsDays int           `key:"recordings_days" help:"days that a recording is kept, from the push of its fee event on; apps may have their own"`
	ListsDays      int           `key:"lists_days" help:"days that calls, texts, their events, and bindings that have ended are kept; apps may have their own; calls are kept as long as recordings at the least, and nothing goes that is still to be pushed"`
	AuditDays      int           `key:"audit_days" help:"days that changes by operators are kept in the audit log; 0: for ever"`
}

// The days that something can be kept.
const (
	leastDays     = 1
	leastListDays = 2 // a call may last a day
	mostDays      = 3650
)

func (k *checker) retention(r *Retention) {
	k.span("retention.every", r.Every, time.Minute, 24*time.Hour)
	k.count("retention.recordings_days", r.RecordingsDays, leastDays, mostDays)
	k.count("retention.lists_days", r.ListsDays, leastListDays, mostDays)
	k.count("retention.audit_days", r.AuditDays, 0, mostDays)
}

func (k *checker) appDays(key string, a *App) {
	if a.RecordingsDays != 0 {
		k.count(key+".recordings_days", a.RecordingsDays, leastDays, mostDays)
	}
	if a.ListsDays != 0 {
		k.count(key+".lists_days", a.ListsDays, leastListDays, mostDays)
	}
}
