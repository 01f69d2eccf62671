package sip

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// split cuts a text into pieces of at most so many bytes, at least one. It cuts
// behind a space if there is one in the last quarter, else between what readers
// see as characters, and only if one alone is too long within it, between
// runes. Put together the pieces are the text.
func split(text string, room int) []string {
	var pieces []string
	for len(text) > room {
		n := cut(text, room)
		pieces = append(pieces, text[:n])
		text = text[n:]
	}
	return append(pieces, text)
}

// cut is how many bytes of a text that is longer than room go into its first
// piece. room is at least utf8.UTFMax.
func cut(text string, room int) int {
	n, word := 0, 0
	for rest, state := text, -1; ; {
		var seen string
		seen, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if n+len(seen) > room {
			break
		}
		n += len(seen)
		if strings.TrimRightFunc(seen, unicode.IsSpace) == "" {
			word = n
		}
	}
	switch {
	case word > room*3/4:
		return word
	case n > 0:
		return n
	}
	for n = room; !utf8.RuneStart(text[n]); n-- {
	}
	return max(n, 1)
}
