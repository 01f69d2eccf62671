package rp

import (
	"encoding/binary"
	"errors"
	"maps"
	"strings"

	"github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/gsm7/charset"
	"github.com/warthog618/sms/encoding/ucs2"

	"axgate/sms/parts"
)

// locking and single are the national language tables (TS 23.038 A.2, A.3) by
// their identifiers; 0 is the default alphabet. The library makes tables when
// they are first asked for, which two goroutines must not do at once: so all
// are asked for here. Its first three signs of Hindi are those of Bengali.
var locking, single = func() (l, s [charset.End]charset.Decoder) {
	for n := range l {
		l[n], s[n] = charset.NewDecoder(n), charset.NewExtDecoder(n)
	}
	hindi := maps.Clone(l[charset.Hindi])
	hindi[0], hindi[1], hindi[2] = '\u0901', '\u0902', '\u0903'
	l[charset.Hindi] = hindi
	charset.DefaultEncoder()
	charset.DefaultExtEncoder()
	return l, s
}()

// decodeGSM is the text of septets in the locking and single shift table of
// these languages. Languages that are not known are the default alphabet, and
// septets without a meaning are spaces (TS 23.038 6.2.1).
func decodeGSM(septets []byte, lock, shift int) string {
	if lock >= len(locking) {
		lock = 0
	}
	if shift >= len(single) {
		shift = 0
	}
	d := gsm7.NewDecoder().WithCharset(locking[lock]).WithExtCharset(single[shift])
	text, _ := d.Decode(septets) // it fails only if told to be strict
	return string(text)
}

var errAlphabet = errors.New("the text is not within the GSM alphabet")

// encodeGSM is a text in septets of the default alphabet.
func encodeGSM(text string) ([]byte, error) {
	if !parts.GSM(text) {
		return nil, errAlphabet
	}
	septets, err := gsm7.Encode([]byte(text))
	if err != nil {
		return nil, errAlphabet // the library's names the character
	}
	return septets, nil
}

// decodeUCS2 is the text of UTF-16 units, as everybody sends under the name of
// UCS-2; halves of characters at its ends are kept for parts.Join. NUL is left
// out: no text has it, and databases refuse it.
func decodeUCS2(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return strings.ReplaceAll(parts.FromUTF16(units), "\x00", "")
}

func encodeUCS2(text string) []byte { return ucs2.Encode([]rune(text)) }
