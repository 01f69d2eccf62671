package node

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"axgate/archive"
	"axgate/config"
	"axgate/ledger"
	"axgate/retention"
)

// openRetention starts to delete what is of the past.
func (n *Node) openRetention(context.Context) error {
	k, err := keeper(&n.cfg, n.ledger, n.recordings, n.store, n.log)
	if err != nil {
		return err
	}
	n.background("retention", k.Run)
	return nil
}

func keeper(c *config.Config, l *ledger.Ledger, files retention.Files, stored *archive.Store, log zerolog.Logger) (*retention.Keeper, error) {
	cfg := retention.Config{Ledger: l, Files: files, Node: c.Node, Every: c.Retention.Every,
		RecordingsDays: c.Retention.RecordingsDays, ListsDays: c.Retention.ListsDays, AuditDays: c.Retention.AuditDays, Log: log}
	if stored != nil {
		cfg.Store = stored
	}
	return retention.New(cfg)
}

// DeleteOld does at once what retention does, except for the files of
// recordings, which each node deletes itself.
func (o *Office) DeleteOld(ctx context.Context, c *config.Config) (retention.Counts, error) {
	stored, err := recordingStore(c)
	if err != nil {
		return retention.Counts{}, err
	}
	if stored != nil {
		defer stored.Close()
	}
	k, err := keeper(c, o.Ledger, nil, stored, o.log)
	if err != nil {
		return retention.Counts{}, err
	}
	return k.Work(ctx, true)
}

// Retention tells when it was done last, what went, and when it is due.
func (o *Office) Retention(ctx context.Context) (job ledger.Job, held bool, err error) {
	job, err = o.Ledger.Job(ctx, retention.Job)
	return job, job.Lease.After(time.Now()), err
}
