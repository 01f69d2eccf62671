package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/routing"
	"axgate/sip/trunk"
)

func TestAnsweredCall(t *testing.T) {
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
	require.Equal(t, []string{"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "User-Agent", "Contact", "Allow", "Content-Type", "Content-Length", "P-Asserted-Identity"}, names)
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
		"redirected":            {status: 302, state: 8020, fail: 7506, sip: 503, cause: "38", unansweredFor: 31},
		"network out of order":  {status: 503, reason: "Q.850;cause=38", state: 8020, fail: 7506, sip: 503, cause: "38", unansweredFor: 38},
		"not acceptable":        {status: 488, state: 8020, fail: 7506, sip: 503, cause: "38", unansweredFor: 88},
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
			require.Equal(t, c.sip == 503, got.get("Retry-After") != "")
			rec := w.ends(c.state, c.fail)
			require.Equal(t, c.status, rec.SIPStatus)
			require.Equal(t, c.unansweredFor, rec.UnswReason)
			require.True(t, rec.Answered.IsZero())
			require.Zero(t, rec.ReleasedBy)
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Run("it rings too long", func(t *testing.T) {
		w := open(t, func(s *settings) { s.cfg.RingTimeout = 300 * time.Millisecond })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		require.Equal(t, "Q.850;cause=16", b.cancelled().get("Reason"))
		require.Equal(t, "Q.850;cause=19", a.fails(480).get("Reason"))
		w.ends(8035, 8035)
	})
	t.Run("the trunk lets it ring less long", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.RingTimeout = 200 * time.Millisecond })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		b.cancelled()
		a.fails(480)
		w.ends(8035, 8035)
	})
	t.Run("the trunk is silent", func(t *testing.T) {
		w := open(t, func(s *settings) { s.cfg.RingTimeout = 20 * time.Second })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		w.b.ring()
		require.Equal(t, "Q.850;cause=38", a.fails(503).get("Reason"))
		w.ends(8020, 7506)
	})
	t.Run("the trunk cannot be reached", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.Transport = "TCP" })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.fails(503)
		w.ends(8020, 7506)
	})
	t.Run("there is no trunk", func(t *testing.T) {
		w := open(t, func(s *settings) { s.noTrunkB = true })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.fails(503)
		w.ends(8020, 7508)
	})
}

// TestFailover: another trunk is tried after a failure of the trunk, never
// once the callee's phone rang, never after an answer of the callee's side.
func TestFailover(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		ring   bool
		again  bool
	}{
		"500": {500, false, true}, "502": {502, false, true}, "503": {503, false, true}, "504": {504, false, true}, "408": {408, false, true},
		"503 after 180": {503, true, false}, "500 after 180": {500, true, false},
		"486": {486, false, false}, "603": {603, false, false}, "404": {404, false, false}, "484": {484, false, false}, "487": {487, false, false}, "488": {488, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			var second *peer
			w := open(t, func(s *settings) {
				second = newPeer(t, "second", "127.0.0.4")
				s.more = append(s.more, trunk.Trunk{Name: "first", Address: s.trunkB.Address})
				s.trunkB.Address, s.trunkB.Peers = second.addr, nil
			})
			second.to = w.srv.UDPAddr()
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			b := w.b.ring()
			if c.ring {
				b.says(180, "")
			}
			b.says(c.status, "")
			if !c.again {
				a.response(100, "INVITE")
				m := w.a.await("a failure", func(m msg) bool { return m.status() >= 300 })
				a.nack(m)
				w.journal.ended(t)
				require.Empty(t, second.everything())
				return
			}
			b2 := second.ring()
			require.NotEqual(t, b.callID, b2.callID)
			b2.says(200, w.mouthB.sdp(1))
			b2.acked()
			a.response(200, "INVITE")
			a.ack("")
			a.bye()
			b2.hungUp()
			rec := w.ends(0, 0)
			require.Equal(t, []events.Kind{events.CallIn, events.CallOut, events.Answer, events.Disconnect, events.Fee}, w.journal.kinds(rec.Session))
		})
	}
}

func TestAllRoutesFail(t *testing.T) {
	var second *peer
	w := open(t, func(s *settings) {
		second = newPeer(t, "second", "127.0.0.4")
		s.more = append(s.more, trunk.Trunk{Name: "second", Address: second.addr})
		s.prompts = prompts{string(routing.SceneFault): clip(0x31, 200*time.Millisecond)}
	})
	second.to = w.srv.UDPAddr()
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	second.ring().says(503, "")
	w.b.ring().says(500, "")
	a.response(183, "INVITE")
	a.fails(503)
	w.ends(8020, 7508)
	require.GreaterOrEqual(t, w.mouthA.count(0x31), 8, "the service exception prompt")
}

func TestRetryAfterIsObeyed(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1))
	w.b.ring().says(503, "", "Retry-After: 1 (busy)")
	a.fails(503)
	w.ends(8020, 7506)
	a = w.a.dial(numX, numA, w.mouthA.sdp(1))
	a.fails(503)
	w.b.never(0, "a call in its rest", func(m msg) bool { return m.method() == "INVITE" })
	time.Sleep(time.Second)
	a = w.a.dial(numX, numA, w.mouthA.sdp(1))
	w.b.ring().says(486, "")
	a.fails(486)
}

func TestTrunkAsksForAProof(t *testing.T) {
	const ask = `Digest realm="carrier", nonce="abc", algorithm=MD5, qop="auth"`
	for name, c := range map[string]struct {
		status      int
		ask, answer string
	}{
		"407": {407, "Proxy-Authenticate", "Proxy-Authorization"},
		"401": {401, "WWW-Authenticate", "Authorization"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, func(s *settings) { s.trunkB.Username, s.trunkB.Password = "line7", "secret" })
			a := w.a.dial(numX, numA, w.mouthA.sdp(1))
			b := w.b.ring()
			b.says(c.status, "", c.ask+": "+ask)
			w.b.await("ACK", func(m msg) bool { return m.method() == "ACK" })
			again := w.b.ring()
			require.Equal(t, b.callID, again.callID)
			require.Equal(t, "2 INVITE", again.invite.get("CSeq"))
			require.Equal(t, b.invite.tag("From"), again.invite.tag("From"))
			proof := again.invite.get(c.answer)
			require.Contains(t, proof, `username="line7"`)
			require.Contains(t, proof, "qop=auth")
			require.NotContains(t, again.invite.raw, "secret")
			again.says(200, w.mouthB.sdp(1))
			again.acked()
			a.response(200, "INVITE")
			a.ack("")
			a.bye()
			bye := again.hungUp()
			require.Equal(t, "3 BYE", bye.get("CSeq"))
			w.ends(0, 0)
		})
	}
	t.Run("and does not like it", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.Username, s.trunkB.Password = "line7", "wrong" })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		for range 2 {
			w.b.ring().says(407, "", "Proxy-Authenticate: "+ask)
		}
		a.fails(503)
		w.ends(8020, 7506)
	})
}

func TestLimits(t *testing.T) {
	t.Run("calls of the node", func(t *testing.T) {
		w := open(t, func(s *settings) { s.cfg.MaxCalls = 1 })
		a, b := w.talk()
		second := w.a.dial(numX, numA, w.mouthA.sdp(1))
		got := second.fails(503)
		require.Equal(t, "5", got.get("Retry-After"))
		require.Equal(t, "Q.850;cause=34", got.get("Reason"))
		rec := w.ends(522, 522)
		require.Equal(t, int(routing.Abnormal), rec.Direction)
		require.Empty(t, rec.Binding)
		a.bye()
		b.hungUp()
	})
	t.Run("calls of a trunk", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkA.MaxCalls = 1 })
		a, b := w.talk()
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		w.ends(522, 522)
		a.bye()
		b.hungUp()
		eventually(t, "the call is over", func() bool { return w.open() == 0 })
		a, b = w.talk()
		a.bye()
		b.hungUp()
	})
	t.Run("calls to a trunk", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkB.MaxCalls = 1 })
		a, b := w.talk()
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		w.ends(522, 522)
		a.bye()
		b.hungUp()
	})
	t.Run("ports", func(t *testing.T) {
		w := open(t)
		var held []func()
		for w.engine.PortsFree() > 1 { // one leg finds a port, two do not
			c := w.engine.NewCall()
			_, err := c.Reserve(0)
			require.NoError(t, err)
			held = append(held, func() { c.Close() })
		}
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		rec := w.ends(522, 522)
		require.Equal(t, int(routing.Abnormal), rec.Direction)
		require.Empty(t, rec.Binding)
		require.Empty(t, w.b.everything(), "nobody is rung for a call that cannot talk")
		for _, f := range held {
			f()
		}
	})
}

func TestUnknownX(t *testing.T) {
	w := open(t)
	w.router.decides(func(routing.Question) (routing.Decision, error) {
		return routing.Decision{Step: routing.Refuse, End: routing.EndUnknownX}, nil
	})
	for _, number := range []string{numX, "110", "alice", "", "%00", strings.Repeat("1", 300)} {
		d := w.a.dial(number, numA, w.mouthA.sdp(1))
		if number == "" {
			continue
		}
		got := d.fails(404)
		require.Equal(t, "Q.850;cause=1", got.get("Reason"))
	}
	eventually(t, "no call", func() bool { return w.open() == 0 })
	require.Empty(t, w.journal.evs)
	require.Empty(t, w.mouthA.packets())
}

// TestRefusals: a refused caller hears the prompt in early media, then gets
// the status of the row; one who cannot hear gets it at once.
func TestRefusals(t *testing.T) {
	refuse := func(scene routing.Scene, end routing.End) func(routing.Question) (routing.Decision, error) {
		return func(routing.Question) (routing.Decision, error) {
			return routing.Decision{Step: routing.Refuse, End: end, Scene: scene, Direction: routing.Abnormal, App: &routing.App{Key: "app1", Mode: routing.AX}}, nil
		}
	}
	t.Run("with a prompt", func(t *testing.T) {
		w := open(t, func(s *settings) { s.prompts = prompts{"no_permission": clip(0x41, 300*time.Millisecond)} })
		w.router.decides(refuse(routing.SceneNoPermission, routing.EndNoneAX))
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		m := a.response(183, "INVITE")
		_, way := m.media(t)
		require.Equal(t, "sendrecv", way)
		require.Equal(t, "Q.850;cause=21", a.fails(403).get("Reason"))
		require.GreaterOrEqual(t, w.mouthA.count(0x41), 13)
		w.ends(8018, 7104)
	})
	t.Run("a prompt is cut at its cap", func(t *testing.T) {
		w := open(t, func(s *settings) {
			s.cfg.PromptCap = 200 * time.Millisecond
			s.prompts = prompts{"no_permission": clip(0x41, 20*time.Second)}
		})
		w.router.decides(refuse(routing.SceneNoPermission, routing.EndNoneAX))
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(403)
	})
	t.Run("in silence", func(t *testing.T) {
		w := open(t)
		w.router.decides(refuse(routing.SceneNoPermission, routing.EndFrozen))
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(403)
		require.Zero(t, w.mouthA.packets())
		w.ends(7108, 7108)
	})
	t.Run("without an offer", func(t *testing.T) {
		w := open(t, func(s *settings) { s.prompts = prompts{"no_permission": clip(0x41, 300*time.Millisecond)} })
		w.router.decides(refuse(routing.SceneNoPermission, routing.EndNoneAX))
		w.a.dial(numX, numA, "").fails(403)
	})
	t.Run("busy without a prompt: the tone", func(t *testing.T) {
		w := open(t)
		w.router.decides(refuse(routing.SceneBusy, routing.EndInUse))
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		a.response(183, "INVITE")
		eventually(t, "the busy tone", w.mouthA.tone(10))
		a.cancel()
		a.response(200, "CANCEL")
		a.fails(487)
		w.ends(8102, 8102)
	})
	t.Run("the router fails", func(t *testing.T) {
		w := open(t)
		w.router.decides(func(routing.Question) (routing.Decision, error) { return routing.Decision{}, errDisk })
		w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(500)
		eventually(t, "no call", func() bool { return w.open() == 0 })
		require.Empty(t, w.journal.evs, "nobody knows whose X it is")
	})
	t.Run("the router fails for an app it knows", func(t *testing.T) {
		w := open(t)
		w.router.decides(func(routing.Question) (routing.Decision, error) {
			return routing.Decision{App: &routing.App{Key: "app1", Mode: routing.AX}}, errDisk
		})
		require.Equal(t, "Q.850;cause=41", w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(500).get("Reason"))
		w.ends(8020, 8020)
	})
}

func TestStopAndShutdown(t *testing.T) {
	t.Run("stop while ringing", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		a.response(180, "INVITE")
		w.stop()
		b.cancelled()
		require.Equal(t, "Q.850;cause=16", a.fails(480).get("Reason"))
		w.ends(8017, 8017)
	})
	t.Run("stop in a talk", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		session := w.stop()
		a.hungUp()
		b.hungUp()
		w.ends(8017, 8017)
		require.False(t, w.srv.Stop(session))
		require.False(t, w.srv.Stop("unknown"))
	})
	t.Run("drain", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		done := make(chan error, 1)
		go func() { done <- w.srv.Shutdown(t.Context()) }()
		eventually(t, "draining", w.srv.draining.Load)
		got := w.a.dial(numX, numA, w.mouthA.sdp(1)).fails(503)
		require.NotEmpty(t, got.get("Retry-After"))
		o := w.a.outside("OPTIONS")
		require.NotEmpty(t, o.response(503, "OPTIONS").get("Retry-After"))
		w.bothHear()
		a.bye()
		b.hungUp()
		require.NoError(t, <-done)
		w.ends(0, 0)
	})
	t.Run("the drain has a limit", func(t *testing.T) {
		w := open(t)
		a, b := w.talk()
		done := make(chan error, 1)
		go func() { done <- w.srv.Shutdown(expired()) }()
		require.Equal(t, "Q.850;cause=41", a.hungUp().get("Reason"))
		b.hungUp()
		require.NoError(t, <-done)
		w.ends(8020, 8020)
	})
}
