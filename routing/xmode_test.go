package routing

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// xCalls is a call to an X in X mode; change changes it.
func xCalls(caller Number, change ...func(*world)) world {
	w := world{app: App{Key: "app", SP: "sp", Mode: XMode, Recording: true}, q: Question{"s", theX, caller, now}, f: facts(0)}
	for _, c := range change {
		c(&w)
	}
	return w
}

// said is an answer that connects anna with bert.
func said(change ...func(*Reply)) Reply {
	r := Reply{Shown: string(theX), Callee: string(bert), MaxMinutes: 60, Record: true, UserData: "order 42",
		WaitVoice: "wait.wav", RecordHint: "hint.wav", LastMinute: "last.wav"}
	for _, c := range change {
		c(&r)
	}
	return r
}

func names(callee Number) func(*Reply) { return func(r *Reply) { r.Callee = string(callee) } }

func TestXModeAsks(t *testing.T) {
	for name, w := range map[string]world{"anybody": xCalls(anna), "a fixed line": xCalls(fixed), "nobody known": xCalls(""), "from abroad": xCalls(foreign)} {
		d := w.decide()
		require.Equal(t, Ask, d.Step, name)
		require.Equal(t, ToA, d.Direction, name)
		require.Nil(t, d.Binding, name)
		require.Empty(t, d.Callee, name)
		require.NotContains(t, d.Why, string(anna))
	}
	for name, row := range map[string]struct {
		change func(*world)
		want   expect
	}{
		"not ours":          {func(w *world) { w.f = Facts{} }, expect{step: Refuse, sip: 404, cause: 1, dir: 2, quiet: true}},
		"X paused":          {func(w *world) { w.f.Status = StatusPaused }, refused("no_permission", 8055, 8055, 403, 21, 2, false)},
		"account frozen":    {func(w *world) { w.app.Frozen = true }, refused("no_permission", 7108, 7108, 403, 21, 2, false)},
		"app paused":        {func(w *world) { w.app.Paused = true }, refused("service_exception", 8018, 8018, 403, 21, 2, false)},
		"no calls":          {func(w *world) { w.app.NoCalls = true }, refused("no_permission", 8018, 8018, 403, 21, 2, false)},
		"caller is blocked": {func(w *world) { w.f.Blacklisted = true }, refused("no_permission", 7005, 7005, 403, 21, 2, false)},
		"foreign caller":    {func(w *world) { w.q.Caller, w.app.NoForeign = foreign, true }, refused("no_permission", 8042, 8042, 403, 21, 2, false)},
		"typed an extension": {func(w *world) { w.typed, w.ext = true, "1" },
			refused("service_exception", 8020, 8020, 500, 41, 2, false)},
	} {
		t.Run(name, func(t *testing.T) {
			w := xCalls(anna, row.change)
			check(t, w, row.want)
			if !w.typed { // and again when the answer is there
				require.Equal(t, w.decide(), withoutUserData(DecideReply(&china, &w.app, w.q, w.f, said())))
			}
		})
	}
}

func withoutUserData(d Decision) Decision { d.UserData = ""; return d }

func TestXModeReplies(t *testing.T) {
	silent := func(r *Reply) { *r = Reply{Silent: "no answer in time"} }
	closes := func(r *Reply) { *r = Reply{Close: true, CloseHint: "bye.wav", UserData: "order 42"} }
	fallback := func(n Number) func(*world) { return func(w *world) { w.app.Fallback = n } }
	ours := func(w *world) { w.f.CalleeOurs = true }
	for name, row := range map[string]struct {
		world  world
		reply  Reply
		step   Step
		callee Number
		state  int
		dir    Direction
		scene  Scene
		prompt string
	}{
		"connect":                         {xCalls(anna), said(), Dial, bert, 0, 0, "", "wait.wav"},
		"connect, bare":                   {xCalls(anna), Reply{Shown: string(theX), Callee: string(bert)}, Dial, bert, 0, 0, "", ""},
		"a caller who is not known":       {xCalls(""), said(), Dial, bert, 0, 0, "", "wait.wav"},
		"a fixed line calls: not bound":   {xCalls(fixed), said(), Dial, bert, 0, 0, "", "wait.wav"},
		"X in another spelling":           {xCalls(anna), said(func(r *Reply) { r.Shown = "17010000001" }), Dial, bert, 0, 0, "", "wait.wav"},
		"fixed line as callee":            {xCalls(anna), said(names(fixed)), Dial, fixed, 0, 0, "", "wait.wav"},
		"service number as callee":        {xCalls(anna), said(names(service)), Dial, service, 0, 0, "", "wait.wav"},
		"longest":                         {xCalls(anna), said(func(r *Reply) { r.MaxMinutes = 1440; r.UserData = strings.Repeat("号", 256) }), Dial, bert, 0, 0, "", "wait.wav"},
		"another number shown":            {xCalls(anna), said(func(r *Reply) { r.Shown = "+8617010000002" }), Refuse, "", 8014, 2, SceneFault, ""},
		"the caller's number shown":       {xCalls(anna), said(func(r *Reply) { r.Shown = string(anna) }), Refuse, "", 8014, 2, SceneFault, ""},
		"nothing shown":                   {xCalls(anna), said(func(r *Reply) { r.Shown = "" }), Refuse, "", 8014, 2, SceneFault, ""},
		"no callee":                       {xCalls(anna), said(names("")), Refuse, "", 8014, 2, SceneFault, ""},
		"callee without country code":     {xCalls(anna), said(names("13900000002")), Refuse, "", 8014, 2, SceneFault, ""},
		"callee is nonsense":              {xCalls(anna), said(names("+86\r\nVia: x")), Refuse, "", 8014, 2, SceneFault, ""},
		"too long":                        {xCalls(anna), said(func(r *Reply) { r.MaxMinutes = 1441 }), Refuse, "", 8014, 2, SceneFault, ""},
		"no number of minutes":            {xCalls(anna), said(func(r *Reply) { r.MaxMinutes = -1 }), Refuse, "", 8014, 2, SceneFault, ""},
		"too much userData":               {xCalls(anna), said(func(r *Reply) { r.UserData = strings.Repeat("u", 257) }), Refuse, "", 8014, 2, SceneFault, ""},
		"close with too much userData":    {xCalls(anna), said(closes, func(r *Reply) { r.UserData = strings.Repeat("u", 257) }), Refuse, "", 8014, 2, SceneFault, ""},
		"userData with a NUL":             {xCalls(anna), said(func(r *Reply) { r.UserData = "u\x00" }), Refuse, "", 8014, 2, SceneFault, ""},
		"close with a NUL in userData":    {xCalls(anna), said(closes, func(r *Reply) { r.UserData = "u\x00" }), Refuse, "", 8014, 2, SceneFault, ""},
		"prompt file missing":             {xCalls(anna), said(func(r *Reply) { r.Missing = "wait.wav" }), Refuse, "", 8006, 0, SceneFault, ""},
		"prompt file missing at close":    {xCalls(anna), said(closes, func(r *Reply) { r.Missing = "bye.wav" }), Refuse, "", 8006, 0, SceneFault, ""},
		"the caller itself":               {xCalls(anna), said(names(anna)), Refuse, "", 7500, 0, SceneNoPermission, ""},
		"X itself":                        {xCalls(anna), said(names(Number(theX))), Refuse, "", 7500, 0, SceneNoPermission, ""},
		"another X of ours":               {xCalls(anna, ours), said(), Refuse, "", 7500, 0, SceneNoPermission, ""},
		"an emergency number":             {xCalls(anna), said(names(police)), Refuse, "", 7500, 0, SceneNoPermission, ""},
		"a number of the masking range":   {xCalls(anna), said(names("+86700123456789012")), Refuse, "", 7500, 0, SceneNoPermission, ""},
		"a foreign number":                {xCalls(anna), said(names(foreign)), Refuse, "", 8043, 0, SceneNoPermission, ""},
		"callee on the blacklist":         {xCalls(anna, func(w *world) { w.f.CalleeBlacklisted = true }), said(), Refuse, "", 7004, 0, SceneNoPermission, ""},
		"close":                           {xCalls(anna), said(closes), Refuse, "", 8017, 0, "", "bye.wav"},
		"no answer":                       {xCalls(anna), said(silent), Refuse, "", 8014, 2, SceneFault, ""},
		"no answer, fallback":             {xCalls(anna, fallback(carl)), said(silent), Dial, carl, 0, 0, "", ""},
		"no answer, fallback calls":       {xCalls(carl, fallback(carl)), said(silent), Refuse, "", 7500, 0, SceneNoPermission, ""},
		"no answer, fallback blacklisted": {xCalls(anna, fallback(carl), func(w *world) { w.f.CalleeBlacklisted = true }), said(silent), Refuse, "", 7004, 0, SceneNoPermission, ""},
		"no answer, fallback is an X":     {xCalls(anna, fallback(carl), ours), said(silent), Refuse, "", 7500, 0, SceneNoPermission, ""},
		"a wrong answer has no fallback":  {xCalls(anna, fallback(carl)), said(func(r *Reply) { r.MaxMinutes = 1441 }), Refuse, "", 8014, 2, SceneFault, ""},
		"the mode is another meanwhile":   {axCalls(bert, anna), said(), Refuse, "", 8020, 2, SceneFault, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := DecideReply(&china, &row.world.app, row.world.q, row.world.f, row.reply)
			require.Equal(t, row.step, d.Step, d.Why)
			require.Equal(t, row.callee, d.Callee, d.Why)
			require.Equal(t, row.state, d.End.StateCode, d.Why)
			require.Equal(t, row.state, d.End.FailReason, d.Why)
			require.Equal(t, row.dir, d.Direction, d.Why)
			require.Equal(t, row.scene, d.Scene, d.Why)
			require.Equal(t, row.prompt, d.Prompt, d.Why)
			require.Nil(t, d.Binding)
			require.LessOrEqual(t, utf8.RuneCountInString(d.UserData), 256, "what the call's record gets")
			require.NotContains(t, d.UserData, "\x00", "what the call's record gets")
			if row.step == Dial {
				require.Equal(t, theX, d.Shown)
				require.Equal(t, row.reply.UserData, d.UserData)
				require.Equal(t, row.reply.MaxMinutes, d.MaxMinutes)
				require.Equal(t, row.reply.LastMinute, d.LastMinute)
				require.Equal(t, row.reply.Record, d.Record)
				require.Equal(t, row.reply.RecordHint, d.Hint)
				require.False(t, d.Rings())
			} else if d.End.StateCode != 8020 {
				require.Equal(t, []int{403, 21}, []int{d.End.SIP, d.End.Cause})
			}
		})
	}
	w := xCalls(anna, func(w *world) { w.app.Recording = false })
	d := DecideReply(&china, &w.app, w.q, w.f, said())
	require.False(t, d.Record, "the app does not record")
	require.Empty(t, d.Hint)
}

// TestXModeFiles: only files that would be played have to be there.
func TestXModeFiles(t *testing.T) {
	app := App{Mode: XMode, Recording: true}
	r := said()
	require.Equal(t, []string{"wait.wav", "hint.wav", "last.wav"}, r.Files(&app))
	require.Equal(t, bert, r.Reaches(&app))
	r.Record, r.MaxMinutes = false, 0
	require.Equal(t, []string{"wait.wav"}, r.Files(&app))
	r.Record, app.Recording = true, false
	require.Equal(t, []string{"wait.wav"}, r.Files(&app))
	closed := Reply{Close: true, CloseHint: "bye.wav", WaitVoice: "wait.wav", Callee: string(bert)}
	require.Equal(t, []string{"bye.wav"}, closed.Files(&app))
	require.Empty(t, closed.Reaches(&app))
	app.Fallback = carl
	require.Equal(t, carl, new(Reply{Silent: "x"}).Reaches(&app))
	require.Equal(t, bert, r.Reaches(&app), "a fallback is for no answer")
}

// TestXModeReachesWhomTheAnswerNames, and nobody else, whatever the answer is.
func TestXModeReachesWhomTheAnswerNames(t *testing.T) {
	dialled := 0
	rapid.Check(t, func(t *rapid.T) {
		for range 30 {
			w := anyWorld(t)
			w.app.Mode = XMode
			w.app.Fallback = rapid.SampledFrom([]Number{"", "", carl, anna, police}).Draw(t, "fallback")
			w.f.CalleeOurs = seldom.Draw(t, "ours")
			person := rapid.SampledFrom(people)
			r := Reply{
				Shown:  rapid.SampledFrom([]string{string(w.q.X), string(w.q.X), string(w.q.X), "17010000001", "", string(anna), "+8617010000002"}).Draw(t, "shown"),
				Callee: string(person.Draw(t, "callee")), MaxMinutes: rapid.SampledFrom([]int{0, 1, 1440, 1441, -1}).Draw(t, "minutes"),
				Record: rapid.Bool().Draw(t, "record"), UserData: rapid.StringN(0, 300, -1).Draw(t, "user data"), Close: seldom.Draw(t, "close"),
			}
			if seldom.Draw(t, "missing") {
				r.Missing = "x.wav"
			}
			if rapid.IntRange(0, 3).Draw(t, "silent") == 0 {
				r = Reply{Silent: "no answer"}
			}
			w.f.Busy = false // X mode reserves nothing
			d := DecideReply(&china, &w.app, w.q, w.f, r)
			if judgeReply(t, w, r, d) {
				dialled++
			}
		}
	})
	require.Positive(t, dialled, "no case was dialled: the generator proves nothing")
}

func judgeReply(t *rapid.T, w world, r Reply, d Decision) bool {
	for _, n := range people {
		if len(n) >= 8 && n != Number(theX) && n != Number(w.q.X) && strings.Contains(d.Why, string(n)) {
			t.Fatalf("%q has the real number %s", d.Why, n)
		}
	}
	if d.Binding != nil {
		t.Fatal("there are no bindings in X mode")
	}
	if d.Step != Dial {
		if d.Callee != "" || d.Shown != "" || d.End.Word == "" || d.Step != Refuse {
			t.Fatalf("%+v does not dial, but names a callee, or has no end", d)
		}
		return false
	}
	wanted := Number(r.Callee)
	if r.Silent != "" {
		wanted = w.app.Fallback
	}
	shown, _ := china.ParseX(r.Shown)
	switch kind := china.Kind(d.Callee); {
	case d.Callee != wanted:
		t.Fatalf("%s is not whom the answer names: %s", d.Callee, d.Why)
	case d.Callee == w.q.Caller:
		t.Fatalf("the caller would be called: %s", d.Why)
	case d.Shown != w.q.X, r.Silent == "" && shown != w.q.X:
		t.Fatalf("%s would be shown for %s: %s", d.Shown, w.q.X, d.Why)
	case kind != Mobile && kind != Fixed && kind != Service, d.Callee == Number(w.q.X), w.f.CalleeOurs:
		t.Fatalf("%s is %s: %s", d.Callee, kind, d.Why)
	case r.Close || r.MaxMinutes < 0 || r.MaxMinutes > 1440 || r.Missing != "" || len([]rune(r.UserData)) > 256:
		t.Fatalf("this answer connects nobody: %+v", r)
	case w.f.Blacklisted || w.f.CalleeBlacklisted || !w.f.Known || w.app.Paused || w.f.Status == StatusPaused:
		t.Fatalf("this call is forbidden: %s", d.Why)
	case w.app.NoForeign && china.Kind(w.q.Caller) == Foreign:
		t.Fatalf("a foreign caller: %s", d.Why)
	}
	return true
}
