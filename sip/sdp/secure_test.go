package sdp

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/media/srtp"
)

// secureOffer is an offer of PCMA over proto with a=crypto lines.
func secureOffer(proto string, cryptos ...string) string {
	text := "v=0\r\nc=IN IP4 198.51.100.7\r\n" + "m=audio 4000 " + proto + " 8\r\n"
	for _, c := range cryptos {
		text += "a=crypto:" + c + "\r\n"
	}
	return text
}

func secured(level Security) *Session {
	s := session()
	s.Secure(level)
	return s
}

func parseFor(t testing.TB, level Security, text string) *Remote {
	r, err := ParseFor(level, "application/sdp", []byte(text))
	require.NoError(t, err, text)
	return r
}

var cryptoLine = regexp.MustCompile(`(?m)^a=crypto:(.*)\r$`)

// cryptos are the values of a=crypto in a description of ours.
func cryptos(t testing.TB, body string) []crypto {
	var all []crypto
	for _, m := range cryptoLine.FindAllStringSubmatch(body, -1) {
		c, err := parseCrypto(m[1])
		require.NoError(t, err, body)
		all = append(all, c)
	}
	return all
}

const (
	sha80 = " AES_CM_128_HMAC_SHA1_80 inline:"
	sha32 = " AES_CM_128_HMAC_SHA1_32 inline:"
	gcm   = " AEAD_AES_256_GCM inline:"
	f8    = " F8_128_HMAC_SHA1_80 inline:"
)

// TestSecureAnswer is what becomes of an offer for each level of a side. An
// error is what the call refuses with 488; ErrSecure comes from reading it.
func TestSecureAnswer(t *testing.T) {
	two := secureOffer("RTP/AVP") + strings.SplitAfterN(secureOffer("RTP/SAVP", "5"+sha80+key30), "\r\n", 3)[2]
	for _, v := range []struct {
		name, offer string
		level       Security
		want        any // the m-line of the answer, or why there is none
		tag         int // of a=crypto; 0: none
	}{
		{"plain", secureOffer("RTP/AVP"), Off, "m=audio 20000 RTP/AVP 8", 0},
		{"plain", secureOffer("RTP/AVP"), Optional, "m=audio 20000 RTP/AVP 8", 0},
		{"plain", secureOffer("RTP/AVP"), Required, ErrPlain, 0},
		{"SAVP", secureOffer("RTP/SAVP", "4"+sha80+key30), Off, ErrSecure, 0},
		{"SAVP", secureOffer("RTP/SAVP", "4"+sha80+key30), Optional, "m=audio 20000 RTP/SAVP 8", 4},
		{"SAVP", secureOffer("RTP/SAVP", "4"+sha80+key30), Required, "m=audio 20000 RTP/SAVP 8", 4},
		{"SAVPF", secureOffer("rtp/savpf", "4"+sha80+key30), Off, ErrSecure, 0},
		{"SAVPF", secureOffer("rtp/savpf", "4"+sha80+key30), Required, "m=audio 20000 RTP/SAVPF 8", 4},
		{"AVP with keys", secureOffer("RTP/AVP", "4"+sha80+key30), Off, "m=audio 20000 RTP/AVP 8", 0},
		{"AVP with keys", secureOffer("RTP/AVP", "4"+sha80+key30), Optional, "m=audio 20000 RTP/AVP 8", 4},
		{"AVP with keys", secureOffer("RTP/AVP", "4"+sha80+key30), Required, "m=audio 20000 RTP/AVP 8", 4},
		{"DTLS", secureOffer("UDP/TLS/RTP/SAVP"), Off, ErrSecure, 0},
		{"DTLS", secureOffer("UDP/TLS/RTP/SAVP"), Optional, ErrSuite, 0},
		{"DTLS", secureOffer("UDP/TLS/RTP/SAVP", "4"+sha80+key30), Required, ErrSuite, 0},
		{"SAVP without keys", secureOffer("RTP/SAVP"), Optional, ErrSuite, 0},
		{"SAVP without keys", secureOffer("RTP/SAVP"), Required, ErrSuite, 0},

		{"the first suite that we have", secureOffer("RTP/SAVP", "1"+f8+key30, "2"+gcm+key44, "3"+sha80+key30), Required, "m=audio 20000 RTP/SAVP 8", 2},
		{"in the peer's order", secureOffer("RTP/SAVP", "9"+sha32+key30, "3"+sha80+key30), Optional, "m=audio 20000 RTP/SAVP 8", 9},
		{"without weakening", secureOffer("RTP/SAVP", "1"+sha80+key30+" UNENCRYPTED_SRTP", "2"+sha80+key30), Required, "m=audio 20000 RTP/SAVP 8", 2},
		{"unknown suites", secureOffer("RTP/SAVP", "1"+f8+key30), Required, ErrSuite, 0},
		{"unknown suites", secureOffer("RTP/SAVP", "1"+f8+key30), Optional, ErrSuite, 0},
		{"unknown suites, AVP", secureOffer("RTP/AVP", "1"+f8+key30), Optional, "m=audio 20000 RTP/AVP 8", 0},
		{"unknown suites, AVP", secureOffer("RTP/AVP", "1"+f8+key30), Required, ErrSuite, 0},
		{"malformed", secureOffer("RTP/SAVP", "1"+sha80+key30, "2"+sha80+key28), Required, ErrCrypto, 0},
		{"malformed", secureOffer("RTP/SAVP", "1"+sha80), Optional, ErrCrypto, 0},
		{"malformed, AVP", secureOffer("RTP/AVP", "1"+sha80), Off, "m=audio 20000 RTP/AVP 8", 0},
		{"malformed, AVP", secureOffer("RTP/AVP", "1"+sha80), Optional, "m=audio 20000 RTP/AVP 8", 0},
		{"malformed, AVP", secureOffer("RTP/AVP", "1"+sha80), Required, ErrCrypto, 0},
		{"a tag twice", secureOffer("RTP/SAVP", "1"+sha80+key30, "1"+f8+key30), Required, ErrCrypto, 0},
		{"most keys", secureOffer("RTP/SAVP", many(maxCryptos)...), Required, "m=audio 20000 RTP/SAVP 8", 1},
		{"too many keys", secureOffer("RTP/SAVP", many(maxCryptos+1)...), Required, ErrCrypto, 0},
		{"far too many keys", secureOffer("RTP/SAVP", many(100)...), Required, ErrCrypto, 0},
		{"no codec", strings.Replace(secureOffer("RTP/SAVP", "1"+sha80+key30), "SAVP 8", "SAVP 18", 1), Required, ErrNoCodec, 0},
		{"no codec", strings.Replace(secureOffer("RTP/SAVP", "1"+sha80+key30), "SAVP 8", "SAVP 18", 1), Optional, ErrNoCodec, 0},
		{"port 0", strings.Replace(secureOffer("RTP/SAVP", "1"+sha80+key30), "4000", "0", 1), Required, ErrNoAudio, 0},
		{"keys of the session", "a=crypto:1" + sha80 + key30 + "\r\n" + secureOffer("RTP/SAVP"), Required, ErrSuite, 0},

		{"both", two, Off, "m=audio 20000 RTP/AVP 8|m=audio 0 RTP/SAVP 8", 0},
		{"both", two, Optional, "m=audio 0 RTP/AVP 8|m=audio 20000 RTP/SAVP 8", 5},
		{"both", two, Required, "m=audio 0 RTP/AVP 8|m=audio 20000 RTP/SAVP 8", 5},
	} {
		name := v.name + " " + v.level.String()
		refused, _ := v.want.(error)
		r, err := ParseFor(v.level, "application/sdp", []byte(v.offer))
		if err == nil {
			require.Equal(t, refused != nil, r.Common(nil) != nil, name)
			s := secured(v.level)
			before := string(s.Offer())
			var body []byte
			var g Agreed
			if body, g, err = s.Answer(r); err == nil {
				require.Equal(t, v.want, strings.Join(media(string(body)), "|"), name)
				checkAnswered(t, string(body), g, v.tag)
			} else {
				require.ErrorIs(t, r.Common(nil), refused, name)
				require.Equal(t, before, string(s.Offer()), name)
			}
		}
		require.ErrorIs(t, err, refused, name)
	}
}

// checkAnswered: our one key is of the suite taken and not the peer's, whose
// key is nowhere in the answer.
func checkAnswered(t *testing.T, body string, g Agreed, tag int) {
	ours := cryptos(t, body)
	require.Equal(t, tag != 0, g.Keys.On())
	if tag == 0 {
		require.Empty(t, ours)
		return
	}
	require.Equal(t, []crypto{{tag, g.Keys.Out}}, ours)
	require.Equal(t, g.Keys.In.Suite(), g.Keys.Out.Suite())
	require.NoError(t, g.Keys.Check())
	for _, key := range []string{key30, key28, key44} {
		require.NotContains(t, body, key)
	}
}

func many(n int) []string {
	var all []string
	for i := range n {
		all = append(all, strconv.Itoa(i+1)+sha80+key30)
	}
	return all
}

// TestSecureOffer: each suite with a key of its own, the same when the offer is
// repeated; none of a side that is off.
func TestSecureOffer(t *testing.T) {
	for level, proto := range map[Security]string{Off: "RTP/AVP", Optional: "RTP/AVP", Required: "RTP/SAVP"} {
		s := secured(level)
		body := string(s.Offer())
		require.Equal(t, []string{"m=audio 20000 " + proto + " 8 0 101"}, media(body))
		all := cryptos(t, body)
		if level == Off {
			require.Empty(t, all)
			continue
		}
		require.Len(t, all, len(srtp.Suites()))
		for i, suite := range srtp.Suites() {
			require.Equal(t, i+1, all[i].tag)
			require.Equal(t, suite, all[i].key.Suite())
		}
		require.Equal(t, body, string(s.Offer()), "after a challenge")
		require.Equal(t, body, string(s.Current()))
		for _, other := range cryptos(t, string(secured(level).Offer())) {
			require.NotContains(t, all, other, "two legs share a key")
		}
	}
}

// TestSecureAccept is what becomes of an answer to our offer.
func TestSecureAccept(t *testing.T) {
	for _, v := range []struct {
		name   string
		level  Security
		answer string
		want   error
		suite  srtp.Suite // 0: plain
	}{
		{"plain", Off, secureOffer("RTP/AVP"), nil, 0},
		{"keys that nobody asked for", Off, secureOffer("RTP/AVP", "1"+sha80+key30), nil, 0},
		{"plain", Optional, secureOffer("RTP/AVP"), nil, 0},
		{"plain", Required, secureOffer("RTP/AVP"), ErrPlain, 0},
		{"taken", Optional, secureOffer("RTP/AVP", "1"+sha80+key30), nil, srtp.AES128SHA80},
		{"taken", Required, secureOffer("RTP/SAVP", "2"+sha32+key30), nil, srtp.AES128SHA32},
		{"taken, GCM", Required, secureOffer("RTP/SAVP", "3"+gcm+key44), nil, srtp.AES256GCM},
		{"taken, other protocol", Optional, secureOffer("RTP/SAVP", "1"+sha80+key30), nil, srtp.AES128SHA80},
		{"taken, other protocol", Required, secureOffer("RTP/AVP", "1"+sha80+key30), nil, srtp.AES128SHA80},
		{"tag of another suite", Required, secureOffer("RTP/SAVP", "1"+sha32+key30), ErrSuite, 0},
		{"unknown tag", Required, secureOffer("RTP/SAVP", "7"+sha80+key30), ErrSuite, 0},
		{"unknown tag", Optional, secureOffer("RTP/AVP", "7"+sha80+key30), ErrSuite, 0},
		{"unknown suite", Optional, secureOffer("RTP/AVP", "1"+f8+key30), ErrSuite, 0},
		{"SAVP without keys", Optional, secureOffer("RTP/SAVP"), ErrSuite, 0},
		{"malformed", Optional, secureOffer("RTP/AVP", "1"+sha80), ErrCrypto, 0},
	} {
		name := v.name + " " + v.level.String()
		s := secured(v.level)
		offered := cryptos(t, string(s.Offer()))
		g, err := s.Accept(parseFor(t, v.level, v.answer))
		require.ErrorIs(t, err, v.want, name)
		require.Equal(t, v.suite, g.Keys.In.Suite(), name)
		if v.suite == 0 {
			require.False(t, g.Keys.On(), name)
			continue
		}
		i := strings.Index(v.answer, "a=crypto:")
		tag, err := strconv.Atoi(v.answer[i+9 : i+10])
		require.NoError(t, err)
		require.Equal(t, offered[tag-1].key, g.Keys.Out, name)
		require.Equal(t, []crypto{offered[tag-1]}, cryptos(t, string(s.Current())), "only what is in use is offered again")
	}

	s := secured(Required)
	offered := cryptos(t, string(s.Offer()))
	_, err := s.Accept(parseFor(t, Required, secureOffer("RTP/SAVP", offered[0].String())))
	require.ErrorIs(t, err, ErrCrypto, "our own key back")
	for i, fork := range []string{"1" + sha80 + key30, "2" + sha32 + key30, "1" + sha80 + key30} { // one after the other answers
		g, err := s.Accept(parseFor(t, Required, secureOffer("RTP/SAVP", fork)))
		require.NoError(t, err, "fork %d", i)
		require.Equal(t, offered[i%2].key, g.Keys.Out)
	}
}

// TestKeysOfATalk: our key stays through refreshes, holds and new keys of the
// peer; it changes with the suite and with the peer's address.
func TestKeysOfATalk(t *testing.T) {
	s := secured(Required)
	last := ""
	talk := func(offer string) (Agreed, bool) {
		body, g, err := s.Answer(parseFor(t, Required, offer))
		require.NoError(t, err)
		same := string(body) == last
		last = string(body)
		return g, same
	}
	offer := secureOffer("RTP/SAVP", "4"+sha80+key30)
	first, _ := talk(offer)
	again, same := talk(offer)
	require.Equal(t, first, again)
	require.True(t, same, "the version of a refresh rose")
	require.Equal(t, last, string(s.Current()))

	held, _ := talk(strings.Replace(offer, "198.51.100.7", "0.0.0.0", 1))
	require.Equal(t, first.Keys, held.Keys)
	resumed, _ := talk(offer)
	require.Equal(t, first.Keys, resumed.Keys)

	rekeyed, _ := talk(secureOffer("RTP/SAVP", "4"+sha80+strings.ToLower(key30[:1])+key30[1:]))
	require.NotEqual(t, first.Keys.In, rekeyed.Keys.In)
	require.Equal(t, first.Keys.Out, rekeyed.Keys.Out)

	moved, _ := talk(strings.Replace(offer, "198.51.100.7", "198.51.100.8", 1))
	require.NotEqual(t, first.Keys.Out, moved.Keys.Out)
	suite, _ := talk(strings.Replace(secureOffer("RTP/SAVP", "4"+gcm+key44), "198.51.100.7", "198.51.100.8", 1))
	require.Equal(t, srtp.AES256GCM, suite.Keys.Out.Suite())

	_, _, err := s.Answer(parseFor(t, Required, secureOffer("RTP/AVP")))
	require.ErrorIs(t, err, ErrPlain)
	_, _, err = s.Answer(parseFor(t, Required, strings.Replace(secureOffer("RTP/SAVP", cryptos(t, last)[0].String()), "198.51.100.7", "198.51.100.8", 1)))
	require.ErrorIs(t, err, ErrCrypto, "our own key back")
	require.Equal(t, last, string(s.Current()), "a refused offer changes nothing")

	s = secured(Optional)
	g, _ := talk(secureOffer("RTP/AVP", "1"+sha80+key30))
	require.True(t, g.Keys.On())
	g, _ = talk(secureOffer("RTP/AVP"))
	require.False(t, g.Keys.On())
	require.NotContains(t, string(s.Current()), "a=crypto")
}
