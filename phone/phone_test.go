package phone

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"axgate/phone/hear"
	"axgate/phone/speech"
)

func TestMain(m *testing.M) {
	// What sipgo still had to send when its socket was closed goes out by one of
	// sipgo's own, which nobody closes.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/emiago/sipgo/sip.(*TransportUDP).readUDPConnection"))
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, cfg Config) *Phone {
	t.Helper()
	p, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// pair opens two phones; the first one's calls go straight to the second.
func pair(t *testing.T, transport string, change func(caller, callee *Config)) (caller, callee *Phone) {
	t.Helper()
	from := Config{Number: "+8613800000001", Display: "Ann", Transport: transport}
	to := Config{Number: "+8613800000002", Transport: transport, Server: "127.0.0.1:9"}
	if change != nil {
		change(&from, &to)
	}
	callee = open(t, to)
	from.Server = callee.Addr().String()
	return open(t, from), callee
}

func next(t *testing.T, p *Phone) *Call {
	t.Helper()
	select {
	case c := <-p.Incoming():
		return c
	case <-time.After(5 * time.Second):
		require.FailNow(t, "no call came in")
		return nil
	}
}

// connect makes an answered call.
func connect(t *testing.T, caller, callee *Phone, options ...Option) (a, b *Call) {
	t.Helper()
	ctx := within(t, 10*time.Second)
	a, err := caller.Dial(ctx, callee.Number(), options...)
	require.NoError(t, err)
	b = next(t, callee)
	require.NoError(t, b.Ring())
	require.NoError(t, a.WaitRinging(ctx))
	require.NoError(t, b.Answer(ctx))
	require.NoError(t, a.WaitAnswer(ctx))
	return a, b
}

// TestSecureCall: over SRTP both hear each other, and a phone that has no keys is refused.
func TestSecureCall(t *testing.T) {
	t.Parallel()
	caller, callee := pair(t, "udp", func(caller, callee *Config) { caller.Secure, callee.Secure = true, true })
	a, b := connect(t, caller, callee)
	require.Contains(t, string(b.Seen().Invite), "RTP/SAVP")
	ctx := within(t, 20*time.Second)
	first, second := speech.First()[:16000], speech.Second()[:16000]
	said := make(chan error, 2)
	go func() { said <- a.Say(ctx, first) }()
	go func() { said <- b.Say(ctx, second) }()
	require.NoError(t, <-said)
	require.NoError(t, <-said)
	require.NoError(t, b.Hangup(ctx))
	requireHeard(t, a, second, first)
	requireHeard(t, b, first, second)

	plain := open(t, Config{Number: "+8613800000003", Server: callee.Addr().String()})
	c, err := plain.Dial(ctx, callee.Number())
	require.NoError(t, err)
	require.Error(t, next(t, callee).Answer(ctx))
	end, err := c.WaitEnd(ctx)
	require.NoError(t, err)
	require.Equal(t, 488, end.Status)
}

func TestCall(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			caller, callee := pair(t, transport, nil)
			a, b := connect(t, caller, callee, WithHeader("P-Asserted-Identity", "<sip:+8613800000001@example.com>"))
			seen := b.Seen()
			require.Equal(t, "+8613800000001", seen.FromUser)
			require.Equal(t, "Ann", seen.FromName)
			require.Equal(t, []string{"<sip:+8613800000001@example.com>"}, seen.PAI)
			require.Equal(t, "+8613800000002", seen.RequestUser)
			require.Contains(t, seen.Contact, caller.Addr().String())

			ctx := within(t, 20*time.Second)
			first, second := speech.First()[:24000], speech.Second()[:24000]
			said := make(chan error, 2)
			go func() { said <- a.Say(ctx, first) }()
			go func() { said <- b.Say(ctx, second) }()
			require.NoError(t, <-said)
			require.NoError(t, <-said)
			require.NoError(t, b.HangupReason(ctx, "Q.850;cause=16"))
			end, err := a.WaitEnd(ctx)
			require.NoError(t, err)
			require.Equal(t, Remote, end.By)
			require.Equal(t, 16, end.Cause)
			require.Equal(t, Local, b.End().By)

			requireHeard(t, a, second, first)
			requireHeard(t, b, first, second)
			for _, c := range []*Call{a, b} {
				streams := c.Streams()
				require.Len(t, streams, 1)
				require.Zero(t, streams[0].Lost)
				require.Zero(t, streams[0].Breaks)
				require.Greater(t, streams[0].Packets, 140)
			}
			var lines []string
			for _, m := range a.Messages() {
				way := "<"
				if m.Sent {
					way = ">"
				}
				method, _, _ := strings.Cut(m.StartLine(), " sip:")
				lines = append(lines, way+method)
			}
			require.Equal(t, []string{">INVITE", "<SIP/2.0 180 Ringing", "<SIP/2.0 200 OK", ">ACK", "<BYE", ">SIP/2.0 200 OK"}, lines)
		})
	}
}

func requireHeard(t *testing.T, c *Call, said, notSaid []byte) {
	t.Helper()
	peak, _ := hear.Correlate(c.Heard().Audio, said)
	require.Greater(t, peak, 0.9)
	peak, _ = hear.Correlate(c.Heard().Audio, notSaid)
	require.Less(t, peak, 0.2)
}

// TestHeardKeepsTime finds the speech at the instant at which it was said.
func TestHeardKeepsTime(t *testing.T) {
	t.Parallel()
	caller, callee := pair(t, "udp", func(from, _ *Config) { from.Codecs = []string{"PCMU"} })
	a, b := connect(t, caller, callee)
	ctx := within(t, 10*time.Second)
	time.Sleep(700 * time.Millisecond) // a pause in the conversation
	start := time.Now()
	require.NoError(t, a.Say(ctx, speech.First()[:24000]))
	require.NoError(t, a.Hangup(ctx))
	h := b.Heard()
	peak, lag := hear.Correlate(h.Audio, speech.First()[:24000])
	require.Greater(t, peak, 0.9, "through µ-law")
	const late = 500 * time.Millisecond // a busy machine; the pause is longer
	require.WithinDuration(t, start, h.Start.Add(lag), late)
	peak, lag = hear.Correlate(h.Since(start), speech.First()[:24000])
	require.Greater(t, peak, 0.9)
	require.InDelta(t, 0, lag, float64(late))
}

func TestEarlyMedia(t *testing.T) {
	t.Parallel()
	caller, callee := pair(t, "udp", nil)
	ctx := within(t, 10*time.Second)
	a, err := caller.Dial(ctx, "1")
	require.NoError(t, err)
	b := next(t, callee)
	require.NoError(t, b.RingEarly())
	require.NoError(t, b.Say(ctx, speech.Second()[:16000]))
	require.NoError(t, b.Reject(486, 17))
	end, err := a.WaitEnd(ctx)
	require.NoError(t, err)
	require.Equal(t, 486, end.Status)
	require.Equal(t, 17, end.Cause)
	require.Equal(t, Remote, end.By)
	require.Error(t, a.WaitAnswer(ctx))
	require.True(t, a.Statuses()[0].Early)
	peak, _ := hear.Correlate(a.Heard().Audio, speech.Second()[:16000])
	require.Greater(t, peak, 0.9)
}

func TestCancel(t *testing.T) {
	for _, how := range []string{"before ringing", "while ringing", "by context"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			caller, callee := pair(t, "udp", nil)
			ctx := within(t, 10*time.Second)
			life, giveUp := context.WithCancel(ctx)
			defer giveUp()
			a, err := caller.Dial(life, "1")
			require.NoError(t, err)
			b := next(t, callee)
			if how != "before ringing" {
				require.NoError(t, b.Ring())
				require.NoError(t, a.WaitRinging(ctx))
			}
			if how == "by context" {
				giveUp()
			} else {
				a.Cancel()
			}
			end, err := b.WaitEnd(ctx)
			require.NoError(t, err)
			require.Equal(t, Remote, end.By)
			require.Equal(t, 487, end.Status)
			require.Equal(t, 16, end.Cause)
			end, err = a.WaitEnd(ctx)
			require.NoError(t, err)
			require.Equal(t, Local, end.By)
			require.Equal(t, 487, end.Status)
			require.Error(t, b.Answer(ctx))
		})
	}
}

func TestKeys(t *testing.T) {
	for _, by := range []Keys{Events, Info, InfoPlain} {
		t.Run(string(by), func(t *testing.T) {
			t.Parallel()
			caller, callee := pair(t, "udp", func(from, _ *Config) { from.EventType = 97 })
			a, b := connect(t, caller, callee)
			ctx := within(t, 10*time.Second)
			require.NoError(t, a.Press(ctx, "1223#*d", by))
			require.NoError(t, b.Press(ctx, "77", by))
			require.NoError(t, a.Hangup(ctx))
			require.Equal(t, "1223#*D", digits(b))
			require.Equal(t, "77", digits(a))
			require.Error(t, a.Press(ctx, "1", by))
		})
	}
	t.Run("not a key", func(t *testing.T) {
		t.Parallel()
		caller, callee := pair(t, "udp", func(_, to *Config) { to.NoEvents = true })
		a, _ := connect(t, caller, callee)
		require.ErrorContains(t, a.Press(t.Context(), "1x", InBand), "not a key")
		require.ErrorContains(t, a.Press(t.Context(), "1", Events), "did not agree")
		require.ErrorContains(t, a.Press(t.Context(), "1", "voice"), "want")
	})
}

func digits(c *Call) string {
	var s []byte
	for _, d := range c.Pressed() {
		s = append(s, d.Key)
	}
	return string(s)
}

func TestHold(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			caller, callee := pair(t, transport, nil)
			a, b := connect(t, caller, callee)
			ctx := within(t, 20*time.Second)
			for range 2 { // from either side
				d, err := a.Hold(ctx)
				require.NoError(t, err)
				require.Equal(t, "recvonly", d)
				d, err = a.Resume(ctx)
				require.NoError(t, err)
				require.Equal(t, "sendrecv", d)
				a, b = b, a
			}
			require.NoError(t, b.Say(ctx, speech.First()[:16000]))
			peak, _ := hear.Correlate(a.Heard().Audio, speech.First()[:16000])
			require.Greater(t, peak, 0.9)
		})
	}
}

func TestOfferInAnswer(t *testing.T) {
	t.Parallel()
	caller, callee := pair(t, "udp", nil)
	a, b := connect(t, caller, callee, WithoutOffer())
	ctx := within(t, 10*time.Second)
	require.NoError(t, a.Say(ctx, speech.First()[:16000]))
	require.NoError(t, b.Say(ctx, speech.Second()[:16000]))
	require.NoError(t, a.Hangup(ctx))
	peak, _ := hear.Correlate(b.Heard().Audio, speech.First()[:16000])
	require.Greater(t, peak, 0.9)
	peak, _ = hear.Correlate(a.Heard().Audio, speech.Second()[:16000])
	require.Greater(t, peak, 0.9)
}

func TestNoCommonCodec(t *testing.T) {
	t.Parallel()
	caller, callee := pair(t, "udp", func(from, to *Config) { from.Codecs, to.Codecs = []string{"PCMU"}, []string{"PCMA"} })
	ctx := within(t, 10*time.Second)
	a, err := caller.Dial(ctx, "1")
	require.NoError(t, err)
	require.ErrorContains(t, next(t, callee).Answer(ctx), "payload types")
	end, err := a.WaitEnd(ctx)
	require.NoError(t, err)
	require.Equal(t, 488, end.Status)
}

// TestCloseEndsCalls closes a phone in each state of a call.
func TestCloseEndsCalls(t *testing.T) {
	t.Parallel()
	caller, callee := pair(t, "udp", nil)
	up, upThere := connect(t, caller, callee)
	ctx := within(t, 10*time.Second)
	calling, err := caller.Dial(ctx, "1")
	require.NoError(t, err)
	ringing := next(t, callee)
	require.NoError(t, ringing.Ring())
	require.NoError(t, calling.WaitRinging(ctx))
	require.NoError(t, caller.Close())
	for _, c := range []*Call{up, upThere, calling, ringing} {
		_, err := c.WaitEnd(ctx)
		require.NoError(t, err)
	}
	_, err = caller.Dial(ctx, "1")
	require.ErrorContains(t, err, "closed")
	require.NoError(t, caller.Close())
}

func TestBadConfig(t *testing.T) {
	good := Config{Number: "1", Server: "127.0.0.1:5060"}
	for word, change := range map[string]func(*Config){
		"number":    func(c *Config) { c.Number = "" },
		"address":   func(c *Config) { c.Server = "localhost" },
		"udp or":    func(c *Config) { c.Transport = "tls" },
		"listen":    func(c *Config) { c.ListenIP = "here" },
		"codec":     func(c *Config) { c.Codecs = []string{"G729"} },
		"96 to 127": func(c *Config) { c.EventType = 8 },
	} {
		cfg := good
		change(&cfg)
		_, err := New(cfg)
		require.ErrorContains(t, err, word)
	}
}
