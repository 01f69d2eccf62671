package ledger

import (
	"fmt"
	"strings"

	"axgate/routing"
)

// PickQueries are the texts of a search for an X, the one for overdue bindings
// last, with values in place of the parameters.
func PickQueries(at Place, b *routing.Binding) []string {
	p := newPick(b.App, at, b)
	var all []string
	for _, query := range []string{p.text(sides[0]), p.text(sides[1]), p.overdueText()} {
		for i, arg := range append(append(p.args[:2:2], int64(lots/2)), p.args[3:]...) {
			value := fmt.Sprint(arg)
			if text, ok := arg.(string); ok {
				value = "'" + text + "'"
			}
			query = strings.ReplaceAll(query, fmt.Sprintf("$%d", i+1), value)
		}
		all = append(all, query)
	}
	return all
}

// TextQueries are the texts of what is asked about texts all the time.
func TextQueries() []string {
	return []string{nextTexting, textsDue, waitingTexts, openTexts, lockParts,
		"SELECT id FROM messages WHERE app = $1 ORDER BY at DESC, id DESC LIMIT 50", "SELECT id FROM messages WHERE x = $1 ORDER BY at DESC, id DESC LIMIT 50",
		"SELECT id FROM messages WHERE sender = $1 ORDER BY at DESC, id DESC LIMIT 50", "SELECT id FROM messages WHERE receiver = $1 AND receiver <> '' ORDER BY at DESC, id DESC LIMIT 50"}
}
