package provision

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"axgate/ledger"
	"axgate/routing"
)

// Bounds of the words that texts of an app have to have, or must not have.
const (
	mostWords   = 1000
	longestWord = 64 // characters
)

// texts checks what an app says about texts through X (section 7).
func (c *check) texts(a *ledger.App) {
	c.words("smsKeywords", a.Keywords)
	c.words("smsForbidden", a.Forbidden)
	if !a.SMS {
		return
	}
	switch a.Mode {
	case routing.AXB:
	case routing.AX, routing.XMode:
		if a.SMSControlURL == "" {
			c.wrong("smsControlUrl", "it is missing: in mode %s the app's server is asked there whom texts are for, and with sms on there has to be one", a.Mode)
		}
	default:
		c.wrong("sms", "there are no texts in mode %s", a.Mode)
	}
}

func (c *check) words(field string, w routing.Words) {
	if len(w.List()) > mostWords {
		c.wrong(field, "%d words are more than %d", len(w.List()), mostWords)
	}
	for i, word := range w.List() {
		if utf8.RuneCountInString(word) > longestWord || !utf8.ValidString(word) || strings.ContainsFunc(word, unicode.IsControl) {
			c.wrong(field, "word %d is no text of at most %d characters without control characters", i+1, longestWord)
		}
	}
	if w.Unseen() {
		c.wrong(field, "a word is empty, or has only characters that nobody sees")
	}
}
