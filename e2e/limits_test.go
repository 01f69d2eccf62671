//go:build e2e

package e2e

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/gate"
	"axgate/phone"
)

// own is a scenario in a world of its own.
func own(change func(*gate.Config), play func(*scene)) func(*scene) {
	return func(s *scene) {
		w := openWorld(s.T, nil, change)
		s.Run("call", func(t *testing.T) { play(&scene{T: t, world: w, name: s.name, ctx: s.ctx}) })
		w.close(s.T)
	}
}

// TestOwnWorlds plays what needs a configuration, or an end, of its own.
func TestOwnWorlds(t *testing.T) {
	t.Parallel()
	for _, list := range [][]scenario{limitScenarios(), routeScenarios(), restartScenarios(), outboxScenarios()} {
		for _, sc := range list {
			(&world{}).play(t, sc)
		}
	}
}

func limitScenarios() []scenario {
	return []scenario{
		{"over the call limit", own(func(c *gate.Config) { c.MaxCalls = 1 }, overLimit)},
		{"out of ports", own(func(c *gate.Config) { c.RTPLast = c.RTPFirst + 3 }, overLimit)},
	}
}

// overLimit has room for one call only.
func overLimit(s *scene) {
	a, b, x, id := s.pair(appAXB)
	c, d := s.stranger(), s.stranger()
	s.bind("axb", "--x", x, "--a", c.Number(), "--b", d.Number())
	out, in := s.connect(a, b, x)
	for range 2 {
		over := s.dial(c, x)
		s.refusedWith(over, 503, 34)
		messages := over.Messages()
		require.NotEmpty(s, lastReceived(messages).Header("Retry-After"))
		s.prompted(over)
	}
	s.reachesNobody(d)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	for n := 2; n <= 3; n++ {
		s.story(x, n, billed{state: 522, fail: 522, direction: 2, caller: c.Number(), service: "004", events: evRefused})
	}
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b.Number(), service: "004", events: evAnswered, talk: true})
	require.Eventually(s, func() bool { // until the ports have rested
		out, err := c.Dial(s.ctx, x)
		if err != nil {
			return false
		}
		select {
		case in := <-d.Incoming():
			return in.Reject(486, 17) == nil && s.ended(out).Status == 486
		case <-out.Done():
			return false
		}
	}, step, 100*step/1000, "there is room again")
}

func lastReceived(messages []phone.Message) phone.Message {
	for i := len(messages) - 1; i >= 0; i-- {
		if !messages[i].Sent {
			return messages[i]
		}
	}
	return phone.Message{}
}

func routeScenarios() []scenario {
	silent := func(c *gate.Config) gate.Trunk {
		c.RingTimeout = time.Minute // longer than RFC 3261 timer B
		return gate.Trunk{Name: "silent", Address: netip.AddrPortFrom(c.SIP.Addr(), c.SIP.Port()+1)}
	}
	return []scenario{
		{"the only trunk is silent", own(func(c *gate.Config) { c.Trunks[0].Address = silent(c).Address }, onlySilent)},
		{"all routes fail", own(func(c *gate.Config) {
			c.Trunks = append(c.Trunks, gate.Trunk{Name: "second", Address: c.Trunks[0].Address})
		}, allFail)},
		{"the second route answers", own(func(c *gate.Config) {
			c.Trunks = append(c.Trunks, c.Trunks[0])
			c.Trunks[1].Name, c.Trunks[1].Address = "first", silent(c).Address
			c.Trunks[0], c.Trunks[1] = c.Trunks[1], c.Trunks[0]
			c.Trunks[1].Peers = ""
		}, secondAnswers)},
	}
}

// mute takes datagrams at the address of the silent trunk and answers none.
func (s *scene) mute() {
	s.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.gate.SIP().Addr(), s.gate.SIP().Port()+1)))
	require.NoError(s, err)
	s.Cleanup(func() { _ = c.Close() })
}

// onlySilent: RFC 3261 timer B ends the attempt after 32 s.
func onlySilent(s *scene) {
	s.mute()
	a, b, x := s.stranger(), "+8613920000100", s.takeX(s.T, appAXB)
	id := s.bind("axb", "--x", x, "--a", a.Number(), "--b", b)
	out := s.dial(a, x)
	_, err := out.WaitEnd(s.within(4 * step))
	require.NoError(s, err)
	s.refusedWith(out, 503, 38)
	s.prompted(out, "service_exception")
	s.story(x, 1, billed{state: 8020, fail: 7506, direction: 1, binding: id, caller: a.Number(), callee: b, service: "004", events: evUnrung})
}

func allFail(s *scene) {
	a, b, x, id := s.networkPair("38")
	out := s.dial(a, x)
	s.refusedWith(out, 503, 38)
	s.prompted(out, "service_exception")
	require.Len(s, s.invites(b), 2)
	s.story(x, 1, billed{state: 8020, fail: 7508, direction: 1, binding: id, caller: a.Number(), callee: b, service: "004", events: evUnrung})
}

func secondAnswers(s *scene) {
	s.mute()
	a, b, x, id := s.networkPair("00")
	out := s.dial(a, x)
	require.NoError(s, out.WaitAnswer(s.within(4*step)))
	require.NoError(s, out.Hangup(s.within(step)))
	s.story(x, 1, billed{direction: 1, binding: id, caller: a.Number(), callee: b, service: "004", events: evAnswered, talk: true})
}
