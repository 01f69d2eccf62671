package main

import (
	"context"
	"time"

	"axgate/node"
	"axgate/prompts"
)

// promptFiles examines what callers hear.
func (x *patient) promptFiles() {
	for _, s := range prompts.Defaults() {
		if _, err := prompts.Check(s.Name, s.WAV); err != nil {
			x.note(wrong, "prompts", "build axgate anew", "a shipped file: %v", err)
			return
		}
	}
	if _, err := prompts.OpenDir(node.PromptDir(&x.cfg)); err != nil {
		x.note(wrong, "prompts", "let the user that runs axgate write there", "%v", err)
		return
	}
	x.note(fine, "prompts", "", "%d shipped files are right", len(prompts.Defaults()))
}

// stored examines ledger and Redis, and whether they agree.
func (x *patient) stored() {
	ctx, cancel := context.WithTimeout(x.ctx, time.Minute)
	defer cancel()
	apps, err := x.office.Ledger.Apps(ctx)
	if err != nil {
		x.note(wrong, "ledger", "", "%v", err)
		return
	}
	schema, err := x.office.Ledger.Schema(ctx)
	if err != nil {
		x.note(wrong, "ledger", "", "%v", err)
		return
	}
	x.note(fine, "ledger", "", "it answers, with %d apps; its tables are of version %d", len(apps), schema)
	if ahead, err := x.office.Ledger.Clock(ctx); err != nil {
		x.note(wrong, "ledger", "", "%v", err)
	} else {
		x.apart("ledger", "the database", ahead)
	}
	if x.office.Cache == nil {
		x.note(fine, "redis", "", "the embedded one runs with the node")
		return
	}
	if x.redis(ctx) {
		x.untold(ctx)
		x.agreement(ctx)
	}
}

// agreement compares what a call would come to by the cache and by the ledger.
func (x *patient) agreement(ctx context.Context) {
	r, err := x.office.Provision.Verify(ctx, x.repair)
	switch {
	case err != nil:
		x.note(wrong, "agreement", "", "%v", err)
		return
	case r.Differ == 0:
		x.note(fine, "agreement", "", "cache and ledger agree on %d decisions; %d of %d X are in the cache", r.Compared, r.Loaded, r.Numbers)
		return
	case x.repair:
		x.note(odd, "agreement", "run axgate doctor again", "cache and ledger differed on %d of %d decisions; %d X are read from the ledger anew", r.Differ, r.Compared, r.Repaired)
	default:
		x.note(wrong, "agreement", "run axgate doctor --repair", "cache and ledger differ on %d of %d decisions", r.Differ, r.Compared)
	}
	const shown = 10
	for _, d := range r.Differences[:min(len(r.Differences), shown)] {
		x.note(odd, "agreement", "", "%s, %s: cache: %s; ledger: %s", d.X, d.Who, d.Cache, d.Ledger)
	}
}
