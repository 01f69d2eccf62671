//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"axgate/phone"
)

func badMessageScenarios() []scenario {
	return []scenario{
		{"bad SDP is refused", badSDP},
		{"malformed SIP does not disturb", badSIP},
		{"malformed RTP does not disturb", badRTP},
	}
}

// wire is a raw UDP socket on an address of the trunk.
func (s *scene) wire() *net.UDPConn {
	s.Helper()
	host := takeTrunkHost()
	c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)), net.UDPAddrFromAddrPort(s.gate.SIP()))
	require.NoError(s, err)
	s.Cleanup(func() { _ = c.Close() })
	return c
}

// asks sends an INVITE with a body and gives the first final response.
func (s *scene) asks(c *net.UDPConn, x, body string) string {
	s.Helper()
	me, n := c.LocalAddr().String(), rand.Uint64()
	_, err := fmt.Fprintf(c, "INVITE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%d;rport\r\nFrom: <sip:13800000001@%s>;tag=%d\r\nTo: <sip:%s@%s>\r\n"+
		"Call-ID: bad-%d\r\nCSeq: 1 INVITE\r\nContact: <sip:trunk@%s>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		x, s.gate.SIP(), me, n, me, n, x, s.gate.SIP(), n, me, len(body), body)
	require.NoError(s, err)
	buf := make([]byte, 4000)
	for {
		require.NoError(s, c.SetReadDeadline(time.Now().Add(step)))
		got, err := c.Read(buf)
		require.NoError(s, err)
		text := string(buf[:got]) // an earlier answer comes again: nobody acknowledges it
		if !strings.HasPrefix(text, "SIP/2.0 1") && strings.Contains(text, fmt.Sprintf("bad-%d", n)) {
			return text
		}
	}
}

func badSDP(s *scene) {
	a, x, _ := s.oneA()
	c := s.wire()
	for body, status := range map[string]string{
		"nonsense": "400",
		"v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 300.1.1.1\r\nt=0 0\r\nm=audio 70000 RTP/AVP 8\r\n":                                     "400",
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 4000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n":   "488",
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 8\r\n":                             "488",
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n": "488",
	} {
		response := s.asks(c, strings.TrimPrefix(x, "+86"), body)
		require.True(s, strings.HasPrefix(response, "SIP/2.0 "+status), "%q is answered %q", body, response)
	}
	s.reachesNobody(a)
	s.notBusy(x)
}

// badSIP throws what is no SIP, or hardly, at the UDP and TCP ports.
func badSIP(s *scene) {
	a, x, id := s.oneA()
	c := s.wire()
	whole := "INVITE sip:17099999998@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:13800000001@h>;tag=1\r\nTo: <sip:x@h>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n" +
		"Contact: <sip:h>\r\nContent-Length: 0\r\n\r\n"
	messages := []string{"", "\r\n\r\n", "\x00", "GET / HTTP/1.1\r\n\r\n", "SIP/2.0 200\r\n\r\n", strings.Repeat("A", 60_000), "INVITE\r\n\r\n",
		"INVITE sip: SIP/2.0\r\n\r\n", "INVITE " + strings.Repeat("sip:", 5000) + " SIP/2.0\r\n\r\n"}
	for _, line := range strings.SplitAfter(whole, "\r\n") { // each line missing, each one spoilt
		messages = append(messages, strings.Replace(whole, line, "", 1), strings.Replace(whole, line, "\xff\xfe"+line, 1),
			strings.Replace(whole, line, strings.TrimSuffix(line, "\r\n")+strings.Repeat(",;<>\"=", 50)+"\r\n", 1))
	}
	for _, swap := range [][2]string{{"CSeq: 1", "CSeq: -1"}, {"CSeq: 1", "CSeq: 99999999999999999999"}, {"CSeq: 1 INVITE", "CSeq: 1 BYE"}, {"Length: 0", "Length: 99999999999"},
		{"Length: 0", "Length: -5"}, {"tag=1", "tag="}, {"SIP/2.0\r\n", "SIP/9.9\r\n"}, {"INVITE sip", "\r\n\r\nINVITE sip"}, {"Call-ID: 1", "Call-ID: " + strings.Repeat("z", 9000)},
		{"INVITE", "CANCEL"}, {"INVITE", "ACK"}, {"INVITE", "PRACK"}, {"INVITE", "X\x00Y"}} {
		messages = append(messages, strings.ReplaceAll(whole, swap[0], swap[1]))
	}
	for i := range whole {
		if i%9 == 0 {
			messages = append(messages, whole[:i])
		}
	}
	stream, err := net.DialTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(takeTrunkHost(), 0)), net.TCPAddrFromAddrPort(s.gate.SIP()))
	require.NoError(s, err)
	defer stream.Close()
	for _, m := range messages {
		_, err := c.Write([]byte(m))
		require.NoError(s, err)
		if _, err := stream.Write([]byte(m)); err != nil { // axgate has had enough of this connection
			_ = stream.Close()
			stream, err = net.DialTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(takeTrunkHost(), 0)), net.TCPAddrFromAddrPort(s.gate.SIP()))
			require.NoError(s, err)
		}
	}
	who := s.stranger()
	out := s.dial(who, x)
	in := s.rings(a)
	s.answered(out, in)
	s.talk(out, in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
	s.story(x, 1, billed{direction: 0, binding: id, caller: who.Number(), callee: a.Number(), service: "003", events: evAnswered, talk: true})
}

// badRTP throws datagrams at both media ports of a talk, from a stranger and
// from the party's own address.
func badRTP(s *scene) {
	a, b, x, _ := s.pair(appAXB)
	out, in := s.connect(a, b, x)
	s.talk(out, in)
	for _, call := range []*phone.Call{out, in} {
		for _, from := range []netip.Addr{takeHost(), a.Addr().Addr(), b.Addr().Addr()} {
			c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), net.UDPAddrFromAddrPort(s.media(call)))
			require.NoError(s, err)
			for n := range 100 {
				_, _ = c.Write(bytes.Repeat([]byte{0x80, 8, byte(n)}, n)) // a refusal is an answer too
			}
			_ = c.Close()
		}
	}
	s.talk(out, in)
	s.steady(out)
	s.steady(in)
	require.NoError(s, out.Hangup(s.within(step)))
	s.clearedWith(in, 16)
}

// media is where axgate takes the RTP of a party, by its SDP.
func (s *scene) media(c *phone.Call) netip.AddrPort {
	s.Helper()
	for _, m := range c.Messages() {
		_, line, ok := strings.Cut(string(m.Raw), "\r\nm=audio ")
		if m.Sent || !ok {
			continue
		}
		port, _, _ := strings.Cut(line, " ")
		n, err := strconv.ParseUint(port, 10, 16)
		require.NoError(s, err)
		return netip.AddrPortFrom(s.gate.SIP().Addr(), uint16(n))
	}
	require.FailNow(s, "no SDP")
	return netip.AddrPort{}
}
