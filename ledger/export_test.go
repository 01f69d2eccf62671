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
