package routing

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wrote is one text to X; its zero changes are one that is sent.
type wrote struct {
	app   App
	noApp bool
	m     Message
	f     Facts
	reply *MessageReply
}

func (w wrote) decide() MessageDecision {
	app := &w.app
	if w.noApp {
		app = nil
	}
	if w.reply != nil {
		return DecideMessageReply(&china, app, w.m, w.f, *w.reply)
	}
	return DecideMessage(&china, app, w.m, w.f)
}

type change = func(*wrote)

func texts(mode Mode, from Number, text string, b *Binding, changes []change) wrote {
	w := wrote{app: App{Key: "app", SP: "sp", Mode: mode, SMS: true}, m: Message{X: theX, Sender: from, Text: text, At: now}, f: facts(1)}
	w.f.SMS = true
	switch {
	case b == nil:
	case mode == AX:
		w.f.ToX = b
	case from == b.A || from == b.B:
		w.f.ByCaller = b
	}
	if b != nil && from == b.A {
		w.f.ByCaller = b
	}
	for _, c := range changes {
		c(&w)
	}
	return w
}

func axbText(from Number, changes ...change) wrote {
	return texts(AXB, from, "hello", bindingAXB(anna, bert), changes)
}

func axText(from Number, text string, changes ...change) wrote {
	return texts(AX, from, text, bindingAX(anna), changes)
}

func xText(changes ...change) wrote { return texts(XMode, carl, "hello", nil, changes) }

func (w wrote) answered(r MessageReply) wrote { w.reply = &r; return w }

func route(to Number) MessageReply {
	return MessageReply{Called: string(to), Calling: string(anna), User: "order 8"}
}

// became is what a text has to become; its words are those of section 4.1 of
// the callbacks and of the table of decision 15.
type became struct {
	step   MessageStep
	result SendResult
	dir    Direction
	sub    bool
	to     Number
	text   string
	user   string
	noApp  bool
	hidden bool
}

func sent(to Number, text string, dir Direction) became {
	return became{step: ForwardText, to: to, text: text, dir: dir, sub: true, user: "order 7"}
}

func dropped(r SendResult) became { return became{result: r, dir: Abnormal} }

func (b became) of(dir Direction) became {
	b.dir, b.sub, b.user = dir, true, "order 7"
	return b
}

func status(s NumberStatus) change { return func(w *wrote) { w.f.Status = s } }
func keywords(l ...string) change  { return func(w *wrote) { w.app.Keywords = NewWords(l...) } }
func forbidden(l ...string) change { return func(w *wrote) { w.app.Forbidden = NewWords(l...) } }
func blockedSender(w *wrote)       { w.f.Blacklisted = true }
func blockedReceiver(w *wrote)     { w.f.CalleeBlacklisted = true }
func ourReceiver(w *wrote)         { w.f.CalleeOurs = true }
func ourSender(w *wrote)           { w.f.CallerOurs = true }
func numberOff(w *wrote)           { w.f.SMS = false }
func fallback(w *wrote)            { w.app.Fallback = bert }
func bound(c func(*Binding)) change {
	return func(w *wrote) {
		for _, b := range []*Binding{w.f.ToX, w.f.ByCaller} {
			if b != nil {
				c(b)
			}
		}
	}
}
func unboundText(w *wrote) { w.f.ToX, w.f.ByCaller = nil, nil }
func taken(app, binding string, to Number) change {
	return func(w *wrote) { w.m.Taken = &Taken{App: app, Binding: binding, Receiver: to} }
}

func TestTexts(t *testing.T) {
	noSMS := bound(func(b *Binding) { b.NoSMS = true })
	turnedOff := bound(func(b *Binding) { b.Off = true })
	for _, c := range []struct {
		name string
		w    wrote
		want became
	}{
		// What is sent.
		{"A writes to B", axbText(anna), sent(bert, "hello", FromA)},
		{"B writes to A", axbText(bert), sent(anna, "hello", ToA)},
		{"a frozen X carries texts", axbText(anna, status(StatusFrozen)), sent(bert, "hello", FromA)},
		{"callDirection is about calls", axbText(bert, bound(func(b *Binding) { b.Allowed = OnlyFromA })), sent(anna, "hello", ToA)},
		{"a tail means nothing in AXB", axbText(anna, func(w *wrote) { w.m.Text = "hello@13700000003" }), sent(bert, "hello@13700000003", FromA)},
		{"somebody writes to A", axText(bert, "hello"), sent(anna, "hello[From+8613900000002]", ToA)},
		{"a tail of somebody else is text", axText(bert, "hello@13700000003"), sent(anna, "hello@13700000003[From+8613900000002]", ToA)},
		{"A names a receiver", axText(anna, "hello@13900000002"), sent(bert, "hello", FromA)},
		{"a temporary callee is about calls", axText(anna, "hello@13900000002", func(w *wrote) { w.f.Temporary = &TemporaryCallee{Callee: carl, Until: now.Add(time.Hour)} }), sent(bert, "hello", FromA)},

		// Rules 1 and 2.
		{"X is not ours", axbText(anna, func(w *wrote) { w.f = Facts{} }), became{result: TextNotSent, dir: Abnormal, noApp: true, hidden: true}},
		{"X is not ours any more", axbText(anna, taken("app", "axb-1", bert), func(w *wrote) { w.f = Facts{} }), became{result: TextXSuspended, dir: Abnormal, noApp: true}},
		{"X is another app's by now", axbText(anna, taken("before", "axb-1", bert)), became{result: TextNoBinding, dir: Abnormal, noApp: true}},
		{"the app is not known", axbText(anna, func(w *wrote) { w.noApp = true }), became{result: TextFault, dir: Abnormal, noApp: true}},
		{"another app came", axbText(anna, func(w *wrote) { w.app.Key = "other" }), became{result: TextFault, dir: Abnormal, noApp: true}},

		// Rules 3 to 5.
		{"X paused", axbText(anna, status(StatusPaused)), dropped(TextXSuspended).of(FromA)},
		{"X unavailable", axbText(anna, status(StatusUnavailable)), dropped(TextXSuspended).of(FromA)},
		{"X in transfer", axbText(anna, status(StatusTransfer)), dropped(TextXSuspended).of(FromA)},
		{"X returned", axbText(anna, status(StatusReturned)), dropped(TextXSuspended).of(FromA)},
		{"account frozen", axbText(anna, func(w *wrote) { w.app.Frozen = true }), dropped(TextFrozen).of(FromA)},
		{"app paused", axbText(anna, func(w *wrote) { w.app.Paused = true }), dropped(TextNotCommercial).of(FromA)},
		{"off for the account", axbText(anna, func(w *wrote) { w.app.SMSBarred = true }), dropped(TextNotCommercial).of(FromA)},
		{"off for the app", axbText(anna, func(w *wrote) { w.app.SMS = false }), dropped(TextNotCommercial).of(FromA)},
		{"off for the number", axbText(anna, numberOff), dropped(TextNoSMS).of(FromA)},
		{"AXE", texts(AXE, bert, "hello", bindingAXE(anna, "0001"), nil), dropped(TextNoSMS)},
		{"AXE, which cannot be on", texts(AXE, bert, "hello", nil, []change{func(w *wrote) { w.app.SMS = false }}), dropped(TextNoSMS)},
		{"AXE, off for the account", texts(AXE, bert, "hello", nil, []change{func(w *wrote) { w.app.SMSBarred = true }}), dropped(TextNotCommercial)},
		{"AXYB", texts(AXYB, bert, "hello", nil, nil), dropped(TextNoSMS)},
		{"no mode", texts("", bert, "hello", nil, nil), dropped(TextNoSMS)},
		{"privateSms false", axbText(bert, noSMS), dropped(TextNoSMS).of(ToA)},
		{"privateSms false, AX", axText(bert, "hello", noSMS), dropped(TextNoSMS).of(ToA)},
		{"turned off", axText(bert, "hello", turnedOff), dropped(TextNoSMS).of(ToA)},
		{"turned off, A", axText(anna, "hello", turnedOff), dropped(TextNoSMS).of(FromA)},

		// Rule 6.
		{"sender blacklisted", axbText(anna, blockedSender), dropped(TextBlacklisted).of(FromA)},
		{"receiver blacklisted", axbText(anna, blockedReceiver), dropped(TextBlacklisted).of(FromA)},
		{"a stranger is blacklisted", axbText(carl, blockedSender), dropped(TextBlacklisted)},
		{"A of AX is blacklisted", axText(bert, "hello", blockedReceiver), dropped(TextBlacklisted).of(ToA)},

		// Rule 7.
		{"AXB, a stranger", axbText(carl), dropped(TextNoBinding)},
		{"AXB, nobody", axbText(""), dropped(TextNoBinding)},
		{"AXB, run out", axbText(anna, bound(func(b *Binding) { b.Until = now })), dropped(TextNoBinding)},
		{"AXB, of another app", axbText(anna, bound(func(b *Binding) { b.App = "other" })), dropped(TextNoBinding)},
		{"AX without a binding", axText(bert, "hello", unboundText), dropped(TextNoBinding)},
		{"the binding is another by now", axbText(anna, taken("app", "before", bert)), dropped(TextNoBinding)},
		{"the pair has another B by now", axbText(anna, taken("app", "axb-1", carl)), dropped(TextNoBinding)},
		{"X is another A's by now", axText(bert, "hello", taken("app", "ax-0", carl)), dropped(TextNoBinding)},
		{"X is another A's, and the text was to be asked about", axText(bert, "hello", taken("app", "ax-0", "")), dropped(TextNoBinding)},
		{"a bound B again", axbText(anna, taken("app", "axb-1", bert)), sent(bert, "hello", FromA)},

		// Rule 8.
		{"AX, nobody writes", axText("", "hello"), dropped(TextNotSent).of(ToA)},
		{"AX, a fixed line writes", axText(fixed, "hello"), dropped(TextNotSent).of(ToA)},
		{"AX, a service number writes", axText(service, "hello"), dropped(TextNotSent).of(ToA)},
		{"AX, somebody abroad writes", axText(foreign, "hello"), dropped(TextNotSent).of(ToA)},
		{"AX, an X writes", axText("+8617010000002", "hello", ourSender), dropped(TextNotSent).of(ToA)},
		{"AX, a long X writes", axText("+86700123456789012", "hello"), dropped(TextNotSent).of(ToA)},
		{"AX, X writes to itself", axText(Number(theX), "hello"), dropped(TextNotSent).of(ToA)},
		{"AXB, B is a fixed line", axbText(anna, bound(func(b *Binding) { b.B = fixed })), dropped(TextNotSent).of(FromA)},
		{"AXB, A is an X of ours", axbText(bert, ourReceiver), dropped(TextNotSent).of(ToA)},
		{"AXB, B is X", axbText(anna, bound(func(b *Binding) { b.B = Number(theX) })), dropped(TextNotSent).of(FromA)},
		{"AXB, nobody is B", axbText(anna, bound(func(b *Binding) { b.B = "" })), dropped(TextNotSent).of(FromA)},
		{"AXB, A and B are one", axbText(anna, bound(func(b *Binding) { b.B = anna })), dropped(TextNotSent).of(FromA)},
		{"AX, A is a fixed line", axText(bert, "hello", bound(func(b *Binding) { b.A = fixed })), dropped(TextNotSent).of(ToA)},

		// Rule 9.
		{"no keyword", axbText(anna, keywords("code", "bye")), dropped(TextNoKeyword).of(FromA)},
		{"a keyword", axbText(anna, keywords("code", "ello")), sent(bert, "hello", FromA)},
		{"forbidden", axbText(anna, forbidden("code", "HELL")), dropped(TextForbidden).of(FromA)},
		{"not forbidden", axbText(anna, forbidden("code")), sent(bert, "hello", FromA)},
		{"no keyword, and forbidden", axbText(anna, keywords("code"), forbidden("hello")), dropped(TextNoKeyword).of(FromA)},
		{"the tail is no keyword", axText(anna, "hello@13900000002", keywords("139")), dropped(TextNoKeyword).of(FromA)},
		{"the tail is not forbidden", axText(anna, "hello@13900000002", forbidden("139", "@")), sent(bert, "hello", FromA)},
		{"a forbidden text is not asked about", axText(anna, "hello", forbidden("hello")), dropped(TextForbidden).of(FromA)},
		{"in X mode neither", xText(forbidden("hello")), became{result: TextForbidden, dir: ToA}},

		// Rule 10.
		{"A names one on the blacklist", axText(anna, "hello@13900000002", blockedReceiver), dropped(TextBlacklisted).of(FromA)},
		{"A names an X", axText(anna, "hello@13900000002", ourReceiver), dropped(TextNotSent).of(FromA)},
		{"A names this X", axText(anna, "hello@17010000001"), dropped(TextNotSent).of(FromA)},
		{"A names itself", axText(anna, "hello@13800000001"), dropped(TextNotSent).of(FromA)},
		{"words come first", axText(anna, "hello@13900000002", blockedReceiver, forbidden("hello")), dropped(TextForbidden).of(FromA)},
		{"words come before an X", axText(anna, "hello@13900000002", ourReceiver, forbidden("hello")), dropped(TextForbidden).of(FromA)},
		{"A names nobody", axText(anna, "hello"), became{step: AskText, dir: FromA, sub: true, user: "order 7"}},
		{"A names a fixed line", axText(anna, "hello@075528000001"), became{step: AskText, dir: FromA, sub: true, user: "order 7"}},
		{"A without a receiver, others are on the blacklist", axText(anna, "hello", blockedReceiver), became{step: AskText, dir: FromA, sub: true, user: "order 7"}},
		{"X mode", xText(), became{step: AskText, dir: ToA}},
		{"X mode, the sender is a fixed line", texts(XMode, fixed, "hello", nil, nil), became{result: TextNotSent, dir: ToA}},
		{"X mode, the sender is on the blacklist", xText(blockedSender), became{result: TextBlacklisted, dir: ToA}},
		{"asked about again", axText(anna, "hello", taken("app", "ax-1", "")), became{step: AskText, dir: FromA, sub: true, user: "order 7"}},

		// The answer of the app's server.
		{"to B", axText(anna, "hello").answered(route(bert)), became{step: ForwardText, to: bert, text: "hello", dir: FromA, sub: true, user: "order 8"}},
		{"userData that no notice can carry", axText(anna, "hello").answered(MessageReply{Called: string(bert), Calling: string(anna), User: "a\x00b"}), sent(bert, "hello", FromA)},
		{"userData that is too long", axText(anna, "hello").answered(MessageReply{Called: string(bert), Calling: string(anna), User: strings.Repeat("u", 257)}), sent(bert, "hello", FromA)},
		{"a bad tail stays", axText(anna, "hello @ the mall").answered(route(bert)), became{step: ForwardText, to: bert, text: "hello @ the mall", dir: FromA, sub: true, user: "order 8"}},
		{"late", axText(anna, "hello").answered(MessageReply{Late: true, Silent: "no answer in time"}), dropped(TextNotAnswered).of(FromA)},
		{"a fallback is for X mode", axText(anna, "hello", fallback).answered(MessageReply{Late: true}), dropped(TextNotAnswered).of(FromA)},
		{"garbage", axText(anna, "hello").answered(MessageReply{Silent: "no JSON"}), dropped(TextNotSent).of(FromA)},
		{"discard", axText(anna, "hello").answered(MessageReply{Discard: true}), dropped(TextDiscarded).of(FromA)},
		{"no receiver", axText(anna, "hello").answered(MessageReply{Calling: string(anna)}), dropped(TextNotSent).of(FromA)},
		{"another sender", axText(anna, "hello").answered(MessageReply{Called: string(bert), Calling: string(carl)}), dropped(TextNotSent).of(FromA)},
		{"no sender", axText(anna, "hello").answered(MessageReply{Called: string(bert)}), dropped(TextNotSent).of(FromA)},
		{"not in global form", axText(anna, "hello").answered(MessageReply{Called: "13900000002", Calling: string(anna)}), dropped(TextNotSent).of(FromA)},
		{"to a fixed line", axText(anna, "hello").answered(MessageReply{Called: string(fixed), Calling: string(anna)}), dropped(TextNotSent).of(FromA)},
		{"to A itself", axText(anna, "hello").answered(MessageReply{Called: string(anna), Calling: string(anna)}), dropped(TextNotSent).of(FromA)},
		{"to X", axText(anna, "hello").answered(MessageReply{Called: string(theX), Calling: string(anna)}), dropped(TextNotSent).of(FromA)},
		{"to an X", axText(anna, "hello", ourReceiver).answered(MessageReply{Called: string(bert), Calling: string(anna)}), dropped(TextNotSent).of(FromA)},
		{"to one on the blacklist", axText(anna, "hello", blockedReceiver).answered(MessageReply{Called: string(bert), Calling: string(anna)}), dropped(TextBlacklisted).of(FromA)},
		{"off meanwhile", axText(anna, "hello", numberOff).answered(MessageReply{Called: string(bert), Calling: string(anna)}), dropped(TextNoSMS).of(FromA)},
		{"unbound meanwhile", axText(anna, "hello", unboundText).answered(route(bert)), dropped(TextNoBinding)},
		{"X is another's meanwhile", axText(bert, "hello").answered(MessageReply{Called: string(carl), Calling: string(bert)}), dropped(TextNoBinding).of(ToA)},
		{"another receiver than at first", axText(anna, "hello", taken("app", "ax-1", carl)).answered(MessageReply{Called: string(bert), Calling: string(anna)}), dropped(TextNotSent).of(FromA)},
		{"the app is paused meanwhile, and late", axText(anna, "hello", func(w *wrote) { w.app.Paused = true }).answered(MessageReply{Late: true}), dropped(TextNotCommercial).of(FromA)},

		{"X mode, to B", xText().answered(MessageReply{Called: string(bert), Calling: string(carl), User: "u"}), became{step: ForwardText, to: bert, text: "hello", dir: ToA, user: "u"}},
		{"X mode, late", xText().answered(MessageReply{Late: true}), became{result: TextNotAnswered, dir: ToA}},
		{"X mode, late with a fallback number", xText(fallback).answered(MessageReply{Late: true}), became{step: ForwardText, to: bert, text: "hello", dir: ToA}},
		{"X mode, the fallback number wrote", texts(XMode, bert, "hello", nil, []change{fallback}).answered(MessageReply{Late: true}), became{result: TextNotSent, dir: ToA}},
		{"X mode, the fallback number is on the blacklist", xText(fallback, blockedReceiver).answered(MessageReply{Late: true}), became{result: TextBlacklisted, dir: ToA}},
		{"X mode, garbage goes to nobody", xText(fallback).answered(MessageReply{Silent: "no JSON"}), became{result: TextNotSent, dir: ToA}},
		{"X mode, discard", xText(fallback).answered(MessageReply{Discard: true}), became{result: TextDiscarded, dir: ToA}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := c.w.decide()
			got := became{step: d.Step, result: d.Result, dir: d.Direction, sub: d.Binding != nil, to: d.Receiver, text: d.Text, user: d.UserData, noApp: d.App == nil, hidden: d.UnknownX}
			require.Equal(t, c.want, got, d.Why)
			require.NotEmpty(t, d.Why)
		})
	}
}

// TestOrderOfTextRules turns on every hindrance and takes them away one by one,
// from the first of the table to the last.
func TestOrderOfTextRules(t *testing.T) {
	w := axText(bert, "hello", keywords("code"), forbidden("hello"), blockedSender, numberOff, ourSender, ourReceiver, status(StatusPaused),
		func(w *wrote) { w.app.Frozen, w.app.Paused, w.app.SMS = true, true, false },
		bound(func(b *Binding) { b.NoSMS, b.Off = true, true }), taken("app", "before", anna))
	for _, step := range []struct {
		want SendResult
		then change
	}{
		{TextXSuspended, status(StatusNormal)},
		{TextFrozen, func(w *wrote) { w.app.Frozen = false }},
		{TextNotCommercial, func(w *wrote) { w.app.Paused = false }},
		{TextNotCommercial, func(w *wrote) { w.app.SMS = true }},
		{TextNoSMS, func(w *wrote) { w.f.SMS = true }},
		{TextNoSMS, bound(func(b *Binding) { b.NoSMS = false })},
		{TextNoSMS, bound(func(b *Binding) { b.Off = false })},
		{TextBlacklisted, func(w *wrote) { w.f.Blacklisted, w.f.CalleeBlacklisted = false, true }},
		{TextBlacklisted, func(w *wrote) { w.f.CalleeBlacklisted = false }},
		{TextNoBinding, func(w *wrote) { w.m.Taken = nil }},
		{TextNotSent, func(w *wrote) { w.f.CallerOurs = false }},
		{TextNotSent, func(w *wrote) { w.f.CalleeOurs = false }},
		{TextNoKeyword, func(w *wrote) { w.app.Keywords = Words{} }},
		{TextForbidden, func(w *wrote) { w.app.Forbidden = Words{} }},
	} {
		d := w.decide()
		require.Equal(t, DropText, d.Step)
		require.Equal(t, step.want, d.Result, d.Why)
		step.then(&w)
	}
	require.Equal(t, ForwardText, w.decide().Step)
}

func TestReceiverBehindTheText(t *testing.T) {
	for _, c := range []struct{ text, rest, to string }{
		{"hello@13900000002", "hello", "+8613900000002"},
		{"hello @13900000002", "hello ", "+8613900000002"},
		{"hello@13900000002 \r\n\t\u3000", "hello", "+8613900000002"},
		{"hello@+8613900000002", "hello", "+8613900000002"},
		{"hello@008613900000002", "hello", "+8613900000002"},
		{"hello@8613900000002", "hello", "+8613900000002"},
		{"hello@013900000002", "hello", "+8613900000002"},
		{"hello@ 139 0000-0002", "hello", "+8613900000002"},
		{"a@b.example or 1@13900000002", "a@b.example or 1", "+8613900000002"},
		{"@13900000002", "", "+8613900000002"},
		{"你好@13900000002", "你好", "+8613900000002"},
		{"hello＠13900000002", "", ""},
		{"hello@１３９０００００００２", "", ""},
		{"hello@", "", ""},
		{"hello", "", ""},
		{"", "", ""},
		{"hello 13900000002", "", ""},
		{"hello@1390000000", "", ""},
		{"hello@139000000022", "", ""},
		{"hello@13900000002.", "hello", "+8613900000002"}, // a separator of RFC 3966
		{"hello@13900000002!", "", ""},
		{"hello@13900000002 x", "", ""},
		{"hello@13900000002@", "", ""},
		{"hello@110", "", ""},
		{"hello@95588", "", ""},
		{"hello@4001234567", "", ""},
		{"hello@075528000001", "", ""},
		{"hello@+12125550100", "", ""},
		{"hello@700123456789012", "", ""},
		{"hello@\x00", "", ""},
		{"hello@13900000002\xff", "", ""},
	} {
		rest, to, ok := china.cutReceiver(c.text)
		require.Equal(t, c.to != "", ok, c.text)
		require.Equal(t, Number(c.to), to, c.text)
		if !ok {
			c.rest = c.text
		}
		require.Equal(t, c.rest, rest)
	}
}
