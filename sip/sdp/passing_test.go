package sdp

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// described is a description of one audio line with these formats, rtpmaps and
// fmtps.
func described(formats string, lines ...string) string {
	text := "v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/AVP " + formats + "\r\n"
	for _, l := range lines {
		text += "a=" + l + "\r\n"
	}
	return text
}

func withCodecs(names ...string) *Session {
	return NewSession(netip.MustParseAddr("192.0.2.1"), 20000, names)
}

// TestPassedThrough: what A offers is offered to B in our own words, and A is
// answered with what B took of it.
func TestPassedThrough(t *testing.T) {
	all := []string{"G729", "AMR-WB", "AMR", "EVS", "opus", "iLBC", "G722", "PCMA", "PCMU"}
	for name, c := range map[string]struct {
		a     []string // formats and attributes of A's offer
		allow []string // of both trunks; nil: all
		b     []string // B's answer
		offer []string // lines that the offer to B must have
		reply []string // and the answer to A
		codec Codec
		event [4]uint8 // A's and B's payload types of events: SendEventPT, RecvEventPT each
	}{
		"G.729 by its static type": {
			a: []string{"18 8 101", "rtpmap:101 telephone-event/8000"}, b: []string{"18 101", "rtpmap:101 telephone-event/8000"},
			offer: []string{"m=audio 20000 RTP/AVP 18 8 0 101", "a=rtpmap:18 G729/8000"}, reply: []string{"m=audio 20000 RTP/AVP 18 101"},
			codec: Codec{Name: "G729", Clock: 8000, Channels: 1}, event: [4]uint8{101, 101, 101, 101},
		},
		"annexb of A": {
			a: []string{"18", "fmtp:18 annexb=no"}, b: []string{"18"}, offer: []string{"a=fmtp:18 annexb=no"}, reply: []string{"a=fmtp:18 annexb=no"},
			codec: Codec{Name: "G729", Clock: 8000, Channels: 1, Params: "annexb=no"},
		},
		"annexb of B": {
			a: []string{"18"}, b: []string{"18", "fmtp:18 annexb = NO"}, reply: []string{"a=fmtp:18 annexb=no"},
			codec: Codec{Name: "G729", Clock: 8000, Channels: 1, Params: "annexb=no"},
		},
		"annexb of A against B": {
			a: []string{"18", "fmtp:18 annexb=no"}, b: []string{"18", "fmtp:18 annexb=yes"}, reply: []string{"a=fmtp:18 annexb=no"},
			codec: Codec{Name: "G729", Clock: 8000, Channels: 1, Params: "annexb=no"},
		},
		"AMR of the form that both have": {
			a: []string{"96 97 8", "rtpmap:96 AMR/8000", "rtpmap:97 amr/8000/1", "fmtp:97 octet-align=1; mode-set=0,2,4,7; zq=13800000001"},
			b: []string{"111", "rtpmap:111 AMR/8000", "fmtp:111 mode-set=0,2,4,7;octet-align=1"}, allow: []string{"AMR"},
			offer: []string{"m=audio 20000 RTP/AVP 96 97 8 0 101", "a=fmtp:97 octet-align=1;mode-set=0,2,4,7"},
			reply: []string{"m=audio 20000 RTP/AVP 97\r\n", "a=rtpmap:97 AMR/8000\r\n", "a=fmtp:97 octet-align=1;mode-set=0,2,4,7\r\n"},
			codec: Codec{Name: "AMR", Clock: 8000, Channels: 1, Params: "octet-align=1;mode-set=0,2,4,7"},
		},
		"events at the clock of the audio": {
			a: []string{"104 8 101 102", "rtpmap:104 AMR-WB/16000", "rtpmap:101 telephone-event/8000", "rtpmap:102 telephone-event/16000"},
			b: []string{"98 99 100", "rtpmap:98 AMR-WB/16000", "rtpmap:99 telephone-event/8000", "rtpmap:100 telephone-event/16000"}, allow: []string{"amr-wb", "pcma"},
			offer: []string{"m=audio 20000 RTP/AVP 96 8 101 97", "a=rtpmap:97 telephone-event/16000", "a=rtpmap:101 telephone-event/8000"},
			reply: []string{"m=audio 20000 RTP/AVP 104 102\r\n"},
			codec: Codec{Name: "AMR-WB", Clock: 16000, Channels: 1}, event: [4]uint8{102, 102, 100, 97},
		},
		"no events at another clock": {
			a: []string{"104 101", "rtpmap:104 opus/48000/2", "rtpmap:101 telephone-event/8000"}, b: []string{"96 101", "rtpmap:96 OPUS/48000/2", "rtpmap:101 telephone-event/8000"},
			reply: []string{"m=audio 20000 RTP/AVP 104\r\n", "a=rtpmap:104 opus/48000/2"}, codec: Codec{Name: "opus", Clock: 48000, Channels: 2},
		},
		"the packet size of the other": {
			a: []string{"97", "rtpmap:97 iLBC/8000", "fmtp:97 mode=30", "ptime:30"}, b: []string{"96", "rtpmap:96 iLBC/8000", "fmtp:96 mode=30", "ptime:60"},
			offer: []string{"a=ptime:30", "a=fmtp:96 mode=30"}, reply: []string{"a=ptime:60"}, codec: Codec{Name: "iLBC", Clock: 8000, Channels: 1, Params: "mode=30"},
		},
		"B falls back": {
			a: []string{"18 0"}, b: []string{"0"}, reply: []string{"m=audio 20000 RTP/AVP 0\r\n"}, codec: pcmu,
		},
		"another form of payload is another codec": {
			a: []string{"96 8", "rtpmap:96 AMR/8000", "fmtp:96 octet-align=1"}, b: []string{"96 8", "rtpmap:96 AMR/8000"}, reply: []string{"m=audio 20000 RTP/AVP 8\r\n"}, codec: pcma,
		},
	} {
		t.Run(name, func(t *testing.T) {
			names := append(c.allow, all...)
			if c.allow != nil {
				names = c.allow
			}
			offer := parse(t, described(c.a[0], c.a[1:]...))
			b := withCodecs(names...)
			b.Pass(Passing{Codecs: offer.Passable(names), PTime: offer.PTime()})
			asked := string(b.Offer())
			for _, line := range c.offer {
				require.Contains(t, asked, line)
			}
			require.NotContains(t, asked, "13800000001")
			gb, err := b.Accept(parse(t, described(c.b[0], c.b[1:]...)))
			require.NoError(t, err, asked)
			require.Equal(t, c.codec, gb.Codec)
			a := withCodecs(names...)
			if !gb.Codec.Speaks() {
				a.Pass(Passing{Codecs: []Codec{gb.Codec}, PTime: gb.PTime})
			}
			said, ga, err := a.Answer(offer)
			require.NoError(t, err)
			for _, line := range c.reply {
				require.Contains(t, string(said), line)
			}
			require.True(t, ga.Codec.Fits(gb.Codec))
			require.Equal(t, gb.Codec.Params, ga.Codec.Params)
			if c.event != [4]uint8{} {
				require.Equal(t, c.event, [4]uint8{ga.SendEventPT, ga.RecvEventPT, gb.SendEventPT, gb.RecvEventPT})
			}
		})
	}
}

// TestAPassedCodecStays: the other leg has it too, so neither side can change it
// alone, and what we offer later is this one.
func TestAPassedCodecStays(t *testing.T) {
	s := withCodecs("G729")
	s.Pass(Passing{Codecs: []Codec{{Name: "G729", Clock: 8000, Channels: 1}}})
	require.Contains(t, string(s.Offer()), "RTP/AVP 18 8 0 101")
	_, err := s.Accept(parse(t, described("18 101", "rtpmap:101 telephone-event/8000")))
	require.NoError(t, err)
	current := string(s.Current())
	require.Contains(t, current, "RTP/AVP 18 101\r\n")
	require.Equal(t, current, string(s.Current()))
	_, _, err = s.Answer(parse(t, described("8 0")))
	require.ErrorIs(t, err, ErrNoCodec)
	body, g, err := s.Answer(parse(t, described("8 18")))
	require.NoError(t, err)
	require.Equal(t, "G729", g.Codec.Name)
	require.Contains(t, string(body), "RTP/AVP 18\r\n")

	s = withCodecs("G729")
	s.Pass(Passing{Codecs: []Codec{{Name: "G729", Clock: 8000, Channels: 1}}})
	s.Offer()
	_, err = s.Accept(parse(t, described("8 101", "rtpmap:101 telephone-event/8000")))
	require.NoError(t, err)
	require.Contains(t, string(s.Current()), "RTP/AVP 8 0 101\r\n", "and what was not taken is not offered again")
	_, _, err = s.Answer(parse(t, described("18")))
	require.ErrorIs(t, err, ErrNoCodec)
}

// TestPassable: in their order, of the names that are allowed, each form once,
// and never more than an INVITE may carry.
func TestPassable(t *testing.T) {
	offer := parse(t, described("8 9 18 96 97 98 99 100 101 102 103 104", "rtpmap:96 AMR/8000", "rtpmap:97 AMR/8000", "fmtp:97 mode-set=7", "rtpmap:98 AMR/8000",
		"fmtp:98 octet-align=1", "rtpmap:99 opus/48000", "rtpmap:100 AMR-WB/8000", "rtpmap:101 EVS/16000/1", "rtpmap:102 iLBC/8000", "rtpmap:103 AMR-WB/16000", "rtpmap:104 zq/8000"))
	var got []string
	for _, c := range offer.Passable([]string{"pcma", "g722", "AMR", "amr-wb", "opus", "EVS", "ilbc", "G729"}) {
		got = append(got, strings.TrimSuffix(c.Name+" "+c.Params, " "))
	}
	require.Equal(t, []string{"G722", "G729", "AMR", "AMR octet-align=1", "EVS", "iLBC"}, got)
	require.Empty(t, offer.Passable(nil))
	require.Equal(t, 20*time.Millisecond, offer.PTime())

	s := withCodecs("G729", "PCMA")
	s.Pass(Passing{Codecs: offer.Passable([]string{"G729"}), Alone: true})
	require.Contains(t, string(s.Offer()), "RTP/AVP 18 101\r\n", "G.711 is of no use to who has none")
}

// TestSettings: a parameter's value is a setting or is left out, so that no fmtp
// carries a word of one side to the other.
func TestSettings(t *testing.T) {
	for value, ok := range map[string]bool{
		"no": true, "1": true, "0,1,2,3,4,5,6,7,8": true, "5.9-24.4": true, "nb-swb": true, "510000": true,
		"": false, "1380000": false, "13800000001": false, "a b": false, "a=b": false, "sip:a@b": false, "abcdefghijklmnopqrstu": false, "é": false,
	} {
		require.Equal(t, ok, setting(value), value)
	}
}

// TestMultiplexed is RFC 5761 section 5.1.1.
func TestMultiplexed(t *testing.T) {
	theirs := described("8", "rtcp-mux", "rtcp:4009")
	for _, c := range []struct {
		mux                    Mux
		offered, answered, got bool // we offer it; we answer it with it; we take it as an answer
	}{{MuxAccept, false, true, false}, {MuxOffer, true, true, true}, {MuxOff, false, false, false}} {
		s := withCodecs()
		s.Multiplex(c.mux)
		offer := string(s.Offer())
		require.Equal(t, c.offered, strings.Contains(offer, "a=rtcp-mux\r\n"))
		require.Contains(t, offer, "a=rtcp:20001\r\n", "for who has no multiplexing")
		g, err := s.Accept(parse(t, theirs))
		require.NoError(t, err)
		require.Equal(t, c.got, g.Mux)
		require.Equal(t, c.got, g.RTP == g.RTCP)
		require.Equal(t, c.got, strings.Contains(string(s.Current()), "a=rtcp-mux\r\n"))

		s = withCodecs()
		s.Multiplex(c.mux)
		body, g := answer(t, s, theirs)
		require.Equal(t, c.answered, g.Mux)
		require.Equal(t, c.answered, strings.Contains(body, "a=rtcp-mux\r\n"))
		require.Equal(t, !c.answered, strings.Contains(body, "a=rtcp:"))
		require.Equal(t, c.answered, g.RTP == g.RTCP)
		body, g = answer(t, s, described("8"))
		require.False(t, g.Mux, "a new offer without it ends it")
		require.NotContains(t, body, "a=rtcp-mux\r\n")
	}
	for word, want := range map[string]Mux{"": MuxAccept, "accept": MuxAccept, "offer": MuxOffer, "off": MuxOff} {
		got, err := MuxNamed(word)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := MuxNamed("always")
	require.ErrorContains(t, err, "use accept, offer or off")
}

// TestPreconditionsAreNotRepeated: the attributes of RFC 3312 are the peer's
// wish, and nothing of ours.
func TestPreconditionsAreNotRepeated(t *testing.T) {
	body, _ := answer(t, withCodecs(), described("8", "curr:qos local none", "curr:qos remote none", "des:qos mandatory local sendrecv", "conf:qos remote sendrecv", "ptime:zq", "maxptime:"))
	for _, word := range []string{"curr", "des:", "conf", "qos", "zq"} {
		require.NotContains(t, body, word)
	}
	require.Contains(t, body, "a=ptime:20\r\n")
}
