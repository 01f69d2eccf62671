package sdp

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/media/srtp"
)

// Keys of the peer for the suites: 30, 28 and 44 octets.
var (
	key30 = base64.StdEncoding.EncodeToString([]byte("0123456789abcdefSALTSALTSALT01"))
	key28 = base64.StdEncoding.EncodeToString([]byte("0123456789abcdefSALTSALTSALT"))
	key44 = base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdefSALTSALTSALT"))
)

// TestCrypto is RFC 4568 section 9.1, its examples of sections 4.1 and 6 among it.
func TestCrypto(t *testing.T) {
	const sha = "AES_CM_128_HMAC_SHA1_80"
	for text, want := range map[string]error{
		"1 " + sha + " inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:32":                                     errUnknown, // an MKI of 32 octets
		"1 " + sha + " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 ":                                     nil,
		"1 " + sha + " inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4":                                      nil,
		"1 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:32 KDR=1;UNENCRYPTED_SRTCP": ErrCrypto,
		"2 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;inline:QUJjZGVm|2^20|2:4":     errUnknown,

		"0 " + sha + " inline:" + key30:                                     nil,
		"999999999 " + sha + " inline:" + key30:                             nil,
		"007 " + sha + "   INLINE:" + key30:                                 nil,
		"1 AES_CM_128_HMAC_SHA1_32 inline:" + key30 + "|2^48":               nil,
		"1 AEAD_AES_128_GCM inline:" + key28:                                nil,
		"1 AEAD_AES_128_GCM inline:" + strings.TrimRight(key28, "=") + "|5": nil,
		"1 AEAD_AES_256_GCM inline:" + key44 + "|281474976710656":           nil,
		"1 " + sha + " inline:" + key30 + "|255:1":                          nil,
		"1 " + sha + " inline:" + key30 + "|18446744073709551615:8":         nil,
		"1 " + sha + " inline:" + key30 + " WSH=64 KDR=0 -future=1":         nil,

		"1 aes_cm_128_hmac_sha1_80 inline:" + key30:                          errUnknown,
		"1 AES_256_CM_HMAC_SHA1_80 what:ever FOO":                            errUnknown,
		"1 " + sha + " mikey:" + key30:                                       errUnknown,
		"1 " + sha + " inline:" + key30 + ";inline:" + key30:                 errUnknown,
		"1 " + sha + " inline:" + key30 + "|18446744073709551616:9":          errUnknown,
		"1 " + sha + " inline:" + key30 + " KDR=1":                           errUnknown,
		"1 " + sha + " inline:" + key30 + " KDR=24":                          errUnknown,
		"1 " + sha + " inline:" + key30 + " UNENCRYPTED_SRTP":                errUnknown,
		"1 " + sha + " inline:" + key30 + " UNENCRYPTED_SRTCP":               errUnknown,
		"1 " + sha + " inline:" + key30 + " UNAUTHENTICATED_SRTP":            errUnknown,
		"1 " + sha + " inline:" + key30 + " FEC_ORDER=FEC_SRTP":              errUnknown,
		"1 " + sha + " inline:" + key30 + " future":                          errUnknown,
		"1 " + sha + " mikey:" + key30 + " UNAUTHENTICATED_SRTP -a -b":       errUnknown,
		"1 " + sha + " inline:" + key30 + " " + strings.Repeat("-a", 100):    nil,
		"1 " + sha + " inline:" + key30 + strings.Repeat(" -a", maxParams+1): ErrCrypto,
		"1 " + sha + " inline:" + key30 + " " + strings.Repeat("-", 500):     ErrCrypto,

		"":                                                                        ErrCrypto,
		"1":                                                                       ErrCrypto,
		"1 " + sha:                                                                ErrCrypto,
		"1 X inline:":                                                             errUnknown,
		"x " + sha + " inline:" + key30:                                           ErrCrypto,
		"-1 " + sha + " inline:" + key30:                                          ErrCrypto,
		"1000000000 " + sha + " inline:" + key30:                                  ErrCrypto,
		"0000000001 " + sha + " inline:" + key30:                                  ErrCrypto,
		"1 " + sha + " " + key30:                                                  ErrCrypto,
		"1 " + sha + " :" + key30:                                                 ErrCrypto,
		"1 " + sha + " inline:":                                                   ErrCrypto,
		"1 " + sha + " inline:" + key28:                                           ErrCrypto,
		"1 " + sha + " inline:" + key44:                                           ErrCrypto,
		"1 " + sha + " inline:" + key30[1:]:                                       ErrCrypto,
		"1 " + sha + " inline:*" + key30[1:]:                                      ErrCrypto,
		"1 " + sha + " inline:" + key30 + "AAAA":                                  ErrCrypto,
		"1 AEAD_AES_128_GCM inline:" + key28[:37] + "B==":                         ErrCrypto, // bits behind the end
		"1 " + sha + " inline:" + key30 + "|":                                     ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|0":                                    ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|2^0":                                  ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|2^49":                                 ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|281474976710657":                      ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|99999999999999999999999":              ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|-5":                                   ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|1:4|2^20":                             ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|2^20|1:4|":                            ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|1:":                                   ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|:4":                                   ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|1:0":                                  ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|1:129":                                ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|256:1":                                ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|x:4":                                  ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|18446744073709551616:8":               ErrCrypto,
		"1 " + sha + " inline:" + key30 + "|2^20|2^20":                            ErrCrypto,
		"1 " + sha + " inline:" + key28 + ";inline:" + key30:                      ErrCrypto,
		"1 " + sha + " inline:" + key30 + " KDR=25":                               ErrCrypto,
		"1 " + sha + " inline:" + key30 + " KDR":                                  ErrCrypto,
		"1 " + sha + " inline:" + key30 + " WSH=63":                               ErrCrypto,
		"1 " + sha + " inline:" + key30 + " WSH=x":                                ErrCrypto,
		"1 " + sha + " inline:" + key30 + " inline:" + key30 + " inline:" + key30: ErrCrypto,
		"1 " + sha + " inline:" + key30 + " WSH=64 WSH=64":                        ErrCrypto,
		"1 " + sha + " inline:" + key30 + " UNENCRYPTED_SRTCP KDR=0 KDR=0":        ErrCrypto,
	} {
		c, err := parseCrypto(text)
		require.ErrorIs(t, err, want, text)
		require.Equal(t, want == nil, c.in(), text)
		if err != nil {
			require.NotContains(t, err.Error(), key30[:6], "an error shows the key")
		}
	}
	c, err := parseCrypto("12 " + sha + " inline:" + key30 + "|2^31|258:4 WSH=80")
	require.NoError(t, err)
	want, err := srtp.KeyOf(srtp.AES128SHA80, []byte("0123456789abcdefSALTSALTSALT01"))
	require.NoError(t, err)
	require.Equal(t, "12 "+sha+" inline:"+key30, c.String())
	want, err = want.WithID(258, 4)
	require.NoError(t, err)
	require.Equal(t, crypto{tag: 12, key: want}, c)
}

// TestCryptoIsReadAsWritten: what we write is what we read.
func TestCryptoIsReadAsWritten(t *testing.T) {
	for _, suite := range srtp.Suites() {
		c := crypto{tag: 3, key: srtp.NewKey(suite)}
		again, err := parseCrypto(c.String())
		require.NoError(t, err)
		require.Equal(t, c, again)
	}
}

func TestSecurity(t *testing.T) {
	for word, want := range map[string]Security{"": Off, "off": Off, "optional": Optional, "required": Required} {
		got, err := SecurityNamed(word)
		require.NoError(t, err)
		require.Equal(t, want, got)
		if word != "" {
			require.Equal(t, word, got.String())
		}
	}
	for _, word := range []string{"on", "Off", "srtp"} {
		_, err := SecurityNamed(word)
		require.ErrorContains(t, err, "off, optional or required")
	}
	require.Equal(t, "security 7", Security(7).String())
	for _, v := range []struct {
		s    Security
		tls  bool
		want Security
		err  error
	}{
		{Off, false, Off, nil}, {Off, true, Off, nil}, {Optional, true, Optional, nil}, {Optional, false, Off, nil},
		{Required, true, Required, nil}, {Required, false, Off, ErrReadable},
	} {
		got, err := v.s.Over(v.tls)
		require.ErrorIs(t, err, v.err)
		require.Equal(t, v.want, got)
	}
}

// FuzzCrypto reads what anybody may write behind a=crypto: it is refused, passed
// over, or a key that we write again as we read it; and a description with it
// is answered with nothing of it, whatever the leg wants.
func FuzzCrypto(f *testing.F) {
	f.Add("1 AES_CM_128_HMAC_SHA1_80 inline:" + key30)
	f.Add("1 AES_CM_128_HMAC_SHA1_32 inline:" + key30 + "|2^31|1:4 WSH=64 KDR=0 -x")
	f.Add("9 AEAD_AES_128_GCM inline:" + key28 + "|1024")
	f.Add("0 AEAD_AES_256_GCM inline:" + key44 + "|255:8 UNENCRYPTED_SRTCP")
	f.Add("1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + ";inline:" + key30 + "|2:4")
	f.Add("1 AES_CM_128_HMAC_SHA1_80 inline:|2^|:|")
	f.Add("1 F8_128_HMAC_SHA1_80 inline:x\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key30)
	f.Fuzz(func(t *testing.T, value string) {
		c, err := parseCrypto(value)
		if err != nil {
			require.True(t, errors.Is(err, ErrCrypto) != errors.Is(err, errUnknown), err)
			require.False(t, c.in())
		} else {
			again, err := parseCrypto(c.String())
			require.NoError(t, err)
			require.Equal(t, c.tag, again.tag)
			require.Equal(t, c.key.Octets(), again.key.Octets())
			_, err = srtp.NewReceiver(c.key)
			require.NoError(t, err)
		}
		for _, level := range []Security{Off, Optional, Required} {
			for _, proto := range []string{"RTP/AVP", "RTP/SAVP"} {
				r, err := ParseFor(level, "application/sdp", []byte(secureOffer(proto, value)))
				if err != nil {
					require.True(t, slices.ContainsFunc([]error{ErrMalformed, ErrSecure, ErrNoAudio}, func(e error) bool { return errors.Is(err, e) }), err)
					continue
				}
				s := session()
				s.Secure(level)
				body, g, err := s.Answer(r)
				if err != nil {
					require.True(t, level != Off || errors.Is(err, ErrAddress), err)
					continue
				}
				require.Equal(t, strings.Count(string(body), "a=crypto:"), btoi(g.Keys.On()))
				if g.Keys.On() {
					require.NoError(t, g.Keys.Check())
					require.NotContains(t, string(body), base64.StdEncoding.EncodeToString(g.Keys.In.Octets()))
				}
				require.False(t, level == Off && g.Keys.On())
				require.False(t, level == Required && !g.Keys.On())
			}
		}
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
