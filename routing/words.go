package routing

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Words are the words that the texts of an app have to have, or must not have.
// The zero Words are none.
type Words struct {
	list   []string
	folded []string // as they are compared; none is empty
}

// NewWords makes Words of a list. Words that cannot be seen count for nothing.
func NewWords(list ...string) Words {
	var w Words
	for _, word := range list {
		if folded := foldWord(word); folded != "" {
			w.list = append(w.list, word)
			w.folded = append(w.folded, folded)
		}
	}
	return w
}

// List is the words as they were given. It is not to be changed.
func (w Words) List() []string { return w.list }

// None tells whether there are no words.
func (w Words) None() bool { return len(w.folded) == 0 }

// in tells whether a text has one of the words.
func (w Words) in(text string) bool {
	if w.None() {
		return false
	}
	text = foldWord(text)
	for _, word := range w.folded {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// foldWord makes equal what reads as the same: case and width do not count, nor
// do characters that nobody sees, such as a zero-width space amid a word.
func foldWord(s string) string {
	s = strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s)
	// Twice, as folding may leave what is not in normal form.
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
}

// invisible tells whether a character is one that nobody sees and that takes
// no room.
func invisible(r rune) bool {
	return unicode.IsControl(r) && !unicode.IsSpace(r) ||
		unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
