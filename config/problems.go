package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong.
type Problem struct {
	Key   string // path of the setting; empty: the file as a whole
	Where string // file:line or the variable; empty: a default
	Text  string // what is wrong and what is right
}

func (p Problem) String() string {
	s := p.Text
	if p.Key != "" {
		s = p.Key + ": " + s
	}
	if p.Where != "" {
		s += " (" + p.Where + ")"
	}
	return s
}

// Problems are all that is wrong with a configuration.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// origins tells where a setting was made.
type origins map[string]string

// where finds the place of a setting or of the nearest section around it.
func (o origins) where(key string) string {
	for key != "" {
		if w, ok := o[key]; ok {
			return w
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return ""
}

// nearest is the name in the list that is closest to a mistyped one, with fewer
// than limit letters wrong; empty if there is none.
func nearest(typed string, names []string, limit int) string {
	best, least := "", limit
	for _, n := range names {
		if d := distance(typed, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or change, and the neighbours to
// swap (Damerau and Levenshtein).
func distance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, before
		row[0] = i + 1
		for j := range len(b) {
			change := above[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, row[j]+1, above[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// unknown is the text for a key that does not exist.
func unknown(typed string, names []string) string {
	if n := nearest(typed, names, len(typed)/3+1); n != "" {
		return fmt.Sprintf("there is no such key: did you mean %s?", n)
	}
	names = slices.Clone(names)
	slices.Sort(names)
	return "there is no such key: use one of " + strings.Join(names, ", ")
}

// word tells whether a text has only letters, digits, dots, dashes and
// underscores, and at least one.
func word(s string) bool {
	return s != "" && len(s) <= 64 && strings.IndexFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}) < 0
}
