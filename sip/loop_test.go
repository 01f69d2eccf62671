package sip

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
)

// TestForwardedBack: a callee that forwards its calls to X, as its own or its
// caller's, gets no second one while the first rings.
func TestForwardedBack(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	b.says(180, "")
	a.response(180, "INVITE")
	back := w.b.dial(numX, numA, w.mouthB.sdp(1))
	require.Equal(t, "Q.850;cause=25", back.fails(482).get("Reason"))
	rec := w.ends(7500, 7500)
	require.Equal(t, []any{"loop", 482}, []any{rec.EndWord, rec.SIPStatus})
	b.says(486, "")
	a.fails(486)
	w.b.never(0, "a second call", func(m msg) bool { return m.method() == "INVITE" })

	again := w.a.dial(numX, numA, w.mouthA.sdp(1)) // who dials anew is no loop
	b = w.b.ring()
	b.says(486, "")
	again.fails(486)
}

// TestXCallsAnotherX: a call whose callee is an X of ours comes back to us, and
// goes no further.
func TestXCallsAnotherX(t *testing.T) {
	const other = "17010000002"
	w := open(t)
	w.router.decides(func(q routing.Question) (routing.Decision, error) {
		d := connect(q)
		d.Callee = "+86" + other
		return d, nil
	})
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	back := w.b.dial(other, numX, w.mouthB.sdp(1))
	require.Equal(t, "Q.850;cause=25", back.fails(482).get("Reason"))
	b.says(482, "")
	a.fails(503)
	w.ends(8020, 7506)
	w.b.never(0, "a second call", func(m msg) bool { return m.method() == "INVITE" })
	l := &w.srv.loops
	eventually(t, "the table is empty", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.shown)+len(l.ringing) == 0
	})
}

// TestLoopsTable: a call counts as ringing for its time alone, and leaves only
// what is its own.
func TestLoopsTable(t *testing.T) {
	var l loops
	q := routing.Question{Caller: "+86" + numA, X: "+86" + numX}
	d := routing.Decision{Shown: "+86" + numX, Callee: "+86" + numB}
	now := time.Unix(1, 0)
	first, ok := l.enter(q, d, now)
	require.True(t, ok)
	_, ok = l.enter(q, d, now.Add(forwardTime-1))
	require.False(t, ok)
	second, ok := l.enter(q, d, now.Add(forwardTime))
	require.True(t, ok)
	l.answered(&first)
	_, ok = l.enter(q, d, now.Add(forwardTime))
	require.False(t, ok, "the second rings")
	back := routing.Question{Caller: "+86" + numX, X: "+86" + numB}
	require.True(t, l.ours(back))
	l.leave(&first)
	l.leave(&first)
	require.True(t, l.ours(back))
	l.leave(&second)
	require.False(t, l.ours(back))
	unknown, ok := l.enter(routing.Question{X: q.X}, d, now)
	require.True(t, ok)
	also, ok := l.enter(routing.Question{X: q.X}, d, now)
	require.True(t, ok, "who calls without a number may be anybody")
	l.leave(&unknown)
	l.leave(&also)
	require.Zero(t, len(l.shown)+len(l.ringing))
}
