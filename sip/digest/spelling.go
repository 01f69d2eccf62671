package digest

import (
	"slices"
	"strings"
)

const (
	blanks  = " \t"
	letters = "abcdefghijklmnopqrstuvwxyz0123456789-" // of the names that the library reads

	maxParams = 64
)

// strict writes a challenge or proof as the library reads it: names in small
// letters, all values in quotes. Peers write names as they like, tabs, without
// quotes lists of qop and values of any characters, and commas with nothing
// between them (RFC 9110 section 5.6.1). What is in quotes stays as it is: it
// goes into hashes. A parameter that is there twice could be read in two ways,
// so it is refused, as is what is no list of parameters.
func strict(text string) (string, bool) {
	i := strings.IndexAny(text, blanks)
	if i < 0 || !strings.EqualFold(text[:i], "Digest") {
		return "", false
	}
	var names, params []string
	for {
		if text = strings.TrimLeft(text[i:], blanks+","); text == "" {
			return "Digest " + strings.Join(params, ", "), true
		}
		name, rest, ok := strings.Cut(text, "=")
		name = strings.ToLower(strings.TrimRight(name, blanks))
		if !ok || name == "" || strings.ContainsAny(name, blanks+`",`) || slices.Contains(names, name) || len(names) == maxParams {
			return "", false
		}
		names = append(names, name)
		text = strings.TrimLeft(rest, blanks)
		value := ""
		if value, i, ok = valueOf(text, name == "qop"); !ok {
			return "", false
		}
		if strings.Trim(name, letters) == "" {
			params = append(params, name+"="+value)
		}
	}
}

// valueOf gives the value at the beginning of a text in quotes, and where it
// ends: at the end of the text or a comma. If it is a list, what follows its
// commas is of it as long as that is no parameter.
func valueOf(text string, list bool) (value string, end int, ok bool) {
	if strings.HasPrefix(text, `"`) {
		end = closing(text)
		value = text[:end]
	} else {
		end = comma(text, 0)
		for next := 0; list && end < len(text); end = next {
			if next = comma(text, end+1); strings.Contains(text[end:next], "=") {
				break
			}
		}
		value = strings.Trim(text[:end], blanks+",")
		if !list && strings.ContainsAny(value, blanks) || strings.ContainsAny(value, `"\`) {
			return "", 0, false
		}
		value = `"` + value + `"`
	}
	end += len(text[end:]) - len(strings.TrimLeft(text[end:], blanks))
	return value, end, len(value) > 1 && (end == len(text) || text[end] == ',')
}

// closing is where a quoted string ends that a text begins with; 0: nowhere.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// comma is where the next one stands in a text, or the end of it.
func comma(text string, from int) int {
	if i := strings.IndexByte(text[from:], ','); i >= 0 {
		return from + i
	}
	return len(text)
}
