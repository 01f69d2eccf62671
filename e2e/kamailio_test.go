//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/capture"
	"axgate/e2e/gate"
	"axgate/e2e/kamailio"
	"axgate/e2e/leak"
	"axgate/e2e/ports"
	"axgate/phone"
)

// border is a world whose only trunk is a Kamailio, with phones behind it.
type border struct {
	*world
	proxy *kamailio.Proxy
	at    kamailio.Config
	free  chan *phone.Phone // behind the trunk, each with a number of its own
}

// borderPhones are behind the trunk of one border.
const borderPhones = 16

// borders counts the addresses given out to Kamailio: two for each.
var borders atomic.Int32

// openBorder starts a Kamailio and an axgate that know each other. axgate
// reaches it over one transport; behind it all is UDP.
func openBorder(t *testing.T, transport string, change ...func(*gate.Config, *kamailio.Config)) *border {
	t.Helper()
	n := byte(borders.Add(1))
	port, err := ports.Take(2)
	require.NoError(t, err)
	b := &border{free: make(chan *phone.Phone, borderPhones)}
	b.at = kamailio.Config{Dir: t.TempDir(), Transport: transport, Behind: map[string]netip.AddrPort{},
		Trunk: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 6, 3, n}), uint16(port)), Phones: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 6, 4, n}), uint16(port))}
	for i := range borderPhones {
		number := fmt.Sprintf("+86136%02d%06d", n, 100_000+i*37)
		p, err := phone.New(phone.Config{Number: number, Server: b.at.Trunk.String(), ListenIP: takeHost().String()})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Close()) })
		b.at.Behind[number] = p.Addr()
		b.free <- p
	}
	w, cfg := surroundings(t, nil, func(c *gate.Config) {
		c.Trunks = []gate.Trunk{{Name: "border", Address: b.at.Trunk, Transport: transport, Peers: b.at.Trunk.Addr().String()}}
		b.at.Gate = c.SIP
		for _, f := range change {
			f(c, &b.at)
		}
	})
	b.world = w
	w.capture, err = capture.Start(t.TempDir(), "host "+cfg.SIP.Addr().String())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), step)
	defer cancel()
	b.proxy, err = kamailio.Start(ctx, b.at)
	require.NoError(t, err)
	t.Cleanup(func() {
		if require.NoError(t, b.proxy.Close()); t.Failed() {
			t.Log(b.proxy.Output())
		}
	})
	w.start(t, cfg)
	return b
}

// behind takes phones behind the trunk. No real number of another one of them
// may have come to it when the scenario is over.
func (b *border) behind(s *scene, n int) []*phone.Phone {
	s.Helper()
	var all []*phone.Phone
	var numbers []string
	for range n {
		p := <-b.free
		all, numbers = append(all, p), append(numbers, p.Number())
	}
	for _, p := range all {
		s.Cleanup(func() { s.learnt(p, numbers) })
	}
	return all
}

// learnt searches all that came to a phone for the numbers of others.
func (s *scene) learnt(p *phone.Phone, numbers []string) {
	s.Helper()
	secret := slices.DeleteFunc(slices.Clone(numbers), func(n string) bool { return n == p.Number() })
	came := received(p)
	require.NotEmpty(s, came, "nothing came to %s", p.Number())
	for _, l := range leak.Text(p.Number(), came, secret) {
		s.Error(l)
	}
}

// received is every byte of SIP that came to a phone.
func received(p *phone.Phone) []byte {
	var all bytes.Buffer
	for _, m := range p.Messages() {
		if !m.Sent {
			all.Write(m.Raw)
		}
	}
	return all.Bytes()
}

// bound is two phones behind the trunk that reach each other through X.
func (b *border) bound(s *scene) (caller, callee *phone.Phone, x, id string) {
	s.Helper()
	two := b.behind(s, 2)
	x = s.takeX(s.T, appAXB)
	return two[0], two[1], x, s.bind("axb", "--x", x, "--a", two[0].Number(), "--b", two[1].Number())
}

// within tells that a request inside a dialog went from one side through the
// proxy to who has the number, as the line of its log says.
func (b *border) within(s *scene, method, from, number string) {
	s.Helper()
	require.Eventually(s, func() bool { return len(b.proxy.Lines("within "+method+" from "+from, " to sip:"+number+"@")) > 0 },
		step, 50*time.Millisecond, "%s from %s to %s\n%s", method, from, number, b.proxy.Output())
}

// TestKamailio makes calls through a carrier's border that stays in the route
// set, and changes the transport.
func TestKamailio(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			b := openBorder(t, transport)
			t.Run("scenario", func(t *testing.T) {
				for name, play := range map[string]func(*scene){
					"talk, hold, the caller ends": b.talks(true), "talk, hold, the callee ends": b.talks(false), "busy": b.busy, "cancelled": b.cancelled,
					"a phone registers through it": b.registers, "asked for its options": b.pinged,
				} {
					b.play(t, scenario{name, play})
				}
			})
			b.close(t)
			log, err := b.gate.Log()
			require.NoError(t, err)
			for number := range b.at.Behind {
				require.Empty(t, leak.Text("axgate.log", log, []string{number}))
			}
		})
	}
}

// talks: in and out through the border, both ways of audio, hold from each
// side, BYE from either. Every request in the dialogs takes the route set, also
// where it changes between TCP and UDP.
func (b *border) talks(callerEnds bool) func(*scene) {
	return func(s *scene) {
		caller, callee, x, id := b.bound(s)
		s.watch(caller.Addr().Addr(), caller.Number())
		s.watch(callee.Addr().Addr(), callee.Number())
		out, in := s.connect(caller, callee, x)
		s.talk(out, in)
		s.steady(out)
		s.steady(in)
		for _, c := range []*phone.Call{out, in} {
			direction, err := c.Hold(s.within(step))
			require.NoError(s, err)
			require.Equal(s, "recvonly", direction)
			direction, err = c.Resume(s.within(step))
			require.NoError(s, err)
			require.Equal(s, "sendrecv", direction)
		}
		s.talk(out, in)
		first, other := out, in
		if !callerEnds {
			first, other = in, out
		}
		require.NoError(s, first.Hangup(s.within(step)))
		s.clearedWith(other, 16)
		s.story(x, 1, billed{direction: 1, binding: id, caller: caller.Number(), callee: callee.Number(), service: "004", events: evAnswered, talk: true})
		s.notBusy(x)
		b.routed(s, in, callee.Number())
		number := map[bool]string{true: callee.Number(), false: caller.Number()}[callerEnds]
		b.within(s, "BYE", b.gateSide(), number)
	}
}

// routed checks what a callee behind the border saw: every request came from
// the border, and the INVITE names it once for each of its sides.
func (b *border) routed(s *scene, in *phone.Call, callee string) {
	s.Helper()
	routes := strings.Count(string(in.Seen().Invite), "Record-Route:")
	if b.at.Transport == "udp" {
		require.Equal(s, 1, routes)
	} else {
		require.Equal(s, 2, routes, "one for each transport: %s", in.Seen().Invite)
	}
	for _, m := range in.Messages() {
		require.Equal(s, b.at.Trunk, m.Peer, "%s", m.StartLine())
	}
	b.within(s, "ACK", b.gateSide(), callee)
}

// gateSide is where the proxy's log says that axgate's requests come from.
func (b *border) gateSide() string { return b.at.Transport + ":" + b.at.Gate.Addr().String() + ":" }

func (b *border) busy(s *scene) {
	caller, callee, x, id := b.bound(s)
	out := s.dial(caller, x)
	in := s.rings(callee)
	s.shows(in, x)
	require.NoError(s, out.WaitRinging(s.within(step)))
	require.NoError(s, in.Reject(486, 17))
	s.refusedWith(out, 486, 17)
	s.story(x, 1, billed{state: 8102, fail: 8102, direction: 1, binding: id, caller: caller.Number(), callee: callee.Number(), service: "004", events: evRung})
}

func (b *border) cancelled(s *scene) {
	caller, callee, x, id := b.bound(s)
	out := s.dial(caller, x)
	in := s.rings(callee)
	require.NoError(s, out.WaitRinging(s.within(step)))
	require.NoError(s, out.Hangup(s.within(step)))
	s.ended(in)
	s.story(x, 1, billed{state: 7502, fail: 8009, direction: 1, binding: id, caller: caller.Number(), callee: callee.Number(), service: "004", events: evRung})
}

// registers: a phone registers at axgate through the border, is called and
// calls on the same way.
func (b *border) registers(s *scene) {
	far := b.behind(s, 1)[0]
	near := s.stranger(func(c *phone.Config) { c.Server, c.Domain = b.at.Phones.String(), b.at.Gate.Addr().String() })
	s.watch(far.Addr().Addr(), far.Number())
	s.Cleanup(func() {
		s.learnt(near, []string{far.Number()})
		s.learnt(far, []string{near.Number()})
	})
	x := s.takeX(s.T, appAXB)
	id := s.bind("axb", "--x", x, "--a", near.Number(), "--b", far.Number())
	out, in := s.connect(far, near, x)
	s.talk(out, in)
	require.NoError(s, in.Hangup(s.within(step)))
	s.clearedWith(out, 16)
	s.story(x, 1, billed{direction: 0, binding: id, caller: far.Number(), callee: near.Number(), service: "004", events: evAnswered, talk: true})
	out, in = s.connect(near, far, x)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 2, billed{direction: 1, binding: id, caller: near.Number(), callee: far.Number(), service: "004", events: evAnswered, talk: true})
	for _, m := range near.Messages() {
		require.Equal(s, b.at.Phones, m.Peer, "%s", m.StartLine())
	}
}

// pinged: OPTIONS from behind the border is answered by axgate.
func (b *border) pinged(s *scene) {
	require.NoError(s, sipsak(s.within(step), "-s", "sip:"+b.at.Trunk.String()))
}

// TestKamailioRegistrar: axgate registers with the border as its line, asks it
// by OPTIONS whether it is there, knows when it is not, and comes back with it.
func TestKamailioRegistrar(t *testing.T) {
	t.Parallel()
	b := openBorder(t, "udp", func(c *gate.Config, k *kamailio.Config) {
		k.Realm, k.Accounts, k.MinExpires = "border.example", map[string]string{"line": "line-password"}, 60
		c.Trunks[0].More = map[string]any{"ping_interval": "1s", "register": true, "register_id": "line@border.example",
			"username": "line", "password": "line-password", "register_expires": "60s"}
	})
	b.play(t, scenario{"down and back", b.downAndBack})
}

func (b *border) downAndBack(s *scene) {
	require.Eventually(s, func() bool {
		return len(b.proxy.Lines("registered line at")) > 0 && len(b.proxy.Lines("ping from")) > 1
	}, 2*step, 50*time.Millisecond, "%s", b.proxy.Output())
	far, near, x := b.behind(s, 1)[0], s.stranger(), s.takeX(s.T, appAXB)
	s.bind("axb", "--x", x, "--a", near.Number(), "--b", far.Number())
	out, in := s.connect(near, far, x)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	require.NoError(s, b.proxy.Kill())
	require.Eventually(s, func() bool {
		end, err := s.dial(near, x).WaitEnd(s.within(4 * step))
		return err == nil && end.Status == 503
	}, 4*step, time.Second, "calls are refused while it is down")
	require.NoError(s, b.proxy.Serve(s.within(step)))
	require.Eventually(s, func() bool {
		c := s.dial(near, x)
		select {
		case in := <-far.Incoming():
			return in.Reject(486, 17) == nil && s.ended(c).Status == 486
		case <-c.Done():
			return false
		}
	}, 4*step, time.Second, "calls go over it again")
}
