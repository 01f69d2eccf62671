package media

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"axgate/media/srtp"
)

// securePhone sends and hears what a phone whose leg is protected does.
type securePhone struct {
	*phone
	sender   *srtp.Sender
	receiver *srtp.Receiver
}

func secure(t *testing.T, p *phone, k srtp.Keys) *securePhone {
	s, err := srtp.NewSender(k.In, p.ssrc)
	require.NoError(t, err)
	r, err := srtp.NewReceiver(k.Out)
	require.NoError(t, err)
	return &securePhone{p, s, r}
}

func (p *securePhone) say(pk *rtp.Packet) {
	b, err := pk.Marshal()
	require.NoError(p.t, err)
	b, err = p.sender.RTP(make([]byte, 0, 2048), b)
	require.NoError(p.t, err)
	p.sendRaw(b)
}

// next is the next packet that a socket takes, which must authenticate.
func (p *securePhone) next(c *net.UDPConn) rtp.Packet {
	buf := make([]byte, 2048)
	require.NoError(p.t, c.SetReadDeadline(time.Now().Add(patience)))
	n, _, err := c.ReadFromUDPAddrPort(buf)
	require.NoError(p.t, err)
	b, err := p.receiver.RTP(buf[:n])
	require.NoError(p.t, err)
	var pk rtp.Packet
	require.NoError(p.t, pk.Unmarshal(b))
	return pk
}

// pair is two sockets, on an even port and the one above.
func pair(t *testing.T) (audio, control *net.UDPConn) {
	for {
		audio, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(localhost, 0)))
		require.NoError(t, err)
		at := audio.LocalAddr().(*net.UDPAddr).AddrPort()
		control, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(localhost, at.Port()+1)))
		if err == nil && at.Port()%2 == 0 {
			t.Cleanup(func() { _, _ = audio.Close(), control.Close() })
			return audio, control
		}
		_ = audio.Close()
		if err == nil {
			_ = control.Close()
		}
	}
}

// TestSecureLeg: a protected leg is understood and plain packets are not; the other leg stays plain.
func TestSecureLeg(t *testing.T) {
	for _, suite := range srtp.Suites() {
		t.Run(suite.String(), func(t *testing.T) {
			e := openEngine(t)
			c := e.NewCall()
			keys := srtp.Keys{In: srtp.NewKey(suite), Out: srtp.NewKey(suite)}
			sock, control := pair(t)
			a := secure(t, &phone{t: t, codec: PCMA, ssrc: 77, seq: 100, rtp: sock, control: control}, keys)
			b := newPhone(t, PCMU)
			join(t, c, Caller, a.phone, func(s *Stream) { s.Keys = keys })
			join(t, c, Callee, b)
			c.Connect(true, true)
			settle(t, c)
			first := a.next(sock)
			require.Equal(t, uint32(first.SSRC), ask(t, c, func() uint32 { return c.legs[Caller].out.ssrc }))

			a.send(a.packet(frameOf(0x41, 160))) // plain
			a.say(a.packet(frameOf(0x42, 160)))
			b.hears("the protected caller", has(convert(PCMU, frameOf(0x42, 1))[0]))
			b.send(b.packet(frameOf(0x43, 160)))
			want := convert(PCMA, frameOf(0x43, 1))[0]
			for a.next(sock).Payload[0] != want {
			}
			for _, h := range b.heard() {
				require.NotEqual(t, convert(PCMU, frameOf(0x41, 1))[0], h.Payload[0], "a plain packet was believed")
			}

			again := srtp.Keys{In: keys.In, Out: srtp.NewKey(suite)}
			require.NoError(t, c.Point(Caller, Stream{RTP: a.addr(), Codec: PCMA, SendPT: 8, RecvPT: 8, Send: true, Receive: true, Keys: again}))
			settle(t, c)
			require.NotEqual(t, first.SSRC, ask(t, c, func() uint32 { return c.legs[Caller].out.ssrc }), "a new key, a new stream")

			stats := c.Close()
			require.True(t, stats[Caller].Secure)
			require.False(t, stats[Callee].Secure)
			require.Equal(t, srtp.Counts{Forged: 1}, stats[Caller].Refused)
			require.EqualValues(t, 1, stats[Caller].Received)

			buf := make([]byte, 2048)
			require.NoError(t, control.SetReadDeadline(time.Now().Add(patience)))
			n, _, err := control.ReadFromUDPAddrPort(buf)
			require.NoError(t, err)
			report, err := a.receiver.RTCP(buf[:n])
			require.NoError(t, err)
			packets, err := rtcp.Unmarshal(report)
			require.NoError(t, err)
			require.IsType(t, &rtcp.SenderReport{}, packets[0])
		})
	}
}

// TestNothingIsAllocatedPerSecurePacket: one leg protected or both.
func TestNothingIsAllocatedPerSecurePacket(t *testing.T) {
	p := newPath(t, PCMA, PCMU)
	keys := srtp.Keys{In: srtp.NewKey(srtp.AES128SHA80), Out: srtp.NewKey(srtp.AES128SHA80)}
	require.NoError(t, p.c.legs[Callee].protect(keys))
	payload, through := frameOf(0x11, 160), 0
	n := allocations(func() {
		through = 0
		for range inTalk {
			through += p.burst(payload, 1)
		}
	})
	if raced {
		require.Less(t, n, float64(inTalk))
	} else {
		require.Zero(t, n)
	}
	require.Equal(t, inTalk, through)
}
