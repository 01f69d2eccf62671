package routing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const theY = X("+8617010000002")

func bindingAXYB() *Binding {
	return &Binding{ID: "yb-1", Of: "ax-1", App: "app", Mode: AXYB, X: theX, Y: theY, A: anna, B: bert,
		CallerTone: "to-caller.wav", CalleeTone: "to-callee.wav", UserData: "order 7"}
}

// axybCalls is a call to one of the numbers by which A, anna, and B, bert, have
// each other.
func axybCalls(caller Number, dialled X, change ...func(*Binding, *Facts)) world {
	b, f := bindingAXYB(), facts(3)
	f.ByCaller = b
	for _, c := range change {
		c(b, &f)
	}
	return world{app: App{Key: "app", SP: "sp", Mode: AXYB}, q: Question{"s", dialled, caller, now}, f: f}
}

// part makes the binding the AX part: A and X, nobody else yet.
func part(b *Binding, _ *Facts) { b.ID, b.Of, b.B, b.Y = "ax-1", "", "", "" }

func parties(a, bee Number) func(*Binding, *Facts) {
	return func(b *Binding, _ *Facts) { b.A, b.B = a, bee }
}

func seeing(e expect, shown X) expect { e.shown = shown; return e }

func TestAXYB(t *testing.T) {
	nobody := refused("no_binding", 8030, 8030, 403, 21, 2, false)
	none := refused("no_permission", 8030, 8030, 403, 21, 2, false)
	ownX := refused("no_binding", 8032, 8032, 403, 21, 1, true)
	callsB, callsA := seeing(rings(bert, 1, "to-caller.wav", ""), theX), seeing(rings(anna, 0, "to-callee.wav", ""), theY)
	alone := func(_ *Binding, f *Facts) { f.Bindings = 1 }
	for name, row := range map[string]struct {
		world
		expect
	}{
		"A calls Y: B rings and sees X":             {axybCalls(anna, theY), callsB},
		"B calls X: A rings and sees Y":             {axybCalls(bert, theX), callsA},
		"A calls its own X":                         {axybCalls(anna, theX, part), ownX},
		"even if a relation of it is found":         {axybCalls(anna, theX), ownX},
		"A calls its own X, whatever the direction": {axybCalls(anna, theX, part, allowed(2)), ownX},
		"B calls Y, which is A's":                   {axybCalls(bert, theY), nobody},
		"a stranger calls X":                        {axybCalls(carl, theX, unfound), nobody},
		"a stranger calls Y":                        {axybCalls(carl, theY, unfound), nobody},
		"somebody without a number":                 {axybCalls("", theX, unfound), nobody},
		"a binding that names neither":              {axybCalls(carl, theX), nobody},
		"nobody's part, called by nobody":           {axybCalls("", theX, part), nobody},
		"a number without bindings":                 {axybCalls(carl, theX, unbound), none},
		"B whose relation has ended":                {axybCalls(bert, theX, ended), nobody},
		"A whose relation has ended":                {axybCalls(anna, theY, ended), nobody},
		"A whose relation has ended, the last of Y": {axybCalls(anna, theY, ended, alone), none},
		"A whose AX part has ended calls X":         {axybCalls(anna, theX, part, ended, alone), none},
		"a binding of another app":                  {axybCalls(bert, theX, func(b *Binding, _ *Facts) { b.App = "another" }), nobody},
		"a binding of other numbers":                {axybCalls(bert, "+8617010000003"), nobody},
		"a pair of another mode":                    {axybCalls(bert, theX, func(b *Binding, _ *Facts) { b.Mode = AXB }), nobody},
		"B without a Y that A would see":            {axybCalls(bert, theX, func(b *Binding, _ *Facts) { b.Y = "" }), nobody},
		"X and Y are one":                           {axybCalls(bert, theX, func(b *Binding, _ *Facts) { b.Y = theX }), nobody},
		"only A to B: A":                            {axybCalls(anna, theY, allowed(1)), callsB},
		"only A to B: B":                            {axybCalls(bert, theX, allowed(1)), refused("no_permission", 8016, 8016, 403, 21, 0, true)},
		"only B to A: A":                            {axybCalls(anna, theY, allowed(2)), refused("no_permission", 8016, 8016, 403, 21, 1, true)},
		"only B to A: B":                            {axybCalls(bert, theX, allowed(2)), callsA},
		"a fixed-line A calls Y":                    {axybCalls(fixed, theY, parties(fixed, bert)), refused("no_permission", 8023, 8023, 403, 21, 1, true)},
		"a fixed-line A calls its own X":            {axybCalls(fixed, theX, parties(fixed, ""), part), refused("no_permission", 8023, 8023, 403, 21, 1, true)},
		"a fixed-line B calls":                      {axybCalls(fixed, theX, parties(anna, fixed)), refused("no_permission", 8023, 8023, 403, 21, 0, true)},
		"a fixed-line B is reached":                 {axybCalls(anna, theY, parties(anna, fixed)), seeing(rings(fixed, 1, "to-caller.wav", ""), theX)},
		"a fixed-line A is reached":                 {axybCalls(bert, theX, parties(fixed, bert)), seeing(rings(fixed, 0, "to-callee.wav", ""), theY)},
		"an emergency number as B":                  {axybCalls(anna, theY, parties(anna, police)), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"a foreign B":                               {axybCalls(anna, theY, parties(anna, foreign)), refused("no_permission", 8043, 8043, 403, 21, 1, true)},
		"a relation of one number with itself":      {axybCalls(anna, theY, parties(anna, anna)), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"B is the X that it would see":              {axybCalls(anna, theY, parties(anna, Number(theX))), refused("no_permission", 7500, 7500, 403, 21, 1, true)},
		"A is the Y that it would see":              {axybCalls(bert, theX, parties(Number(theY), bert)), refused("no_permission", 7500, 7500, 403, 21, 0, true)},
		"a caller on the blacklist":                 {axybCalls(bert, theX, blacklisted), refused("no_permission", 7005, 7005, 403, 21, 2, false)},
		"a callee on the blacklist":                 {axybCalls(anna, theY, calleeBlacklisted), refused("no_permission", 7004, 7004, 403, 21, 1, true)},
	} {
		t.Run(name, func(t *testing.T) { check(t, row.world, row.expect) })
	}
}

func unfound(_ *Binding, f *Facts) { f.ByCaller = nil }

// TestPartsOfOneSubscription: clients have one id for all parts of an AXYB
// binding, and each of the two numbers its own version.
func TestPartsOfOneSubscription(t *testing.T) {
	b := *bindingAXYB()
	require.Equal(t, "ax-1", b.Subscription())
	require.Equal(t, "axb-1", bindingAXB(anna, bert).Subscription())

	b.Version, b.YVersion = 7, 9
	require.EqualValues(t, 7, b.VersionOf(theX))
	require.EqualValues(t, 9, b.VersionOf(theY))
	require.Equal(t, [2]int64{7, 0}, [2]int64{b.Seen(theX).Version, b.Seen(theX).YVersion})
	require.Equal(t, [2]int64{0, 9}, [2]int64{b.Seen(theY).Version, b.Seen(theY).YVersion})
}
