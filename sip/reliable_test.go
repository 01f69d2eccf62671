package sip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/routing"
	"axgate/sip/trunk"
)

// prack acknowledges a reliable response and takes the answer.
func (d *side) prack(m msg, status int, body string) msg {
	d.p.t.Helper()
	d.theirs, d.target = m.tag("To"), m.contact()
	n := d.request("PRACK", body, fmt.Sprintf("RAck: %s %d INVITE", m.get("RSeq"), d.lastInviteSeq))
	return d.p.await(fmt.Sprintf("%d to PRACK", status), func(m msg) bool {
		k, of := m.cseq()
		return of == "PRACK" && k == n && m.status() == status && m.get("Call-ID") == d.callID
	})
}

const can = "Supported: 100rel"

// TestReliable responses to leg A (RFC 3262 section 3).
func TestReliable(t *testing.T) {
	t.Parallel()
	t.Run("one at a time, repeated until it is acknowledged", func(t *testing.T) {
		w := open(t)
		machine := watchStalls(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), can)
		b := w.b.ring()
		b.says(180, "")
		ringing := a.response(180, "INVITE")
		require.Equal(t, "100rel", ringing.get("Require"))
		eventually(t, "it is repeated", func() bool { return w.a.times(ringing) > 3 })
		begun := w.a.arrival(ringing, 0)
		late := machine.between(begun.Add(-500*time.Millisecond), begun) // what was noted late; a repetition never comes early
		require.Greater(t, w.a.arrival(ringing, 3).Sub(begun)+late, 550*time.Millisecond, "at longer pauses: 100, 200, 400 ms")
		w.mouthB.talksTo(b.invite)
		b.says(183, w.mouthB.sdp(1))
		b.says(180, "")
		w.a.never(100*time.Millisecond, "another meanwhile", func(m msg) bool { return m.status() > 100 })
		answer := a.prack(ringing, 200, "")
		require.Empty(t, answer.body)
		early := a.response(183, "INVITE")
		w.mouthA.talksTo(early)
		first, second := 0, 0
		_, _ = fmt.Sscan(ringing.get("RSeq"), &first)
		_, _ = fmt.Sscan(early.get("RSeq"), &second)
		require.Equal(t, first+1, second)
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		w.a.never(100*time.Millisecond, "the 200 before its SDP is acknowledged", func(m msg) bool { return m.status() == 200 && strings.Contains(m.get("CSeq"), "INVITE") })
		a.prack(early, 200, "")
		require.Empty(t, a.response(200, "INVITE").body, "no SDP after an answer that arrived for certain")
		a.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("a PRACK of nothing", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), "Require: 100rel")
		b := w.b.ring()
		b.says(180, "")
		ringing := a.response(180, "INVITE")
		wrong := ringing
		wrong.raw = strings.Replace(ringing.raw, "RSeq: ", "RSeq: 9", 1)
		a.prack(read(wrong.raw), 481, "")
		a.request("PRACK", "")
		a.response(481, "PRACK")
		a.prack(ringing, 200, "")
		a.prack(ringing, 481, "") // a new transaction for what is done
		b.request("PRACK", "", "RAck: 1 1 INVITE")
		b.response(481, "PRACK")
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		require.NotEmpty(t, a.response(200, "INVITE").body)
		a.ack("")
		a.bye()
		b.hungUp()
	})
	t.Run("never acknowledged", func(t *testing.T) {
		w := open(t, func(s *settings) { s.cfg.RingTimeout = time.Minute })
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), can)
		b := w.b.ring()
		b.says(180, "")
		a.response(180, "INVITE")
		b.cancelled()
		a.fails(500)
	})
	t.Run("a failure does not wait, and ends the repetitions", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), can)
		b := w.b.ring()
		b.says(180, "")
		ringing := a.response(180, "INVITE")
		b.says(486, "")
		a.fails(486)
		n := w.a.times(ringing)
		time.Sleep(300 * time.Millisecond)
		require.LessOrEqual(t, w.a.times(ringing), n+1)
	})
	t.Run("the caller leaves instead", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), can)
		b := w.b.ring()
		b.says(183, w.mouthB.sdp(1))
		a.response(183, "INVITE")
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		a.cancel()
		b.hungUp()
		a.fails(487)
	})
	t.Run("an offer in PRACK", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), can)
		b := w.b.ring()
		w.mouthB.talksTo(b.invite)
		b.says(183, w.mouthB.sdp(1))
		early := a.response(183, "INVITE")
		other := newEar(t, w.a.addr.Addr())
		answer := a.prack(early, 200, other.sdp(2))
		require.NotEmpty(t, answer.body)
		other.talksTo(answer)
		w.mouthB.until(0x22, "A hears it at the new address", other.hears(0x22, 3))
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		require.Empty(t, a.response(200, "INVITE").body)
		a.ack("")
		other.until(0x11, "B hears A", w.mouthB.hears(0x11, 3))
		a.bye()
		b.hungUp()
	})
	t.Run("not with a trunk that has none of it", func(t *testing.T) {
		w := open(t, func(s *settings) { s.trunkA.Early.Reliable = trunk.ReliableOff })
		d := w.a.dial(numX, numA, w.mouthA.sdp(1), "Require: 100rel")
		require.Equal(t, "100rel", d.fails(420).get("Unsupported"))
		a := w.a.dial(numX, numA, w.mouthA.sdp(1), can)
		b := w.b.ring()
		b.says(180, "")
		require.Empty(t, a.response(180, "INVITE").get("RSeq"))
		b.says(486, "")
		a.fails(486)
	})
	t.Run("preconditions that are only supported", func(t *testing.T) {
		w := open(t)
		a := w.a.dial(numX, numA, w.mouthA.sdp(1, "a=curr:qos local none", "a=des:qos mandatory local sendrecv"), "Supported: precondition, 100rel")
		b := w.b.ring()
		require.NotContains(t, b.invite.raw, "qos")
		b.says(183, w.mouthB.sdp(1, "a=curr:qos local none"))
		early := a.response(183, "INVITE")
		require.NotContains(t, early.raw, "qos")
		a.prack(early, 200, "")
		b.says(486, "")
		a.fails(486)
	})
}

// TestOfferless: a caller whose INVITE has no offer gets ours in a reliable
// response, and answers in its PRACK.
func TestOfferless(t *testing.T) {
	t.Parallel()
	prompt := func(s *settings) { s.prompts = prompts{"hello.wav": clip(0x51, 300*time.Millisecond)} }
	with := func(w *world) {
		w.router.decides(func(q routing.Question) (routing.Decision, error) {
			d := connect(q)
			d.Prompt = "hello.wav"
			return d, nil
		})
	}
	t.Run("early media", func(t *testing.T) {
		w := open(t, prompt)
		with(w)
		a := w.a.dial(numX, numA, "", can)
		b := w.b.ring()
		require.NotEmpty(t, b.invite.body, "the callee gets a whole offer")
		w.mouthB.talksTo(b.invite)
		early := a.response(183, "INVITE")
		w.mouthA.talksTo(early)
		b.says(183, w.mouthB.sdp(1))
		a.prack(early, 200, w.mouthA.sdp(1))
		eventually(t, "the prompt", w.mouthA.hears(0x51, 10))
		w.mouthB.until(0x22, "A hears the callee's network", w.mouthA.hears(0x22, 3))
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		require.Empty(t, a.response(200, "INVITE").body)
		a.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
		w.ends(0, 0)
	})
	t.Run("no answer in the PRACK", func(t *testing.T) {
		w := open(t, prompt)
		with(w)
		a := w.a.dial(numX, numA, "", can)
		b := w.b.ring()
		early := a.response(183, "INVITE")
		b.says(100, "")
		a.prack(early, 488, "")
		b.cancelled()
		a.fails(500)
	})
	t.Run("the answer waits for it", func(t *testing.T) {
		w := open(t, prompt)
		with(w)
		a := w.a.dial(numX, numA, "", can)
		b := w.b.ring()
		w.mouthB.talksTo(b.invite)
		early := a.response(183, "INVITE")
		w.mouthA.talksTo(early)
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		a.prack(early, 200, w.mouthA.sdp(1))
		a.response(200, "INVITE")
		a.ack("")
		w.bothHear()
		a.bye()
		b.hungUp()
	})
	t.Run("a caller who cannot", func(t *testing.T) {
		w := open(t, prompt)
		with(w)
		a := w.a.dial(numX, numA, "")
		b := w.b.ring()
		w.mouthB.talksTo(b.invite)
		b.says(183, w.mouthB.sdp(1))
		require.Empty(t, a.response(180, "INVITE").body)
		b.says(200, w.mouthB.sdp(1))
		b.acked()
		w.mouthA.talksTo(a.response(200, "INVITE"))
		a.ack(w.mouthA.sdp(1))
		w.bothHear()
		a.bye()
		b.hungUp()
	})
	t.Run("why the call fails", func(t *testing.T) {
		w := open(t, func(s *settings) { s.prompts = prompts{string(routing.SceneFault): clip(0x31, 200*time.Millisecond)} })
		a := w.a.dial(numX, numA, "", can)
		b := w.b.ring()
		b.says(503, "")
		early := a.response(183, "INVITE")
		a.prack(early, 200, w.mouthA.sdp(1))
		eventually(t, "the prompt", w.mouthA.hears(0x31, 5))
		a.fails(503)
	})
}

// TestCalleeLeavesBeforePRACK: it answered, and hangs up while the caller is
// still to acknowledge the SDP that the 200 builds on.
func TestCalleeLeavesBeforePRACK(t *testing.T) {
	w := open(t)
	a := w.a.dial(numX, numA, w.mouthA.sdp(1), "Supported: 100rel")
	b := w.b.ring()
	b.says(183, w.mouthB.sdp(1))
	a.response(183, "INVITE")
	b.says(200, w.mouthB.sdp(1))
	b.acked()
	b.bye()
	require.Equal(t, "Q.850;cause=21", a.fails(603).get("Reason"))
	rec := w.ends(7503, 7504)
	require.True(t, rec.Answered.IsZero())
	require.Equal(t, 2, rec.ReleasedBy)
}
