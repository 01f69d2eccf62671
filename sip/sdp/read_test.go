package sdp

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Parse reads the body of a message of a leg that is not protected.
func Parse(contentType string, body []byte) (*Remote, error) { return ParseFor(Off, contentType, body) }

const plainOffer = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n" +
	"m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"

// plainly is what plainOffer is settled to.
var plainly = Agreed{RTP: netip.MustParseAddrPort("198.51.100.7:4000"), RTCP: netip.MustParseAddrPort("198.51.100.7:4001"),
	Codec: pcma, SendPT: 8, RecvPT: 8, SendEventPT: 101, RecvEventPT: 101, PTime: 20 * time.Millisecond, Send: true, Receive: true}

func session() *Session { return NewSession(netip.MustParseAddr("192.0.2.1"), 20000, nil) }

// agreed answers an offer and gives what was settled.
func agreed(t testing.TB, text string) Agreed {
	r, err := Parse("application/sdp", []byte(text))
	require.NoError(t, err, text)
	_, g, err := session().Answer(r)
	require.NoError(t, err, text)
	return g
}

// TestParseIsTolerant: how a description is written does not change what it
// says (RFC 8866 section 5, the parser row of the interoperability rules).
func TestParseIsTolerant(t *testing.T) {
	lf := strings.ReplaceAll(plainOffer, "\r\n", "\n")
	for name, text := range map[string]string{
		"CR LF":                  plainOffer,
		"LF only":                lf,
		"CR only":                strings.ReplaceAll(plainOffer, "\r\n", "\r"),
		"no last line end":       strings.TrimSuffix(plainOffer, "\r\n"),
		"no last LF":             strings.TrimSuffix(lf, "\n"),
		"empty lines":            "\r\n" + strings.ReplaceAll(plainOffer, "\r\n", "\r\n\r\n"),
		"spaces around":          strings.ReplaceAll(lf, "\n", " \t\n "),
		"unknown lines":          strings.ReplaceAll(lf, "t=0 0\n", "t=0 0\nq=what\nz=0 0\nb=AS:64\nk=clear:x\nno line at all\n=\nx\n"),
		"unknown attributes":     lf + "a=silenceSupp:off - - - -\na=\na=:\na=x-y:z\na=rtpmap\na=rtpmap:8\na=fmtp:101 0-16\na=curr:qos local none\na=candidate:1 1 UDP 1 10.0.0.1 9 typ host\n",
		"another order":          "s=-\nc=IN IP4 198.51.100.7\no=x\nt=0 0\nv=0\n" + lf[strings.Index(lf, "m="):],
		"missing o, s and t":     "v=0\nc=IN IP4 198.51.100.7\n" + lf[strings.Index(lf, "m="):],
		"missing v":              "c=IN IP4 198.51.100.7\n" + lf[strings.Index(lf, "m="):],
		"c of the media":         "v=0\n" + lf[strings.Index(lf, "m="):] + "c=IN IP4 198.51.100.7\n",
		"c of the media counts":  strings.Replace(lf, "c=IN IP4 198.51.100.7", "c=IN IP4 203.0.113.9", 1) + "c=IN IP4 198.51.100.7\n",
		"c with TTL":             strings.Replace(lf, "c=IN IP4 198.51.100.7", "c=IN IP4 198.51.100.7/127", 1),
		"c of IPv4 in IPv6":      strings.Replace(lf, "c=IN IP4 198.51.100.7", "c=IN IP6 ::ffff:198.51.100.7", 1),
		"empty c":                lf + "c=\n",
		"number of ports":        strings.Replace(lf, "audio 4000 ", "audio 4000/1 ", 1),
		"more spaces":            strings.Replace(lf, "m=audio 4000 RTP/AVP 8", "m= audio  4000\tRTP/AVP   8", 1),
		"AVPF":                   strings.Replace(lf, "RTP/AVP", "RTP/AVPF", 1),
		"upper-case media":       strings.Replace(lf, "m=audio", "m=AUDIO", 1),
		"lower-case protocol":    strings.Replace(lf, "RTP/AVP", "rtp/avp", 1),
		"lower-case codec":       strings.NewReplacer("PCMA", "pcma", "PCMU", "pcmu").Replace(lf),
		"upper-case events":      strings.Replace(lf, "telephone-event", "TELEPHONE-EVENT", 1),
		"upper-case attributes":  strings.NewReplacer("rtpmap", "RTPMAP", "ptime", "PTime").Replace(lf),
		"channels":               strings.Replace(lf, "PCMA/8000", "PCMA/8000/1", 1),
		"no clock":               strings.Replace(lf, "PCMA/8000", "PCMA", 1),
		"static types":           strings.NewReplacer("a=rtpmap:8 PCMA/8000\n", "", "a=rtpmap:0 PCMU/8000\n", "").Replace(lf),
		"unknown types too":      strings.Replace(lf, "RTP/AVP 8", "RTP/AVP 18 4 96 127 200 -1 x 8", 1),
		"rtpmap after other":     strings.Replace(lf, "a=rtpmap:101", "a=fmtp:101 0-15\na=rtpmap:101", 1),
		"rtpmap of nothing":      lf + "a=rtpmap:300 PCMU/8000\na=rtpmap:x PCMU/8000\na=rtpmap:-1 PCMU/8000\n",
		"ptime missing":          strings.Replace(lf, "a=ptime:20\n", "", 1),
		"direction of session":   strings.Replace(lf, "t=0 0\n", "t=0 0\na=sendrecv\n", 1),
		"direction of the media": strings.Replace(lf, "t=0 0\n", "t=0 0\na=inactive\n", 1) + "a=SENDRECV\n",
		"two event clocks":       strings.Replace(strings.Replace(lf, "0 101", "0 100 101", 1), "a=rtpmap:101", "a=rtpmap:100 telephone-event/16000\na=rtpmap:101", 1),
		"events listed twice":    strings.Replace(strings.Replace(lf, "0 101", "0 101 102", 1), "a=rtpmap:101", "a=rtpmap:102 telephone-event/8000\na=rtpmap:101", 1),
		"video before":           strings.Replace(lf, "m=audio", "m=video 5000 RTP/AVP 99\nc=IN IP4 203.0.113.9\na=inactive\na=rtpmap:99 H264/90000\nm=audio", 1),
		"video behind":           lf + "m=video 5000 RTP/AVP 8\na=inactive\na=ptime:60\nc=IN IP4 203.0.113.9\n",
		"other audio before":     strings.Replace(lf, "m=audio", "m=audio 5000 RTP/AVP 18\na=rtpmap:18 G729/8000\nm=audio 0 RTP/AVP 8\nm=audio 5002 RTP/SAVP 8\nm=audio", 1),
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, plainly, agreed(t, text))
		})
	}
}

// TestParseFindsTheSDPPart (RFC 5621): the first such part of a multipart body.
func TestParseFindsTheSDPPart(t *testing.T) {
	part := func(kind, body string) string { return "--b1\r\nContent-Type: " + kind + "\r\n\r\n" + body + "\r\n" }
	isup := part("application/isup;version=itu", "\x01\x02\x00binary")
	sdp := part("application/sdp", plainOffer)
	for _, c := range []struct{ kind, body string }{
		{"application/sdp", plainOffer},
		{"Application/SDP; charset=utf-8", plainOffer},
		{"application/sdp; =broken", plainOffer},
		{"application/sdp;", plainOffer},
		{"multipart/mixed;boundary=b1", isup + sdp + "--b1--\r\n"},
		{`multipart/mixed; boundary="b1"`, sdp + isup + "--b1--"},
		{"Multipart/Alternative; boundary=b1", "preamble\r\n" + sdp + sdp + "--b1--"},
		{"multipart/mixed;boundary=b1", isup + sdp}, // the last boundary is missing
		{"multipart/mixed;boundary=b1", strings.ReplaceAll(isup+sdp+"--b1--", "\r\n", "\n")},
	} {
		r, err := Parse(c.kind, []byte(c.body))
		require.NoError(t, err, c)
		_, g, err := session().Answer(r)
		require.NoError(t, err)
		require.Equal(t, plainly, g, c)
	}
	for _, c := range []struct {
		kind, body string
		want       error
	}{
		{"", plainOffer, ErrType},
		{"text/plain", plainOffer, ErrType},
		{"application/sdpx", plainOffer, ErrType},
		{"application/dtmf-relay", "Signal=1", ErrType},
		{"multipart/mixed;boundary=b1", isup + "--b1--\r\n", ErrType},
		{"multipart/mixed;boundary=b1", strings.Repeat(isup, 16) + sdp + "--b1--\r\n", ErrType},
		{"multipart/mixed;boundary=b1", "", ErrType},
		{"multipart/mixed", sdp, ErrMalformed},
		{"multipart/mixed;boundary=", sdp, ErrMalformed},
		{"multipart/mixed;boundary=b1", part("application/sdp", strings.Repeat("a=x\r\n", 5000)), ErrMalformed},
	} {
		_, err := Parse(c.kind, []byte(c.body))
		require.ErrorIs(t, err, c.want, c.kind)
	}
}

// TestParseRefuses what cannot be talked about, and says which answer is due.
func TestParseRefuses(t *testing.T) {
	head := "v=0\r\nc=IN IP4 198.51.100.7\r\n"
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"nothing", "", ErrMalformed},
		{"blanks", "\r\n\r\n", ErrMalformed},
		{"garbage", "\x80\xff\x01GET / HTTP/1.1", ErrMalformed},
		{"a zero byte", plainOffer + "a=\x00\r\n", ErrMalformed},
		{"another version", strings.Replace(plainOffer, "v=0", "v=1", 1), ErrMalformed},
		{"too long", plainOffer + strings.Repeat("a=x\r\n", 4000), ErrMalformed},
		{"m without formats and protocol", head + "m=audio 4000\r\n", ErrMalformed},
		{"port that is none", head + "m=audio x RTP/AVP 8\r\n", ErrMalformed},
		{"port below 0", head + "m=audio -1 RTP/AVP 8\r\n", ErrMalformed},
		{"port above 65535", head + "m=audio 65536 RTP/AVP 8\r\n", ErrMalformed},
		{"port as a huge number", head + "m=audio 99999999999999999999 RTP/AVP 8\r\n", ErrMalformed},
		{"a word too long to repeat", head + "m=audio 4000 " + strings.Repeat("R", 65) + " 8\r\n", ErrMalformed},
		{"a word with control characters", head + "m=audio 4000 RTP/AVP \x018\r\n", ErrMalformed},
		{"a word that is not ASCII", head + "m=audió 4000 RTP/AVP 8\r\n", ErrMalformed},
		{"too many m-lines", head + strings.Repeat("m=audio 4000 RTP/AVP 8\r\n", 33), ErrMalformed},
		{"too many formats", head + "m=audio 4000 RTP/AVP" + strings.Repeat(" 8", 129) + "\r\n", ErrMalformed},
		{"no c", "v=0\r\nm=audio 4000 RTP/AVP 8\r\n", ErrMalformed},
		{"c of another line only", "v=0\r\nm=video 4000 RTP/AVP 8\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP 8\r\n", ErrMalformed},
		{"c is a name", "v=0\r\nc=IN IP4 media.example.com\r\nm=audio 4000 RTP/AVP 8\r\n", ErrMalformed},
		{"c is nothing", "v=0\r\nc=IN IP4 198.51.100.256\r\nm=audio 4000 RTP/AVP 8\r\n", ErrMalformed},
		{"no m-line", head, ErrNoAudio},
		{"video only", head + "m=video 4000 RTP/AVP 99\r\n", ErrNoAudio},
		{"image only", head + "m=image 4000 udptl t38\r\n", ErrNoAudio},
		{"port 0", head + "m=audio 0 RTP/AVP 8\r\n", ErrNoAudio},
		{"audio over something else", head + "m=audio 4000 TCP/RTP/AVP 8\r\n", ErrNoAudio},
		{"SAVP", head + "m=audio 4000 RTP/SAVP 8\r\n", ErrSecure},
		{"SAVPF", head + "m=audio 4000 rtp/savpf 8\r\n", ErrSecure},
		{"DTLS", head + "m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\n", ErrSecure},
		{"SAVP at port 0", head + "m=audio 0 RTP/SAVP 8\r\n", ErrNoAudio},
		{"SAVP of video", head + "m=video 4000 RTP/SAVP 99\r\n", ErrNoAudio},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Parse("application/sdp", []byte(c.text))
			require.ErrorIs(t, err, c.want)
			require.Nil(t, r)
		})
	}
	most := head + strings.Repeat("m=video 4000 RTP/AVP 8\r\n", 31) + "m=audio 4000 RTP/AVP" + strings.Repeat(" 8", 128) + "\r\n"
	_, err := Parse("application/sdp", []byte(most))
	require.NoError(t, err, "what is just within the bounds is read")
}

// TestPacketDuration: ptime as the peer wants it, never above its maxptime,
// from 10 to 60 ms in steps of 10 (RFC 8866 section 6.4).
func TestPacketDuration(t *testing.T) {
	for attributes, ms := range map[string]int{
		"": 20, "a=ptime:10": 10, "a=ptime:20": 20, "a=ptime:30": 30, "a=ptime:40": 40, "a=ptime:60": 60,
		"a=ptime:0": 20, "a=ptime:-20": 20, "a=ptime:x": 20, "a=ptime:": 20, "a=ptime:5": 10, "a=ptime:25": 20, "a=ptime:20.5": 20,
		"a=ptime:61": 60, "a=ptime:240": 60, "a=ptime:1001": 20, "a=ptime:99999999999999999999": 20, "a=ptime: 30 ": 30,
		"a=maxptime:10": 10, "a=maxptime:40": 20, "a=maxptime:0": 20, "a=maxptime:1": 10,
		"a=ptime:60\r\na=maxptime:40": 40, "a=maxptime:40\r\na=ptime:60": 40, "a=ptime:20\r\na=maxptime:150": 20,
	} {
		text := strings.Replace(plainOffer, "a=ptime:20\r\n", attributes+"\r\n", 1)
		require.Equal(t, time.Duration(ms)*time.Millisecond, agreed(t, text).PTime, attributes)
	}
}

// TestRTCPAddress: the next port, or what a=rtcp says (RFC 3605).
func TestRTCPAddress(t *testing.T) {
	for attribute, want := range map[string]string{
		"": "198.51.100.7:4001", "a=rtcp:5001": "198.51.100.7:5001", "a=rtcp:5001 IN IP4 198.51.100.8": "198.51.100.8:5001",
		"a=rtcp:0": "198.51.100.7:4001", "a=rtcp:x": "198.51.100.7:4001", "a=rtcp:": "198.51.100.7:4001", "a=rtcp:65536": "198.51.100.7:4001",
		"a=rtcp:5001 IN IP4 host.example.com": "198.51.100.7:5001", "a=rtcp:5001 IN IP4": "198.51.100.7:5001",
		"a=rtcp:5001 IN IP6 2001:db8::1": "198.51.100.7:5001", "a=rtcp:5001 IN IP4 0.0.0.0": "198.51.100.7:5001",
		"a=rtcp:5001 IN IP4 224.0.0.1": "198.51.100.7:5001",
	} {
		require.Equal(t, netip.MustParseAddrPort(want), agreed(t, plainOffer+attribute+"\r\n").RTCP, attribute)
	}
	last := strings.Replace(plainOffer, "audio 4000", "audio 65535", 1)
	require.Equal(t, netip.AddrPort{}, agreed(t, last).RTCP, "there is no port behind 65535")
}

// TestAddresses that no packet of ours can or may be sent to.
func TestAddresses(t *testing.T) {
	six := NewSession(netip.MustParseAddr("2001:db8::9"), 20000, nil)
	for address, s := range map[string]*Session{
		"IP6 2001:db8::1": session(), "IP4 224.0.0.1/127": session(), "IP4 255.255.255.255": session(),
		"IP4 198.51.100.7": six, "IP6 ff02::1": six,
	} {
		r, err := Parse("application/sdp", []byte(strings.Replace(plainOffer, "IP4 198.51.100.7\r\nt", address+"\r\nt", 1)))
		require.NoError(t, err)
		require.False(t, r.Reachable(s.ip), address)
		body, _, err := s.Answer(r)
		require.ErrorIs(t, err, ErrAddress, address)
		require.Empty(t, body)
	}
	r, err := Parse("application/sdp", []byte(strings.Replace(plainOffer, "IP4 198.51.100.7\r\nt", "IP6 [2001:db8::1]\r\nt", 1)))
	require.NoError(t, err)
	require.True(t, r.Reachable(six.ip))
	_, g, err := six.Answer(r)
	require.NoError(t, err)
	require.Equal(t, "[2001:db8::1]:4000", g.RTP.String())

	// The line with a codec of ours is not the one whose address was looked at.
	for _, c := range []string{"", "c=IN IP6 media.example.com\r\n"} {
		for _, s := range []*Session{session(), six} {
			r, err := Parse("application/sdp", []byte("v=0\r\nm=audio 4000 RTP/AVP 18\r\nc=IN IP4 198.51.100.7\r\nm=audio 4002 RTP/AVP 8\r\n"+c))
			require.NoError(t, err)
			_, g, err := s.Answer(r)
			require.ErrorIs(t, err, ErrAddress, fmt.Sprint(g))
		}
	}
}

func TestCodecNames(t *testing.T) {
	for _, good := range []string{"PCMA", "pcmu", "Pcma", "g729", "AMR-wb", "evs", "OPUS", "ilbc", "G722"} {
		require.NoError(t, ValidCodec(good))
	}
	const all = "use PCMA, PCMU, GSM, G723, G722, G729, G726-32, iLBC, AMR, AMR-WB, EVS or opus"
	require.EqualError(t, ValidCodec("G728"), `codec "G728": `+all)
	require.EqualError(t, ValidCodec(""), `codec "": `+all)

	r, err := Parse("application/sdp", []byte("v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP 0\r\n"))
	require.NoError(t, err)
	require.NoError(t, r.Common(nil))
	require.NoError(t, r.Common([]string{"pcma", "pcmu"}))
	require.ErrorIs(t, r.Common([]string{"PCMA"}), ErrNoCodec)
}

// TestReadOnce: a description is not read again for each of our codecs, nor a
// payload type each time that it is listed: 15 kB that say little cost little.
func TestReadOnce(t *testing.T) {
	body := "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP" + strings.Repeat(" 97", maxFormats-1) + " 8\r\na=rtpmap:97 AMR/8000\r\na=fmtp:97 " + strings.Repeat(";", 15000) + "\r\n"
	names := []string{"PCMA", "PCMU", "AMR", "G729"}
	quickest := time.Hour
	for range 5 {
		began := time.Now()
		r, err := Parse("application/sdp", []byte(body))
		require.NoError(t, err)
		require.NoError(t, r.Common(names))
		require.Len(t, r.Passable(names), 1)
		_, _, err = NewSession(netip.MustParseAddr("192.0.2.2"), 4000, names).Answer(r)
		require.NoError(t, err)
		quickest = min(quickest, time.Since(began))
	}
	require.Less(t, quickest, 300*time.Millisecond) // it took seconds
}
