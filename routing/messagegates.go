package routing

import "fmt"

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
		d := t.drop(TextNotSent, fmt.Sprintf("%s is not a number of ours", Number(x).Masked()))
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
	case t.asks || t.named:
		return MessageDecision{}, false
	}
	return t.fitting()
}

// blocked is what rule 6 says of a receiver that the binding names.
func (t *texting) blocked() (MessageDecision, bool) {
	if t.asks || t.named || !t.f.CalleeBlacklisted {
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
	case !t.asks && t.to != taken.Receiver:
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
