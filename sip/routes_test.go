package sip

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/events"
	"axgate/routing"
	"axgate/sip/trunk"
)

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	t.Run("it rings too long", func(t *testing.T) {
		w := open(t, func(s *settings) { s.cfg.RingTimeout = 300 * time.Millisecond })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1))
		b := w.b.ring()
		b.says(180, "")
		require.Equal(t, "Q.850;cause=16", b.cancelled().get("Reason"))
		require.Equal(t, "Q.850;cause=19", a.fails(480).get("Reason"))
		rec := w.ends(8035, 8035)
		require.Equal(t, []int{480, 19}, []int{rec.SIPStatus, rec.UnswReason})
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
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		ring   bool
		again  bool
		reason string
	}{
		"500": {status: 500, again: true}, "502": {status: 502, again: true}, "503": {status: 503, again: true}, "504": {status: 504, again: true}, "408": {status: 408, again: true},
		"480, network out of order": {status: 480, again: true, reason: "Reason: Q.850;cause=38"},
		"503 after 180":             {status: 503, ring: true}, "500 after 180": {status: 500, ring: true}, "503, busy": {status: 503, reason: "Reason: Q.850;cause=17"},
		"480": {status: 480}, "486": {status: 486}, "600": {status: 600}, "603": {status: 603}, "404": {status: 404}, "484": {status: 484}, "487": {status: 487}, "488": {status: 488},
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
			var headers []string
			if c.reason != "" {
				headers = append(headers, c.reason)
			}
			b.says(c.status, "", headers...)
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
			require.Equal(t, []int{0, 0}, []int{rec.SIPStatus, rec.UnswReason}, "the call did not fail")
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
	eventually(t, "the service exception prompt", w.mouthA.hears(0x31, 8))
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
