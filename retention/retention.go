// Package retention deletes what is of the past once its time is over
// (behaviour sections 5 and 6): recordings, the lists of calls, texts and
// bindings, the event log and the audit log. One node of a system does it at a
// time; how far it came stands in the ledger, so that it survives restarts.
// Nothing that is open or owed is ever deleted.
package retention

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"axgate/ledger"
)

// Ledger is what has a past.
type Ledger interface {
	Keepings(ctx context.Context) (map[string]ledger.Keeping, error)
	KeptRecordings(ctx context.Context, app string, before time.Time, after ledger.KeptAfter, limit int) ([]ledger.KeptRecording, error)
	RecordingsGone(ctx context.Context, sessions []string, at time.Time) (int, error)
	GoneFiles(ctx context.Context, node string, after ledger.GoneAfter, limit int) ([]string, ledger.GoneAfter, error)
	RecordingStates(ctx context.Context, files []string) (map[string]ledger.RecordingState, error)
	StoredGone(ctx context.Context, place string) ([]ledger.KeptRecording, error)
	StoredDeleted(ctx context.Context, sessions []string) error
	StoredElsewhere(ctx context.Context, place string) (map[string]int, error)
	LeaveElsewhere(ctx context.Context, place string, before time.Time) (int, error)
	DropCalls(ctx context.Context, d ledger.Drop) (ledger.Dropped, error)
	DropTexts(ctx context.Context, d ledger.Drop) (ledger.Dropped, error)
	DropEvents(ctx context.Context, d ledger.Drop) (ledger.Dropped, error)
	DropBindings(ctx context.Context, d ledger.Drop) (ledger.Dropped, error)
	DropAudit(ctx context.Context, before time.Time, most int) (ledger.Dropped, error)
	TakeJob(ctx context.Context, name, holder string, now, lease time.Time, early bool) error
	KeepJob(ctx context.Context, name, holder string, lease time.Time) error
	FinishJob(ctx context.Context, j ledger.Job) error
}

var _ Ledger = (*ledger.Ledger)(nil)

// Job is the name of the job in the ledger.
const Job = "retention"

// Config is what a Keeper works with.
type Config struct {
	Ledger Ledger
	Files  Files  // of this node; nil: they are left to others
	Store  Store  // nil: there is none
	Node   string // this node
	Every  time.Duration

	// Days of apps that have no days of their own.
	RecordingsDays int // from the push of the fee event on
	ListsDays      int
	AuditDays      int // 0: for ever

	Most int              // rows of each kind in one run; 0: 200,000
	Now  func() time.Time // nil: time.Now
	Log  zerolog.Logger
}

// Keeper deletes what is of the past.
type Keeper struct {
	cfg    Config
	holder string
}

// New makes a Keeper.
func New(cfg Config) (*Keeper, error) {
	const most = 200_000
	if cfg.Ledger == nil || cfg.Every <= 0 || cfg.RecordingsDays <= 0 || cfg.ListsDays <= 0 || cfg.AuditDays < 0 {
		return nil, errors.New("retention needs a ledger, a rhythm and days")
	}
	if cfg.Most <= 0 {
		cfg.Most = most
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Keeper{cfg: cfg, holder: cfg.Node + "/" + uuid.NewString()}, nil
}

// Counts is what a run deleted.
type Counts struct {
	Recordings int  `json:"recordings"`
	Calls      int  `json:"calls"`
	Texts      int  `json:"texts"`
	Parts      int  `json:"textParts"`
	Events     int  `json:"events"`
	Bindings   int  `json:"bindings"`
	Audit      int  `json:"audit"`
	Stored     int  `json:"stored"` // files in the store, most of them of the recordings
	Left       int  `json:"left"`   // files of deleted recordings in stores that are not ours any more: whoever has those deletes them
	More       bool `json:"more"`   // the run was ended before all was deleted
}

func (c *Counts) any() bool {
	return c.Stored+c.Left+c.Recordings+c.Calls+c.Texts+c.Events+c.Bindings+c.Audit > 0
}

// look is how often it is asked whether something is due.
const look = 30 * time.Second

// Run works whenever it is time, until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { k.works(ctx) })
	if k.cfg.Files != nil {
		all.Go(func() { k.deletes(ctx) })
		all.Go(func() { k.sweeps(ctx) })
	}
}

// works does the job whenever it is due.
func (k *Keeper) works(ctx context.Context) {
	var failed time.Time
	for rest(ctx, look) {
		now := k.cfg.Now()
		if now.Sub(failed) < k.cfg.Every/10 {
			continue
		}
		if _, err := k.Work(ctx, false); err != nil && ctx.Err() == nil && !errors.Is(err, ledger.ErrJobHeld) {
			failed = now
			k.cfg.Log.Error().Err(err).Msg("delete what is of the past: it is tried again")
		}
	}
}

// rest waits, and tells whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// lease is how long others wait for who works and is silent.
const lease = 2 * time.Minute

// Work does the job if it is due, or in any case with early. ledger.ErrJobHeld:
// it is not due, or another one is at it.
func (k *Keeper) Work(ctx context.Context, early bool) (Counts, error) {
	begun := k.cfg.Now()
	if err := k.cfg.Ledger.TakeJob(ctx, Job, k.holder, begun, begun.Add(lease), early); err != nil {
		return Counts{}, err
	}
	r := &run{Keeper: k, ctx: ctx, begun: begun, kept: begun}
	err := r.all()
	next := begun.Add(k.cfg.Every)
	if r.More || err != nil {
		next = k.cfg.Now()
	}
	if told := k.told(ctx, &r.Counts, next); err == nil {
		err = told
	}
	if r.any() || r.More {
		c := &r.Counts
		k.cfg.Log.Info().Int("recordings", c.Recordings).Int("calls", c.Calls).Int("texts", c.Texts).Int("events", c.Events).Int("bindings", c.Bindings).
			Int("audit", c.Audit).Int("stored", c.Stored).Int("left", c.Left).Bool("more", c.More).Dur("in", k.cfg.Now().Sub(begun)).Msg("deleted: their time was over")
	}
	return r.Counts, err
}

// told notes what came of a run, also at the end of the process.
func (k *Keeper) told(ctx context.Context, c *Counts, next time.Time) error {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("note what was deleted: %w", err)
	}
	return k.cfg.Ledger.FinishJob(ctx, ledger.Job{Name: Job, Holder: k.holder, Due: next, Done: k.cfg.Now(), By: k.cfg.Node, Result: string(text)})
}
