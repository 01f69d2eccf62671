package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"axgate/routing"
)

func ax(a routing.Number, version int64) routing.Binding {
	return routing.Binding{ID: "ax-1", App: "app", Mode: routing.AX, X: x1, A: a, AreaCode: "0755", Version: version}
}

func axe(id string, a routing.Number, e routing.Extension, version int64) routing.Binding {
	return routing.Binding{ID: id, App: "app", Mode: routing.AXE, X: x1, A: a, Ext: e, AreaCode: "0755", Version: version}
}

// expected is what the lookups have to find, straight from the dossier.
func expected(d routing.Dossier, caller routing.Number, ext routing.Extension, typed bool) routing.Facts {
	n := d.Number
	f := routing.Facts{Known: true, App: n.App, Status: n.Status, AreaCode: n.AreaCode, SMS: n.SMS, Bindings: n.Bindings}
	listed := func(who routing.Number) bool {
		for _, b := range d.Blocked {
			if b == who && who != "" {
				return true
			}
		}
		return false
	}
	f.Blacklisted = listed(caller)
	var callee routing.Number
	for i := range d.Bindings {
		b := &d.Bindings[i]
		switch {
		case typed:
			if b.Ext == ext {
				f.ToX, callee = b, b.A
			}
		case n.Mode == routing.AX:
			f.ToX, callee = b, b.A
			if b.A == caller {
				f.ByCaller, f.Temporary, callee = b, d.Temporary, ""
				if t := d.Temporary; t != nil && now.Before(t.Until) {
					callee = t.Callee
				}
			}
		case b.A == caller && caller != "" || n.Mode == routing.AXB && b.B == caller && caller != "":
			f.ByCaller = b
			if n.Mode == routing.AXB {
				if callee = b.A; b.A == caller {
					callee = b.B
				}
				continue
			}
			callee = b.CallbackNum
			if r, ok := d.Callbacks[b.A]; ok {
				f.Callback = &r
				if r.Caller != "" && (r.Until.IsZero() || now.Before(r.Until)) {
					callee = r.Caller
				}
			}
		}
	}
	f.CalleeBlacklisted = listed(callee)
	return f
}

// full is a binding with every field that calls need.
func full(t *rapid.T, b routing.Binding) routing.Binding {
	word := rapid.SampledFrom([]string{"", "tone.wav", "ünicode \"quoted\"\r\n"})
	b.Allowed = routing.Allowed(rapid.IntRange(0, 2).Draw(t, "allowed"))
	b.Off = rapid.Bool().Draw(t, "off")
	b.Until = rapid.SampledFrom([]time.Time{{}, now.Add(time.Hour), now, now.Add(-time.Hour)}).Draw(t, "until")
	b.Record = rapid.Bool().Draw(t, "record")
	b.RecordHint, b.CallerTone, b.CalleeTone = word.Draw(t, "hint"), word.Draw(t, "caller tone"), word.Draw(t, "callee tone")
	b.MaxMinutes, b.LastMinute = rapid.IntRange(0, 1440).Draw(t, "max"), word.Draw(t, "last")
	b.NoSMS, b.UserData = rapid.Bool().Draw(t, "no sms"), word.Draw(t, "user data")
	if b.Mode == routing.AXE {
		b.NoCallback = word.Draw(t, "no callback")
		b.CallbackNum = rapid.SampledFrom([]routing.Number{"", dora, anna}).Draw(t, "callback num")
		b.CallbackFor = rapid.SampledFrom([]time.Duration{0, 90 * time.Minute}).Draw(t, "callback for")
	}
	return b
}

func anyDossier(t *rapid.T) routing.Dossier {
	d := routing.Dossier{Number: number(x1, rapid.SampledFrom([]routing.Mode{routing.AX, routing.AXB, routing.AXE}).Draw(t, "mode"), 9, 0)}
	d.Number.Status = rapid.SampledFrom([]routing.NumberStatus{routing.StatusNormal, routing.StatusFrozen, routing.StatusPaused}).Draw(t, "status")
	d.Number.SMS = rapid.Bool().Draw(t, "texts")
	if rapid.Bool().Draw(t, "bound") {
		switch d.Number.Mode {
		case routing.AX:
			d.Bindings = []routing.Binding{full(t, ax(anna, 3))}
		case routing.AXB:
			d.Bindings = []routing.Binding{full(t, pair("p1", anna, bert, 3)), full(t, pair("p2", carl, "+8675528000001", 4))}
		case routing.AXE:
			d.Bindings = []routing.Binding{full(t, axe("e1", anna, "0001", 3)), full(t, axe("e2", bert, "0002", 4))}
		}
	}
	until := rapid.SampledFrom([]time.Time{now.Add(time.Minute), now.Add(-time.Minute)})
	d.Number.Bindings = len(d.Bindings)
	if d.Number.Mode == routing.AX && rapid.Bool().Draw(t, "temporary") {
		d.Temporary = &routing.TemporaryCallee{Callee: dora, Until: until.Draw(t, "temporary until"), UserData: "t"}
	}
	if d.Number.Mode == routing.AXE && rapid.Bool().Draw(t, "record of a call") {
		r := routing.Callback{Caller: rapid.SampledFrom([]routing.Number{"", carl}).Draw(t, "last caller")}
		if rapid.Bool().Draw(t, "runs out") {
			r.Until = until.Draw(t, "record until")
		}
		d.Callbacks = map[routing.Number]routing.Callback{anna: r}
	}
	if rapid.Bool().Draw(t, "blacklist") {
		d.Blocked = []routing.Number{rapid.SampledFrom([]routing.Number{anna, bert, carl, dora}).Draw(t, "blocked"), "+8613500000009"}
	}
	return d
}

// TestWhatWasLoadedIsFound: the cache tells of a dossier what the dossier
// says, and reserves exactly when the rules then dial.
func TestWhatWasLoadedIsFound(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		plan := routing.ChinaPlan()
		rdb := w.client()
		held := 0
		examine := func(t tester, d routing.Dossier) {
			w.tester = t
			w.wipe(rdb)
			w.load(d)
			app := &routing.App{Key: "app", Mode: d.Number.Mode}
			callers := []routing.Number{anna, bert, carl, dora, "+8675528000001", ""}
			for i, caller := range callers {
				q := asks("session-"+string(rune('a'+i)), x1, caller)
				want := expected(d, caller, "", false)
				got, ticket, err := w.Peek(ctx, q)
				require.NoError(t, err)
				require.False(t, ticket.Miss())
				require.Empty(t, cmp.Diff(want, got), "%s calls", caller)
				got, _, err = w.Facts(ctx, q)
				require.NoError(t, err)
				decision := routing.Decide(&plan, app, q, got)
				if decision.Step == routing.Dial && app.Mode != routing.AXB {
					require.True(t, got.Held, decision.Why)
					held++
				}
				if got.Held && decision.Step == routing.Refuse { // what only the number plan knows
					require.Contains(t, []int{7500, 8043, 8023}, decision.End.StateCode, decision.Why)
				}
				w.Release(q.Session)
				require.NoError(t, rdb.Del(ctx, busyKey(x1)).Err()) // the release does not wait for Redis
			}
			if d.Number.Mode != routing.AXE {
				return
			}
			for _, ext := range []routing.Extension{"0001", "0002", "0003", ""} {
				q := asks("session-e", x1, carl)
				got, ticket, err := w.PeekByExtension(ctx, q, ext)
				require.NoError(t, err)
				require.False(t, ticket.Miss())
				require.Empty(t, cmp.Diff(expected(d, carl, ext, true), got), "extension %s", ext)
				got, _, err = w.FactsByExtension(ctx, q, ext, Guessing{})
				require.NoError(t, err)
				decision := routing.DecideExtension(&plan, app, q, got, ext)
				require.Equal(t, decision.Step == routing.Dial, got.Held, decision.Why)
				w.Release(q.Session)
				require.NoError(t, rdb.Del(ctx, busyKey(x1)).Err()) // the release does not wait for Redis
			}
		}
		rapid.Check(t, func(t *rapid.T) { examine(t, anyDossier(t)) })
		held = 0
		for _, b := range []routing.Binding{ax(anna, 3), axe("e1", anna, "0001", 3)} { // of those at random none need be through
			b.CallbackNum = dora
			examine(t, routing.Dossier{Number: number(x1, b.Mode, 9, 1), Bindings: []routing.Binding{b}})
		}
		require.Greater(t, held, 1)
	})
}

func TestUnknownX(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ticket := w.misses(asks("s", x2, anna))
		require.NoError(t, w.FillUnknown(ctx, ticket, x2, now))
		require.Equal(t, routing.Facts{}, w.must(asks("s", x2, anna)))
		late := asks("s", x2, anna)
		late.At = now.Add(time.Minute)
		w.misses(late)

		ticket = w.misses(late)
		require.NoError(t, w.FillUnknown(ctx, ticket, x2, now))
		require.NoError(t, w.PutNumber(ctx, number(x2, routing.AX, 1, 0)), "the number is granted")
		w.misses(asks("s", x2, anna))

		require.Error(t, w.FillUnknown(ctx, ticket, x2, now), "the ticket was given out before that")
		w.misses(asks("s", x2, anna))
	})
}
