package routing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	theX    = X("+8617010000001")
	anna    = Number("+8613800000001")
	bert    = Number("+8613900000002")
	carl    = Number("+8613700000003")
	fixed   = Number("+8675528000001")
	service = Number("+864001234567")
	foreign = Number("+12125550100")
	police  = Number("+86110")
)

var china = ChinaPlan()

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is one situation; its zero changes are a normal call.
type world struct {
	app   App
	q     Question
	f     Facts
	noApp bool
	ext   Extension
	typed bool
}

// expect is one row of section 9: literal values, copied from there.
type expect struct {
	step        Step
	scene       Scene
	prompt      string
	state, fail int
	sip, cause  int
	dir         int
	sub         bool
	callee      Number
	shown       X // if it is not the X that was dialled
	quiet       bool
	temporary   bool
	userData    string
	record      bool
	hint        string
}

func bindingAX(a Number) *Binding {
	return &Binding{ID: "ax-1", App: "app", Mode: AX, X: theX, A: a, CallerTone: "to-caller.wav", CalleeTone: "to-callee.wav", UserData: "order 7"}
}

func bindingAXB(a, b Number) *Binding {
	return &Binding{ID: "axb-1", App: "app", Mode: AXB, X: theX, A: a, B: b, CallerTone: "to-caller.wav", CalleeTone: "to-callee.wav", UserData: "order 7"}
}

func bindingAXE(a Number, e Extension) *Binding {
	return &Binding{ID: "axe-1", App: "app", Mode: AXE, X: theX, A: a, Ext: e, UserData: "order 7"}
}

func facts(n int) Facts {
	return Facts{Known: true, App: "app", Status: StatusNormal, AreaCode: "0755", Bindings: n}
}

// axCalls is a call to a bound AX X; b changes the binding.
func axCalls(caller, a Number, change ...func(*Binding, *Facts)) world {
	b, f := bindingAX(a), facts(1)
	f.ToX = b
	if caller == a {
		f.ByCaller = b
	}
	for _, c := range change {
		c(b, &f)
	}
	return world{app: App{Key: "app", SP: "sp", Mode: AX}, q: Question{"s", theX, caller, now}, f: f}
}

func axbCalls(caller, a, bee Number, change ...func(*Binding, *Facts)) world {
	b, f := bindingAXB(a, bee), facts(3)
	if caller == a || caller == bee {
		f.ByCaller = b
	}
	for _, c := range change {
		c(b, &f)
	}
	return world{app: App{Key: "app", SP: "sp", Mode: AXB}, q: Question{"s", theX, caller, now}, f: f}
}

func axeCalls(caller, a Number, change ...func(*Binding, *Facts)) world {
	b, f := bindingAXE(a, "0001"), facts(2)
	if caller == a {
		f.ByCaller = b
	}
	for _, c := range change {
		c(b, &f)
	}
	return world{app: App{Key: "app", SP: "sp", Mode: AXE, ExtDigits: 4}, q: Question{"s", theX, caller, now}, f: f}
}

func axeTypes(caller, a Number, ext Extension, change ...func(*Binding, *Facts)) world {
	b, f := bindingAXE(a, "0001"), facts(2)
	if ext == "0001" {
		f.ToX = b
	}
	for _, c := range change {
		c(b, &f)
	}
	return world{app: App{Key: "app", SP: "sp", Mode: AXE, ExtDigits: 4}, q: Question{"s", theX, caller, now}, f: f, ext: ext, typed: true}
}

func temporary(n Number, left time.Duration) func(*Binding, *Facts) {
	return func(_ *Binding, f *Facts) { f.Temporary = &TemporaryCallee{Callee: n, Until: now.Add(left)} }
}

func lastCaller(n Number, left time.Duration) func(*Binding, *Facts) {
	return func(_ *Binding, f *Facts) {
		f.Callback = &Callback{Caller: n}
		if left != 0 {
			f.Callback.Until = now.Add(left)
		}
	}
}

func allowed(a Allowed) func(*Binding, *Facts) { return func(b *Binding, _ *Facts) { b.Allowed = a } }
func off(b *Binding, _ *Facts)                 { b.Off = true }
func busy(_ *Binding, f *Facts)                { f.Busy = true }
func blacklisted(_ *Binding, f *Facts)         { f.Blacklisted = true }
func calleeBlacklisted(_ *Binding, f *Facts)   { f.CalleeBlacklisted = true }
func unbound(_ *Binding, f *Facts)             { f.ToX, f.ByCaller, f.Bindings = nil, nil, 0 }
func ended(b *Binding, _ *Facts)               { b.Until = now }
func calls(n Number) func(*Binding, *Facts)    { return func(b *Binding, _ *Facts) { b.CallbackNum = n } }

func (w world) with(change func(*world)) world { change(&w); return w }

func (w world) status(s NumberStatus) world { w.f.Status = s; return w }

func refused(scene Scene, state, fail, sip, cause, dir int, sub bool) expect {
	return expect{step: Refuse, scene: scene, state: state, fail: fail, sip: sip, cause: cause, dir: dir, sub: sub}
}

func rings(callee Number, dir int, prompt string, scene Scene) expect {
	return expect{step: Dial, callee: callee, dir: dir, sub: true, prompt: prompt, scene: scene, userData: "order 7"}
}

func (w world) decide() Decision {
	app := &w.app
	if w.noApp {
		app = nil
	}
	if w.typed {
		return DecideExtension(&china, app, w.q, w.f, w.ext)
	}
	return Decide(&china, app, w.q, w.f)
}

func check(t *testing.T, w world, want expect) {
	t.Helper()
	d := w.decide()
	require.Equal(t, want.step, d.Step, d.Why)
	require.Equal(t, want.scene, d.Scene, "scene: %s", d.Why)
	require.Equal(t, want.prompt, d.Prompt, "prompt: %s", d.Why)
	require.Equal(t, want.dir, int(d.Direction), "direction: %s", d.Why)
	require.Equal(t, want.sub, d.Binding != nil, "subscriptionId: %s", d.Why)
	require.Equal(t, want.callee, d.Callee, d.Why)
	require.Equal(t, want.temporary, d.Temporary)
	require.NotEmpty(t, d.Why)
	require.Equal(t, w.q.Caller, d.Caller)
	if want.step == Refuse {
		require.Equal(t, want.state, d.End.StateCode, "stateCode: %s", d.Why)
		require.Equal(t, want.fail, d.End.FailReason, "ulFailReason: %s", d.Why)
		require.Equal(t, want.sip, d.End.SIP, "SIP: %s", d.Why)
		require.Equal(t, want.cause, d.End.Cause, "cause: %s", d.Why)
		require.Equal(t, want.quiet, d.End.Quiet, d.Why)
		require.NotEmpty(t, d.End.Word)
		return
	}
	require.Equal(t, End{}, d.End)
	if want.step == Dial {
		shown := w.q.X // but for AXYB the caller ID is the X that was dialled
		if want.shown != "" {
			shown = want.shown
		}
		require.Equal(t, shown, d.Shown, "caller ID: %s", d.Why)
		require.Equal(t, want.userData, d.UserData)
		require.Equal(t, want.record, d.Record)
		require.Equal(t, want.hint, d.Hint)
	}
}

// TestAnyMode: the rows of section 9 that begin with "any", in every mode.
func TestAnyMode(t *testing.T) {
	for mode, normal := range map[Mode]world{AX: axCalls(bert, anna), AXB: axbCalls(anna, anna, bert), AXE: axeCalls(bert, anna), AXYB: axybCalls(bert, theX)} {
		t.Run(string(mode), func(t *testing.T) {
			check(t, normal.with(func(w *world) { w.f = Facts{} }),
				expect{step: Refuse, sip: 404, cause: 1, dir: 2, quiet: true})
			for _, s := range []NumberStatus{StatusPaused, StatusUnavailable, StatusTransfer, StatusReturned, "", "else"} {
				check(t, normal.status(s), refused("no_permission", 8055, 8055, 403, 21, 2, false))
			}
			require.NotEqual(t, Refuse, normal.status(StatusFrozen).decide().Step, "frozen for binding still carries its bindings")
			check(t, normal.with(func(w *world) { w.app.Frozen = true }), refused("no_permission", 7108, 7108, 403, 21, 2, false))
			check(t, normal.with(func(w *world) { w.app.Paused = true }), refused("service_exception", 8018, 8018, 403, 21, 2, false))
			check(t, normal.with(func(w *world) { w.app.NoCalls = true }), refused("no_permission", 8018, 8018, 403, 21, 2, false))
			check(t, normal.with(func(w *world) { w.noApp = true }), refused("service_exception", 8020, 8020, 500, 41, 2, false))
			check(t, normal.with(func(w *world) { w.app.Key = "another" }), refused("service_exception", 8020, 8020, 500, 41, 2, false))
			check(t, normal.with(func(w *world) { w.f.Blacklisted = true }), refused("no_permission", 7005, 7005, 403, 21, 2, false))
			check(t, normal.with(func(w *world) { w.q.Caller = foreign; w.app.NoForeign = true }), refused("no_permission", 8042, 8042, 403, 21, 2, false))
		})
	}
	check(t, axCalls(bert, anna).with(func(w *world) { w.app.Mode = "AXZ" }), refused("service_exception", 8020, 8020, 500, 41, 2, false))
	check(t, axCalls(bert, anna).with(func(w *world) { w.typed = true; w.ext = "1" }), refused("service_exception", 8020, 8020, 500, 41, 2, false))
}

func TestAX(t *testing.T) {
	none := refused("no_permission", 8018, 7104, 403, 21, 2, false)
	noCallee := refused("no_binding", 8013, 8013, 403, 21, 1, true)
	for name, row := range map[string]struct {
		world
		expect
	}{
		"a stranger reaches A":                         {axCalls(bert, anna), rings(anna, 0, "to-callee.wav", "")},
		"so does a fixed line that is not bound":       {axCalls(fixed, anna), rings(anna, 0, "to-callee.wav", "")},
		"and a service number":                         {axCalls(service, anna), rings(anna, 0, "to-callee.wav", "")},
		"and a foreign caller":                         {axCalls(foreign, anna), rings(anna, 0, "to-callee.wav", "")},
		"and somebody without a number":                {axCalls("", anna), rings(anna, 0, "to-callee.wav", "")},
		"a fixed-line A is reached":                    {axCalls(bert, fixed), rings(fixed, 0, "to-callee.wav", "")},
		"no binding":                                   {axCalls(bert, anna, unbound), none},
		"an ended binding":                             {axCalls(bert, anna, ended), none},
		"a binding of another app":                     {axCalls(bert, anna, func(b *Binding, _ *Facts) { b.App = "another" }), none},
		"a binding of another X":                       {axCalls(bert, anna, func(b *Binding, _ *Facts) { b.X = "+8617010000002" }), none},
		"a binding of another mode":                    {axCalls(bert, anna, func(b *Binding, _ *Facts) { b.Mode = AXB; b.B = carl }), none},
		"A without a temporary callee":                 {axCalls(anna, anna), noCallee},
		"A whose temporary callee has run out":         {axCalls(anna, anna, temporary(bert, 0)), noCallee},
		"A with one":                                   {axCalls(anna, anna, temporary(bert, time.Second)), rings(bert, 1, "to-caller.wav", "").temp()},
		"A with a fixed line as temporary callee":      {axCalls(anna, anna, temporary(fixed, time.Second)), rings(fixed, 1, "to-caller.wav", "").temp()},
		"A with a service number as temporary callee":  {axCalls(anna, anna, temporary(service, time.Second)), rings(service, 1, "to-caller.wav", "").temp()},
		"an emergency number as temporary callee":      {axCalls(anna, anna, temporary(police, time.Second)), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"a malformed number as temporary callee":       {axCalls(anna, anna, temporary("13900000002", time.Second)), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"a 700 number as temporary callee":             {axCalls(anna, anna, temporary("+86700123456789012", time.Second)), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"a foreign temporary callee":                   {axCalls(anna, anna, temporary(foreign, time.Second)), refused("no_permission", 8043, 8043, 403, 21, 1, true)},
		"A as its own temporary callee":                {axCalls(anna, anna, temporary(anna, time.Second)), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"X as temporary callee":                        {axCalls(anna, anna, temporary(Number(theX), time.Second)), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"the temporary callee is on the blacklist":     {axCalls(anna, anna, temporary(bert, time.Second), calleeBlacklisted), refused("no_permission", 7004, 7004, 403, 21, 1, true)},
		"A is on the blacklist as callee":              {axCalls(bert, anna, calleeBlacklisted), refused("no_permission", 7004, 7004, 403, 21, 0, true)},
		"a fixed-line A calls":                         {axCalls(fixed, fixed, temporary(bert, time.Second)), refused("no_permission", 8023, 8023, 403, 21, 1, true)},
		"a fixed-line A calls, whatever the direction": {axCalls(fixed, fixed, allowed(OnlyToA)), refused("no_permission", 8023, 8023, 403, 21, 1, true)},
		"only A may call: a stranger":                  {axCalls(bert, anna, allowed(1)), refused("no_permission", 8016, 8016, 403, 21, 0, true)},
		"only A may call: A":                           {axCalls(anna, anna, allowed(1), temporary(bert, time.Second)), rings(bert, 1, "to-caller.wav", "").temp()},
		"only others may call: A":                      {axCalls(anna, anna, allowed(2), temporary(bert, time.Second)), refused("no_permission", 8016, 8016, 403, 21, 1, true)},
		"only others may call: a stranger":             {axCalls(bert, anna, allowed(2)), rings(anna, 0, "to-callee.wav", "")},
		"turnFlag off: a stranger":                     {axCalls(bert, anna, off), refused("no_permission", 8016, 8016, 403, 21, 0, true)},
		"turnFlag off: A":                              {axCalls(anna, anna, off, temporary(bert, time.Second)), refused("no_permission", 8016, 8016, 403, 21, 1, true)},
		"X in a call":                                  {axCalls(bert, anna, busy), refused("busy", 8102, 8102, 486, 17, 0, true)},
		"X in a call, A calls":                         {axCalls(anna, anna, busy, temporary(bert, time.Second)), refused("busy", 8102, 8102, 486, 17, 1, true)},
		"a direction forbidden comes before busy":      {axCalls(bert, anna, busy, off), refused("no_permission", 8016, 8016, 403, 21, 0, true)},
		"no temporary callee comes before busy":        {axCalls(anna, anna, busy), noCallee},
	} {
		t.Run(name, func(t *testing.T) { check(t, row.world, row.expect) })
	}
}

func (e expect) temp() expect { e.temporary = true; return e }

func TestAXB(t *testing.T) {
	nobody := refused("no_binding", 8014, 8014, 403, 21, 2, false)
	for name, row := range map[string]struct {
		world
		expect
	}{
		"A reaches B":                       {axbCalls(anna, anna, bert), rings(bert, 1, "to-caller.wav", "")},
		"B reaches A":                       {axbCalls(bert, anna, bert), rings(anna, 0, "to-callee.wav", "")},
		"A reaches a fixed-line B":          {axbCalls(anna, anna, fixed), rings(fixed, 1, "to-caller.wav", "")},
		"a stranger":                        {axbCalls(carl, anna, bert), nobody},
		"somebody without a number":         {axbCalls("", anna, bert), nobody},
		"a binding that names neither":      {axbCalls(carl, anna, bert, func(b *Binding, f *Facts) { f.ByCaller = b }), nobody},
		"X without pairs":                   {axbCalls(carl, anna, bert, unbound), refused("no_permission", 8014, 8014, 403, 21, 2, false)},
		"an ended pair":                     {axbCalls(anna, anna, bert, ended), nobody},
		"an ended pair, the last one":       {axbCalls(anna, anna, bert, ended, func(_ *Binding, f *Facts) { f.Bindings = 1 }), refused("no_permission", 8014, 8014, 403, 21, 2, false)},
		"a fixed-line A calls":              {axbCalls(fixed, fixed, bert), refused("no_permission", 8023, 8023, 403, 21, 1, true)},
		"a fixed-line B calls":              {axbCalls(fixed, anna, fixed), refused("no_permission", 8023, 8023, 403, 21, 0, true)},
		"only A to B: A":                    {axbCalls(anna, anna, bert, allowed(1)), rings(bert, 1, "to-caller.wav", "")},
		"only A to B: B":                    {axbCalls(bert, anna, bert, allowed(1)), refused("no_permission", 8016, 8016, 403, 21, 0, true)},
		"only B to A: A":                    {axbCalls(anna, anna, bert, allowed(2)), refused("no_permission", 8016, 8016, 403, 21, 1, true)},
		"only B to A: B":                    {axbCalls(bert, anna, bert, allowed(2)), rings(anna, 0, "to-callee.wav", "")},
		"a callee on the blacklist":         {axbCalls(anna, anna, bert, calleeBlacklisted), refused("no_permission", 7004, 7004, 403, 21, 1, true)},
		"a pair with an emergency number":   {axbCalls(anna, anna, police), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"a pair with a foreign number":      {axbCalls(bert, foreign, bert), refused("no_permission", 8043, 8043, 403, 21, 0, true)},
		"a pair of one number":              {axbCalls(anna, anna, anna), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"a caller on the blacklist":         {axbCalls(anna, anna, bert, blacklisted), refused("no_permission", 7005, 7005, 403, 21, 2, false)},
		"the blacklist comes before a pair": {axbCalls(carl, anna, bert, blacklisted), refused("no_permission", 7005, 7005, 403, 21, 2, false)},
	} {
		t.Run(name, func(t *testing.T) { check(t, row.world, row.expect) })
	}
}

func TestAXE(t *testing.T) {
	collect := expect{step: Collect, scene: "enter_extension", dir: 0}
	nobody := refused("no_callback", 8019, 8019, 404, 1, 1, true)
	tone := nobody
	tone.prompt = "nobody.wav"
	for name, row := range map[string]struct {
		world
		expect
	}{
		"a stranger is asked for the extension":          {axeCalls(bert, anna), collect},
		"so is a fixed line":                             {axeCalls(fixed, anna), collect},
		"and a foreign caller":                           {axeCalls(foreign, anna), collect},
		"and somebody without a number":                  {axeCalls("", anna), collect},
		"X without bindings":                             {axeCalls(bert, anna, unbound), refused("no_permission", 8018, 8018, 403, 21, 2, false)},
		"A whose binding has ended is a stranger":        {axeCalls(anna, anna, ended), collect},
		"A calls the last caller back":                   {axeCalls(anna, anna, lastCaller(bert, time.Second)), rings(bert, 1, "", "")},
		"for as long as the binding stands":              {axeCalls(anna, anna, lastCaller(bert, 0)), rings(bert, 1, "", "")},
		"the last caller wins over callbackNum":          {axeCalls(anna, anna, lastCaller(bert, time.Second), calls(carl)), rings(bert, 1, "", "")},
		"the record has run out: callbackNum":            {axeCalls(anna, anna, lastCaller(bert, -time.Second), calls(carl)), rings(carl, 1, "", "")},
		"the last caller had no number: callbackNum":     {axeCalls(anna, anna, lastCaller("", 0), calls(carl)), rings(carl, 1, "", "")},
		"no record: callbackNum":                         {axeCalls(anna, anna, calls(carl)), rings(carl, 1, "", "")},
		"no record, no number: callbackTone":             {axeCalls(anna, anna, func(b *Binding, _ *Facts) { b.NoCallback = "nobody.wav" }), tone},
		"no record, no number, no tone: the app's":       {axeCalls(anna, anna), nobody},
		"the record has run out, no number":              {axeCalls(anna, anna, lastCaller(bert, -time.Second)), nobody},
		"a fixed-line A calls":                           {axeCalls(fixed, fixed, lastCaller(bert, time.Second)), refused("no_permission", 8023, 8023, 403, 21, 1, true)},
		"the last caller was foreign":                    {axeCalls(anna, anna, lastCaller(foreign, time.Second)), refused("no_permission", 8043, 8043, 403, 21, 1, true)},
		"the last caller was a short code":               {axeCalls(anna, anna, lastCaller(police, time.Second)), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"the last caller is on the blacklist now":        {axeCalls(anna, anna, lastCaller(bert, 0), calleeBlacklisted), refused("no_permission", 7004, 7004, 403, 21, 1, true)},
		"callbackNum is A itself":                        {axeCalls(anna, anna, calls(anna)), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"A is in a call":                                 {axeCalls(anna, anna, busy, calls(carl)), refused("busy", 8102, 8102, 486, 17, 1, true)},
		"the right extension":                            {axeTypes(bert, anna, "0001"), rings(anna, 0, "", "waiting")},
		"the right extension of a fixed line":            {axeTypes(bert, fixed, "0001"), rings(fixed, 0, "", "waiting")},
		"typed by somebody without a number":             {axeTypes("", anna, "0001"), rings(anna, 0, "", "waiting")},
		"a wrong one":                                    {axeTypes(bert, anna, "0002"), wrong()},
		"one of many digits":                             {axeTypes(bert, anna, "00011234567890"), wrong()},
		"the binding of another extension was found":     {axeTypes(bert, anna, "0002", func(b *Binding, f *Facts) { f.ToX = b }), wrong()},
		"an ended one":                                   {axeTypes(bert, anna, "0001", ended), wrong()},
		"nothing":                                        {axeTypes(bert, anna, ""), expect{step: Refuse, scene: "nothing_entered", state: 8033, fail: 8033, cause: 18}},
		"A's extension is in a call":                     {axeTypes(bert, anna, "0001", busy), refused("busy", 8102, 8102, 486, 17, 0, true)},
		"A types its own extension":                      {axeTypes(anna, anna, "0001"), refused("no_permission", 7500, 7500, 403, 21, 0, true)},
		"X was paused while the caller typed":            {axeTypes(bert, anna, "0001", func(_ *Binding, f *Facts) { f.Status = StatusPaused }), refused("no_permission", 8055, 8055, 403, 21, 2, false)},
		"the caller was blacklisted while it typed":      {axeTypes(bert, anna, "0001", blacklisted), refused("no_permission", 7005, 7005, 403, 21, 2, false)},
		"A is on the blacklist as callee of its own ext": {axeTypes(bert, anna, "0001", calleeBlacklisted), refused("no_permission", 7004, 7004, 403, 21, 0, true)},
	} {
		t.Run(name, func(t *testing.T) { check(t, row.world, row.expect) })
	}
	require.True(t, new(axeTypes(bert, anna, "0001").decide()).Rings())
	require.False(t, new(axeCalls(anna, anna, calls(carl)).decide()).Rings())
}

func wrong() expect {
	return expect{step: Refuse, scene: "extension_wrong", state: 8022, fail: 8022, cause: 1}
}

func TestRecordingAndUserData(t *testing.T) {
	records := func(b *Binding, _ *Facts) { b.Record, b.RecordHint = true, "hint.wav" }
	w := axCalls(bert, anna, records)
	require.False(t, w.decide().Record, "the app does not record")
	w.app.Recording = true
	want := rings(anna, 0, "to-callee.wav", "")
	want.record, want.hint = true, "hint.wav"
	check(t, w, want)
	w = axCalls(bert, anna)
	w.app.Recording = true
	require.False(t, w.decide().Record, "the binding does not")

	w = axCalls(anna, anna, temporary(bert, time.Second))
	w.f.Temporary.UserData = "this call"
	want = rings(bert, 1, "to-caller.wav", "").temp()
	want.userData = "this call"
	check(t, w, want)
	require.Equal(t, "0755", w.decide().AreaCode)
}
