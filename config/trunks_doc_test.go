package config_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"axgate/config"
)

var update = flag.Bool("update", false, "write the defaults and meanings of trunk settings into docs/trunks.md")

const trunksPage = "../docs/trunks.md"

// TestTrunksPage holds docs/trunks.md to the settings that there are: each has
// one row, with its default and its meaning.
func TestTrunksPage(t *testing.T) {
	text, err := os.ReadFile(trunksPage)
	require.NoError(t, err)
	page := string(text)
	row := regexp.MustCompile("^\\| `([a-z0-9_]+)` \\| .*? \\| .* \\| ([^|]*) \\|\n$")
	before, tables, ok := strings.Cut(page, "\n## Settings\n")
	require.True(t, ok)
	known, seen := map[string]config.Key{}, map[string]bool{}
	var order []string
	for _, k := range config.Keys() {
		if name, ok := strings.CutPrefix(k.Path, "trunks[0]."); ok {
			known[name] = k
			order = append(order, name)
		}
	}
	write := func(name, rule string) string {
		k := known[name]
		return "| `" + name + "` | " + k.Default + " | " + strings.ReplaceAll(k.Help, "|", `\|`) + " | " + rule + " |\n"
	}
	var out strings.Builder
	for line := range strings.Lines(tables) {
		m := row.FindStringSubmatch(line)
		switch {
		case m == nil:
			out.WriteString(line)
		case known[m[1]].Path == "": // gone
		default:
			require.False(t, seen[m[1]], "%s stands twice", m[1])
			seen[m[1]] = true
			out.WriteString(write(m[1], m[2]))
		}
	}
	var missing []string
	for _, name := range order {
		if !seen[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		if !strings.Contains(tables, "\n### Further\n") {
			out.WriteString("\n### Further\n\n| key | default | meaning | rule |\n|---|---|---|---|\n")
		}
		for _, name := range missing {
			out.WriteString(write(name, ""))
		}
	}
	want := before + "\n## Settings\n" + out.String()
	if *update {
		require.NoError(t, os.WriteFile(trunksPage, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, page, "run go test ./config -run TestTrunksPage -update, and put new settings (%s) where they belong", strings.Join(missing, ", "))
}

// TestTrunksPageRecipes: what the page tells to write can be loaded.
func TestTrunksPageRecipes(t *testing.T) {
	text, err := os.ReadFile(trunksPage)
	require.NoError(t, err)
	recipes := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, recipes, 4)
	for _, r := range recipes {
		_, err := load(t, r[1])
		require.NoError(t, err, r[1])
	}
}
