package sdp

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestNothingOfTheRemoteDescriptionIsInOurs: whoever made an offer, and on what
// machine, cannot be read in anything that we send on, in the answer least.
func TestNothingOfTheRemoteDescriptionIsInOurs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var said []string
		text := func(what string) string {
			s := rapid.StringMatching(`zq[A-Za-z0-9+@._-]{4,20}`).Draw(t, what)
			said = append(said, s)
			return s
		}
		number := rapid.StringMatching(`1380000[0-9]{4}`).Draw(t, "number")
		address := netip.AddrFrom4([4]byte{203, 0, 113, byte(rapid.IntRange(1, 254).Draw(t, "host"))}).String()
		said = append(said, number, address)
		offer := "v=0\r\no=" + text("user") + " 7777700000000000001 7777710000000000001 IN IP4 " + address + "\r\ns=" + text("session") + " " + number + "\r\ni=" + text("info") +
			"\r\nu=http://" + text("uri") + "\r\ne=" + text("mail") + "\r\np=+86 " + number + "\r\nc=IN IP4 " + address +
			"\r\nb=" + text("bandwidth") + ":64\r\nt=0 0\r\nk=clear:" + text("key") + "\r\na=tool:" + text("tool") +
			"\r\nm=video 5000 RTP/AVP 99\r\ni=" + text("title") + "\r\nm=audio 4000 RTP/AVP 8 0 97\r\na=rtpmap:97 telephone-event/8000\r\na=ssrc:1 cname:" +
			text("cname") + "\r\na=fmtp:97 0-15," + text("fmtp") + "\r\na=candidate:1 1 UDP 1 " + address + " 9 typ host\r\na=ice-ufrag:" + text("ufrag") +
			"\r\na=curr:qos local none\r\na=" + text("attribute") + "\r\na=mid:" + text("mid") + "\r\n"
		// As long as our own random ids are, which hold a short number by chance.
		said = append(said, "7777700000000000001", "7777710000000000001")
		s := session()
		r, err := Parse("application/sdp", []byte(offer))
		require.NoError(t, err)
		body, _, err := s.Answer(r)
		require.NoError(t, err)
		ours := string(body) + string(s.Current()) + string(s.Offer())
		for _, word := range said {
			require.NotContains(t, ours, word)
		}
		for l := range strings.SplitSeq(ours, "\r\n") {
			require.Contains(t, []string{"", "v=", "o=", "s=", "c=", "t=", "m=", "a="}, l[:min(2, len(l))])
		}
	})
}

// TestVersionsOfRandomTalks: whatever happens in a dialog, each description has
// the id of the first, and a version that is higher by one if it says anything
// new, and the same otherwise.
func TestVersionsOfRandomTalks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := session()
		last, lastID, n := "", "", 0
		t.Repeat(map[string]func(*rapid.T){
			"offer":   func(t *rapid.T) { last, lastID, n = follows(t, string(s.Offer()), last, lastID, n) },
			"current": func(t *rapid.T) { last, lastID, n = follows(t, string(s.Current()), last, lastID, n) },
			"answer": func(t *rapid.T) {
				offer := randomOffer(t)
				r, err := Parse("application/sdp", []byte(offer))
				require.NoError(t, err)
				body, g, err := s.Answer(r)
				if err != nil {
					require.ErrorIs(t, err, ErrNoCodec)
					return
				}
				last, lastID, n = follows(t, string(body), last, lastID, n)
				answers(t, string(body), strings.Count(offer, "m="))
				require.Contains(t, []Codec{pcma, pcmu}, g.Codec)
			},
		})
	})
}

// follows checks a description against the one before it.
func follows(t *rapid.T, body, last, lastID string, n int) (rest, id string, version int) {
	m := origin.FindStringSubmatch(body)
	require.NotNil(t, m, body)
	rest = strings.Replace(body, " "+m[2]+" IN", " IN", 1)
	if rest != last {
		n++
	}
	require.Equal(t, strconv.Itoa(n), m[2])
	if lastID != "" {
		require.Equal(t, lastID, m[1])
	}
	return rest, m[1], n
}

func randomOffer(t *rapid.T) string {
	text := "v=0\r\nc=IN IP4 " + rapid.SampledFrom([]string{"198.51.100.7", "0.0.0.0"}).Draw(t, "address") + "\r\n"
	for range rapid.IntRange(0, 2).Draw(t, "before") {
		text += rapid.SampledFrom([]string{"m=video 5000 RTP/AVP 99\r\n", "m=audio 0 RTP/AVP 8\r\n", "m=image 6000 udptl t38\r\na=inactive\r\n"}).Draw(t, "other")
	}
	event := rapid.SampledFrom([]string{"96", "97", "101", "127"}).Draw(t, "event")
	return text + "m=audio 4000 RTP/AVP " + rapid.SampledFrom([]string{"8", "0", "8 0", "0 8 13", "18"}).Draw(t, "codecs") + " " + event +
		"\r\na=rtpmap:" + event + " " + rapid.SampledFrom([]string{"telephone-event/8000", "telephone-event/16000", "PCMA/8000"}).Draw(t, "meaning") +
		"\r\na=" + rapid.SampledFrom([]string{"sendrecv", "sendonly", "recvonly", "inactive"}).Draw(t, "direction") + "\r\n"
}

// answers checks the lines of an answer to an offer with so many (RFC 3264
// section 6).
func answers(t require.TestingT, body string, lines int) {
	all := media(body)
	require.Len(t, all, lines)
	open := 0
	for _, l := range all {
		words := strings.Split(strings.TrimPrefix(l, "m="), " ")
		require.GreaterOrEqual(t, len(words), 4, l)
		require.NotContains(t, words, "")
		if words[1] == "0" {
			continue
		}
		open++
		require.Equal(t, []string{"audio", "20000"}, words[:2])
		slices.Sort(words[3:])
		require.Len(t, slices.Compact(words[3:]), len(words[3:]), "a number that stands for two: %s", l)
	}
	require.Equal(t, 1, open)
}

// FuzzParse reads what anybody may send: it is refused with an error of this
// package, or answered with a description that another reader understands.
func FuzzParse(f *testing.F) {
	f.Add("application/sdp", []byte(plainOffer))
	f.Add("application/sdp", []byte("v=0\nc=IN IP6 ::\nm=audio 1/2 rtp/avpf 8 200 13 97\na=rtpmap:97 telephone-event/8000/1\na=ptime:9.9\na=rtcp:1 IN IP4 1"))
	f.Add("multipart/mixed;boundary=b", []byte("--b\r\nContent-Type: application/sdp\r\n\r\nm=audio 1 RTP/AVP 0\r\nc=IN IP4 1.1.1.1\r\n--b--"))
	f.Add("multipart/x; boundary=\"", []byte("--\r\n--"))
	f.Add("application/sdp", []byte("m=audio 65535 RTP/AVP\r\nc=\r\na=:\r\na=rtpmap:0\r\n=\r\nm="))
	f.Add("application/sdp", []byte("v=0\rc=IN IP4 224.1.1.1/1\rm=image 0 udptl t38\rm=audio 9 RTP/SAVP 8\rm=audio 9 RTP/AVP 96 96\ra=rtpmap:96 PCMU/8000\ra=inactive"))
	f.Add("application/sdp", []byte(described("18 96 97 98 101 102 103", "rtpmap:96 AMR/8000", "fmtp:96 octet-align=1;mode-set=0,2", "rtpmap:97 AMR-WB/16000", "rtpmap:98 opus/48000/2",
		"fmtp:98 useinbandfec=1; maxaveragebitrate=1380000", "rtpmap:101 telephone-event/8000", "rtpmap:102 telephone-event/16000", "rtpmap:103 telephone-event/48000", "rtcp-mux", "ptime:30")))
	f.Add("application/sdp", []byte(described("9 0 13 96 96", "rtpmap:9 G729/8000", "rtpmap:96 iLBC/8000", "rtpmap:96 EVS/16000", "fmtp:96 mode=30;br=5.9-24.4;hf-only=1", "fmtp:18 annexb", "maxptime:1")))
	f.Fuzz(func(t *testing.T, kind string, text []byte) {
		r, err := Parse(kind, text)
		if err != nil {
			require.Nil(t, r)
			require.True(t, slices.ContainsFunc([]error{ErrType, ErrMalformed, ErrNoAudio, ErrSecure}, func(e error) bool { return errors.Is(err, e) }), err)
			return
		}
		for _, s := range []*Session{session(), NewSession(netip.MustParseAddr("2001:db8::9"), 20000, []string{"PCMU"})} {
			offer := string(s.Offer())
			if g, err := s.Accept(r); err == nil {
				settled(t, g)
			}
			body, g, err := s.Answer(r)
			if err != nil {
				require.Equal(t, offer, string(s.Current()))
				continue
			}
			settled(t, g)
			answers(t, string(body), len(r.lines))
		}
		passes(t, r)
	})
}

// passes lets what a peer described be one leg, and the same the other leg's
// answer: what is passed through is the same on both.
func passes(t *testing.T, r *Remote) {
	all := []string{"opus", "EVS", "AMR-WB", "AMR", "iLBC", "G726-32", "G729", "G722", "G723", "GSM", "PCMA", "PCMU"}
	b := withCodecs(all...)
	b.Multiplex(MuxOffer)
	b.Pass(Passing{Codecs: r.Passable(all), PTime: r.PTime()})
	again, err := Parse("application/sdp", b.Offer())
	require.NoError(t, err)
	require.NoError(t, again.Common(nil))
	g, err := b.Accept(r)
	if err != nil {
		return
	}
	settled(t, g)
	a := withCodecs(all...)
	if !g.Codec.Speaks() {
		a.Pass(Passing{Codecs: []Codec{g.Codec}, PTime: g.PTime})
	}
	body, ours, err := a.Answer(r)
	if err != nil {
		return
	}
	settled(t, ours)
	answers(t, string(body), len(r.lines))
	if !ours.Codec.Speaks() {
		require.True(t, ours.Codec.Fits(g.Codec))
	}
}

// settled checks what media is told: addresses of one host, numbers of RTP.
func settled(t *testing.T, g Agreed) {
	require.NoError(t, ValidCodec(g.Codec.Name))
	require.Equal(t, g.Codec == pcma || g.Codec == pcmu, g.Codec.Speaks())
	require.GreaterOrEqual(t, g.PTime.Milliseconds(), int64(10))
	require.LessOrEqual(t, g.PTime.Milliseconds(), int64(60))
	for _, pt := range []uint8{g.SendPT, g.RecvPT, g.SendEventPT, g.RecvEventPT} {
		require.Less(t, pt, uint8(128))
	}
	require.Equal(t, g.SendEventPT == 0, g.RecvEventPT == 0)
	if g.SendEventPT != 0 {
		require.NotEqual(t, g.SendPT, g.SendEventPT)
		require.NotEqual(t, g.RecvPT, g.RecvEventPT)
	}
	if g.RTP != (netip.AddrPort{}) {
		require.True(t, g.RTP.IsValid())
		require.NotZero(t, g.RTP.Port())
		require.False(t, g.RTP.Addr().IsUnspecified() || g.RTP.Addr().IsMulticast())
	}
}
