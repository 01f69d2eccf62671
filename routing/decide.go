package routing

import "fmt"

// Decide applies the rules to one attempt to call X. app is the owner of X as
// the process knows it, nil if it does not. The first rule that refuses wins,
// from what is said about X as a whole to what is said about this one call:
//
//  1. X is not ours: 404 and nothing else, so that nobody learns which
//     numbers exist.
//  2. The app that owns X is not known here: a fault of ours.
//  3. The number takes no calls (section 2). A number frozen for binding still
//     carries the bindings it has.
//  4. The account is frozen, then the app is paused, then it has no call
//     permission.
//  5. The caller is on the blacklist, then foreign where the app forbids it.
//     From here on an anonymous caller is one whom nobody knows.
//  6. There is no binding: an ended one, one of another app, mode or X, and one
//     that does not name the caller (AXB, AXYB) count as none. For AXE the binding
//     is A's own; anybody else goes on to type an extension. In X mode
//     there are none: the app's server is asked (DecideReply).
//  7. The caller is a fixed line that is bound: it may never call X, whatever
//     the binding's direction.
//  8. The binding is switched off or does not allow this direction.
//  9. There is nobody to call: no temporary callee (AX), no callback (AXE).
//     A who dials its own X reaches nobody by it, whatever the direction (AXYB).
//  10. The callee may not be called: it is the caller, X itself, an emergency,
//     short or malformed number, foreign, or on the blacklist.
//  11. X, or X and its extension, is in a call already.
//  12. The account or X has reached a limit (Limits). Only calls that are put
//     through count: nobody uses a limit up by calls that are refused anyway.
//
// Rules 1 to 6 refuse without naming a binding (section 9: direction 2, no
// subscriptionId), later ones with it.
func Decide(plan *Plan, app *App, q Question, f Facts) Decision {
	c := inquiry{plan: plan, app: app, q: q, f: f}
	if d, refused := c.gates(); refused {
		return d
	}
	switch app.Mode {
	case AX:
		return c.ax()
	case AXB:
		return c.axb()
	case AXE:
		return c.axe()
	case AXYB:
		return c.axyb()
	case XMode:
		return c.ask()
	default:
		return c.refuse(EndFault, SceneFault, Abnormal, nil, fmt.Sprintf("app %s has the unknown mode %q", app.Key, app.Mode))
	}
}

// DecideExtension applies the rules to an extension that a caller of an AXE X
// typed. f.ToX is the binding of that extension. The order of Decide holds; a
// binding that is missing is a wrong extension (EndWrongExt), and whether the
// caller may try again is for the one who counts the tries. Whoever
// guesses (Guessed) gets the same end whatever was typed: nothing is confirmed.
func DecideExtension(plan *Plan, app *App, q Question, f Facts, ext Extension) Decision {
	c := inquiry{plan: plan, app: app, q: q, f: f}
	if d, refused := c.gates(); refused {
		return d
	}
	if app.Mode != AXE {
		return c.refuse(EndFault, SceneFault, Abnormal, nil, fmt.Sprintf("an extension was typed, but app %s is an %s app", app.Key, app.Mode))
	}
	return c.extension(ext)
}

// inquiry is one question with all that is known about it.
type inquiry struct {
	plan *Plan
	app  *App
	q    Question
	f    Facts
}

// gates are the rules that need no binding: 1 to 5 of Decide.
func (c *inquiry) gates() (Decision, bool) {
	refuse := func(end End, scene Scene, why string, args ...any) (Decision, bool) {
		return c.refuse(end, scene, Abnormal, nil, fmt.Sprintf(why, args...)), true
	}
	f, app := &c.f, c.app
	switch {
	case !f.Known:
		c.app = nil
		return refuse(EndUnknownX, SceneNone, "%s is not a number of ours", Number(c.q.X).Masked()) // it may be somebody's real number
	case app == nil:
		return refuse(EndFault, SceneFault, "the app %s that owns %s is not known to this node", f.App, c.q.X)
	case app.Key != f.App:
		return refuse(EndFault, SceneFault, "%s belongs to app %s, not to %s", c.q.X, f.App, app.Key)
	case f.Status != StatusNormal && f.Status != StatusFrozen:
		return refuse(EndXUnavailable, SceneNoPermission, "%s takes no calls: its status is %q", c.q.X, f.Status)
	case app.Frozen:
		return refuse(EndFrozen, SceneNoPermission, "the account of app %s is frozen", app.Key)
	case app.Paused:
		return refuse(EndAppPaused, SceneFault, "app %s is paused", app.Key)
	case app.NoCalls:
		return refuse(EndNoCalls, SceneNoPermission, "app %s has no call permission", app.Key)
	case f.Blacklisted:
		return refuse(EndCallerBlocked, SceneNoPermission, "the caller %s is on the blacklist of %s", c.q.Caller.Masked(), c.q.X)
	case app.NoForeign && c.plan.Kind(c.q.Caller) == Foreign:
		return refuse(EndCallerForeign, SceneNoPermission, "the caller %s is foreign, and app %s takes no foreign callers", c.q.Caller.Masked(), app.Key)
	}
	return Decision{}, false
}

// standing returns the binding if it says anything about this call: it is of
// this X, app and mode, and has not ended.
func (c *inquiry) standing(b *Binding) *Binding {
	if b == nil || !b.on(c.q.X) || b.App != c.app.Key || b.Mode != c.app.Mode || b.Ended(c.q.At) {
		return nil
	}
	return b
}

// none tells whether X has no binding at all. An ended binding of the caller
// does not count, however long it stays in the books.
func (c *inquiry) none() bool {
	n := c.f.Bindings
	if c.f.ByCaller != nil && c.standing(c.f.ByCaller) == nil {
		n--
	}
	return n <= 0
}

func (c *inquiry) is(n Number) bool { return c.q.Caller != "" && c.q.Caller == n }

func (c *inquiry) refuse(end End, scene Scene, dir Direction, b *Binding, why string) Decision {
	d := c.decision(dir, b, why)
	d.Step, d.End, d.Scene = Refuse, end, scene
	return d
}

func (c *inquiry) decision(dir Direction, b *Binding, why string) Decision {
	d := Decision{Direction: dir, App: c.app, Binding: b, Caller: c.q.Caller, AreaCode: c.f.AreaCode, Why: why}
	if b != nil {
		d.UserData = b.UserData
	}
	return d
}

// fixedCaller is rule 7.
func (c *inquiry) fixedCaller(b *Binding, dir Direction) (Decision, bool) {
	if c.plan.Kind(c.q.Caller) != Fixed {
		return Decision{}, false
	}
	why := fmt.Sprintf("%s is a bound fixed line and may only be called through %s, not call it", c.q.Caller.Masked(), c.q.X)
	return c.refuse(EndFixedCaller, SceneNoPermission, dir, b, why), true
}

// direction is rule 8 for the direction that the binding would have to allow.
func (c *inquiry) direction(b *Binding, dir Direction) (Decision, bool) {
	why := ""
	switch {
	case b.Off:
		why = fmt.Sprintf("the binding of %s is switched off (turnFlag)", c.q.X)
	case b.Allowed == OnlyFromA && dir == ToA:
		why = fmt.Sprintf("the binding lets only A call %s (callDirection 1)", c.q.X)
	case b.Allowed == OnlyToA && dir == FromA:
		why = fmt.Sprintf("the binding does not let A call %s (callDirection 2)", c.q.X)
	default:
		return Decision{}, false
	}
	return c.refuse(EndDirection, SceneNoPermission, dir, b, why), true
}

// dial is rules 10 to 12, and the call itself if they let it be.
func (c *inquiry) dial(b *Binding, callee Number, dir Direction, why string) Decision {
	barred := func(end End, why string, args ...any) Decision {
		return c.refuse(end, SceneNoPermission, dir, b, fmt.Sprintf(why, args...))
	}
	kind, shown := c.plan.Kind(callee), b.shown(c.q.X)
	switch {
	case c.is(callee):
		return barred(EndCalleeBarred, "%s would be called by itself", callee.Masked())
	case string(callee) == string(c.q.X), string(callee) == string(shown):
		return barred(EndCalleeBarred, "%s would be called through itself", c.q.X)
	case kind == Foreign:
		return barred(EndCalleeForeign, "the callee %s is foreign, which the number plan does not allow", callee.Masked())
	case kind != Mobile && kind != Fixed && kind != Service:
		return barred(EndCalleeBarred, "the callee's number is of a kind that is never called: %s", kind)
	case c.f.CalleeBlacklisted:
		return barred(EndCalleeBlocked, "the callee %s is on the blacklist of %s", callee.Masked(), c.q.X)
	case c.f.Busy:
		what := string(c.q.X)
		if b.Mode == AXE {
			what += " extension " + string(b.Ext)
		}
		return c.refuse(EndInUse, SceneBusy, dir, b, what+" is in a call already")
	case c.f.Over != Within: // without a prompt: a flood is not to hold our ports
		end, why := c.f.Over.end(c.app.SP, c.q.X)
		return c.refuse(end, SceneNone, dir, b, why)
	}
	d := c.decision(dir, b, why)
	d.Step, d.Shown, d.Callee = Dial, shown, callee
	if b.Mode != AXE {
		d.Prompt = b.CalleeTone
		if dir == FromA {
			d.Prompt = b.CallerTone
		}
	}
	d.MaxMinutes, d.LastMinute = b.MaxMinutes, b.LastMinute
	d.Record = c.app.Recording && b.Record
	if d.Record {
		d.Hint = b.RecordHint
	}
	return d
}
