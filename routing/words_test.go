package routing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWordsAreComparedAsTheyRead(t *testing.T) {
	for _, c := range []struct {
		word, text string
		has        bool
	}{
		{"code", "your CODE is 1", true},
		{"CODE", "your code is 1", true},
		{"code", "ｙｏｕｒ　ｃｏｄｅ", true},
		{"ｃｏｄｅ", "your code", true},
		{"code", "c\u200bo\u200dd\u00ade", true},
		{"code", "c\u2060o\ufe0fd\x00e", true},
		{"c\u200bode", "code", true},
		{"发票", "代开发\u200b票", true},
		{"发票", "发\u3164票", true}, // Hangul filler
		{"发票", "发 票", false},
		{"カード", "ｶｰﾄﾞ", true},
		{"straße", "STRASSE", true},
		{"café", "cafe\u0301", true},
		{"code", "cod e", false},
		{"code", "", false},
		{"code", "\xff\xfe", false},
		{"1.5", "165", false},
		{"two words", "TWO words", true},
	} {
		w := NewWords(c.word)
		require.Equal(t, c.has, w.in(c.text), "%q in %q", c.word, c.text)
		require.Equal(t, []string{c.word}, w.List())
	}
}

func TestNoTextHasWordsThatNobodySees(t *testing.T) {
	require.True(t, NewWords("code", "\u00ad\u200d").Unseen())
	require.True(t, NewWords("").Unseen())
	require.False(t, NewWords("code", " ").Unseen())
	require.False(t, NewWords("\u200b", "").in("anything"))
	require.True(t, NewWords("\u200b", "code").in("a code"))
	require.False(t, Words{}.in(""))
	require.True(t, Words{}.None())
	require.False(t, NewWords("\u200b").None())
}
