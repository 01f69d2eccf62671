package parts

import "github.com/rivo/uniseg"

// MaxSegments is how many segments a concatenation header can tell of.
const MaxSegments = 255

// Split is a text in the segments that fit a mobile network's messages, in as
// few as there can be: one up to 160 septets or 70 UTF-16 units, else 153 or 67
// each beside a concatenation header with an 8 bit reference, 152 or 66 with a
// 16 bit one (wide). The whole text decides about the alphabet of all. A
// surrogate pair and an escape pair stay together, and so do a letter with its
// marks, CR LF and a joined emoji where that takes no more segments. Joined
// again they are the text; of the empty text there is one, the empty one.
func Split(text string, wide bool) []string {
	text = string([]rune(text)) // what is no UTF-8 becomes U+FFFD
	alone, each := wideAlone, widePart
	if GSM(text) {
		alone, each = gsmAlone, gsmPart-1
	}
	if wide {
		each--
	}
	if Units(text) <= alone {
		return []string{text}
	}
	s := splitter{size: sizeIn(text), each: each}
	var out []string
	for left := s.least(text); left > 0; left-- {
		n := s.cut(text, left)
		out = append(out, text[:n])
		text = text[n:]
	}
	return out
}

type splitter struct {
	size func(rune) int
	each int // units in a segment
}

// fit is how many bytes of the text fit a segment.
func (s splitter) fit(text string) int {
	units := 0
	for i, r := range text {
		if units += s.size(r); units > s.each {
			return i
		}
	}
	return len(text)
}

// least is in how few segments the text fits.
func (s splitter) least(text string) int {
	n := 0
	for ; text != ""; n++ {
		text = text[s.fit(text):]
	}
	return n
}

// cut is where the first of at most left segments ends: behind the last whole
// cluster of characters, if the rest then has room in the others.
func (s splitter) cut(text string, left int) int {
	full := s.fit(text)
	if full == len(text) {
		return full
	}
	whole, state := 0, -1
	for rest := text; ; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if whole+len(cluster) > full {
			break
		}
		whole += len(cluster)
	}
	if whole > 0 && s.least(text[whole:]) < left {
		return whole
	}
	return full
}
