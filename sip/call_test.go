package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
)

func TestAnsweredCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*settings)
		byB    bool
	}{
		"UDP, A hangs up":     {},
		"UDP, B hangs up":     {byB: true},
		"TCP, A hangs up":     {change: func(s *settings) { s.tcpA, s.tcpB = true, true }},
		"TCP, B hangs up":     {change: func(s *settings) { s.tcpA, s.tcpB = true, true }, byB: true},
		"from TCP to UDP":     {change: func(s *settings) { s.tcpA = true }},
		"from UDP to TCP":     {change: func(s *settings) { s.tcpB = true }, byB: true},
		"no preference, PCMU": {change: func(s *settings) { s.cfg.Codecs = nil; s.trunkB.Codecs = []string{"PCMU", "PCMA"} }},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*settings) {}
			}
			w := open(t, change)
			a, b := w.talk()
			w.bothHear()
			require.Equal(t, 1, w.srv.Calls())
			last := b
			released := 1
			if c.byB {
				b.bye()
				last, released = a, 2
			} else {
				a.bye()
			}
			require.Equal(t, "Q.850;cause=16", last.hungUp().get("Reason"))
			rec := w.ends(0, 0)
			require.Equal(t, released, rec.ReleasedBy)
			require.Equal(t, []events.Kind{events.CallIn, events.CallOut, events.Alerting, events.Answer, events.Disconnect, events.Fee}, w.journal.kinds(rec.Session))
			require.Equal(t, "+86"+numA, rec.Caller)
			require.Equal(t, "+86"+numB, rec.Callee)
			require.Equal(t, "+86"+numX, rec.X)
			require.Equal(t, "bind1", rec.Binding)
			for _, order := range [][2]time.Time{{rec.In, rec.Out}, {rec.Out, rec.Alerting}, {rec.Alerting, rec.Answered}, {rec.Answered, rec.Ended}} {
				require.False(t, order[1].Before(order[0]))
			}
			require.Positive(t, rec.CallerLeg.Received)
			require.Positive(t, rec.CalleeLeg.Received)
		})
	}
}

// TestWhatTheCalleeSees: the INVITE as a whole, header by header.
func TestWhatTheCalleeSees(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1), "P-Asserted-Identity: <sip:"+numA+"@carrier.example>", "X-Real: "+numA, "Max-Forwards: 20")
	b := w.b.ring()
	in := b.invite
	here := w.srv.UDPAddr().String()
	require.Equal(t, "INVITE sip:"+numB+"@"+w.b.addr.String()+" SIP/2.0", in.start)
	var names []string
	for _, h := range in.headers {
		names = append(names, h[0])
	}
	require.Equal(t, []string{"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "User-Agent", "Contact", "Allow", "Content-Type", "Content-Length", "Supported", "Session-Expires", "Min-SE", "P-Asserted-Identity"}, names)
	require.Equal(t, "19", in.get("Max-Forwards"))
	require.True(t, strings.HasPrefix(in.get("From"), "<sip:"+numX+"@127.0.0.1>;tag="), in.get("From"))
	require.Equal(t, "<sip:"+numB+"@"+w.b.addr.String()+">", in.get("To"))
	require.Equal(t, "<sip:"+numX+"@"+here+">", in.get("Contact"))
	require.Equal(t, "<sip:"+numX+"@127.0.0.1>", in.get("P-Asserted-Identity"))
	require.True(t, strings.HasPrefix(in.get("Via"), "SIP/2.0/UDP "+here+";branch=z9hG4bK"), in.get("Via"))
	b.says(486, "")
	b.p.await("ACK", func(m msg) bool { return m.method() == "ACK" })
	a.fails(486)
}

func TestHiddenX(t *testing.T) {
	w := open(t, func(s *settings) { s.trunkB.Hide = true })
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	b := w.b.ring()
	require.True(t, strings.HasPrefix(b.invite.get("From"), "<sip:anonymous@anonymous.invalid>;tag="))
	require.Equal(t, "id", b.invite.get("Privacy"))
	require.Contains(t, b.invite.get("P-Asserted-Identity"), numX)
	require.NotContains(t, b.invite.get("Contact"), numX)
	b.says(603, "")
	a.fails(603)
}

// TestCalleesAnswers: what the callee's side says, and what becomes of it
// (behaviour section 9). The codes are those of the table.
func TestCalleesAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status        int
		reason        string
		ring          bool
		state, fail   int
		sip           int
		cause         string
		unansweredFor int
	}{
		"busy":                  {status: 486, state: 8102, fail: 8102, sip: 486, cause: "17", unansweredFor: 17},
		"busy everywhere":       {status: 600, state: 8102, fail: 8102, sip: 486, cause: "17", unansweredFor: 17},
		"rejects":               {status: 603, ring: true, state: 7503, fail: 7504, sip: 603, cause: "21", unansweredFor: 21},
		"rejects by cause":      {status: 480, reason: "Q.850;cause=21;text=\"13900000002 is away\"", ring: true, state: 7503, fail: 7504, sip: 603, cause: "21", unansweredFor: 21},
		"does not exist":        {status: 404, state: 8100, fail: 8100, sip: 404, cause: "1", unansweredFor: 1},
		"absent":                {status: 480, state: 8103, fail: 8103, sip: 480, cause: "18", unansweredFor: 18},
		"absent by cause":       {status: 480, reason: "Q.850;cause=20", state: 8103, fail: 8103, sip: 480, cause: "20", unansweredFor: 20},
		"off":                   {status: 480, reason: "SIP;cause=480, Q.850 ;cause=27", state: 8104, fail: 8104, sip: 480, cause: "27", unansweredFor: 27},
		"suspended":             {status: 410, state: 8105, fail: 8105, sip: 480, cause: "22", unansweredFor: 22},
		"no answer":             {status: 480, reason: "Q.850;cause=19", ring: true, state: 8101, fail: 8101, sip: 480, cause: "19", unansweredFor: 19},
		"rang, then 408":        {status: 408, ring: true, state: 8101, fail: 8101, sip: 480, cause: "19", unansweredFor: 102},
		"trunk error":           {status: 500, state: 8020, fail: 7506, sip: 503, cause: "38", unansweredFor: 41},
		"trunk error, rang":     {status: 503, ring: true, state: 8020, fail: 7506, sip: 503, cause: "38", unansweredFor: 41},
		"redirected":            {status: 302, state: 8020, fail: 7506, sip: 503, cause: "38", unansweredFor: 23},
		"network out of order":  {status: 503, reason: "Q.850;cause=38", state: 8020, fail: 7506, sip: 503, cause: "38", unansweredFor: 38},
		"not acceptable":        {status: 488, state: 8020, fail: 7506, sip: 488, cause: "88", unansweredFor: 88},
		"taken back by network": {status: 487, ring: true, state: 8101, fail: 8101, sip: 480, cause: "19", unansweredFor: 19},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			b := w.b.ring()
			if c.ring {
				b.says(180, "")
				a.response(180, "INVITE")
			}
			var headers []string
			if c.reason != "" {
				headers = []string{"Reason: " + c.reason}
			}
			b.says(c.status, "", append(headers, "Contact: <sip:13900000002@10.1.1.1>", "Warning: 399 b \"13900000002\"")...)
			got := a.fails(c.sip)
			require.Equal(t, "Q.850;cause="+c.cause, got.get("Reason"))
			require.Empty(t, got.get("Retry-After"), "the caller's carrier need not wait for what failed at the callee's")
			rec := w.ends(c.state, c.fail)
			require.Equal(t, c.status, rec.SIPStatus)
			require.Equal(t, c.unansweredFor, rec.UnswReason)
			require.True(t, rec.Answered.IsZero())
			require.Zero(t, rec.ReleasedBy)
		})
	}
}
