package sip

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/sip/trunk"
)

// TestCauseCrosses: the cause of a BYE is told to the other side, its text is
// not.
func TestCauseCrosses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason, want  string
		cause, status int
	}{
		"network":   {`Q.850;cause=38;text="+86` + numB + `"`, "Q.850;cause=38", 38, 0},
		"usual":     {"Q.850;cause=16", "Q.850;cause=16", 16, 0},
		"SIP":       {"SIP;cause=200;text=\"done\"", "Q.850;cause=16", 0, 200},
		"both":      {"SIP;cause=480, Q.850;cause=20", "Q.850;cause=20", 20, 480},
		"no reason": {"", "Q.850;cause=16", 0, 0},
		"no cause":  {"Q.850;cause=999", "Q.850;cause=16", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			a, b := w.talk()
			var headers []string
			if c.reason != "" {
				headers = append(headers, "Reason: "+c.reason)
			}
			b.request("BYE", "", headers...)
			b.response(200, "BYE")
			require.Equal(t, c.want, a.hungUp().get("Reason"))
			rec := w.ends(0, 0)
			require.Equal(t, []int{2, c.cause, c.status}, []int{rec.ReleasedBy, rec.ReleaseCause, rec.ReleaseStatus})
		})
	}
}

// TestNothingOfBInAFailure: what B's side says with a failure is told by number
// only, and a redirection is not passed on.
func TestNothingOfBInAFailure(t *testing.T) {
	w := open(t)
	for status, want := range map[int]int{301: 480, 302: 503, 404: 404, 486: 486, 488: 488, 606: 488, 603: 603} {
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(status, "", "P-Asserted-Identity: <sip:"+numB+"@h>", "Remote-Party-ID: <sip:"+numB+"@h>", "P-Called-Party-ID: <sip:"+numB+"@h>",
			`Reason: SIP;cause=600;text="`+numB+`"`, `Warning: 399 h "`+numB+`"`, "Server: "+numB)
		m := a.fails(want)
		for _, name := range []string{"P-Asserted-Identity", "Remote-Party-ID", "P-Called-Party-ID", "Warning", "Server", "Contact"} {
			require.Empty(t, m.get(name), "%s in %d", name, status)
		}
		require.Regexp(t, `^Q\.850;cause=\d+$`, m.get("Reason"))
		require.NotContains(t, m.start, "Whatever")
	}
}

// TestUnfitMedia: that the callee's side cannot take the media is told as that;
// no other trunk is tried with it, and the books are those of a trunk's failure.
func TestUnfitMedia(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		header string
		cause  string
	}{
		"488":                    {488, "", "88"},
		"606":                    {606, "", "88"},
		"by Warning: the media":  {488, `Warning: 304 h "` + numB + `"`, "88"},
		"by Warning: the way":    {606, `Warning: 370 h "` + numB + `"`, "31"},
		"by the callee's Reason": {488, "Reason: Q.850;cause=65", "65"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, func(s *settings) {
				again := s.trunkB
				again.Name, again.Peers = "again", nil
				s.more = []trunk.Trunk{again}
			})
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			b := w.b.ring()
			headers := []string{}
			if c.header != "" {
				headers = append(headers, c.header)
			}
			b.says(c.status, "", headers...)
			m := a.fails(488)
			require.Equal(t, "SIP/2.0 488 Not Acceptable Here", m.start)
			require.Equal(t, "Q.850;cause="+c.cause, m.get("Reason"))
			require.Empty(t, m.get("Warning"))
			rec := w.ends(8020, 7506)
			require.Equal(t, c.status, rec.SIPStatus)
			require.Equal(t, c.cause, strconv.Itoa(rec.UnswReason))
		})
	}
	t.Run("after a trunk that failed", func(t *testing.T) {
		w := open(t, func(s *settings) {
			again := s.trunkB
			again.Name, again.Peers = "again", nil
			s.more = []trunk.Trunk{again}
		})
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring().says(503, "")
		w.b.ring().says(488, "")
		require.Equal(t, "Q.850;cause=88", a.fails(488).get("Reason"))
		rec := w.ends(8020, 7508)
		require.Equal(t, []string{"a", "b"}, []string{rec.CallerTrunk, rec.CalleeTrunk}, "the last that was tried")
	})
}

// TestReasonOfCancel: why a caller gave up is in the record.
func TestReasonOfCancel(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	b.says(180, "")
	a.response(180, "INVITE")
	w.a.send(strings.Replace(a.text("CANCEL", a.lastInviteSeq, a.branch, ""), "Content-Length", "Reason: SIP;cause=200, Q.850;cause=26\r\nContent-Length", 1))
	require.Equal(t, "Q.850;cause=16", b.cancelled().get("Reason"))
	a.fails(487)
	rec := w.ends(7502, 8009)
	require.Equal(t, []int{1, 26, 200}, []int{rec.ReleasedBy, rec.ReleaseCause, rec.ReleaseStatus})
}

// TestChargingIDIsKept: icid-value is in the record, and in nothing that leaves.
func TestChargingIDIsKept(t *testing.T) {
	w := open(t)
	const icid = "kept-13700000007"
	a := w.a.dial(numX, numA, w.mouthA.sdp(1), "P-Charging-Vector: icid-value="+icid+";orig-ioi=carrier.example")
	b := w.b.ring()
	b.says(486, "")
	a.fails(486)
	rec := w.ends(8102, 8102)
	require.Equal(t, icid, rec.ChargingID)
	for _, raw := range append(w.a.everything(), w.b.everything()...) {
		require.NotContains(t, raw, icid)
	}
	for _, body := range w.journal.bodies(rec.Session) {
		require.NotContains(t, body, icid)
	}
}

// TestXCallsItself: a callee that forwards its calls to X gets none of them
// back.
func TestXCallsItself(t *testing.T) {
	w := open(t)
	for _, caller := range []string{numX, "+86" + numX, "0086" + numX} {
		a := w.a.dial(numX, caller, w.mouthA.sdp(1))
		m := a.fails(482)
		require.Equal(t, "Q.850;cause=25", m.get("Reason"))
	}
	eventually(t, "its own end", func() bool { return strings.Contains(w.logged(), `"end":"loop"`) })
	require.Empty(t, w.router.busy(), "nobody was asked")
}
