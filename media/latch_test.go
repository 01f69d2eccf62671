package media

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLatchAdmits(t *testing.T) {
	signalled := netip.MustParseAddrPort("192.168.2.10:4000")
	samePhone := netip.MustParseAddrPort("192.168.2.10:4711")
	elsewhere := netip.MustParseAddrPort("198.51.100.7:6000")
	another := netip.MustParseAddrPort("203.0.113.9:6000")
	const open, shut = int64(time.Second), int64(6 * time.Second)
	type from struct {
		addr netip.AddrPort
		ssrc uint32
		seq  uint16
		at   int64
		want bool
	}
	for name, c := range map[string]struct {
		nat    bool
		noAddr bool
		old    netip.AddrPort
		steps  []from
	}{
		"signalled address at once":           {steps: []from{{signalled, 1, 5, open, true}}},
		"signalled address at any time":       {nat: true, steps: []from{{signalled, 1, 5, shut, true}}},
		"another port of it: two in sequence": {steps: []from{{samePhone, 1, 5, shut, false}, {samePhone, 1, 6, shut, true}}},
		"another port of it: not in sequence": {steps: []from{{samePhone, 1, 5, open, false}, {samePhone, 1, 7, open, false}, {samePhone, 1, 8, open, true}}},
		"other SSRC is no sequence":           {steps: []from{{samePhone, 1, 5, open, false}, {samePhone, 2, 6, open, false}}},
		"a sequence may wrap":                 {steps: []from{{samePhone, 1, 65535, open, false}, {samePhone, 1, 0, open, true}}},
		"no NAT: other address never":         {steps: []from{{elsewhere, 1, 5, open, false}, {elsewhere, 1, 6, open, false}}},
		"NAT: other address, two in sequence": {nat: true, steps: []from{{elsewhere, 1, 5, open, false}, {elsewhere, 1, 6, open, true}}},
		"NAT: after the window no more":       {nat: true, steps: []from{{elsewhere, 1, 5, shut, false}, {elsewhere, 1, 6, shut, false}}},
		"NAT: sources are not mixed":          {nat: true, steps: []from{{elsewhere, 1, 5, open, false}, {another, 1, 6, open, false}, {elsewhere, 1, 6, open, true}}},
		"no address and no NAT: nobody":       {noAddr: true, steps: []from{{elsewhere, 1, 5, open, false}, {elsewhere, 1, 6, open, false}}},
		"no address but NAT":                  {noAddr: true, nat: true, steps: []from{{elsewhere, 1, 5, open, false}, {elsewhere, 1, 6, open, true}}},
		"the old source rests":                {nat: true, old: elsewhere, steps: []from{{elsewhere, 1, 5, 0, false}, {elsewhere, 1, 6, 1, false}, {another, 2, 9, 2, false}, {another, 2, 10, 3, true}}},
		"the old source may return":           {nat: true, old: elsewhere, steps: []from{{elsewhere, 1, 5, open, false}, {elsewhere, 1, 6, open, true}}},
		"the old source, signalled: admitted": {nat: true, old: signalled, steps: []from{{signalled, 1, 5, 0, true}}},
		"strangers do not push a peer out":    {nat: true, steps: []from{{elsewhere, 1, 5, open, false}, {another, 9, 1, open, false}, {another, 9, 3, open, false}, {elsewhere, 1, 6, open, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := latch{signalled: signalled, nat: c.nat, window: int64(5 * time.Second), old: c.old}
			if c.noAddr {
				l.signalled = netip.AddrPort{}
			}
			for i, f := range c.steps {
				require.Equal(t, f.want, l.admit(f.addr, packet{ssrc: f.ssrc, seq: f.seq}, f.at), "packet %d", i)
			}
		})
	}
}

func TestNear(t *testing.T) {
	for _, c := range []struct {
		source, signalled string
		want              bool
	}{
		{"203.0.113.9", "10.1.2.3", true},
		{"203.0.113.9", "192.168.1.2", true},
		{"203.0.113.9", "100.64.9.9", true},
		{"203.0.113.9", "127.0.0.1", true},
		{"203.0.113.9", "169.254.1.1", true},
		{"203.0.113.9", "fd00::1", true},
		{"2001:db8::9", "fe80::1", true},
		{"203.0.113.9", "203.0.113.77", true},
		{"203.0.112.9", "203.0.113.77", false},
		{"198.51.100.7", "203.0.113.77", false},
		{"2001:db8:0:1::9", "2001:db8:0:1:ffff::1", true},
		{"2001:db8:0:2::9", "2001:db8:0:1:ffff::1", false},
	} {
		require.Equal(t, c.want, near(netip.MustParseAddr(c.source), netip.MustParseAddr(c.signalled)), "%s for %s", c.source, c.signalled)
	}
	require.True(t, near(netip.MustParseAddr("203.0.113.9"), netip.Addr{}), "nothing was signalled")
	public := latch{signalled: netip.MustParseAddrPort("203.0.113.77:4000"), nat: true, window: int64(5 * time.Second)}
	for seq := range uint16(4) {
		require.False(t, public.admit(netip.MustParseAddrPort("198.51.100.7:4000"), packet{ssrc: 1, seq: seq}, 1))
	}
}

func TestThirdSourceIsRejected(t *testing.T) {
	for name, nat := range map[string]bool{"trunk": false, "behind NAT": true} {
		t.Run(name, func(t *testing.T) {
			e := openEngine(t)
			c := e.NewCall()
			a, b, stranger := newPhone(t, PCMA), newPhone(t, PCMA), newPhone(t, PCMA)
			join(t, c, Caller, a, func(s *Stream) { s.NAT = nat })
			join(t, c, Callee, b)
			c.Connect(true, true)
			settle(t, c)
			stranger.target = a.target
			a.talk(3, 0x11)
			require.Equal(t, Event{Kind: Heard, Side: Caller}, event(t, c))
			b.hears("the caller", has(0x11))
			stranger.talk(5, 0x66)
			a.talk(1, 0x12)
			b.hears("the caller", has(0x12))
			for _, h := range b.heard() {
				require.NotEqual(t, byte(0x66), h.Payload[0], "a stranger was put through")
			}
			require.Empty(t, stranger.heard(), "audio went to a stranger")
			require.EqualValues(t, 4, c.Close()[Caller].Received)
		})
	}
}

// What a stranger sent before the leg latched is in the socket's queue when it is connected; it is looked at again.
func TestQueuedBeforeConnect(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b, stranger := newPhone(t, PCMA), newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	c.Connect(true, true)
	settle(t, c)
	stranger.target = a.target
	settle(t, c)
	hold := make(chan struct{})
	require.True(t, c.worker.enqueue(func() { <-hold })) // datagrams pile up meanwhile
	stranger.send(stranger.packet(frameOf(0x66, 160)))
	a.send(a.packet(frameOf(0x11, 160)))
	stranger.send(stranger.packet(frameOf(0x66, 160)))
	stranger.send(stranger.packet(frameOf(0x66, 160)))
	a.send(a.packet(frameOf(0x12, 160)))
	close(hold)
	b.hears("the caller", has(0x12))
	s := c.Close()[Caller]
	require.EqualValues(t, 2, s.Received)
	require.EqualValues(t, 3, s.Foreign)
	for _, h := range b.heard() {
		require.NotEqual(t, byte(0x66), h.Payload[0])
	}
}

func TestPhoneBehindNATIsSentWhereItSendsFrom(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a, func(s *Stream) {
		s.NAT = true
		s.RTP = netip.MustParseAddrPort("127.0.0.99:9") // its private address
	})
	join(t, c, Callee, b)
	c.Connect(true, true)
	settle(t, c)
	a.talk(3, 0x11)
	b.talk(3, 0x22)
	a.hears("the callee", has(0x22))
	require.EqualValues(t, 2, c.Close()[Caller].Received, "the first was only the proof")
}

func TestTrunkIsSentToTheSignalledAddress(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	in, out, b := newPhone(t, PCMA), newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, in) // its SDP says here,
	out.target = in.target // it sends from another port
	join(t, c, Callee, b)
	c.Connect(true, true)
	settle(t, c)
	out.talk(3, 0x11)
	b.hears("the caller", has(0x11))
	b.talk(3, 0x22)
	in.hears("the callee", has(0x22))
	require.Empty(t, out.heard())
}

// A phone behind a NAT that is silent while it rings, and longer than the window, is found when the call is answered.
func TestExpectOpensTheWindowAgain(t *testing.T) {
	e := openEngine(t, func(c *Config) { c.LatchWindow = time.Minute })
	c := e.NewCall()
	a, stranger := newPhone(t, PCMA), newPhone(t, PCMA)
	c.Expect(Caller) // not pointed yet: nothing to find
	join(t, c, Caller, a, func(s *Stream) { s.NAT, s.RTP = true, netip.MustParseAddrPort("192.168.1.2:4000") })
	stranger.target = a.target
	foreign := func() uint64 { return ask(t, c, func() uint64 { return c.legs[Caller].count.foreign }) }
	ask(t, c, func() bool { c.legs[Caller].latch.since -= int64(time.Hour); return true })
	a.talk(3, 0x11)
	eventually(t, "too late", func() bool { return foreign() == 3 })
	quietly(t, c)
	c.Expect(Caller)
	settle(t, c)
	a.talk(3, 0x12)
	require.Equal(t, Event{Kind: Heard, Side: Caller}, event(t, c))
	c.Expect(Caller)
	stranger.talk(3, 0x13)
	a.talk(1, 0x14)
	received(t, c, Caller, 3)
	require.Equal(t, a.addr(), ask(t, c, func() netip.AddrPort { return c.legs[Caller].rtp.source }))
}

func TestNewPointLatchesAnew(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	first, second, b := newPhone(t, PCMA), newPhone(t, PCMU), newPhone(t, PCMA)
	join(t, c, Caller, first)
	join(t, c, Callee, b)
	c.Connect(true, true)
	settle(t, c)
	first.talk(3, 0x11)
	require.Equal(t, Heard, event(t, c).Kind)
	b.talk(2, 0x22)
	require.Equal(t, Event{Kind: Heard, Side: Callee}, event(t, c))
	first.hears("the callee", has(0x22))

	join(t, c, Caller, second)
	settle(t, c)
	first.talk(3, 0x13)
	second.talk(3, 0x14)
	require.Equal(t, Event{Kind: Heard, Side: Caller}, event(t, c), "heard anew")
	b.talk(3, 0x23)
	second.hears("the callee", func(h heardPacket) bool { return h.PayloadType == 0 })
	for _, h := range b.heard() {
		require.NotEqual(t, byte(0x13), h.Payload[0], "the old phone is still put through")
	}
	// Both phones together heard one stream.
	requireOneStream(t, append(first.heard(), second.heard()...))
	requireOneStream(t, b.heard())
}

func TestClosedPortOfThePeerDoesNoHarm(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := newPhone(t, PCMA), newPhone(t, PCMA)
	join(t, c, Caller, a)
	join(t, c, Callee, b)
	c.Connect(true, true)
	settle(t, c)
	a.talk(2, 0x11)
	b.talk(2, 0x22)
	a.hears("the callee", has(0x22))
	at := a.addr()
	a.hangUp()
	b.talk(5, 0x22) // refused by ICMP
	again := newPhoneAt(t, PCMA, at)
	again.target = a.target
	again.talk(2, 0x12)
	b.hears("the caller again", has(0x12))
	b.talk(2, 0x23)
	again.hears("the callee again", has(0x23))
}
