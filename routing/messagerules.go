package routing

import (
	"fmt"
	"strings"
	"unicode"
)

// DecideMessage applies the rules to a text that somebody sends to X. app is
// the owner of X as the process knows it, nil if it does not. f are the facts
// of a call by the same sender; CallerOurs is the sender's, CalleeOurs and
// CalleeBlacklisted are of m.Reaches. What holds calls in one direction back
// (callDirection) does not hold texts back. The first rule that holds a text
// back wins:
//
//  1. X is not ours: nobody is told. One that was ours when the text was taken
//     is suspended (3), one that has another owner is not bound (2).
//  2. The app that owns X is not known here: a fault of ours (5).
//  3. The number takes neither calls nor texts (3). One frozen for binding
//     still carries the bindings it has.
//  4. The account is frozen (1); the app is paused, or texts are off for it or
//     its account (4).
//  5. Texts are off for the number, the mode has none, or the binding takes
//     none (11).
//  6. The sender is on the blacklist of X, or so is a receiver that the binding
//     names (8).
//  7. No binding names the sender (AXB), or there is none (AX): 2. A binding that is not
//     the one under which the text was taken counts as none, and so does
//     one that names somebody else as receiver now.
//  8. Sender, or a receiver that the binding names, is no mobile number, an X
//     of ours, or the other one (10).
//  9. The text has none of the agreed words (12), or a forbidden one (13).
//  10. A receiver that A named behind the text (AX) is on the blacklist (8), or
//     may not be one as in rule 8 (10). If A named none that can be used,
//     the app's server is asked, as it always is in X mode.
//
// Only a text to A of an AX binding tells a real number: the sender's, in what
// is appended to it, [From+8613800000001].
func DecideMessage(plan *Plan, app *App, m Message, f Facts) MessageDecision {
	t := newTexting(plan, app, m, f)
	if d, held := t.gates(); held {
		return d
	}
	if t.asks() {
		return t.outcome(AskText, fmt.Sprintf("%s wrote to %s without a receiver, and the app's server is asked", m.Sender.Masked(), m.X))
	}
	if t.named {
		if d, held := t.receiver(); held {
			return d
		}
	}
	return t.forward(fmt.Sprintf(t.roles, m.Sender.Masked(), m.X, t.to.Masked()))
}

// DecideMessageReply applies the rules to what the app's server said to a text
// that it was asked about (AX, X mode). f are the facts as they stand when the
// answer is there; CalleeOurs and CalleeBlacklisted are of r.Reaches. The rules
// of DecideMessage hold once more, and its rules 8 and 10 for whoever the
// answer names. If the text is none any more that the app's server is asked
// about, it is not sent (2): X, and what was answered, are of different
// people.
//
//   - Nothing came in time: in X mode the app's fallback number gets the text;
//     else it is 7.
//   - An answer that cannot be used, has no receiver, or is about another sender: 10.
//   - Discard: 6.
func DecideMessageReply(plan *Plan, app *App, m Message, f Facts, r MessageReply) MessageDecision {
	t := newTexting(plan, app, m, f)
	if d, held := t.gates(); held {
		return d
	}
	if !t.asks() {
		return t.drop(TextNoBinding, fmt.Sprintf("the app's server was asked about a text to %s, which has other bindings by now", m.X))
	}
	t.user(r.User)
	what := "the app's server named"
	switch {
	case r.Late:
		if app.Mode != XMode || app.Fallback == "" {
			return t.drop(TextNotAnswered, "the app's server did not say in time what to do: "+r.Silent)
		}
		what = "the app's server did not say in time whom it is for, and the app's fallback number is"
	case r.Silent != "":
		return t.drop(TextNotSent, "the app's server gave an answer that cannot be used: "+r.Silent)
	case r.Discard:
		return t.drop(TextDiscarded, "the app's server said to drop it")
	case r.Called == "":
		return t.drop(TextNotSent, "the app's server named no receiver")
	case Number(r.Calling) != m.Sender:
		return t.drop(TextNotSent, "the app's server answered about another sender than it was asked about")
	}
	t.to = r.Reaches(app)
	if d, held := t.receiver(); held {
		return d
	}
	return t.forward(fmt.Sprintf("%s wrote to %s, and %s %s", m.Sender.Masked(), m.X, what, t.to.Masked()))
}

// Reaches is whoever gets the text by these facts, if the rules let it be;
// empty: nobody, or whom the app's server names. named tells that no binding
// does, so that these facts do not know whether the receiver is blacklisted.
func (m Message) Reaches(plan *Plan, app *App, f Facts) (to Number, named bool) {
	t := newTexting(plan, app, m, f)
	return t.to, t.named
}

// Reaches is whoever gets the text by the reply, if the rules let it be; empty:
// nobody.
func (r *MessageReply) Reaches(app *App) Number {
	switch {
	case r.Late && app.Mode == XMode:
		return app.Fallback
	case r.Late, r.Silent != "", r.Discard:
		return ""
	}
	return Number(r.Called)
}

// texting is one text with all that is known about it.
type texting struct {
	inquiry // a call of the same sender would be this one
	m       Message
	b       *Binding // nil: none is known
	dir     Direction
	to      Number // the receiver, empty: not known
	named   bool   // A named it behind the text
	text    string // without the receiver that A named
	tell    bool   // the receiver has to be told who writes
	data    string // userData
	roles   string // why it goes to the receiver, with room for sender, X and receiver
}

func newTexting(plan *Plan, app *App, m Message, f Facts) *texting {
	t := &texting{inquiry: inquiry{plan: plan, app: app, q: Question{X: m.X, Caller: m.Sender, At: m.At}, f: f}, m: m, dir: Abnormal, text: m.Text}
	if !f.Known || app == nil || app.Key != f.App {
		t.app = nil
		return t
	}
	switch app.Mode {
	case AX:
		t.onAX()
	case AXB:
		t.onAXB()
	case XMode:
		t.dir = ToA
	}
	if t.b != nil {
		t.data = t.b.UserData
	}
	return t
}

// onAX: others write to A, A to whomever it names behind the text.
func (t *texting) onAX() {
	t.b = t.standing(t.f.ToX)
	switch {
	case t.b == nil:
	case t.is(t.b.A):
		t.dir, t.roles = FromA, "A (%s) wrote to %s, and names the receiver %s"
		t.text, t.to, t.named = t.plan.cutReceiver(t.text)
	default:
		t.dir, t.to, t.tell, t.roles = ToA, t.b.A, true, "%s wrote to %s, which is bound to %s"
	}
}

// onAXB: each of a pair writes to the other.
func (t *texting) onAXB() {
	b := t.standing(t.f.ByCaller)
	switch {
	case b == nil:
	case t.is(b.A):
		t.b, t.dir, t.to, t.roles = b, FromA, b.B, "A (%s) wrote to %s, whose B is %s"
	case t.is(b.B):
		t.b, t.dir, t.to, t.roles = b, ToA, b.A, "B (%s) wrote to %s, whose A is %s"
	}
}

// asks tells whether the app's server has to say whom a text is for.
func (t *texting) asks() bool { return t.to == "" }

// gates are the rules 1 to 9 of DecideMessage.
func (t *texting) gates() (MessageDecision, bool) {
	if d, held := t.owner(); held {
		return d, true
	}
	if d, held := t.switches(); held {
		return d, true
	}
	if d, held := t.parties(); held {
		return d, true
	}
	if !t.app.Keywords.None() && !t.app.Keywords.in(t.text) {
		return t.drop(TextNoKeyword, fmt.Sprintf("the text has none of the words that were agreed for app %s", t.app.Key)), true
	}
	if t.app.Forbidden.in(t.text) {
		return t.drop(TextForbidden, fmt.Sprintf("the text has a word that app %s forbids", t.app.Key)), true
	}
	return MessageDecision{}, false
}

// owner is rules 1 and 2.
func (t *texting) owner() (MessageDecision, bool) {
	x, taken := t.m.X, t.m.Taken
	switch {
	case !t.f.Known && taken == nil:
		d := t.drop(TextNotSent, fmt.Sprintf("%s is not a number of ours", x))
		d.UnknownX = true
		return d, true
	case !t.f.Known:
		return t.drop(TextXSuspended, fmt.Sprintf("%s is not a number of ours any more", x)), true
	case taken != nil && taken.App != t.f.App:
		t.app, t.b, t.dir, t.data = nil, nil, Abnormal, ""
		return t.drop(TextNoBinding, fmt.Sprintf("%s belongs to another app than when the text was taken", x)), true
	case t.app == nil:
		return t.drop(TextFault, fmt.Sprintf("the app %s that owns %s is not known to this node", t.f.App, x)), true
	}
	return MessageDecision{}, false
}

// switches are rules 3 to 5.
func (t *texting) switches() (MessageDecision, bool) {
	drop := func(why SendResult, format string, args ...any) (MessageDecision, bool) {
		return t.drop(why, fmt.Sprintf(format, args...)), true
	}
	x, app, b := t.m.X, t.app, t.b
	switch {
	case t.f.Status != StatusNormal && t.f.Status != StatusFrozen:
		return drop(TextXSuspended, "%s takes no texts: its status is %q", x, t.f.Status)
	case app.Frozen:
		return drop(TextFrozen, "the account of app %s is frozen", app.Key)
	case app.Paused:
		return drop(TextNotCommercial, "app %s is paused", app.Key)
	case app.SMSBarred:
		return drop(TextNotCommercial, "texts are off for the account of app %s", app.Key)
	case app.Mode != AX && app.Mode != AXB && app.Mode != XMode: // such an app has no switch
		return drop(TextNoSMS, "%s is of an %s app, which has no texts", x, app.Mode)
	case !app.SMS:
		return drop(TextNotCommercial, "texts are off for app %s", app.Key)
	case !t.f.SMS:
		return drop(TextNoSMS, "texts are off for %s", x)
	case b != nil && b.NoSMS:
		return drop(TextNoSMS, "the binding of %s takes no texts (privateSms)", x)
	case b != nil && b.Off:
		return drop(TextNoSMS, "the binding of %s is switched off (turnFlag)", x)
	}
	return MessageDecision{}, false
}

// parties are rules 6 to 8.
func (t *texting) parties() (MessageDecision, bool) {
	if t.f.Blacklisted {
		return t.drop(TextBlacklisted, fmt.Sprintf("the sender %s is on the blacklist of %s", t.m.Sender.Masked(), t.m.X)), true
	}
	if d, held := t.blocked(); held {
		return d, true
	}
	if why := t.unbound(); why != "" {
		t.b, t.dir, t.data = nil, Abnormal, ""
		return t.drop(TextNoBinding, why), true
	}
	switch {
	case t.m.Sender == "":
		return t.drop(TextNotSent, "the sender is not known"), true
	case t.plan.Kind(t.m.Sender) != Mobile:
		return t.drop(TextNotSent, fmt.Sprintf("the sender %s is no mobile number", t.m.Sender.Masked())), true
	case t.f.CallerOurs, string(t.m.Sender) == string(t.m.X):
		return t.drop(TextNotSent, "the sender is an X of ours"), true
	case t.to == "" || t.named:
		return MessageDecision{}, false
	}
	return t.fitting()
}

// blocked is what rule 6 says of a receiver that the binding names.
func (t *texting) blocked() (MessageDecision, bool) {
	if t.to == "" || t.named || !t.f.CalleeBlacklisted {
		return MessageDecision{}, false
	}
	return t.blacklisted(), true
}

// unbound is rule 7: why there is no binding for the text; empty: there is, or
// none is needed.
func (t *texting) unbound() string {
	taken, x := t.m.Taken, t.m.X
	switch {
	case t.b == nil && t.app.Mode == AX:
		return fmt.Sprintf("%s is not bound to anybody", x)
	case t.b == nil && t.app.Mode == AXB:
		return fmt.Sprintf("%s has no binding with %s", x, t.m.Sender.Masked())
	case taken == nil:
	case t.b != nil && t.b.ID != taken.Binding:
		return fmt.Sprintf("the binding of %s is another one than when the text was taken", x)
	case t.to != "" && t.to != taken.Receiver:
		return fmt.Sprintf("the binding of %s has another receiver than when the text was taken", x)
	}
	return ""
}

// receiver is what the rules say of a receiver whom no binding names.
func (t *texting) receiver() (MessageDecision, bool) {
	if t.f.CalleeBlacklisted {
		return t.blacklisted(), true
	}
	return t.fitting()
}

// fitting is what rule 8 says of the receiver.
func (t *texting) fitting() (MessageDecision, bool) {
	switch {
	case t.plan.Kind(t.to) != Mobile:
		return t.drop(TextNotSent, fmt.Sprintf("the receiver %s is no mobile number", t.to.Masked())), true
	case t.is(t.to):
		return t.drop(TextNotSent, fmt.Sprintf("%s would write to itself", t.to.Masked())), true
	case t.f.CalleeOurs, string(t.to) == string(t.m.X):
		return t.drop(TextNotSent, "the receiver would be an X of ours: the text would come back"), true
	case t.m.Taken != nil && t.m.Taken.Receiver != "" && t.m.Taken.Receiver != t.to:
		return t.drop(TextNotSent, "the receiver would be another one than when the text was taken"), true
	}
	return MessageDecision{}, false
}

func (t *texting) blacklisted() MessageDecision {
	return t.drop(TextBlacklisted, fmt.Sprintf("the receiver %s is on the blacklist of %s", t.to.Masked(), t.m.X))
}

// user takes the userData of an answer, if a notice can carry it.
func (t *texting) user(data string) {
	r := Reply{UserData: data}
	if data != "" && r.wrongUserData() == "" {
		t.data = data
	}
}

func (t *texting) drop(result SendResult, why string) MessageDecision {
	d := t.outcome(DropText, why)
	d.Result = result
	return d
}

func (t *texting) forward(why string) MessageDecision {
	d := t.outcome(ForwardText, why)
	d.Receiver, d.Text = t.to, t.text
	if t.tell {
		d.Text += "[From" + string(t.m.Sender) + "]"
	}
	return d
}

func (t *texting) outcome(step MessageStep, why string) MessageDecision {
	return MessageDecision{Step: step, Direction: t.dir, App: t.app, Binding: t.b, UserData: t.data, AreaCode: t.f.AreaCode, Why: why}
}

// cutReceiver takes the receiver that A named off the end of a text: @ and a
// mobile number in any spelling that can be dialled, with white space behind
// it or not.
func (p *Plan) cutReceiver(text string) (rest string, to Number, ok bool) {
	end := strings.TrimRightFunc(text, unicode.IsSpace)
	at := strings.LastIndexByte(end, '@')
	if at < 0 {
		return text, "", false
	}
	n, read := p.ReadNumber(end[at+1:])
	if !read || p.Kind(n) != Mobile {
		return text, "", false
	}
	return end[:at], n, true
}
