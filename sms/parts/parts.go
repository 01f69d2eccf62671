// Package parts counts the parts of a text, as they are told and charged
// (codes.md section 5), and splits a text into the segments in which a mobile
// network carries it (3GPP TS 23.040 9.2.3.24.1). The two differ: 154 septets
// do not fit beside a concatenation header.
//
// A byte of a text that is no UTF-8 counts, and is split, as one U+FFFD.
package parts

import (
	"github.com/warthog618/sms/encoding/gsm7/charset"
)

// The sizes of parts by the contract, in the units of Units.
const (
	gsmAlone, gsmPart   = 160, 154 // septets
	wideAlone, widePart = 70, 67   // UTF-16 units
)

// Count is the number of parts of a text by the contract, at least 1: a text
// within the GSM alphabet is one up to 160 septets and above that one for each
// 154; any other is one up to 70 UTF-16 units and above that one for each 67.
func Count(text string) int {
	if GSM(text) {
		return count(Units(text), gsmAlone, gsmPart)
	}
	return count(Units(text), wideAlone, widePart)
}

func count(units, alone, part int) int {
	if units <= alone {
		return 1
	}
	return (units + part - 1) / part
}

// GSM tells whether all characters of a text are in the GSM 7 bit default
// alphabet or its extension (TS 23.038 6.2.1).
func GSM(text string) bool {
	for _, r := range text {
		if septets[r] == 0 {
			return false
		}
	}
	return true
}

// Units is the length of a text as a network counts it: septets if it is
// within the GSM alphabet, where a character of the extension takes two, else
// UTF-16 units, where a character beyond U+FFFF takes two.
func Units(text string) int {
	size := sizeIn(text)
	n := 0
	for _, r := range text {
		n += size(r)
	}
	return n
}

// sizeIn is what measures the characters of this text.
func sizeIn(text string) func(rune) int {
	if GSM(text) {
		return func(r rune) int { return septets[r] }
	}
	return func(r rune) int {
		if r > 0xFFFF {
			return 2
		}
		return 1
	}
}

// septets is how many septets a character of the GSM alphabet takes. The
// library has the escape as a character of its own in the table; as such it
// would swallow the one behind it.
var septets = func() map[rune]int {
	n := map[rune]int{}
	for r := range charset.DefaultExtEncoder() {
		n[r] = 2
	}
	for r := range charset.DefaultEncoder() {
		n[r] = 1
	}
	delete(n, '\x1b')
	return n
}()
