package routing

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var textModes = []Mode{AX, AX, AX, AXB, AXB, AXB, XMode, AXE, AXYB}

func anyText(t *rapid.T) string {
	if rapid.Bool().Draw(t, "any text") {
		return rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) })).Draw(t, "text")
	}
	tail := rapid.SampledFrom([]string{"", "", "@", "＠", "@13900000002", "@ +86 137 0000 0003 ", "@" + string(theX), "@13800000001", "@10086", "@075528000001", "@+12125550100"})
	return rapid.SampledFrom([]string{"", "hello", "a code", "你好", "me@example.com"}).Draw(t, "head") + tail.Draw(t, "tail")
}

func anyWrote(t *rapid.T) wrote {
	person := rapid.SampledFrom(people)
	mode := rapid.SampledFrom(textModes).Draw(t, "mode")
	w := wrote{
		app: App{Key: "app", Mode: mode, SMS: !seldom.Draw(t, "off"), Paused: seldom.Draw(t, "paused"), Fallback: person.Draw(t, "fallback")},
		m:   Message{X: rapid.SampledFrom(xs).Draw(t, "x"), Sender: person.Draw(t, "sender"), Text: anyText(t), At: now},
		f: Facts{
			Known: !seldom.Draw(t, "unknown"), App: "app", SMS: !seldom.Draw(t, "number off"),
			Status:   rapid.SampledFrom([]NumberStatus{StatusNormal, StatusNormal, StatusFrozen, StatusPaused}).Draw(t, "status"),
			ByCaller: anyBinding(t, "by caller", mode), ToX: anyBinding(t, "to x", mode),
			Blacklisted: seldom.Draw(t, "blacklisted"), CalleeBlacklisted: seldom.Draw(t, "callee blacklisted"),
			CallerOurs: seldom.Draw(t, "caller ours"), CalleeOurs: seldom.Draw(t, "callee ours"),
		},
	}
	if seldom.Draw(t, "words") {
		w.app.Keywords, w.app.Forbidden = NewWords("code"), NewWords("hello")
	}
	if rapid.Bool().Draw(t, "taken") {
		w.m.Taken = &Taken{App: "app", Binding: rapid.SampledFrom([]string{"to x", "by caller", ""}).Draw(t, "under"), Receiver: person.Draw(t, "receiver then")}
	}
	if rapid.Bool().Draw(t, "answered") {
		w.reply = &MessageReply{Late: rapid.Bool().Draw(t, "late"), Discard: seldom.Draw(t, "discard"), Called: string(person.Draw(t, "called")), Calling: string(w.m.Sender), User: "u"}
	}
	return w
}

func TestTextsReachOnlyWhomTheyMay(t *testing.T) {
	sent := 0
	rapid.Check(t, func(t *rapid.T) {
		for range 100 {
			w := anyWrote(t)
			if judgeText(t, w, w.decide()) {
				sent++
			}
		}
	})
	require.Positive(t, sent, "no text was sent: the generator proves nothing")
}

// judgeText fails the test if the decision breaks a promise, and tells whether
// the text is sent.
func judgeText(t *rapid.T, w wrote, d MessageDecision) bool {
	for _, n := range people {
		if len(n) >= 8 && n != Number(theX) && strings.Contains(d.Why, string(n)) {
			t.Fatalf("%q has the real number %s", d.Why, n)
		}
	}
	if !utf8.ValidString(d.Why) {
		t.Fatalf("%q has bytes of the text", d.Why)
	}
	if d.Step != ForwardText {
		if d.Receiver != "" || d.Text != "" {
			t.Fatalf("%+v is not sent, but has a receiver or a text", d)
		}
		if d.Step == DropText && d.Result == TextSent {
			t.Fatalf("%+v is dropped without a reason", d)
		}
		return false
	}
	to := w.f.ToX
	toA := w.app.Mode == AX && to != nil && w.m.Sender != to.A
	rest := strings.TrimSuffix(d.Text, "[From"+string(w.m.Sender)+"]")
	switch {
	case d.Receiver == w.m.Sender || string(d.Receiver) == string(w.m.X):
		t.Fatalf("the text would come back: %s", d.Why)
	case w.f.CalleeOurs || w.f.CallerOurs:
		t.Fatalf("an X of ours would write or be written to: %s", d.Why)
	case china.Kind(d.Receiver) != Mobile || china.Kind(w.m.Sender) != Mobile:
		t.Fatalf("%s or %s is no mobile number: %s", d.Receiver, w.m.Sender, d.Why)
	case d.Result != TextSent:
		t.Fatalf("it is sent and dropped: %+v", d)
	case !mayGet(w)[d.Receiver]:
		t.Fatalf("%s may not get it: %s", d.Receiver, d.Why)
	case w.m.Taken != nil && w.m.Taken.Receiver != "" && w.m.Taken.Receiver != d.Receiver:
		t.Fatalf("%s gets what was for %s: %s", d.Receiver, w.m.Taken.Receiver, d.Why)
	case w.m.Taken != nil && d.Binding != nil && w.m.Taken.Binding != d.Binding.ID:
		t.Fatalf("it was taken under another binding: %s", d.Why)
	case toA != (rest != d.Text) && !strings.HasSuffix(w.m.Text, "]"):
		t.Fatalf("the sender is told to somebody else than A, or not to A: %q", d.Text)
	case toA && (d.Receiver != to.A || rest != w.m.Text):
		t.Fatalf("%q became %q for %s", w.m.Text, d.Text, d.Receiver)
	case !toA && !strings.HasPrefix(w.m.Text, d.Text):
		t.Fatalf("%q became %q", w.m.Text, d.Text)
	case w.f.Blacklisted || w.f.CalleeBlacklisted || !w.f.Known || !w.f.SMS || !w.app.SMS || w.app.Paused || w.f.Status == StatusPaused:
		t.Fatalf("this text is forbidden: %s", d.Why)
	}
	return true
}

// mayGet is everybody whom a text may reach, written down apart from the rules.
func mayGet(w wrote) map[Number]bool {
	all := map[Number]bool{}
	live := func(b *Binding, mode Mode) bool {
		return b != nil && b.X == w.m.X && b.App == "app" && b.Mode == mode && !b.Off && (b.Until.IsZero() || b.Until.After(now))
	}
	by, to := w.f.ByCaller, w.f.ToX
	switch {
	case w.app.Mode == XMode && w.reply != nil && w.reply.Late:
		all[w.app.Fallback] = true
	case w.app.Mode == XMode && w.reply != nil:
		all[Number(w.reply.Called)] = true
	case w.app.Mode == AXB && live(by, AXB) && w.reply == nil:
		if w.m.Sender == by.A {
			all[by.B] = true
		}
		if w.m.Sender == by.B {
			all[by.A] = true
		}
	case w.app.Mode == AX && live(to, AX) && w.m.Sender != to.A:
		if w.reply == nil {
			all[to.A] = true
		}
	case w.app.Mode == AX && live(to, AX):
		_, n, ok := china.cutReceiver(w.m.Text)
		switch {
		case ok && w.reply == nil:
			all[n] = true
		case !ok && w.reply != nil && !w.reply.Late:
			all[Number(w.reply.Called)] = true
		}
	}
	return all
}

func TestNoTextIsTooStrange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) }))
		m := Message{X: theX, Sender: anna, Text: text.Draw(t, "text"), At: now}
		app := App{Key: "app", Mode: AX, SMS: true, Keywords: NewWords(text.Draw(t, "keyword")), Forbidden: NewWords(text.Draw(t, "forbidden"))}
		f := facts(1)
		f.SMS, f.ToX = true, bindingAX(anna)
		_ = DecideMessage(&china, &app, m, f)
		f.ToX = bindingAX(bert)
		_ = DecideMessageReply(&china, &app, m, f, MessageReply{Called: m.Text, Calling: m.Text, User: m.Text})
	})
}
