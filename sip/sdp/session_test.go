package sdp

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const audioOnly = "v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP 8\r\n"

func parse(t testing.TB, text string) *Remote {
	r, err := Parse("application/sdp", []byte(text))
	require.NoError(t, err, text)
	return r
}

func answer(t testing.TB, s *Session, offer string) (string, Agreed) {
	body, g, err := s.Answer(parse(t, offer))
	require.NoError(t, err, offer)
	return string(body), g
}

var origin = regexp.MustCompile(`(?m)^o=- ([1-9][0-9]*) ([1-9][0-9]*) IN IP[46] \S+\r$`)

// version takes a description apart: the two numbers of its o= line, and what
// it says without the second.
func version(t testing.TB, body string) (id, version, rest string) {
	m := origin.FindStringSubmatch(body)
	require.NotNil(t, m, body)
	return m[1], m[2], strings.Replace(body, " "+m[2]+" IN", " IN", 1)
}

func TestOffer(t *testing.T) {
	body := string(session().Offer())
	id, v, _ := version(t, body)
	require.Equal(t, "1", v)
	require.Equal(t, "v=0\r\no=- "+id+" 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"+
		"m=audio 20000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"+
		"a=fmtp:101 0-15\r\na=ptime:20\r\na=rtcp:20001\r\na=sendrecv\r\n", body)

	other, _, _ := version(t, string(session().Offer()))
	require.NotEqual(t, id, other, "two legs have nothing in common")

	for want, codecs := range map[string][]string{
		"RTP/AVP 0 8 101": {"pcmu", "PCMA"}, "RTP/AVP 8 101": {"PCMA", "PCMA", "G729"}, "RTP/AVP 8 0 101": {"G729", "opus"},
	} {
		require.Contains(t, string(NewSession(netip.MustParseAddr("192.0.2.1"), 20000, codecs).Offer()), "m=audio 20000 "+want+"\r\n")
	}
	six := string(NewSession(netip.MustParseAddr("2001:db8::9"), 20000, nil).Offer())
	require.Contains(t, six, " IN IP6 2001:db8::9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\n")
	mapped := string(NewSession(netip.MustParseAddr("::ffff:192.0.2.1"), 65535, nil).Offer())
	require.Contains(t, mapped, "c=IN IP4 192.0.2.1\r\n")
	require.NotContains(t, mapped, "a=rtcp", "there is no port behind 65535")
}

// TestDirections is RFC 3264 sections 6.1 and 8.4: what an answer to a
// direction is, and who may send then.
func TestDirections(t *testing.T) {
	for _, c := range []struct {
		offered, address, answered string
		send, receive, held        bool
	}{
		{"", "198.51.100.7", "sendrecv", true, true, false},
		{"sendrecv", "198.51.100.7", "sendrecv", true, true, false},
		{"sendonly", "198.51.100.7", "recvonly", false, true, true},
		{"recvonly", "198.51.100.7", "sendonly", true, false, false},
		{"inactive", "198.51.100.7", "inactive", false, false, true},
		{"", "0.0.0.0", "recvonly", false, true, true}, // hold as in RFC 2543
		{"sendrecv", "0.0.0.0", "recvonly", false, true, true},
		{"sendonly", "0.0.0.0", "recvonly", false, true, true},
		{"recvonly", "0.0.0.0", "inactive", false, false, true},
		{"inactive", "0.0.0.0", "inactive", false, false, true},
		{"sendrecv", "::", "recvonly", false, true, true},
	} {
		t.Run(c.offered+" at "+c.address, func(t *testing.T) {
			s := session()
			before, g := answer(t, s, plainOffer)
			require.Equal(t, plainly, g)

			held := plainOffer + "a=" + c.offered + "\r\n"
			held = strings.Replace(held, "c=IN IP4 198.51.100.7", "c=IN IP4 "+c.address, 1)
			body, g := answer(t, s, held)
			require.True(t, strings.HasSuffix(body, "\r\na="+c.answered+"\r\n"), body)
			require.Equal(t, []bool{c.send, c.receive, c.held}, []bool{g.Send, g.Receive, g.Held})
			require.Equal(t, c.address == "198.51.100.7", g.RTP.IsValid())
			require.Contains(t, body, "c=IN IP4 192.0.2.1\r\n", "our address stays")
			if c.answered != "sendrecv" {
				require.Contains(t, string(s.Current()), "a=sendrecv\r\n", "what we want is to talk")
			}

			after, g := answer(t, s, plainOffer)
			require.Equal(t, plainly, g, "resumed")
			_, _, was := version(t, before)
			_, _, is := version(t, after)
			require.Equal(t, was, is)
		})
	}
}

// TestAcceptedDirections: the same for an answer to our offer.
func TestAcceptedDirections(t *testing.T) {
	for direction, want := range map[string][]bool{
		"sendrecv": {true, true, false}, "sendonly": {false, true, true}, "recvonly": {true, false, false}, "inactive": {false, false, true},
	} {
		s := session()
		s.Offer()
		g, err := s.Accept(parse(t, plainOffer+"a="+direction+"\r\n"))
		require.NoError(t, err)
		require.Equal(t, want, []bool{g.Send, g.Receive, g.Held}, direction)
	}
}

// TestAnswerHasTheLinesOfTheOffer in number and order, one of them with our
// audio and the others refused with port 0 (RFC 3264 section 6).
func TestAnswerHasTheLinesOfTheOffer(t *testing.T) {
	s := session()
	body, _ := answer(t, s, "v=0\r\nc=IN IP4 198.51.100.7\r\nm=video 5000 RTP/AVP 99 100\r\na=rtpmap:99 H264/90000\r\n"+
		"m=audio 4000 RTP/AVP 18\r\nm=audio 4002 RTP/AVPF 0 18\r\nm=Image 6000 udptl t38\r\nm=audio 4004 RTP/AVP 8\r\n"+
		"m=audio 4006 RTP/SAVP 8\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nm=message 1 TCP/MSRP *\r\nm=text 7000 RTP/AVP\r\n")
	lines := []string{"m=video 0 RTP/AVP 99", "m=audio 0 RTP/AVP 18", "m=audio 20000 RTP/AVPF 0", "m=image 0 udptl t38", "m=audio 0 RTP/AVP 8",
		"m=audio 0 RTP/SAVP 8", "m=application 0 UDP/DTLS/SCTP webrtc-datachannel", "m=message 0 TCP/MSRP *", "m=text 0 RTP/AVP 0"}
	require.Equal(t, lines, media(body))
	require.Equal(t, 1, strings.Count(body, "a=sendrecv"))
	require.Equal(t, lines, media(string(s.Current())), "an offer of ours keeps them (section 8)")
	require.Equal(t, "m=audio 20000 RTP/AVPF 8 0 101", media(string(s.Offer()))[2])
}

func media(body string) []string {
	var all []string
	for l := range strings.SplitSeq(body, "\r\n") {
		if strings.HasPrefix(l, "m=") {
			all = append(all, l)
		}
	}
	return all
}

// TestAnswerHasOneCodec, with events and noise if they were offered.
func TestAnswerHasOneCodec(t *testing.T) {
	for _, c := range []struct {
		codecs        []string
		offer, answer string // formats and rtpmaps
	}{
		{nil, "0 8", "8"},
		{[]string{"PCMU", "PCMA"}, "8 0", "0"},
		{[]string{"PCMU"}, "8 0", "0"},
		{nil, "18 0", "0"},
		{nil, "8 13", "8 13"},
		{nil, "8 13 101|101 telephone-event/8000", "8 101 13"},
		{nil, "8 98|98 CN/8000", "8"}, // ours has a static number
		{nil, "8 98|98 CN/16000", "8"},
		{nil, "8 101", "8"}, // a dynamic number means nothing by itself
		{nil, "8 101|101 telephone-event/16000", "8"},
		{nil, "8 97|97 telephone-event/8000", "8 97"},
		{nil, "96 97|96 PCMA/8000|97 telephone-event/8000", "96 97"},
		{nil, "96 8|96 PCMA/16000", "8"},
		{nil, "96 8|96 PCMA/8000/2", "8"},
		{nil, "127 101|127 PCMU|101 TELEPHONE-event/8000/1", "127 101"},
	} {
		formats, maps, _ := strings.Cut(c.offer, "|")
		text := "v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP " + formats + "\r\n"
		for m := range strings.SplitSeq(maps, "|") {
			text += "a=rtpmap:" + m + "\r\n"
		}
		body, _ := answer(t, NewSession(netip.MustParseAddr("192.0.2.1"), 20000, c.codecs), text)
		require.Equal(t, []string{"m=audio 20000 RTP/AVP " + c.answer}, media(body), c)
		require.Equal(t, len(strings.Fields(c.answer)), strings.Count(body, "a=rtpmap:"), c)
	}
}

// TestWithoutACommonCodec the session is as before.
func TestWithoutACommonCodec(t *testing.T) {
	s := session()
	before, _ := answer(t, s, plainOffer+"a=inactive\r\n")
	_, _, err := s.Answer(parse(t, strings.Replace(audioOnly, "AVP 8", "AVP 18 4 96", 1)))
	require.ErrorIs(t, err, ErrNoCodec)
	_, _, err = s.Answer(parse(t, strings.Replace(audioOnly, "198.51.100.7", "224.0.0.1", 1)))
	require.ErrorIs(t, err, ErrAddress)
	again, _ := answer(t, s, plainOffer+"a=inactive\r\n")
	require.Equal(t, before, again)

	s = NewSession(netip.MustParseAddr("192.0.2.1"), 20000, []string{"PCMA"})
	offer := string(s.Offer())
	_, err = s.Accept(parse(t, strings.Replace(audioOnly, "AVP 8", "AVP 0", 1)))
	require.ErrorIs(t, err, ErrNoCodec, "it was not in our offer")
	_, err = s.Accept(parse(t, strings.Replace(audioOnly, "198.51.100.7", "224.0.0.1", 1)))
	require.ErrorIs(t, err, ErrAddress)
	require.Equal(t, offer, string(s.Current()))
}

// TestVersion rises by one exactly when something changed (RFC 3264 section 8).
func TestVersion(t *testing.T) {
	s := session()
	first := ""
	for i, step := range []struct {
		what    string
		do      func() string
		version string
	}{
		{"the first answer", func() string { b, _ := answer(t, s, plainOffer); return b }, "1"},
		{"the same offer again", func() string { b, _ := answer(t, s, plainOffer); return b }, "1"},
		{"their port and version changed, ours did not", func() string {
			b, _ := answer(t, s, strings.NewReplacer("o=- 1 1", "o=- 1 2", "4000", "4010").Replace(plainOffer))
			return b
		}, "1"},
		{"no offer: ours as it is", func() string { return string(s.Current()) }, "1"},
		{"hold", func() string { b, _ := answer(t, s, plainOffer+"a=sendonly\r\n"); return b }, "2"},
		{"hold again", func() string { b, _ := answer(t, s, plainOffer+"a=sendonly\r\n"); return b }, "2"},
		{"no offer while on hold", func() string { return string(s.Current()) }, "3"},
		{"and again", func() string { return string(s.Current()) }, "3"},
		{"hold", func() string { b, _ := answer(t, s, plainOffer+"a=sendonly\r\n"); return b }, "4"},
		{"resume", func() string { b, _ := answer(t, s, plainOffer); return b }, "5"},
		{"a video line", func() string { b, _ := answer(t, s, plainOffer+"m=video 5000 RTP/AVP 99\r\n"); return b }, "6"},
		{"no events", func() string { b, _ := answer(t, s, audioOnly+"m=video 5000 RTP/AVP 99\r\n"); return b }, "7"},
		{"all that we can", func() string { return string(s.Offer()) }, "8"},
	} {
		id, v, _ := version(t, step.do())
		require.Equal(t, step.version, v, fmt.Sprint(i, " ", step.what))
		if first == "" {
			first = id
		}
		require.Equal(t, first, id, step.what)
	}
}

// TestPayloadTypes: each direction has the number that its receiver listed
// (RFC 3264 section 5.1).
func TestPayloadTypes(t *testing.T) {
	s := session()
	s.Offer()
	g, err := s.Accept(parse(t, "v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP 96 97\r\na=rtpmap:96 PCMU/8000\r\na=rtpmap:97 telephone-event/8000\r\n"))
	require.NoError(t, err)
	require.Equal(t, Agreed{RTP: plainly.RTP, RTCP: plainly.RTCP, Codec: pcmu, SendPT: 96, RecvPT: 0, SendEventPT: 97, RecvEventPT: 101,
		PTime: plainly.PTime, Send: true, Receive: true}, g)

	_, g = answer(t, s, plainOffer)
	require.Equal(t, pcmu, g.Codec, "the codec in use stays")

	s = session()
	s.Offer()
	g, err = s.Accept(parse(t, audioOnly))
	require.NoError(t, err)
	require.Equal(t, []uint8{8, 8, 0, 0}, []uint8{g.SendPT, g.RecvPT, g.SendEventPT, g.RecvEventPT}, "no events in the answer")

	s = session()
	s.Offer()
	g, err = s.Accept(parse(t, "v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP 0 8\r\n"))
	require.NoError(t, err)
	require.Equal(t, pcmu, g.Codec, "of two in an answer the first is what they prefer")

	g, err = s.Accept(parse(t, "v=0\r\nc=IN IP4 198.51.100.7\r\nm=video 0 RTP/AVP 99\r\nm=audio 4000 RTP/AVP 8\r\n"))
	require.NoError(t, err, "an answer with a line too many")
	require.Equal(t, plainly.RTP, g.RTP)
}

// TestANumberKeepsItsMeaning for the session (RFC 3264 section 8.3.2).
func TestANumberKeepsItsMeaning(t *testing.T) {
	s := session()
	s.Offer() // 101 is telephone-event
	offer := func(codec, event int) string {
		return fmt.Sprintf("v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP %[1]d %[2]d\r\na=rtpmap:%[1]d PCMA/8000\r\na=rtpmap:%[2]d telephone-event/8000\r\n", codec, event)
	}
	body, g := answer(t, s, offer(101, 97))
	require.Equal(t, []uint8{101, 8, 97, 97}, []uint8{g.SendPT, g.RecvPT, g.SendEventPT, g.RecvEventPT})
	require.Equal(t, []string{"m=audio 20000 RTP/AVP 8 97"}, media(body))
	_, g = answer(t, s, offer(98, 8))
	require.Equal(t, []uint8{98, 98}, []uint8{g.SendPT, g.RecvPT})
	require.Equal(t, uint8(8), g.SendEventPT)
	require.NotContains(t, []uint8{8, 98, 13, 0}, g.RecvEventPT, "8 is PCMA here, whatever it is there")
	_, g = answer(t, s, offer(97, 98))
	require.Equal(t, []uint8{97, 98}, []uint8{g.SendPT, g.RecvPT}, "both are taken: what means it already")
	require.Equal(t, uint8(98), g.SendEventPT)
	require.NotEqual(t, uint8(98), g.RecvEventPT)

	s = session()
	for pt := 96; pt < 128; pt++ {
		answer(t, s, fmt.Sprintf("v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP %[1]d\r\na=rtpmap:%[1]d PCMA/8000\r\n", pt))
	}
	body, g = answer(t, s, plainOffer)
	require.Equal(t, []string{"m=audio 20000 RTP/AVP 8"}, media(body), "no number is left for events")
	require.Equal(t, []uint8{8, 8, 0, 0}, []uint8{g.SendPT, g.RecvPT, g.SendEventPT, g.RecvEventPT})
}

// TestFork: each dialog of one offer has a session of its own.
func TestFork(t *testing.T) {
	s := NewSession(netip.MustParseAddr("192.0.2.1"), 40000, nil)
	s.Offer()
	f := s.Fork()
	require.Equal(t, string(s.Current()), string(f.Current()))
	offer, err := Parse("application/sdp", []byte("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 5000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\nm=video 5002 RTP/AVP 31\r\n"))
	require.NoError(t, err)
	before := string(s.Current())
	answer, _, err := f.Answer(offer)
	require.NoError(t, err)
	require.Contains(t, string(answer), "m=video 0 ")
	require.Equal(t, before, string(s.Current()), "the other dialog heard nothing of it")
}
