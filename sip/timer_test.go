package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
	"axgate/sip/wire"
)

// quick has a second of what peers are told take 50 ms, and sessions of 90 of
// them with both trunks.
func quick(s *settings) {
	s.cfg.second = 50 * time.Millisecond
	s.trunkA.Timer.Expires, s.trunkB.Timer.Expires = 90*time.Second, 90*time.Second
}

// withHeaders is an INVITE, or the 2xx to one, with these headers.
func withHeaders(t *testing.T, headers ...string) *sip.Request {
	t.Helper()
	m, err := sip.ParseMessage([]byte("INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n" +
		strings.Join(append(headers, "Content-Length: 0"), "\r\n") + "\r\n\r\n"))
	require.NoError(t, err)
	return m.(*sip.Request)
}

func shown(headers []sip.Header) string {
	var all []string
	for _, h := range headers {
		all = append(all, h.Name()+": "+h.Value())
	}
	return strings.Join(all, ", ")
}

// TestTimerAsAnswered: what our 2xx says to what was asked (RFC 4028 section 9,
// table 2).
func TestTimerAsAnswered(t *testing.T) {
	t.Parallel()
	const known = "Supported: timer"
	running := session{expires: 600, ours: true, theirs: true}
	for name, c := range map[string]struct {
		timer  trunk.Timer
		was    session
		asked  []string
		want   string
		agreed session
	}{
		"nothing":                 {asked: nil, want: "", agreed: session{expires: 1800, ours: true}},
		"known only":              {asked: []string{known}, want: "Session-Expires: 1800;refresher=uac, Require: timer", agreed: session{expires: 1800, theirs: true}},
		"known by Require":        {asked: []string{"Require: timer"}, want: "Session-Expires: 1800;refresher=uac, Require: timer", agreed: session{expires: 1800, theirs: true}},
		"a time":                  {asked: []string{known, "Session-Expires: 600"}, want: "Session-Expires: 600;refresher=uac, Require: timer", agreed: session{expires: 600, theirs: true}},
		"we shall":                {asked: []string{known, "Session-Expires: 600;refresher=uas"}, want: "Session-Expires: 600;refresher=uas", agreed: session{expires: 600, ours: true, theirs: true}},
		"it will":                 {timer: trunk.Timer{Refresher: trunk.WeRefresh}, asked: []string{known, "Session-Expires: 600; Refresher=UAC"}, want: "Session-Expires: 600;refresher=uac, Require: timer", agreed: session{expires: 600, theirs: true}},
		"we, by our settings":     {timer: trunk.Timer{Refresher: trunk.WeRefresh}, asked: []string{known, "Session-Expires: 600"}, want: "Session-Expires: 600;refresher=uas", agreed: session{expires: 600, ours: true, theirs: true}},
		"a proxy's wish":          {asked: []string{"Session-Expires: 600"}, want: "Session-Expires: 600;refresher=uas", agreed: session{expires: 600, ours: true}},
		"a proxy's short wish":    {asked: []string{"Session-Expires: 10"}, want: "Session-Expires: 90;refresher=uas", agreed: session{expires: 90, ours: true}},
		"at least so long":        {asked: []string{known, "Min-SE: 4000"}, want: "Session-Expires: 4000;refresher=uac, Require: timer", agreed: session{expires: 4000, theirs: true}},
		"garbage":                 {asked: []string{known, "Session-Expires: soon"}, want: "Session-Expires: 1800;refresher=uac, Require: timer", agreed: session{expires: 1800, theirs: true}},
		"for ever":                {asked: []string{known, "Session-Expires: 99999999999999999999999"}, want: "Session-Expires: 86400;refresher=uac, Require: timer", agreed: session{expires: 86400, theirs: true}},
		"in a talk, roles stay":   {was: running, asked: []string{known, "Session-Expires: 600"}, want: "Session-Expires: 600;refresher=uas", agreed: running},
		"in a talk, roles change": {was: running, asked: []string{known, "Session-Expires: 300;refresher=uac"}, want: "Session-Expires: 300;refresher=uac, Require: timer", agreed: session{expires: 300, theirs: true}},
		"in a talk, nothing":      {was: running, asked: nil, want: "", agreed: session{expires: 600, ours: true}},
		"off":                     {timer: trunk.Timer{Off: true}, asked: []string{known, "Session-Expires: 600"}, want: ""},
	} {
		l := &leg{trunk: &trunk.Trunk{Timer: c.timer}, session: c.was}
		agreed, headers := l.answers(withHeaders(t, c.asked...))
		require.Equal(t, c.want, shown(headers), name)
		require.Equal(t, c.agreed, agreed, name)
	}
}

// TestTimerAsAsked: what we ask for, and what we take of the answer.
func TestTimerAsAsked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		timer  trunk.Timer
		was    session
		want   string
		answer []string
		agreed session
	}{
		"first, unknown to the peer": {want: "Session-Expires: 1800, Min-SE: 90", agreed: session{expires: 1800, ours: true}},
		"first, it refreshes":        {want: "Session-Expires: 1800, Min-SE: 90", answer: []string{"Session-Expires: 1200;refresher=uas"}, agreed: session{expires: 1200, theirs: true}},
		"first, we refresh":          {want: "Session-Expires: 1800, Min-SE: 90", answer: []string{"Session-Expires: 1200;refresher=uac"}, agreed: session{expires: 1200, ours: true, theirs: true}},
		"first, nobody named":        {want: "Session-Expires: 1800, Min-SE: 90", answer: []string{"Session-Expires: 1200"}, agreed: session{expires: 1200, ours: true, theirs: true}},
		"first, we shall":            {timer: trunk.Timer{Refresher: trunk.WeRefresh, Expires: 10 * time.Minute, MinSE: 2 * time.Minute}, want: "Session-Expires: 600;refresher=uac, Min-SE: 120", agreed: session{expires: 600, ours: true}},
		"first, it shall":            {timer: trunk.Timer{Refresher: trunk.PeerRefresh}, want: "Session-Expires: 1800;refresher=uas, Min-SE: 90", agreed: session{expires: 1800, ours: true}},
		"first, after 422":           {was: session{least: 7200}, want: "Session-Expires: 7200, Min-SE: 7200", agreed: session{expires: 7200, least: 7200, ours: true}},
		"ours goes on":               {was: session{expires: 600, ours: true, theirs: true}, want: "Session-Expires: 600;refresher=uac, Min-SE: 90", agreed: session{expires: 600, ours: true}},
		"its goes on":                {was: session{expires: 600, theirs: true}, want: "Session-Expires: 600;refresher=uas, Min-SE: 90", answer: []string{"Session-Expires: 600;refresher=uas"}, agreed: session{expires: 600, theirs: true}},
		"absurdly short":             {want: "Session-Expires: 1800, Min-SE: 90", answer: []string{"Session-Expires: 1;refresher=uac"}, agreed: session{expires: 30, ours: true, theirs: true}},
		"off":                        {timer: trunk.Timer{Off: true}, want: "", agreed: session{expires: 1800, ours: true}},
	} {
		l := &leg{trunk: &trunk.Trunk{Timer: c.timer}, session: c.was}
		require.Equal(t, c.want, shown(l.asks()), name)
		res := wire.Reply(withHeaders(t), 200, "OK")
		for _, h := range c.answer {
			key, value, _ := strings.Cut(h, ": ")
			res.AppendHeader(sip.NewHeader(key, value))
		}
		require.Equal(t, c.agreed, l.settledBy(res), name)
	}
}

// TestTimerTooShort: 422 with what we take, at the door and in a talk, whose
// session stays.
func TestTimerTooShort(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1), "Supported: timer", "Session-Expires: 60")
	require.Equal(t, "90", a.fails(422).get("Min-SE"))
	a.theirs = ""
	a.reinvite(w.mouthA.sdp(1), "Require: timer", "Session-Expires: 90", "Min-SE: 90")
	b := w.b.ring()
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	require.Equal(t, "90;refresher=uac", a.response(200, "INVITE").get("Session-Expires"))
	a.ack("")
	a.reinvite(w.mouthA.sdp(2, "a=inactive"), "Supported: timer", "Session-Expires: 89")
	require.Equal(t, "90", a.fails(422).get("Min-SE"))
	a.request("UPDATE", "", "Supported: timer", "Session-Expires: 89")
	require.Equal(t, "90", a.response(422, "UPDATE").get("Min-SE"))
	a.request("UPDATE", "", "Supported: timer", "Session-Expires: 100;refresher=uas")
	ok := a.response(200, "UPDATE")
	require.Equal(t, "100;refresher=uas", ok.get("Session-Expires"))
	require.Equal(t, "timer, 100rel", ok.get("Supported"))
	require.NotEmpty(t, ok.contact())
	require.Contains(t, ok.get("Allow"), "UPDATE")
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestTimerOff: a trunk that wants nothing of it is told nothing of it.
func TestTimerOff(t *testing.T) {
	w := open(t, func(s *settings) { s.trunkA.Timer.Off, s.trunkB.Timer.Off = true, true })
	a := w.a.dial(numX, numA, w.mouthA.sdp(1), "Require: timer")
	require.Equal(t, "timer", a.fails(420).get("Unsupported"))
	a, b := w.talk()
	require.NotContains(t, b.invite.get("Supported"), "timer")
	for _, name := range []string{"Session-Expires", "Min-SE"} {
		require.Empty(t, b.invite.get(name))
	}
	for _, raw := range w.a.everything() {
		require.NotContains(t, raw, "Session-Expires")
	}
	a.bye()
	b.hungUp()
}

// TestTimerLongerForCallee: an INVITE refused with 422 goes out once more.
func TestTimerLongerForCallee(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	require.Equal(t, "1800", b.invite.get("Session-Expires"))
	require.Equal(t, "90", b.invite.get("Min-SE"))
	require.Equal(t, "timer, 100rel", b.invite.get("Supported"))
	b.says(422, "", "Min-SE: 3600")
	b.acked()
	again := w.b.ring()
	require.Equal(t, b.callID, again.callID)
	require.Equal(t, "3600", again.invite.get("Session-Expires"))
	require.Equal(t, "3600", again.invite.get("Min-SE"))
	again.says(422, "", "Min-SE: 3600") // it wants no call at all
	again.acked()
	a.fails(503)
	w.ends(8020, 7506)
}

// refreshed waits for a refresh and gives it back unanswered.
func (d *side) refreshed(method string) msg {
	d.p.t.Helper()
	return d.p.await("a refresh by "+method, func(m msg) bool {
		return m.method() == method && m.get("Call-ID") == d.callID && m.tag("To") != ""
	})
}

// ackOf waits for the ACK of the 2xx to a re-INVITE.
func (d *side) ackOf(m msg) msg {
	d.p.t.Helper()
	n, _ := m.cseq()
	return d.p.await("ACK", func(k msg) bool {
		i, _ := k.cseq()
		return k.method() == "ACK" && i == n && k.get("Call-ID") == d.callID
	})
}

// begins sets up a talk with headers in the caller's INVITE and the callee's
// answer.
func (w *world) begins(caller, callee []string) (a, b *side) {
	w.t.Helper()
	a = w.a.dial(numX, numA, w.mouthA.sdp(1), caller...)
	b = w.b.ring()
	w.mouthB.talksTo(b.invite)
	b.says(200, w.mouthB.sdp(1), callee...)
	b.acked()
	w.mouthA.talksTo(a.response(200, "INVITE"))
	a.ack("")
	return a, b
}

// TestWeRefresh: at half of the session, by UPDATE where the peer takes it, else
// by a re-INVITE that says what was said before; each leg on its own.
func TestWeRefresh(t *testing.T) {
	off := func(t *trunk.Timer) { *t = trunk.Timer{Off: true} }
	for name, c := range map[string]struct {
		change         func(*settings)
		caller, callee []string
		byB            bool
		method         string
	}{
		"the callee, by UPDATE":              {func(s *settings) { off(&s.trunkA.Timer) }, nil, []string{"Allow: INVITE, UPDATE", "Session-Expires: 90;refresher=uac"}, true, "UPDATE"},
		"the callee, by re-INVITE":           {func(s *settings) { off(&s.trunkA.Timer) }, nil, []string{"Allow: INVITE", "Session-Expires: 90;refresher=uac"}, true, "INVITE"},
		"a callee that knows no timer":       {func(s *settings) { off(&s.trunkA.Timer) }, nil, nil, true, "INVITE"},
		"a callee that must get no UPDATE":   {func(s *settings) { off(&s.trunkA.Timer); s.trunkB.Timer.NoUpdate = true }, nil, []string{"Allow: UPDATE"}, true, "INVITE"},
		"the caller, by UPDATE":              {func(s *settings) { off(&s.trunkB.Timer) }, []string{"Allow: UPDATE, BYE", "Supported: timer", "Session-Expires: 90;refresher=uas"}, nil, false, "UPDATE"},
		"the caller, by re-INVITE, over TCP": {func(s *settings) { off(&s.trunkB.Timer); s.tcpA, s.tcpB = true, true }, []string{"Supported: timer", "Session-Expires: 90;refresher=uas"}, nil, false, "INVITE"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, quick, c.change)
			a, b := w.begins(c.caller, c.callee)
			d, mouth := a, w.mouthA
			if c.byB {
				d, mouth = b, w.mouthB
			}
			w.bothHear()
			var first msg
			for i := range 2 {
				m := d.refreshed(c.method)
				require.Equal(t, "90;refresher=uac", m.get("Session-Expires"))
				require.Equal(t, "90", m.get("Min-SE"))
				require.Equal(t, "timer, 100rel", m.get("Supported"))
				require.NotEmpty(t, m.contact())
				require.Equal(t, c.method == "UPDATE", m.body == "")
				if c.method == "UPDATE" {
					d.reply(m, 200, "")
					continue
				}
				if c.byB && i == 0 {
					require.Equal(t, b.invite.version(t), m.version(t), "the same description has the same version")
				}
				if i == 1 {
					require.Equal(t, first.body, m.body)
				}
				first = m
				d.reply(m, 200, mouth.sdp(1))
				d.reply(m, 200, mouth.sdp(1))
				ack := d.ackOf(m)
				if d.p.transport() == "UDP" {
					eventually(t, "the repeated 2xx is acknowledged, too", func() bool { return d.p.times(ack) == 2 })
				}
			}
			w.bothHear()
			a.bye()
			b.hungUp()
			w.ends(0, 0)
		})
	}
}

// TestPeerDoesNotRefresh: it is hung up before the end of its session, and the
// other side with it, each for the reason that the dialog is gone.
func TestPeerDoesNotRefresh(t *testing.T) {
	for name, c := range map[string]struct {
		caller, callee []string
		byB            bool
	}{
		"the caller": {[]string{"Supported: timer", "Session-Expires: 90;refresher=uac"}, []string{"Session-Expires: 86400;refresher=uas"}, false},
		"the callee": {[]string{"Supported: timer", "Session-Expires: 86400;refresher=uac"}, []string{"Session-Expires: 90;refresher=uas"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, quick)
			a, b := w.begins(c.caller, c.callee)
			began := time.Now()
			d := a
			if c.byB {
				d = b
			}
			d.request("UPDATE", "", "Supported: timer", "Session-Expires: 90;refresher=uac")
			require.Equal(t, "90;refresher=uac", d.response(200, "UPDATE").get("Session-Expires"))
			require.Equal(t, "Q.850;cause=41", a.hungUp().get("Reason"))
			b.hungUp()
			require.Greater(t, time.Since(began), 2900*time.Millisecond, "60 of the 90 seconds")
			w.ends(8020, map[bool]int{false: 7505, true: 7506}[c.byB])
		})
	}
}

// TestPeerRefreshes: by each method, and the session goes on.
func TestPeerRefreshes(t *testing.T) {
	w := open(t, quick)
	a, b := w.begins([]string{"Supported: timer", "Session-Expires: 150;refresher=uac"}, []string{"Session-Expires: 150;refresher=uas"})
	for i := range 5 { // sessions of 7.5 s, of which 5.9 s are waited for: one that is not refreshed ends before the last
		time.Sleep(1500 * time.Millisecond)
		if i%2 == 0 {
			a.request("UPDATE", "", "Supported: timer", "Session-Expires: 150;refresher=uac")
			a.response(200, "UPDATE")
			b.reinvite(w.mouthB.sdp(1), "Supported: timer", "Session-Expires: 150;refresher=uac")
			require.Equal(t, "150;refresher=uac", b.response(200, "INVITE").get("Session-Expires"))
			b.ack("")
			continue
		}
		b.request("UPDATE", "", "Supported: timer", "Session-Expires: 150")
		require.Equal(t, "150;refresher=uac", b.response(200, "UPDATE").get("Session-Expires"), "who refreshes stays")
		a.reinvite(w.mouthA.sdp(1), "Supported: timer", "Session-Expires: 150")
		a.response(200, "INVITE")
		a.ack("")
	}
	w.bothHear()
	a.bye()
	b.hungUp()
	w.ends(0, 0)
}

// TestRefreshFails: 481, 408 and silence end the call, anything else does not:
// we ask again, by re-INVITE if the peer takes no UPDATE after all.
func TestRefreshFails(t *testing.T) {
	t.Parallel()
	callee := []string{"Allow: UPDATE", "Session-Expires: 90;refresher=uac"}
	for _, status := range []int{481, 408, 0} {
		t.Run(map[int]string{481: "481", 408: "408", 0: "no answer"}[status], func(t *testing.T) {
			w := open(t, quick, func(s *settings) { s.trunkA.Timer.Off = true })
			a, b := w.begins(nil, callee)
			m := b.refreshed("UPDATE")
			if status != 0 {
				b.reply(m, status, "")
			}
			a.hungUp()
			b.hungUp()
			w.ends(8020, 7506)
		})
	}
	for name, c := range map[string]struct {
		status  int
		headers []string
		then    string
	}{
		"488":                  {488, nil, "UPDATE"},
		"500":                  {500, nil, "UPDATE"},
		"500 with Retry-After": {500, []string{"Retry-After: 2 (busy)"}, "UPDATE"},
		"491":                  {491, nil, "UPDATE"},
		"405":                  {405, nil, "INVITE"},
		"501":                  {501, nil, "INVITE"},
		"422":                  {422, []string{"Min-SE: 120"}, "UPDATE"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, quick, func(s *settings) { s.trunkA.Timer.Off = true })
			a, b := w.begins(nil, callee)
			b.reply(b.refreshed("UPDATE"), c.status, "", c.headers...)
			m := b.refreshed(c.then)
			if c.status == 422 {
				require.Equal(t, "120;refresher=uac", m.get("Session-Expires"))
				require.Equal(t, "120", m.get("Min-SE"))
			}
			b.reply(m, 200, map[string]string{"INVITE": w.mouthB.sdp(1)}[c.then])
			if c.then == "INVITE" {
				b.ackOf(m)
			}
			w.bothHear()
			a.bye()
			b.hungUp()
			w.ends(0, 0)
		})
	}
}
