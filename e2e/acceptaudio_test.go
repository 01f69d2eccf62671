//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/e2e/ua"
)

// audioAcceptances are of codecs, packets and where they come from.
func audioAcceptances() []acceptance {
	return []acceptance{
		{name: "A-law on the one side, mu-law on the other", play: acceptLaws},
		{name: "no codec in common", play: acceptNoCodec},
		{name: "ptime 30 on one side, 20 on the other", play: acceptPtime},
		{name: "G.729 passes through", play: acceptG729(ua.G729, ua.G729), from: "wide"},
		{name: "G.729 without Annex B on one side", play: acceptG729(ua.G729+" annexb=no", ua.G729+" annexb=no"), from: "wide"},
		{name: "G.729 offered, A-law agreed", play: acceptG729Not, from: "wide"},
		{name: "G.729 alone, a callee without it", play: acceptG729Alone, from: "wide"},
		{name: "RTP from a third source", play: acceptThirdSource},
		{name: "RTP from a third source, caller behind NAT", play: acceptThirdSource, from: "latch"},
		{name: "caller behind NAT", play: acceptLatched, from: "latch"},
		{name: "SSRC changes", play: acceptNewSource},
		{name: "video and fax are refused, audio goes on", play: acceptVideo},
		{name: "RTP/SAVP where it is not spoken", play: acceptSAVP},
		{name: "SDP inside multipart, LF line ends", play: acceptOddSDP},
	}
}

// second opens audio beside that of the agents, at the host of a or of another.
func (l *ladder) second(name string) *ua.Media {
	l.Helper()
	m := ua.OpenMedia(l.T, name, l.a.Host())
	l.others = append(l.others, m)
	return m
}

// acceptLaws: each side hears its own law.
func acceptLaws(l *ladder) {
	l.a.Invite(l.x, l.a.SDP(ua.PCMA, ua.Keys))
	l.b.Expect(ua.INVITE)
	l.b.Reply(200, l.b.SDP(ua.PCMU, ua.Keys))
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.a.Reinvite(l.a.SDP(ua.PCMU, ua.Keys))
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

func acceptNoCodec(l *ladder) {
	l.a.Invite(l.x, l.a.SDP("97 iLBC/8000", ua.Keys))
	l.a.Expect(488)
	l.b.Quiet(100 * time.Millisecond)
}

// acceptPtime: each side gets packets of the length that it asks for, whatever
// it sends itself (section 4).
func acceptPtime(l *ladder) {
	l.a.Invite(l.x, l.a.SDP(ua.PCMA, ua.Keys, "a=ptime:30"))
	l.b.Expect(ua.INVITE)
	l.b.Reply(200, l.b.SDP(ua.PCMA, ua.Keys, "a=ptime:20"))
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.a.Pace(30 * time.Millisecond)
	l.b.Pace(20 * time.Millisecond)
	l.heard()
	l.b.Paced(160)
	l.a.Paced(240)
	l.ends()
}

// acceptG729: packets of a codec that both have come as they are, with the keys
// beside them.
func acceptG729(formatA, formatB string) func(*ladder) {
	return func(l *ladder) {
		l.a.Invite(l.x, l.a.SDP(formatA, ua.Events(97, 8000)))
		m := l.b.Expect(ua.INVITE)
		offer := m.Call.Gate().Audio()
		require.Equal(l, 18, offer.Format("G729/8000"))
		require.Equal(l, strings.Contains(formatA, "annexb=no"), offer.Params[18] == "annexb=no", "Annex B")
		l.b.Reply(200, l.b.SDP(formatB, ua.Keys))
		l.b.Expect(ua.ACK)
		l.a.Expect(200)
		require.Equal(l, 18, l.a.Gate().Audio().Formats[0])
		require.Equal(l, strings.Contains(formatA, "annexb=no"), l.a.Gate().Audio().Params[18] == "annexb=no", "Annex B")
		l.a.Ack("")
		fromA, fromB := []byte("\x01twenty octets of A"), []byte("\x02twenty octets of B")
		l.a.SendPayload(fromA)
		l.b.SendPayload(fromB)
		l.b.HearsPayload(fromA)
		l.a.HearsPayload(fromB)
		l.a.Press("12")
		l.b.Pressed("12")
		l.ends()
	}
}

// acceptG729Not: the callee has G.711 alone, so the caller is answered with it.
func acceptG729Not(l *ladder) {
	l.a.Invite(l.x, l.a.SDP(ua.G729, ua.PCMA, ua.Keys))
	l.b.Expect(ua.INVITE)
	l.b.Reply(180, "")
	l.a.Expect(180)
	l.b.Reply(200, l.b.SDP(ua.PCMA, ua.Keys))
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	require.Equal(l, 8, l.a.Gate().Audio().Formats[0])
	l.a.Ack("")
	l.heard()
	l.ends()
}

// acceptG729Alone: nobody transcodes it, so there can be no talk.
func acceptG729Alone(l *ladder) {
	l.a.Invite(l.x, l.a.SDP(ua.G729, ua.Keys))
	l.b.Expect(ua.INVITE)
	l.b.Reply(488, "")
	l.b.Expect(ua.ACK)
	l.a.Expect(488)
	l.billed(billing{state: 8020, fail: 7506, reached: true})
}

// acceptThirdSource: who is not the peer is not heard, whatever it sends to our
// port.
func acceptThirdSource(l *ladder) {
	l.talks()
	thief := l.second("third source")
	thief.Aim(l.b.SendsTo())
	thief.Say(l.hzA + 30)
	l.a.HearsNot(l.hzA+30, 300*time.Millisecond)
	thief.Aim(l.a.SendsTo())
	l.b.HearsNot(l.hzA+30, 300*time.Millisecond)
	l.heard()
	require.Empty(l, thief.Packets(), "it hears nothing either")
	l.ends()
}

// acceptLatched: what the SDP says of the address is not where RTP comes from.
func acceptLatched(l *ladder) {
	l.a.Invite(l.x, l.a.At("10.99.99.99"))
	l.b.Expect(ua.INVITE)
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}

// acceptNewSource: another device goes on, without new SDP; audio and digits
// come through.
func acceptNewSource(l *ladder) {
	l.talks()
	for i := range 3 {
		l.b.NewSource()
		l.b.Say(l.hzB + 20*i)
		l.a.Hears(l.hzB + 20*i)
		l.a.NewSource()
		l.a.Say(l.hzA + 20*i)
		l.b.Hears(l.hzA + 20*i)
	}
	l.a.Press("5")
	l.b.Pressed("5")
	l.ends()
}

// acceptVideo: as many m-lines in the answer as in the offer, those of others
// with port 0 (RFC 3264 section 6).
func acceptVideo(l *ladder) {
	l.a.Invite(l.x, l.a.SDP()+"m=video 40000 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\nm=image 40002 udptl t38\r\n")
	l.b.Expect(ua.INVITE)
	l.b.Reply(200, l.b.SDP())
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	var got []string
	for _, s := range l.a.Gate().Streams {
		got = append(got, fmt.Sprintf("%s %t", s.Kind, s.Port != 0))
	}
	require.Equal(l, []string{"audio true", "video false", "image false"}, got)
	l.heard()
	l.ends()
}

// acceptSAVP: keys are for trunks that are set to have them.
func acceptSAVP(l *ladder) {
	l.a.Invite(l.x, l.a.SDP("profile RTP/SAVP", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"))
	l.a.Expect(488)
	l.b.Quiet(100 * time.Millisecond)
}

// acceptOddSDP: what carriers write beside the letter of RFC 8866 is read.
func acceptOddSDP(l *ladder) {
	body := l.a.SDP()
	l.a.Invite(l.x, "--b\r\nContent-Type: application/isup;version=itu-t92+\r\n\r\n\x01\x10\r\n--b\r\nContent-Type: application/sdp\r\n\r\n"+body+"\r\n--b--\r\n", "Content-Type: multipart/mixed;boundary=b")
	l.b.Expect(ua.INVITE)
	l.b.Reply(200, l.b.Loose())
	l.b.Expect(ua.ACK)
	l.a.Expect(200)
	l.a.Ack("")
	l.heard()
	l.ends()
}
