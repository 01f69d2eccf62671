package parts

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Senders cut long texts between the two surrogates of an emoji. In UTF-8 such
// a half has no form; until the segments are joined it is kept as a character
// of the last private plane, which every database takes.
const (
	firstHalf = 0x10F000           // for U+D800
	lowHalf   = firstHalf + 0x400  // for U+DC00
	endHalf   = firstHalf + 0x800  // behind that for U+DFFF
	surrogate = firstHalf - 0xD800 // what a half is away from its mark
)

// FromUTF16 is the text of a segment. Half a surrogate pair at its beginning or
// end is kept for Join; elsewhere it is U+FFFD.
func FromUTF16(units []uint16) string {
	var head, tail string
	if n := len(units); n > 0 && units[0] >= 0xDC00 && units[0] < 0xE000 {
		head, units = string(rune(units[0])+surrogate), units[1:]
	}
	if n := len(units); n > 0 && units[n-1] >= 0xD800 && units[n-1] < 0xDC00 {
		tail, units = string(rune(units[n-1])+surrogate), units[:n-1]
	}
	return head + string(utf16.Decode(units)) + tail
}

// Join is the text whose segments these are, in their order: characters cut in
// two become whole, and half a character without its other half is U+FFFD.
func Join(segments []string) string {
	var text strings.Builder
	var open rune // the half at the end of the segment before
	for _, s := range segments {
		first, n := utf8.DecodeRuneInString(s)
		low := first >= lowHalf && first < endHalf
		switch {
		case low && open != 0:
			text.WriteRune(utf16.DecodeRune(open-surrogate, first-surrogate))
			s = s[n:]
		case low:
			text.WriteRune(utf8.RuneError)
			s = s[n:]
		case open != 0:
			text.WriteRune(utf8.RuneError)
		}
		open = 0
		if last, n := utf8.DecodeLastRuneInString(s); last >= firstHalf && last < lowHalf {
			open, s = last, s[:len(s)-n]
		}
		text.WriteString(s)
	}
	if open != 0 {
		text.WriteRune(utf8.RuneError)
	}
	return text.String()
}
