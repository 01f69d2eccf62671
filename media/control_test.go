package media

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"
)

// reportNow lets a leg send its report without waiting for its time.
func reportNow(t testing.TB, c *Call, side Side) {
	t.Helper()
	ask(t, c, func() bool { c.legs[side].report(c.worker.now()); return true })
}

func (p *phone) say(packets ...rtcp.Packet) {
	p.t.Helper()
	b, err := rtcp.Marshal(packets)
	require.NoError(p.t, err)
	p.sayRaw(b)
}

func (p *phone) sayRaw(b []byte) {
	p.t.Helper()
	_, err := p.control.WriteToUDPAddrPort(b, netip.AddrPortFrom(p.target.Addr(), p.target.Port()+1))
	require.NoError(p.t, err)
}

func TestReports(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := bridge(t, c, PCMA)
	ask(t, c, func() bool { // reports come when the test asks for them
		for side := range c.legs {
			c.worker.timers.stop(&c.legs[side].reports.timer)
		}
		return true
	})
	for i := range 20 {
		pk := a.packet(frameOf(0x11, 160))
		if i%5 != 2 {
			a.send(pk)
		}
	}
	b.talk(4, 0x22)
	a.hears("the callee", has(0x22))
	received(t, c, Caller, 16)
	reportNow(t, c, Caller)
	eventually(t, "a report", func() bool { return len(a.controls()) == 1 })
	first := a.controls()[0]
	require.Len(t, first, 2)
	sr, ok := first[0].(*rtcp.SenderReport)
	require.True(t, ok)
	ours := a.heard()[0].SSRC
	require.Equal(t, ours, sr.SSRC)
	require.EqualValues(t, len(a.heard()), sr.PacketCount)
	require.EqualValues(t, 160*len(a.heard()), sr.OctetCount)
	require.InDelta(t, time.Now().Unix(), int64(sr.NTPTime>>32)-ntpEpoch, 2)
	last := a.heard()[len(a.heard())-1]
	require.InDelta(t, float64(last.Timestamp), float64(sr.RTPTime), 2*sampleRate)
	require.Len(t, sr.Reports, 1)
	require.Equal(t, a.ssrc, sr.Reports[0].SSRC)
	require.EqualValues(t, 4, sr.Reports[0].TotalLost)
	require.EqualValues(t, 4*256/20, sr.Reports[0].FractionLost)
	require.Zero(t, sr.Reports[0].LastSenderReport)

	// The peer's reports give the round trip, what it lost, and the times for our next report.
	said := time.Now()
	peerNTP := ntp(said)
	a.say(&rtcp.SenderReport{SSRC: a.ssrc, NTPTime: peerNTP, Reports: []rtcp.ReceptionReport{
		{SSRC: 99, TotalLost: 1000, Jitter: 1000}, // about somebody else
		{SSRC: ours, TotalLost: 3, Jitter: 80, LastSenderReport: uint32(ntp(said.Add(-300*time.Millisecond)) >> 16), Delay: 65536 / 5},
	}}, rtcp.NewCNAMESourceDescription(a.ssrc, "someone@real-number"))
	eventually(t, "the round trip", func() bool { return ask(t, c, func() bool { return c.legs[Caller].reports.roundTrip > 0 }) })
	late := time.Since(said)
	eventually(t, "silence", func() bool { return ask(t, c, func() bool { return c.legs[Caller].ticker.at == 0 }) })
	reportNow(t, c, Caller)
	eventually(t, "a second report", func() bool { return len(a.controls()) == 2 })
	rr, ok := a.controls()[1][0].(*rtcp.ReceiverReport)
	require.True(t, ok, "nothing was sent since: no sender report")
	require.Equal(t, uint32(peerNTP>>16), rr.Reports[0].LastSenderReport)
	require.Less(t, rr.Reports[0].Delay, uint32(5*65536))
	require.Zero(t, rr.Reports[0].FractionLost)

	a.say(&rtcp.ReceiverReport{SSRC: a.ssrc}, &rtcp.Goodbye{Sources: []uint32{a.ssrc}, Reason: "call +8613800000001"})
	eventually(t, "BYE", func() bool { return ask(t, c, func() bool { return c.legs[Caller].reports.bye }) })
	s := c.Close()
	require.GreaterOrEqual(t, s[Caller].RoundTripMS, 99.0)
	require.LessOrEqual(t, s[Caller].RoundTripMS, 101+late.Seconds()*1000)
	require.EqualValues(t, 3, s[Caller].RemoteLost)
	require.InDelta(t, 10, s[Caller].RemoteJitterMS, 0.1)
	require.True(t, s[Caller].PeerBye)
	require.False(t, s[Callee].PeerBye)
	require.EqualValues(t, 4, s[Caller].Lost)
	require.Less(t, s[Caller].MOS, s[Callee].MOS)

	// Each peer hears BYE, and nothing of the other one.
	for _, p := range []*phone{a, b} {
		eventually(t, "BYE", func() bool {
			all := p.controls()
			if len(all) == 0 {
				return false
			}
			last := all[len(all)-1]
			if len(last) < 3 {
				return false
			}
			bye, ok := last[2].(*rtcp.Goodbye)
			return ok && len(bye.Sources) == 1 && bye.Sources[0] == p.heard()[0].SSRC && bye.Reason == ""
		})
	}
	names := map[string]bool{}
	for i, p := range []*phone{a, b} {
		other := []*phone{b, a}[i]
		for _, packets := range p.controls() {
			sdes := packets[1].(*rtcp.SourceDescription)
			require.Len(t, sdes.Chunks, 1)
			require.Len(t, sdes.Chunks[0].Items, 1)
			require.Equal(t, rtcp.SDESCNAME, sdes.Chunks[0].Items[0].Type)
			names[sdes.Chunks[0].Items[0].Text] = true
		}
		for _, raw := range p.reports {
			require.False(t, bytes.Contains(raw, binary.BigEndian.AppendUint32(nil, other.ssrc)), "the other peer's SSRC")
			require.False(t, bytes.Contains(raw, binary.BigEndian.AppendUint32(nil, other.heard()[0].SSRC)), "our SSRC on the other leg")
			require.False(t, bytes.Contains(raw, []byte("someone")) || bytes.Contains(raw, []byte("138")), "what the other peer called itself")
		}
	}
	require.Len(t, names, 2, "one name per leg, the same in each of its reports")
}

func TestReportsComeByThemselves(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a := newPhone(t, PCMA)
	start := time.Now()
	join(t, c, Caller, a)
	eventually(t, "the first report", func() bool { return len(a.controls()) == 1 })
	require.GreaterOrEqual(t, time.Since(start), time.Second, "half the interval, randomised from 0.5, compensated")
	next := ask(t, c, func() int64 { return c.legs[Caller].reports.timer.when - c.worker.now() })
	require.Greater(t, next, int64(1900*time.Millisecond))
	require.Less(t, next, int64(6200*time.Millisecond))
}

func TestForeignAndBrokenReports(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a, b := bridge(t, c, PCMA)
	stranger := newPhone(t, PCMA)
	stranger.target = a.target
	a.talk(1, 0x11)
	b.hears("the caller", has(0x11))
	bye := []rtcp.Packet{&rtcp.ReceiverReport{SSRC: 1}, &rtcp.Goodbye{Sources: []uint32{1}}}
	a.say(&rtcp.ReceiverReport{SSRC: a.ssrc})
	eventually(t, "RTCP latches", func() bool { return ask(t, c, func() bool { return c.legs[Caller].control.source.IsValid() }) })
	stranger.say(bye...)
	good, err := rtcp.Marshal(bye)
	require.NoError(t, err)
	for _, broken := range [][]byte{{}, {0x80}, good[8:], good[:len(good)-1], append([]byte{0x40}, good[1:]...), append(append([]byte(nil), good...), 1, 2, 3),
		{0x9F, 201, 0, 1, 0, 0, 0, 1}, {0x80, 201, 0xFF, 0xFF, 0, 0, 0, 1}} {
		a.sayRaw(broken)
	}
	eventually(t, "they are read", func() bool { return ask(t, c, func() uint64 { return c.legs[Caller].count.dropped }) >= 7 })
	for range 100 { // more than is read in a second
		a.sayRaw(good[8:])
	}
	s := c.Close()[Caller]
	require.False(t, s.PeerBye)
}

func TestNoByeWhereNothingWasSaid(t *testing.T) {
	e := openEngine(t)
	c := e.NewCall()
	a := newPhone(t, PCMA)
	join(t, c, Caller, a, func(s *Stream) { s.Send = false })
	c.Close()
	other := e.NewCall()
	b := newPhone(t, PCMA)
	join(t, other, Caller, b)
	b.hears("silence", func(heardPacket) bool { return true })
	other.Close()
	eventually(t, "BYE where something was", func() bool { return len(b.controls()) == 1 })
	require.Empty(t, a.controls())
}
