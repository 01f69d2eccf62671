package ledger

import (
	"fmt"
	"strings"

	"axgate/routing"
)

// Of the account, then of the app.
const smsColumns = `NOT acc.sms, a.sms_keywords, a.sms_forbidden`

// storeSMS is part of storing an app: the words of its texts.
func storeSMS(s scope, a *App) error {
	_, err := s.exec(`UPDATE apps SET sms_keywords = $2, sms_forbidden = $3 WHERE key = $1`, a.Key, lines(a.Keywords), lines(a.Forbidden))
	if err != nil {
		return fmt.Errorf("store the words of texts: %w", err)
	}
	return nil
}

// lines are words as they are stored; none of them has a line feed.
func lines(w routing.Words) string { return strings.Join(w.List(), "\n") }

func wordsOf(lines string) routing.Words {
	if lines == "" {
		return routing.Words{}
	}
	return routing.NewWords(strings.Split(lines, "\n")...)
}
