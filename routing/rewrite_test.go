package routing

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func rewrites(t testing.TB, texts ...string) []Rewrite {
	var all []Rewrite
	for _, s := range texts {
		r, err := ParseRewrite(s)
		require.NoError(t, err, s)
		all = append(all, r)
	}
	return all
}

// TestRewrittenSamples is what trunks want of numbers, beside the formats.
func TestRewrittenSamples(t *testing.T) {
	for _, c := range []struct {
		rules        []string
		number, want string
	}{
		{nil, "+86 138-0000-0001", "+86 138-0000-0001"},
		// A prefix is taken off.
		{[]string{"9901(*) -> $"}, "990118012345678", "18012345678"},
		{[]string{"9901(*) -> $"}, "99018012345678", "8012345678"},
		{[]string{"9901(*) -> $"}, "18012345678", "18012345678"},
		{[]string{"9901(*) -> $"}, "9901", "9901"}, // nothing would be left
		{[]string{"9901(*) -> $"}, "+990118012345678", "+990118012345678"},
		// One is added.
		{[]string{"1XXXXXXXXXX -> 7788$"}, "13800000001", "778813800000001"},
		{[]string{"+86(1XXXXXXXXXX) -> 0$"}, "+8613800000001", "013800000001"},
		{[]string{"* -> +$"}, "8613800000001", "+8613800000001"},
		{[]string{"+* -> 00$"}, "+8613800000001", "008613800000001"},
		{[]string{"0[1-9]* -> $"}, "075528000001", "075528000001"}, // without parentheses $ is all of it
		{[]string{"0([1-9]*) -> +86$"}, "075528000001", "+8675528000001"},
		{[]string{"0([1-9]*) -> +86$"}, "008613800000001", "008613800000001"},
		// A part in the middle, and digits behind.
		{[]string{"86(755XXXXXXXX)9 -> 0$"}, "86755280000019", "075528000001"},
		{[]string{"(XXX)XXXXXXXX -> $00"}, "75528000001", "75500"},
		// A constant, and the first rule that fits.
		{[]string{"95588 -> 02195588", "955XX -> 1$"}, "95588", "02195588"},
		{[]string{"95588 -> 02195588", "955XX -> 1$"}, "95599", "195599"},
		// Separators are no part of a number.
		{[]string{"9901(*) -> $"}, "9901 180-1234.5678", "18012345678"},
		// 15 digits, and not more than 32.
		{[]string{"+86(700*) -> $"}, "+86700123456789012", "700123456789012"},
		{[]string{"* -> 1$"}, strings.Repeat("7", 31), "1" + strings.Repeat("7", 31)},
		{[]string{"* -> 1$"}, strings.Repeat("7", 32), strings.Repeat("7", 32)},
		{[]string{"* -> 1$"}, "12a", "12a"},
		{[]string{"* -> 1$"}, "", ""},
	} {
		require.Equal(t, c.want, Rewritten(c.number, rewrites(t, c.rules...)), "%q by %q", c.number, c.rules)
	}
}

func TestBadRewrites(t *testing.T) {
	for rule, want := range map[string]string{
		"":            "use pattern -> replacement, such as 9901(*) -> $",
		"1 2":         "use pattern -> replacement, such as 9901(*) -> $",
		"-> 1":        "its pattern is empty",
		"+ -> 1":      "its pattern is empty",
		"12a -> 1":    "'a' is not a digit, X or [...]",
		"1[ -> 1":     "[ has no ]",
		"1*2 -> 1":    "* stands at the end of the pattern",
		"1** -> 1":    "* stands at the end of the pattern",
		"(1*)2 -> 1":  "* stands at the end of the pattern",
		"(1)(2) -> $": "parentheses stand in it once, around a part of the number",
		"1)2 -> $":    "parentheses stand in it once, around a part of the number",
		")1( -> $":    "parentheses stand in it once, around a part of the number",
		"((1)) -> $":  "parentheses stand in it once, around a part of the number",
		"1() -> $":    "parentheses stand in it once, around a part of the number",
		"1 -> ":       "its replacement is digits around at most one $",
		"1 -> +":      "its replacement is digits around at most one $",
		"1 -> $$":     "its replacement is digits around at most one $",
		"1 -> 1+$":    "its replacement is digits around at most one $",
		"1 -> x":      "its replacement is digits around at most one $",
	} {
		_, err := ParseRewrite(rule)
		require.ErrorContains(t, err, want, rule)
	}
}

// TestRewrittenIsANumber: whatever rule and number, nothing but a number comes
// out where a number went in.
func TestRewrittenIsANumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := ParseRewrite(rapid.StringMatching(`\+?[0-9X*()\[\]-]{0,12} -> \+?[0-9]{0,3}\$?[0-9]{0,3}`).Draw(t, "rule"))
		if err != nil {
			return
		}
		number := rapid.StringMatching(`\+?[0-9]{1,34}`).Draw(t, "number")
		out := strings.TrimPrefix(Rewritten(number, []Rewrite{r}), "+")
		require.True(t, allDigits(out), out)
		require.True(t, len(out) <= maxDigits || strings.HasSuffix(number, out))
	})
}
