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
	if t.asks {
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
	if !t.asks {
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
	asks    bool   // the app's server has to say who the receiver is
	to      Number // the receiver
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
		t.dir, t.asks = ToA, true
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
		t.asks = !t.named
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
