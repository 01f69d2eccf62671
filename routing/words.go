package routing

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Words are the words that the texts of an app have to have, or must not have.
// The zero Words are none.
type Words struct {
	list   []string
	folded []string // as they are compared; empty: nobody sees the word, and no text has it
}

// NewWords makes Words of a list.
func NewWords(list ...string) Words {
	w := Words{list: list}
	for _, word := range list {
		w.folded = append(w.folded, foldWord(word))
	}
	return w
}

// List is the words as they were given. It is not to be changed.
func (w Words) List() []string { return w.list }

// None tells whether there are no words.
func (w Words) None() bool { return len(w.list) == 0 }

// Unseen tells whether there is a word that is empty or that nobody sees.
func (w Words) Unseen() bool { return slices.Contains(w.folded, "") }

// in tells whether a text has one of the words.
func (w Words) in(text string) bool {
	if w.None() {
		return false
	}
	text = foldWord(text)
	for _, word := range w.folded {
		if word != "" && strings.Contains(text, word) {
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
