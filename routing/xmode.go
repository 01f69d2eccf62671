package routing

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reply is what the app's server answered when it was asked about a call to an
// X in X mode (callbacks appendix), in the server's own words.
type Reply struct {
	// Silent tells why there is no answer: none came in time, or none that can
	// be read. All other fields are zero then.
	Silent string

	Close      bool   // operation is close, else connect
	Shown      string // displayCalleeNum: has to be X
	Callee     string // calleeNum, in global form
	MaxMinutes int    // maxDuration, 0 to 1440, 0: no limit
	Record     bool   // recordFlag
	UserData   string // at most 256 characters, none of them a control character

	// Prompt files: heard by the caller until the callee answers, by both before
	// the recording, by both a minute before the end, and by a caller who is
	// not connected.
	WaitVoice, RecordHint, LastMinute, CloseHint string

	// Missing is a file of these that is to be played and is not there.
	Missing string
}

// Reaches is the number that is called by a reply, if the rules let it be;
// empty: none.
func (r *Reply) Reaches(app *App) Number {
	switch {
	case r.Silent != "":
		return app.Fallback
	case r.Close:
		return ""
	}
	return Number(r.Callee)
}

// Files are the prompt files that are to be played by a reply.
func (r *Reply) Files(app *App) []string {
	var all []string
	add := func(wanted bool, file string) {
		if wanted && file != "" {
			all = append(all, file)
		}
	}
	add(r.Close, r.CloseHint)
	add(!r.Close, r.WaitVoice)
	add(!r.Close && r.Record && app.Recording, r.RecordHint)
	add(!r.Close && r.MaxMinutes > 0, r.LastMinute)
	return all
}

// Bounds of a reply.
const (
	mostMinutes  = 1440
	mostUserData = 256 // characters
)

// ask: there are no bindings in X mode; the app's server says who is called.
func (c *inquiry) ask() Decision {
	d := c.decision(ToA, nil, fmt.Sprintf("%s called %s, and the app's server is asked who is meant", c.q.Caller.Masked(), c.q.X))
	d.Step = Ask
	return d
}

// DecideReply applies the rules to the app's answer about a call (X mode). f
// are the facts as they stand when the answer is there; CalleeBlacklisted and
// CalleeOurs are those of r.Reaches. The gates of Decide hold once more, and
// its rule 10 for whoever the answer names:
//
//   - No answer: the app's fallback number is called; without one it is 8014.
//   - Close: the caller hears the hint, then 8017, the code of a call that the
//     client ends.
//   - An answer that breaks its table is 8014: another number shown than X, a
//     callee in no global form, a maxDuration or userData out of range.
//   - A prompt file that is not there is 8006.
func DecideReply(plan *Plan, app *App, q Question, f Facts, r Reply) Decision {
	c := inquiry{plan: plan, app: app, q: q, f: f}
	if d, refused := c.gates(); refused {
		return d
	}
	if app.Mode != XMode {
		return c.refuse(EndFault, SceneFault, Abnormal, nil, fmt.Sprintf("the app's server was asked, but app %s is an %s app", app.Key, app.Mode))
	}
	var d Decision
	switch {
	case r.Silent != "":
		d = c.fallback(r.Silent)
	case r.Close:
		d = c.closed(&r)
	default:
		d = c.connected(&r)
	}
	if r.wrongUserData() == "" { // else no record could have it either
		d.UserData = r.UserData
	}
	return d
}

// fallback: the app's server did not say who is meant.
func (c *inquiry) fallback(silent string) Decision {
	if c.app.Fallback == "" {
		return c.refuse(EndNoReply, SceneFault, Abnormal, nil, fmt.Sprintf("the app's server did not say who is meant: %s", silent))
	}
	why := fmt.Sprintf("the app's server did not say who is meant (%s), and the app's fallback number is %s", silent, c.app.Fallback.Masked())
	return c.answered(&Binding{Mode: XMode}, c.app.Fallback, why)
}

// closed: the app's server does not want the call.
func (c *inquiry) closed(r *Reply) Decision {
	if bad := r.beyond(); bad != "" {
		return c.badReply(bad)
	}
	if r.Missing != "" {
		return c.missing(r)
	}
	d := c.refuse(EndClosed, SceneNone, ToA, nil, "the app's server closed the call")
	d.Prompt = r.CloseHint
	return d
}

// connected: the app's server named a callee.
func (c *inquiry) connected(r *Reply) Decision {
	if shown, ok := c.plan.ParseX(r.Shown); !ok || shown != c.q.X {
		return c.badReply("displayCalleeNum is not " + string(c.q.X))
	}
	if c.plan.Kind(Number(r.Callee)) == Malformed {
		return c.badReply("calleeNum is no number in global form")
	}
	if bad := r.beyond(); bad != "" {
		return c.badReply(bad)
	}
	if r.Missing != "" {
		return c.missing(r)
	}
	// What a binding would say, for this one call.
	terms := &Binding{Mode: XMode, Record: r.Record, RecordHint: r.RecordHint, CalleeTone: r.WaitVoice, MaxMinutes: r.MaxMinutes, LastMinute: r.LastMinute}
	callee := Number(r.Callee)
	return c.answered(terms, callee, fmt.Sprintf("%s called %s, and the app's server named %s", c.q.Caller.Masked(), c.q.X, callee.Masked()))
}

// beyond tells what of a reply is out of its range.
func (r *Reply) beyond() string {
	switch {
	case r.MaxMinutes < 0 || r.MaxMinutes > mostMinutes:
		return fmt.Sprintf("maxDuration is not a number of minutes from 0 to %d", mostMinutes)
	}
	return r.wrongUserData()
}

// wrongUserData tells what is wrong with a reply's userData.
func (r *Reply) wrongUserData() string {
	switch {
	case utf8.RuneCountInString(r.UserData) > mostUserData:
		return fmt.Sprintf("userData is longer than %d characters", mostUserData)
	case !utf8.ValidString(r.UserData) || strings.ContainsFunc(r.UserData, unicode.IsControl): // databases choke on some
		return "userData has control characters"
	}
	return ""
}

// answered is rule 10 for a callee whom no binding names, and the call.
func (c *inquiry) answered(terms *Binding, callee Number, why string) Decision {
	if c.f.CalleeOurs {
		return c.refuse(EndCalleeBarred, SceneNoPermission, ToA, nil, "the callee would be an X of ours: the call would come back")
	}
	d := c.dial(terms, callee, ToA, why)
	d.Binding = nil
	return d
}

func (c *inquiry) badReply(what string) Decision {
	return c.refuse(EndBadReply, SceneFault, Abnormal, nil, "the app's server gave a wrong answer: "+what)
}

func (c *inquiry) missing(r *Reply) Decision {
	return c.refuse(EndNoPrompt, SceneFault, ToA, nil, fmt.Sprintf("the app's server named the prompt file %.64q, which is not there", r.Missing))
}
